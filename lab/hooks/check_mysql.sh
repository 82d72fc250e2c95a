#!/bin/sh
# check_mysql.sh DATABASE PEER: succeeds when the local server answers a query in time.
# A writer that had to open without its peer also looks whether the peer is back, and asks for acknowledgements again.
NAME=check
. "$(dirname "$0")/common.sh"

state=$(LIMIT=0.8 here "SELECT @@read_only, @@rpl_semi_sync_master_enabled, COUNT(*) FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'") || {
  echo "no answer from the server on 127.0.0.1:3306 within 0.8 s" >&2
  exit 1
}

# Tab separated: open for writes, no acknowledgements asked for, a replica connected.
set -- $state
if [ "$1" = 0 ] && [ "$2" = 0 ] && [ "$3" -ge 1 ]; then
  if timeout 0.4 mariadb --defaults-file="$DATABASE/client.cnf" -h "$PEER" -e "SHOW SLAVE STATUS\G" 2>/dev/null |
    grep -q "Slave_IO_Running: Yes"; then
    here "SET GLOBAL rpl_semi_sync_master_enabled = 1" && say "the peer is back: commits wait for its acknowledgement again"
  fi
fi
exit 0
