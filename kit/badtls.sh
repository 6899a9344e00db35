#!/bin/bash
# badtls.py: one TLS server a port: expired, wrong host, untrusted, revoked..., old versions, alerts,
# connections cut without close_notify.  badtls.sh start|stop|restart|status|env|list
# `list` prints the table (case, url, accept, why) as JSON; trust $KIT_CA to judge them.
. "$(dirname "$0")/lib.sh"
SERVERS="badtls"
up() {
  certs
  refuse_taken badtls "$(port badtls)"
  "$(python_bin)" "$KIT_DIR/py/badtls.py" --base "$(port badtls)" --certs "$CERTS" --list >"$DATA/badtls.json" ||
    die "no list of cases"
  spawn badtls "$(python_bin)" "$KIT_DIR/py/badtls.py" --base "$(port badtls)" --certs "$CERTS"
  ready badtls curl -fsS -m 2 --cacert "$CERTS/ca.pem" "https://localhost:$(port badtls)/"
}
down() { stop badtls; }
env_lines() { echo "export BADTLS_URL=https://localhost:$(port badtls) BADTLS_BASE=$(port badtls) BADTLS_CASES=$DATA/badtls.json KIT_CA=$CERTS/ca.pem KIT_CRL=$CERTS/crl.pem"; }
if [ "${1:-}" = list ]; then
  prepare; certs
  exec "$(python_bin)" "$KIT_DIR/py/badtls.py" --base "$(port badtls)" --certs "$CERTS" --list
fi
main "$@"
