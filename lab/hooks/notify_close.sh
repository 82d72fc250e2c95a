#!/bin/sh
# notify_close.sh DATABASE PEER [...]: closes the local server for writes. Used for notify_release, notify_backup,
# notify_fault and notify_stop; calling it on a closed server changes nothing.
# Connections that came through the virtual address are ended: their clients must find the new writer.
NAME=close
. "$(dirname "$0")/common.sh"

if ! open=$(here "SELECT @@read_only = 0"); then
  say "the local server does not answer; it starts read-only when it comes back"
  exit 0
fi

# SET read_only can hang behind a commit that waits for an acknowledgement: it gets a second of its own.
sql 1 127.0.0.1 "SET GLOBAL read_only = 1" 2>/dev/null &

# Such a commit is in the binary log already. Ending its session would make it permanent here and nowhere else, so
# a server whose waiting commits get no acknowledgement is killed: it rolls them back when it starts.
waiting() { here "SHOW STATUS LIKE 'Rpl_semi_sync_master_wait_sessions'" | cut -f2; }
tries=0
while [ "$(waiting)" -gt 0 ] 2>/dev/null; do
  tries=$((tries + 1))
  if [ "$tries" -ge 10 ]; then
    say "$(waiting) commit(s) wait for an acknowledgement that does not come: server killed, it rolls them back at its next start"
    kill -9 "$(cat "$DATABASE/mysqld.pid")"
    exit 0
  fi
  sleep 0.05
done
wait

clients=$(ss -Htn state established src "$VIP" sport = :3306 2>/dev/null | awk '{printf "%s\x27%s\x27", sep, $NF; sep=","}')
if [ -n "$clients" ]; then
  here "SELECT CONCAT('KILL ', id) FROM information_schema.processlist WHERE host IN ($clients)" | while read -r kill; do
    here "$kill"
  done
  say "ended the connections that came through $VIP"
fi
here "SET GLOBAL rpl_semi_sync_master_enabled = 0"
# A refused claim leaves the receiver stopped; it may run again only when everything received is applied, because a
# restart drops what is not.
if [ "$(slave_status Slave_IO_Running)" = No ]; then
  case $(slave_status Slave_SQL_Running_State) in
    "Slave has read all relay log"*) here "START SLAVE IO_THREAD" && say "receiving from $PEER again" ;;
    *) say "the receiver stays stopped: not everything received is applied" ;;
  esac
fi
[ "$open" = 1 ] && say "closed for writes"
exit 0
