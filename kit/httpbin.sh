#!/bin/bash
# httpbin under gunicorn, over HTTP and over HTTPS.  httpbin.sh start|stop|restart|status|env
. "$(dirname "$0")/lib.sh"
SERVERS="httpbin httpbin_tls"
up() {
  [ -x "$KIT_VENV/bin/gunicorn" ] || die "gunicorn is missing: run kit/install.sh"
  certs
  refuse_taken httpbin "$(port httpbin)"; refuse_taken httpbin_tls "$(port httpbin_tls)"
  # gthread keeps connections alive (the default worker closes each one after one response)
  set -- "$KIT_VENV/bin/gunicorn" -w 1 -k gthread --threads 16 --keep-alive 30 --graceful-timeout 1 --worker-tmp-dir "$RUN" \
    --limit-request-line 0 --limit-request-field_size 0 --log-level warning
  spawn httpbin "$@" -b "127.0.0.1:$(port httpbin)" httpbin:app
  spawn httpbin_tls "$@" -b "127.0.0.1:$(port httpbin_tls)" \
    --certfile "$CERTS/server.pem" --keyfile "$CERTS/server.key" httpbin:app
  ready httpbin curl -fsS -m 2 "http://127.0.0.1:$(port httpbin)/get" &&
    ready httpbin_tls curl -fsS -m 2 --cacert "$CERTS/ca.pem" "https://localhost:$(port httpbin_tls)/get"
}
down() { stop httpbin httpbin_tls; }
env_lines() {
  echo "export HTTPBIN_URL=http://127.0.0.1:$(port httpbin)"
  echo "export HTTPBIN_TLS_URL=https://localhost:$(port httpbin_tls)"
  echo "export KIT_CA=$CERTS/ca.pem"
}
main "$@"
