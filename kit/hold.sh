#!/bin/bash
# Keeps servers for as long as its standard input stays open, for a program whose servers must not
# outlive it, however it ends: when the input ends, all are stopped and KIT_STATE is removed.
# KIT_STATE must not exist yet.
#
# It says `ready`, or `taken` when another hold.sh has the ports of this KIT_BASE. Then it reads
# names, one a line, starts NAME.sh and answers `ok` or `failed`; what the script printed is in
# $KIT_STATE/NAME.out and NAME.err.
: "${KIT_BASE:?}" "${KIT_STATE:?}"
export KIT_WAIT=${KIT_WAIT:-60}   # many labs may start at once on a small machine
. "$(dirname "$0")/lib.sh"
unset "${!PORT_@}"   # the block of KIT_BASE is what was locked

# The servers inherit the lock: one that could not be stopped keeps its block.
lock=${TMPDIR:-/tmp}/httpkit-$UID-$KIT_BASE.lock
exec 9>>"$lock" || exit 1
# -ef: the file may have been removed by its last owner between our open and our lock
if ! flock -n 9 || ! [ "$lock" -ef /proc/self/fd/9 ]; then echo taken; exit; fi

started=()
finish() {
  trap - EXIT
  local n
  for n in "${started[@]}"; do "$KIT_DIR/$n.sh" stop & done
  wait
  rm -rf "$KIT_STATE"
  rm -f "$lock"
}
trap finish EXIT
trap : PIPE   # the other end may be gone in the middle of a start
mkdir "$KIT_STATE" || { KIT_STATE=; exit 1; }
echo ready
exec 2>"$KIT_STATE/hold.err"
while read -r name; do
  started+=("$name")
  if "$KIT_DIR/$name.sh" start >"$KIT_STATE/$name.out" 2>"$KIT_STATE/$name.err"; then echo ok; else echo failed; fi
done
