# shellcheck shell=bash disable=SC2034
# Shared by every script of the kit; sourced, never run.
#
# Settings (environment):
#   KIT_BASE    first port of the block the kit listens on      (21000)
#   KIT_STATE   where pids, logs, certificates and data go      (${TMPDIR:-/tmp}/httpkit-$UID-$KIT_BASE)
#   KIT_VENV    Python environment that install.sh makes        (${XDG_CACHE_HOME:-~/.cache}/bequest/kit-venv)
#   KIT_WAIT    seconds a server may take to become ready       (20)
#
# Two kits run side by side when their KIT_BASE differ by at least 200.
# Everything listens on 127.0.0.1 (and ::1 where it says so), nothing else.

set -u
KIT_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
KIT_BASE=${KIT_BASE:-21000}
KIT_STATE=${KIT_STATE:-${TMPDIR:-/tmp}/httpkit-$UID-$KIT_BASE}
KIT_VENV=${KIT_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/bequest/kit-venv}
KIT_WAIT=${KIT_WAIT:-20}
PATH=$PATH:/usr/sbin:/sbin

RUN=$KIT_STATE/run LOGS=$KIT_STATE/log CERTS=$KIT_STATE/certs DATA=$KIT_STATE/data CONF=$KIT_STATE/conf

# port NAME: the number of a named port. ports.env lists NAME=OFFSET; a variable
# PORT_NAME overrides one of them.
port() {
  local v=PORT_$1 off
  if [ -n "${!v:-}" ]; then echo "${!v}"; return; fi
  off=$(sed -n "s/^$1=\([0-9]*\).*/\1/p" "$KIT_DIR/ports.env")
  [ -n "$off" ] || { echo "kit: no port named $1" >&2; return 1; }
  echo $((KIT_BASE + off))
}

say() { echo "kit: $*" >&2; }
die() { say "$*"; exit 1; }
need() { command -v "$1" >/dev/null || die "$1 is missing: apt-get install $2"; }

# The checks below are of this machine's own servers: no proxy, no ~/.curlrc may come between.
direct() { unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY; }
curl() { command curl -q "$@"; }

prepare() {
  mkdir -p "$RUN" "$LOGS" "$DATA" "$CONF" || exit 1
  chmod 755 "$KIT_STATE" "$RUN" "$LOGS" "$DATA" "$CONF"
}

python() { # the venv's Python where there is one, else the system's
  "$(python_bin)" "$@"
}
python_bin() { if [ -x "$KIT_VENV/bin/python" ]; then echo "$KIT_VENV/bin/python"; else command -v python3; fi; }

certs() { # make the certificates once
  [ -e "$CERTS/.done" ] || python "$KIT_DIR/py/certs.py" "$CERTS" || die "certificates not made"
}

# What identifies a process beyond its number, so that a recycled pid is never killed: when it
# started. Nothing for a process that has ended, also where nobody has collected it yet.
birth() {
  local stat
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ "$1" = Z ] || echo "${20}"
}

alive() { # alive NAME
  local pid born
  read -r pid born 2>/dev/null <"$RUN/$1.pid" || return 1
  [ -n "$born" ] && [ "$(birth "$pid")" = "$born" ]
}

# spawn NAME COMMAND...: in the background, in a session of its own, its output in log/NAME.log
spawn() {
  local name=$1 pid; shift
  if alive "$name"; then say "$name already runs"; return 0; fi
  setsid "$@" >"$LOGS/$name.log" 2>&1 </dev/null &
  pid=$!
  echo "$pid $(birth $pid)" >"$RUN/$name.pid"
}

# ready NAME CHECK...: polls CHECK until it succeeds; the log's end is shown when it never does
ready() {
  local name=$1 i; shift
  for ((i = 0; i < KIT_WAIT * 20; i++)); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    if ! alive "$name"; then break; fi
    sleep 0.05
  done
  say "$name did not become ready"; tail -n 20 "$LOGS/$name.log" >&2
  stop "$name"
  return 1
}

listening() { # listening PORT...: something accepts on each of them
  local p
  for p; do (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || return 1; done
}

refuse_taken() { # refuse_taken NAME PORT...: a foreign listener must not be taken for ours
  local name=$1 p; shift
  alive "$name" && return 0
  for p; do if listening "$p"; then die "port $p, wanted by $name, is taken (set KIT_BASE)"; fi; done
}

stop() { # stop NAME...: TERM to all, then KILL after five seconds; children share the session
  local name pid born end=$((SECONDS + 5))
  for name; do
    if alive "$name"; then read -r pid born <"$RUN/$name.pid"; kill -TERM "$pid" 2>/dev/null; fi
  done
  for name; do
    while alive "$name" && ((SECONDS <= end)); do sleep 0.05; done
    if alive "$name"; then read -r pid born <"$RUN/$name.pid"; kill -KILL -- "-$pid" 2>/dev/null; fi
    rm -f "$RUN/$name.pid"
  done
}

# render TEMPLATE OUT [NAME=VALUE...]: fills @NAME@; @port:x@ is a port, @STATE@ etc. the folders
render() {
  local tpl=$1 out=$2 text name; shift 2
  text=$(cat "$tpl")
  for name in "$@"; do text=${text//@${name%%=*}@/${name#*=}}; done
  text=${text//@STATE@/$KIT_STATE}; text=${text//@CERTS@/$CERTS}; text=${text//@DATA@/$DATA}
  text=${text//@LOGS@/$LOGS}; text=${text//@RUN@/$RUN}; text=${text//@CONF@/$CONF}
  while [[ $text =~ @port:([a-z0-9_]+)@ ]]; do
    name=${BASH_REMATCH[1]}; text=${text//@port:$name@/$(port "$name")}
  done
  printf '%s\n' "$text" >"$out"
}

# own_hosts COMMAND...: runs it with an /etc/hosts of the kit's own, in which proxy-only.test
# and both.test resolve: a name that only the proxy can resolve shows who did the look-up.
own_hosts() {
  cat >"$CONF/hosts" <<H
127.0.0.1 localhost
::1 localhost ip6-localhost
127.0.0.1 proxy-only.test
::1 proxy-only6.test
H
  local flags=(--mount)
  [ "$(id -u)" = 0 ] || flags+=(--map-root-user)
  # shellcheck disable=SC2016
  exec_args=(unshare "${flags[@]}" sh -c 'mount --bind "$0" /etc/hosts && exec "$@"' "$CONF/hosts" "$@")
}

# main ACTION: every script defines up, down, env_lines and calls this
main() {
  direct
  case ${1:-} in
    start) prepare; up && env_lines ;;
    stop) down ;;
    restart) down; prepare; up && env_lines ;;
    env) env_lines ;;
    status) status_lines ;;
    *) echo "usage: $(basename "$0") start|stop|restart|status|env" >&2; exit 2 ;;
  esac
}
status_lines() {
  local n rc=0
  for n in $SERVERS; do
    if alive "$n"; then echo "$n up ($(cut -d' ' -f1 "$RUN/$n.pid"))"; else echo "$n down"; rc=3; fi
  done
  return $rc
}
