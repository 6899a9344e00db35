#!/bin/bash
# Installs what the kit's servers need. Usage: install.sh [apt] [pip]   (no word: both)
# ONLY="httpbin nginx" limits it to what these servers need, as it does for all.sh.
# What is there already is left alone, so that a second run costs nothing. Nothing is started.
. "$(dirname "$0")/lib.sh"
declare -A APT=(
  [nginx]=nginx-light [apache]="apache2 apache2-utils" [lighttpd]=lighttpd [caddy]=caddy
  [nghttp2]="nghttp2-server nghttp2-proxy nghttp2-client" [haproxy]=haproxy
  [proxy]="squid-openssl tinyproxy stunnel4" [socks]="microsocks dante-server openssh-server openssh-client"
  [netns]="iproute2 nftables"
)
# every server's: the certificates are made by Python, each start is checked with curl
packages="ca-certificates curl openssl python3 python3-venv util-linux"
for server in ${ONLY:-${!APT[@]}}; do packages+=" ${APT[$server]:-}"; done

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

install_apt() {
  local p missing=() rc made=
  for p in $packages; do installed "$p" || missing+=("$p"); done
  [ ${#missing[@]} != 0 ] || return 0
  [ "$(id -u)" = 0 ] || die "only root can install: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # Debian starts a server when it is installed; this kit starts its own.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d && made=1
  fi
  apt-get update -q && apt-get install -y -q --no-install-recommends "${missing[@]}"; rc=$?
  if [ -n "$made" ]; then rm -f /usr/sbin/policy-rc.d; trap - EXIT; fi
  [ $rc = 0 ] || die "apt-get failed"
}

install_pip() {
  # a copy of the list that was installed says whether the environment is up to date
  local list=$KIT_DIR/py/requirements.txt done=$KIT_VENV/requirements.installed
  cmp -s "$list" "$done" && return 0
  # two checkouts may get here at once, and share the environment
  mkdir -p "$(dirname "$KIT_VENV")" || exit 1
  exec 9>>"$KIT_VENV.lock" || exit 1
  flock 9
  [ -x "$KIT_VENV/bin/pip" ] || python3 -m venv "$KIT_VENV" || die "no venv (apt-get install python3-venv)"
  "$KIT_VENV/bin/pip" install -q --disable-pip-version-check -r "$list" || die "pip failed"
  cp "$list" "$done"
}

[ $# != 0 ] || set -- apt pip
for what; do
  case $what in
    apt) install_apt ;;
    pip) install_pip ;;
    *) die "usage: $(basename "$0") [apt] [pip]" ;;
  esac
done
