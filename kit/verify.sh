#!/bin/bash
# Proves with curl that the running servers do what they are for: verify.sh
# A check is: what it shows, the status expected, the arguments of curl.  000 means that curl fails.
. "$(dirname "$0")/lib.sh"
direct
CA=$CERTS/ca.pem passed=0 failed=0 skipped=0
t() {
  local what=$1 want=$2 got; shift 2
  got=$(curl -sS -m 8 -o "$RUN/verify.out" -w '%{http_code}/%{http_version}' --cacert "$CA" --proxy-cacert "$CA" "$@" 2>"$RUN/verify.err") || got="000 $got"
  if [[ $got == $want* ]]; then passed=$((passed + 1)); else
    failed=$((failed + 1)); echo "FAIL $what: wanted $want, got $got $(head -c 200 "$RUN/verify.err")"; fi
}
has() { # has WHAT PATTERN: in the last body
  if grep -qa -- "$2" "$RUN/verify.out"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $1: no $2 in the body"; fi
}
up() { if alive "$1"; then return 0; fi; skipped=$((skipped + 1)); echo "skip $1: not started"; return 1; }
h() { echo "http://127.0.0.1:$(port "$1")"; }
s() { echo "https://localhost:$(port "$1")"; }
K=(--cert "$CERTS/client.pem" --key "$CERTS/client.key")

if up httpbin; then
  t "httpbin" 200 "$(h httpbin)/get"
  t "httpbin over TLS" 200 "$(s httpbin_tls)/get"
  t "httpbin, CA unknown" 000 --cacert "$CERTS/other-ca.pem" "$(s httpbin_tls)/get"
  t "httpbin digest SHA-256" 200 --digest -u u:p "$(h httpbin)/digest-auth/auth/u/p/SHA-256"
  t "httpbin digest auth-int" 200 --digest -u u:p "$(h httpbin)/digest-auth/auth-int/u/p/MD5"
  t "httpbin chunked upload" 200 -H 'Transfer-Encoding: chunked' -d body "$(h httpbin)/post"; has "chunked upload" body
fi
if up nginx; then
  t "nginx h1" 200/1.1 "$(h nginx)/whoami"
  t "nginx h2" 200/2 --http2 "$(s nginx_tls)/whoami"; has "nginx h2" HTTP/2.0
  t "nginx h2c" 200/2 --http2-prior-knowledge "$(h nginx_h2c)/whoami"
  t "nginx mTLS without certificate" 400 "$(s nginx_mtls)/whoami"
  t "nginx mTLS" 200 "${K[@]}" "$(s nginx_mtls)/whoami"; has "nginx mTLS" CN=alice
  t "nginx mTLS, unknown issuer" 400 --cert "$CERTS/client-untrusted-both.pem" "$(s nginx_mtls)/whoami"
  t "nginx mTLS, expired" 400 --cert "$CERTS/client-expired-both.pem" "$(s nginx_mtls)/whoami"
  t "nginx TLS 1.2" 200 --tls-max 1.2 "$(s nginx_tls12)/whoami"; has "TLS 1.2" TLSv1.2
  t "nginx TLS 1.3 refuses 1.2" 000 --tls-max 1.2 "$(s nginx_tls13)/whoami"
  t "nginx range" 206 -r 2-3 "$(h nginx)/numbers.txt"
  t "nginx gzip" 200 --compressed "$(h nginx)/gzip/numbers.txt"; has gzip 20000
  t "nginx basic" 200 -u user:passwd "$(h nginx)/basic/hello.txt"
  t "nginx basic, wrong" 401 -u user:wrong "$(h nginx)/basic/hello.txt"
  t "nginx big file" 200 "$(h nginx)/big.bin"
  t "nginx redirect" 200 -L "$(h nginx)/redirect/to-https"
  t "nginx redirect loop" 000 -L "$(h nginx)/redirect/loop"
  t "nginx upload" 20 -T "$DATA/nginx/www/big.bin" "$(h nginx)/upload"
  if alive apache; then
    t "nginx sink" 200 -H 'Transfer-Encoding: chunked' --data-binary "@$DATA/nginx/www/big.bin" "$(h nginx)/sink"
    has "nginx sink" taken
  fi
  t "nginx 413" 413 --data-binary "@$DATA/nginx/www/numbers.txt" "$(h nginx)/small"
  t "nginx 502" 502 "$(h nginx)/badgateway/"
  if grep -q . /proc/net/if_inet6 2>/dev/null; then t "nginx IPv6" 200 "http://[::1]:$(port nginx_v6)/whoami"; fi
fi
if up apache; then
  t "apache digest" 200 --digest -u user:passwd "$(h apache)/digest/hello.txt"
  t "apache digest, UTF-8" 200 --digest -u jörg:päss "$(h apache)/digest/hello.txt"
  t "apache digest, wrong" 401 --digest -u user:wrong "$(h apache)/digest/hello.txt"
  t "apache digest domain" 200 --digest -u user:passwd "$(h apache)/digest-domain/hello.txt"
  t "apache MKCOL" 201 -X MKCOL "$(h apache)/dav/verify$$/"
  t "apache PUT" 201 -T "$KIT_DIR/ports.env" "$(h apache)/dav/verify$$/a"
  t "apache PROPFIND" 207 -X PROPFIND -H 'Depth: 1' "$(h apache)/dav/verify$$/"
  t "apache MOVE" 201 -X MOVE -H "Destination: $(h apache)/dav/verify$$/b" "$(h apache)/dav/verify$$/a"
  t "apache DELETE" 204 -X DELETE "$(h apache)/dav/verify$$/"
  t "apache h2" 200/2 --http2 "$(s apache_tls)/hello.txt"
  t "apache h2c upgrade" 200/2 --http2 "$(h apache)/hello.txt"
  t "apache brotli" 200 --compressed "$(h apache)/brotli/numbers.txt"
  t "apache echo" 200 -d 'a=b' "$(h apache)/echo.cgi"; has echo 'a=b'
  t "apache sink" 200 -d 'a=b' "$(h apache)/sink.txt"; has sink taken
  t "apache client certificate by location" 200 --http1.1 "${K[@]}" "$(s apache_tls)/client-cert/hello.txt"
fi
if up lighttpd; then
  for p in md5 sha256 any userhash; do t "lighttpd $p" 200 --digest -u user:passwd "$(h lighttpd)/$p/hello.txt"; done
  t "lighttpd digest, wrong" 401 --digest -u user:wrong "$(h lighttpd)/sha256/hello.txt"
fi
if up caddy; then
  t "caddy h2" 200/2 --http2 "$(s caddy_tls)/whoami"
  t "caddy h2c" 200/2 --http2-prior-knowledge "$(h caddy)/whoami"
  t "caddy zstd" 200 -H 'Accept-Encoding: zstd' "$(s caddy_tls)/numbers.txt"
fi
if up nghttpd; then
  t "nghttpd" 200/2 --http2 "$(s nghttpd)/hello.txt"
  t "nghttpd h2c" 200/2 --http2-prior-knowledge "$(h nghttpd_h2c)/hello.txt"
fi
if up squid && up nginx; then
  for u in "$(h nginx)/whoami" "$(s nginx_tls)/whoami"; do
    bad=407; [[ $u == https* ]] && bad=000
    t "squid" 200 -x "$(h squid)" "$u"
    t "squid basic" 200 -x "http://user:passwd@127.0.0.1:$(port squid_basic)" "$u"
    t "squid basic, none" $bad -x "$(h squid_basic)" "$u"
    t "squid digest" 200 --proxy-digest -x "http://user:passwd@127.0.0.1:$(port squid_digest)" "$u"
    t "squid both" 200 --proxy-anyauth -x "http://user:passwd@127.0.0.1:$(port squid_both)" "$u"
    t "squid TLS" 200 -x "$(s squid_tls)" "$u"
    t "squid TLS basic" 200 -x "https://user:passwd@localhost:$(port squid_tls_basic)" "$u"
    t "squid mTLS" 200 -x "$(s squid_mtls)" --proxy-cert "$CERTS/client.pem" --proxy-key "$CERTS/client.key" "$u"
    t "squid mTLS, none" 000 -x "$(s squid_mtls)" "$u"
    t "tinyproxy" 200 -x "$(h tinyproxy)" "$u"
    t "tinyproxy basic" 200 -x "http://user:passwd@127.0.0.1:$(port tinyproxy_basic)" "$u"
    t "tinyproxy basic, none" $bad -x "$(h tinyproxy_basic)" "$u"
    t "stunnel" 200 -x "https://user:passwd@localhost:$(port stunnel)" "$u"
  done
  t "squid resolves" 200 -x "$(h squid)" "http://proxy-only.test:$(port nginx)/whoami"
  t "tinyproxy resolves" 200 -x "$(h tinyproxy)" "http://proxy-only.test:$(port nginx)/whoami"
  t "we do not" 000 "http://proxy-only.test:$(port nginx)/whoami"
  t "squid denies" 403 -x "$(h squid)" http://denied.test/
  t "squid 503" 503 -x "$(h squid)" "$(h refused)/"
fi
if up socksd && up nginx; then
  P=http://proxy-only.test:$(port nginx)/whoami
  for n in microsocks dante ssh_socks socksd; do
    up $n || continue
    t "$n socks5" 200 -x "socks5://127.0.0.1:$(port $n)" "$(s nginx_tls)/whoami"
    t "$n socks5h" 200 -x "socks5h://127.0.0.1:$(port $n)" "$P"
    t "$n socks5, name unknown here" 000 -x "socks5://127.0.0.1:$(port $n)" "$P"
    [ $n = microsocks ] || t "$n socks4" 200 -x "socks4://127.0.0.1:$(port $n)" "$(h nginx)/whoami"
    [ $n = microsocks ] || [ $n = dante ] || t "$n socks4a" 200 -x "socks4a://127.0.0.1:$(port $n)" "$P"
  done
  for n in microsocks_auth socksd_auth; do
    t "$n" 200 -x "socks5h://user:passwd@127.0.0.1:$(port $n)" "$P"
    t "$n, wrong" 000 -x "socks5h://user:wrong@127.0.0.1:$(port $n)" "$P"
    t "$n, none" 000 -x "socks5h://127.0.0.1:$(port $n)" "$P"
  done
fi
if up badserver; then
  t "badserver truncated" 000 "$(h badserver)/truncated/content-length"
  t "badserver over TLS" 200 "$(s badserver_tls)/reuse/keep"
  t "badserver hangs" 000 -m 1 "$(h badserver)/hang"
  t "badserver flaky" 503 "$(h badserver)/flaky/1/verify$$"
  t "badserver flaky, again" 200 "$(h badserver)/flaky/1/verify$$"
  t "badserver script" 200 -X PUT -d '[{"send": "HTTP/1.1 418 Mine\r\nContent-Length: 0\r\n\r\n"}]' "$(h badserver)/_script/v"
  t "badserver plays it" 418 "$(h badserver)/s/v"
  t "blackhole" 000 --connect-timeout 1 "$(h blackhole)/"
  t "refused" 000 "$(h refused)/"
fi
if up badh2; then
  t "badh2" 200/2 --http2-prior-knowledge "$(h badh2)/ok"
  t "badh2 over TLS" 200/2 --http2 "$(s badh2_tls)/trailers"
  t "badh2 continuation" 200/2 --http2-prior-knowledge "$(h badh2)/continuation"
  t "badh2 short body" 000 --http2-prior-knowledge "$(h badh2)/length-short"
  t "badh2 upload" 200 --http2-prior-knowledge --data-binary "@$KIT_DIR/py/certs.py" "$(h badh2)/upload-window"
  # a short body: curl 7.88 takes the RST_STREAM(NO_ERROR) for a failure when it is still sending
  t "badh2 early answer" 413 --http2-prior-knowledge -d body "$(h badh2)/early-413"
fi
if up badtls; then
  while read -r url accept host p; do
    want=000; [ "$accept" = True ] && want=200
    t "badtls $url" $want -m 4 --resolve "$host:$p:127.0.0.1" "$url"
  done < <("$KIT_DIR/badtls.sh" list | python3 -c 'import json, sys
for c in json.load(sys.stdin):
    if not c["implementations_differ"] and c["case"] != "cn-only":  # curl still takes a common name
        print(c["url"], c["accept"], c["host"], c["port"])')
fi
if up faultproxy && up nginx; then
  t "faultproxy" 200 "$(h faultproxy)/hello.txt"
  t "faultproxy, a limit" 200 -X PUT -d '{"limit": 1000, "then": "reset"}' "$(h faultproxy_http)/fault"
  t "faultproxy resets" 000 "$(h faultproxy)/big.bin"
  t "faultproxy, no fault" 200 -X DELETE "$(h faultproxy_http)/fault"
fi
if up haproxy && up nginx && up badserver; then
  t "haproxy" 200 "$(h haproxy)/ok"
  t "haproxy h2" 200/2 --http2 "$(s haproxy_tls)/whoami"
  t "haproxy 503" 503 "$(h haproxy_deadbackend)/"
  t "haproxy 504" 504 "$(h haproxy_slowbackend)/"
  t "haproxy silent drop" 000 -m 1 "$(h haproxy)/silent-drop"
  t "haproxy tarpit" 500 "$(h haproxy)/tarpit"
  up tinyproxy && t "haproxy TLS proxy" 200 -x "$(s haproxy_tlsproxy)" "$(s nginx_tls)/whoami"
fi
rm -f "$RUN/verify.out" "$RUN/verify.err"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
