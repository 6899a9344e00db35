#!/bin/bash
# mitmproxy: a proxy that opens TLS with a CA of its own ($MITM_CA), as companies' proxies do; HTTP
# proxy and SOCKS5 on one process, an HTTP proxy with a password on a second.
# mitmproxy.sh install|start|stop|restart|status|env      (its Python packages get a venv of their own)
# $MITM_LOG shows each request as the proxy saw it. Upstream certificates are checked against the kit's CA.
. "$(dirname "$0")/lib.sh"
SERVERS="mitmproxy mitmproxy_auth"
KIT_MITM_VENV=${KIT_MITM_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/bequest/mitm-venv}
up() {
  [ -x "$KIT_MITM_VENV/bin/mitmdump" ] || die "run mitmproxy.sh install first"
  certs
  refuse_taken mitmproxy "$(port mitmproxy)" "$(port mitmproxy_socks)"; refuse_taken mitmproxy_auth "$(port mitmproxy_auth)"
  set -- "$KIT_MITM_VENV/bin/mitmdump" --set confdir="$DATA/mitmproxy" \
    --set ssl_verify_upstream_trusted_ca="$CERTS/ca.pem" --set flow_detail=2 --set termlog_verbosity=warn
  mkdir -p "$DATA/mitmproxy"
  spawn mitmproxy "$@" --mode "regular@127.0.0.1:$(port mitmproxy)" --mode "socks5@127.0.0.1:$(port mitmproxy_socks)"
  ready mitmproxy listening "$(port mitmproxy)" "$(port mitmproxy_socks)" || return 1
  spawn mitmproxy_auth "$@" --mode "regular@127.0.0.1:$(port mitmproxy_auth)" --proxyauth user:passwd
  ready mitmproxy_auth listening "$(port mitmproxy_auth)"
}
down() { stop mitmproxy mitmproxy_auth; }
env_lines() {
  echo "export MITM_PROXY=http://127.0.0.1:$(port mitmproxy) MITM_SOCKS=socks5h://127.0.0.1:$(port mitmproxy_socks)"
  echo "export MITM_AUTH_PROXY=http://user:passwd@127.0.0.1:$(port mitmproxy_auth)"
  echo "export MITM_CA=$DATA/mitmproxy/mitmproxy-ca-cert.pem MITM_LOG=$LOGS/mitmproxy.log"
}
if [ "${1:-}" = install ]; then
  ! "$KIT_MITM_VENV/bin/mitmdump" --version >/dev/null 2>&1 || exit 0
  [ -x "$KIT_MITM_VENV/bin/python" ] || python3 -m venv "$KIT_MITM_VENV" || exit 1
  exec "$KIT_MITM_VENV/bin/pip" install -q --disable-pip-version-check mitmproxy==11.0.2
fi
main "$@"
