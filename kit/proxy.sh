#!/bin/bash
# HTTP proxies: squid (open, basic, digest, basic and digest, over TLS, over TLS with basic, over TLS
# with a client certificate), tinyproxy (open, basic), stunnel in front of tinyproxy (TLS, basic).
# proxy.sh start|stop|restart|status|env          user / passwd
#
# To the proxies, and to nothing else on the machine, proxy-only.test is 127.0.0.1: a request for
# http://proxy-only.test:PORT/ that succeeds was resolved by the proxy. http://denied.test/ is
# refused with 403 by squid. Logs: squid.access.log (method, URL, status, user, Proxy-Authorization).
. "$(dirname "$0")/lib.sh"
SERVERS="squid tinyproxy tinyproxy_basic stunnel"
up() {
  need squid squid-openssl; need tinyproxy tinyproxy; need stunnel4 stunnel4
  certs
  local user="" ports p tls exec_args
  refuse_taken squid "$(port squid)"; refuse_taken tinyproxy "$(port tinyproxy)"
  mkdir -p "$DATA/squid"
  echo "user:$(openssl passwd -apr1 passwd)" >"$CONF/squid.basic"
  echo "user:kit proxy:$(printf 'user:kit proxy:passwd' | md5sum | cut -d' ' -f1)" >"$CONF/squid.digest"
  own_hosts true
  if [ "$(id -u)" = 0 ]; then
    user="cache_effective_user proxy"
    chown proxy: "$DATA/squid"
    touch "$LOGS/squid.cache.log" "$LOGS/squid.access.log"; chown proxy: "$LOGS"/squid.*.log
  fi
  tls="tls-cert=$CERTS/server.pem tls-key=$CERTS/server.key"
  ports="http_port 127.0.0.1:$(port squid) name=open"
  for p in basic digest both; do ports+=$'\n'"http_port 127.0.0.1:$(port squid_$p) name=$p"; done
  ports+=$'\n'"https_port 127.0.0.1:$(port squid_tls) name=tls $tls"
  ports+=$'\n'"https_port 127.0.0.1:$(port squid_tls_basic) name=tls_basic $tls"
  ports+=$'\n'"https_port 127.0.0.1:$(port squid_mtls) name=mtls $tls tls-clientca=$CERTS/client-ca.pem"
  render "$KIT_DIR/conf/squid.conf" "$CONF/squid.conf" "USER_LINE=$user" NAME=squid "PORTS=$ports"
  spawn squid squid -N -f "$CONF/squid.conf" -n "kit$KIT_BASE"

  render "$KIT_DIR/conf/tinyproxy.conf" "$CONF/tinyproxy.conf" NAME=tinyproxy "PORT=$(port tinyproxy)" AUTH=
  render "$KIT_DIR/conf/tinyproxy.conf" "$CONF/tinyproxy_basic.conf" NAME=tinyproxy_basic \
    "PORT=$(port tinyproxy_basic)" "AUTH=BasicAuth user passwd"
  own_hosts tinyproxy -d -c "$CONF/tinyproxy.conf"; spawn tinyproxy "${exec_args[@]}"
  own_hosts tinyproxy -d -c "$CONF/tinyproxy_basic.conf"; spawn tinyproxy_basic "${exec_args[@]}"
  render "$KIT_DIR/conf/stunnel.conf" "$CONF/stunnel.conf"
  spawn stunnel stunnel4 "$CONF/stunnel.conf"
  ready squid listening "$(port squid)" "$(port squid_basic)" "$(port squid_digest)" "$(port squid_both)" \
      "$(port squid_tls)" "$(port squid_tls_basic)" "$(port squid_mtls)" &&
    ready tinyproxy listening "$(port tinyproxy)" && ready tinyproxy_basic listening "$(port tinyproxy_basic)" &&
    ready stunnel listening "$(port stunnel)"
}
down() { stop stunnel tinyproxy tinyproxy_basic squid; }
env_lines() {
  echo "export SQUID_PROXY=http://127.0.0.1:$(port squid)"
  echo "export SQUID_BASIC_PROXY=http://user:passwd@127.0.0.1:$(port squid_basic)"
  echo "export SQUID_DIGEST_PROXY=http://user:passwd@127.0.0.1:$(port squid_digest)"
  echo "export SQUID_BOTH_PROXY=http://user:passwd@127.0.0.1:$(port squid_both)"
  echo "export SQUID_TLS_PROXY=https://localhost:$(port squid_tls)"
  echo "export SQUID_TLS_BASIC_PROXY=https://user:passwd@localhost:$(port squid_tls_basic)"
  echo "export SQUID_MTLS_PROXY=https://localhost:$(port squid_mtls)"
  echo "export SQUID_LOG=$LOGS/squid.access.log"
  echo "export TINYPROXY=http://127.0.0.1:$(port tinyproxy)"
  echo "export TINYPROXY_BASIC=http://user:passwd@127.0.0.1:$(port tinyproxy_basic)"
  echo "export STUNNEL_PROXY=https://user:passwd@localhost:$(port stunnel)"
}
main "$@"
