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

# Fails when the server does not say: an unknown position must never look like an empty one.
slave_status() {
  status=$(sql 4 127.0.0.1 "SHOW SLAVE STATUS\G" 2>/dev/null) || return 1
  echo "$status" | sed -n "s/^ *$1: //p"
}
