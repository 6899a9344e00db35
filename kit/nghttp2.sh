#!/bin/bash
# nghttpd: an HTTP/2-only server (TLS; and cleartext by prior knowledge) with trailers and an echo
# of uploads; nghttpx: a proxy that speaks HTTP/2 to the client and HTTP/1.1 to nginx.
# nghttp2.sh start|stop|restart|status|env
. "$(dirname "$0")/lib.sh"
SERVERS="nghttpd nghttpd_h2c"
up() {
  need nghttpd nghttp2-server
  certs
  refuse_taken nghttpd "$(port nghttpd)"; refuse_taken nghttpd_h2c "$(port nghttpd_h2c)"
  local www=$DATA/nghttp2; mkdir -p "$www"; echo hello >"$www/hello.txt"; seq 1 20000 >"$www/numbers.txt"
  # few streams at once, and trailers after each body
  set -- nghttpd --address=127.0.0.1 --htdocs="$www" --max-concurrent-streams=4 --trailer='x-trailer: after' --echo-upload
  spawn nghttpd "$@" -v "$(port nghttpd)" "$CERTS/server.key" "$CERTS/server.pem"
  spawn nghttpd_h2c "$@" --no-tls "$(port nghttpd_h2c)"
  ready nghttpd curl -fsS -m 2 --http2 --cacert "$CERTS/ca.pem" "https://localhost:$(port nghttpd)/hello.txt" &&
    ready nghttpd_h2c curl -fsS -m 2 --http2-prior-knowledge "http://127.0.0.1:$(port nghttpd_h2c)/hello.txt"
}
down() { stop nghttpd nghttpd_h2c; }
env_lines() {
  echo "export NGHTTPD_URL=https://localhost:$(port nghttpd)"
  echo "export NGHTTPD_H2C_URL=http://127.0.0.1:$(port nghttpd_h2c)"
}
main "$@"
