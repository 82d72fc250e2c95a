# Sourced by the hooks. Arguments of every hook: the server's folder (client.cnf, mysqld.pid), the peer's address.
# Everything said goes to standard output, which the daemon keeps, and to hooks.log in the server's folder.
# shellcheck shell=sh
DATABASE=$1
PEER=$2
VIP=${VIP:-192.168.11.100}
PATH=$PATH:/usr/sbin:/sbin

say() {
  echo "$NAME: $*"
  echo "$(date +%H:%M:%S.%3N) $NAME: $*" >>"$DATABASE/hooks.log"
}

# sql SECONDS HOST STATEMENT: no answer in time is a failure, never a wait.
sql() {
  timeout -k 1 "$1" mariadb --defaults-file="$DATABASE/client.cnf" -h "$2" -NB -e "$3"
}

here() { sql "${LIMIT:-1}" 127.0.0.1 "$1" 2>/dev/null; }

there() { sql 0.5 "$PEER" "$1" 2>/dev/null; }

# slave_status FIELD [HOST]: fails when the server does not say, because an unknown position must never look like an
# empty one. Fields need their names, so no -N: with it the client prints values alone.
slave_status() {
  status=$(timeout -k 1 4 mariadb --defaults-file="$DATABASE/client.cnf" -h "${2:-127.0.0.1}" -e "SHOW SLAVE STATUS\G" 2>/dev/null) || return 1
  echo "$status" | grep -q "^ *$1:" || return 1
  echo "$status" | sed -n "s/^ *$1: *//p"
}

# Who cannot reach the gateway either is the one cut off, and the peer may well be alive. Without a default route there
# is nobody to ask, and the peer's silence alone decides.
gateway_reachable() {
  gateway=$(ip -4 route show default | sed -n 's/^default via \([0-9.]*\).*/\1/p' | head -n 1)
  [ -z "$gateway" ] || ping -nqc 1 -W 1 "$gateway" >/dev/null 2>&1
}
