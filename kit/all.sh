#!/bin/bash
# Every server of the kit: all.sh start|stop|restart|status|env|clean
# `eval "$(./all.sh env)"` sets the variables that say where each one is; clean stops them and
# removes the state folder. ONLY="httpbin nginx" limits it to some.
. "$(dirname "$0")/lib.sh"
ALL=${ONLY:-httpbin nginx apache lighttpd caddy nghttp2 proxy socks badserver badh2 badtls faultproxy haproxy}
stop_all() { for n in $ALL; do "$KIT_DIR/$n.sh" stop & done; wait; }
case ${1:-} in
  start|restart|env)
    rc=0
    for n in $ALL; do "$KIT_DIR/$n.sh" "$1" || { say "$n failed"; rc=1; }; done
    exit $rc ;;
  stop) stop_all ;;
  status) for n in $ALL; do "$KIT_DIR/$n.sh" status; done ;;
  clean) stop_all; rm -rf "$KIT_STATE" ;;
  *) echo "usage: $(basename "$0") start|stop|restart|status|env|clean" >&2; exit 2 ;;
esac
