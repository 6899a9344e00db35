#!/bin/bash
# SOCKS proxies: microsocks (SOCKS5; open, and user/passwd), dante (SOCKS4 and 5), ssh -D (SOCKS4, 4a
# and 5), and socksd.py (SOCKS4, 4a, 5; open, and user/passwd), which logs each request as JSON.
# socks.sh start|stop|restart|status|env
#
# Only the proxies know the name proxy-only.test (127.0.0.1): a request for it that succeeds was
# resolved by the proxy (socks5h, socks4a), and must fail with socks5 and socks4.
. "$(dirname "$0")/lib.sh"
SERVERS="microsocks microsocks_auth dante sshd ssh_socks socksd socksd_auth"
up() {
  need microsocks microsocks; need danted dante-server; need sshd openssh-server
  local exec_args user="" me; me=$(id -un)
  refuse_taken microsocks "$(port microsocks)"; refuse_taken dante "$(port dante)"; refuse_taken socksd "$(port socksd)"
  own_hosts microsocks -i 127.0.0.1 -p "$(port microsocks)"; spawn microsocks "${exec_args[@]}"
  own_hosts microsocks -i 127.0.0.1 -p "$(port microsocks_auth)" -u user -P passwd; spawn microsocks_auth "${exec_args[@]}"

  [ "$(id -u)" != 0 ] || user=$'user.privileged: root\nuser.unprivileged: nobody'
  render "$KIT_DIR/conf/danted.conf" "$CONF/danted.conf" "USER_LINES=$user"
  own_hosts danted -N 1 -f "$CONF/danted.conf" -p "$RUN/danted.own.pid"; spawn dante "${exec_args[@]}"

  set -- "$(python_bin)" "$KIT_DIR/py/socksd.py" --map proxy-only.test=127.0.0.1
  spawn socksd "$@" --port "$(port socksd)"
  spawn socksd_auth "$@" --port "$(port socksd_auth)" --user user --password passwd

  # ssh -D: an sshd of our own on loopback, with a key of our own
  local dir=$DATA/ssh; mkdir -p "$dir"; chmod 700 "$dir"
  [ -e "$dir/host" ] || ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
  [ -e "$dir/user" ] || ssh-keygen -q -t ed25519 -N '' -f "$dir/user"
  cp "$dir/user.pub" "$dir/authorized_keys"
  [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
  own_hosts "$(command -v sshd)" -D -e -f /dev/null -p "$(port sshd)" -o ListenAddress=127.0.0.1 \
    -o HostKey="$dir/host" -o PidFile=none -o AuthorizedKeysFile="$dir/authorized_keys" -o StrictModes=no \
    -o PermitRootLogin=prohibit-password -o PasswordAuthentication=no -o UsePAM=no
  spawn sshd "${exec_args[@]}"
  local n; for n in microsocks microsocks_auth dante socksd socksd_auth; do
    ready "$n" listening "$(port "$n")" || return 1
  done
  # (an sshd that is not root's wants a /run/sshd of root's: where there is none, do without ssh -D)
  if ! ready sshd listening "$(port sshd)"; then say "no ssh -D"; return 0; fi
  spawn ssh_socks ssh -N -F /dev/null -D "127.0.0.1:$(port ssh_socks)" -p "$(port sshd)" -i "$dir/user" \
    -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ExitOnForwardFailure=yes -o BatchMode=yes "$me@127.0.0.1"
  ready ssh_socks listening "$(port ssh_socks)"
}
down() { stop ssh_socks sshd microsocks microsocks_auth dante socksd socksd_auth; }
env_lines() {
  echo "export SOCKS5=127.0.0.1:$(port microsocks) SOCKS5_AUTH=user:passwd@127.0.0.1:$(port microsocks_auth)"
  echo "export SOCKS_DANTE=127.0.0.1:$(port dante) SOCKS_SSH=127.0.0.1:$(port ssh_socks)"
  echo "export SOCKS_ANY=127.0.0.1:$(port socksd) SOCKS_ANY_AUTH=user:passwd@127.0.0.1:$(port socksd_auth)"
  echo "export SOCKS_ANY_LOG=$LOGS/socksd.log SOCKS_ANY_AUTH_LOG=$LOGS/socksd_auth.log"
}
main "$@"
