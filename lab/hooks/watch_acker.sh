#!/bin/sh
# watch_acker.sh DATABASE PEER [SECONDS]: looks after the acknowledgements that the writer waits for; run every second.
# A writer never stops waiting by itself (semi-sync without fallback), so a standby that dies alone would block it for
# ever. When nobody acknowledges for SECONDS (default 3), commits go on without: DEGRADED, and said so. Not done when
# the gateway is out of reach as well, because then this host is the one cut off and the peer may be the new writer;
# nor when the peer is open for writes itself.
# When the peer is back as standby, it is listened to and its acknowledgement is required again.
# Always succeeds: a standby's trouble is no reason to move the address.
NAME=acker
. "$(dirname "$0")/common.sh"
SECONDS_ALONE=${3:-3}
SINCE=$DATABASE/no-acker-since

now() { sed 's/[. ].*//' /proc/uptime; }

status_value() { echo "(SELECT VARIABLE_VALUE FROM information_schema.global_status WHERE VARIABLE_NAME = 'Rpl_semi_sync_master_$1')"; }

# Read-only, acknowledgements asked for, replicas that give them, commits that wait, commits acknowledged so far.
state=$(here "SELECT @@read_only, @@rpl_semi_sync_master_enabled, $(status_value clients), $(status_value wait_sessions), $(status_value yes_tx)") || exit 0
set -- $state
clients=$3
progress=$5
if [ "$1" = 1 ]; then
  rm -f "$SINCE"
  exit 0
fi

# A standby whose host has vanished stays connected for minutes: commits that wait and do not get on are the sign.
acknowledged() {
  [ "$clients" -ge 1 ] || return 1
  [ "$1" -ge 1 ] || return 0
  [ -s "$SINCE" ] && [ "$(cut -d ' ' -f 2 "$SINCE")" = "$progress" ] && return 1
  echo "$(now) $progress" >"$SINCE"
}

listen_again() {
  [ "$(slave_status Slave_IO_Running)" = No ] || return 0
  here "START SLAVE IO_THREAD" && say "listening to $PEER again"
}

if [ "$2" = 1 ] && acknowledged "$4"; then
  [ "$4" -ge 1 ] || rm -f "$SINCE"
  listen_again
  exit 0
fi

peer=$(there "SELECT @@read_only")
if [ "$peer" = 0 ]; then
  say "BOTH OPEN: $PEER is open for writes too; nothing is received from it and nothing is changed"
  exit 0
fi

if [ "$2" = 1 ]; then
  [ -s "$SINCE" ] || echo "$(now) $progress" >"$SINCE"
  alone=$(($(now) - $(cut -d ' ' -f 1 "$SINCE")))
  [ "$alone" -ge "$SECONDS_ALONE" ] || exit 0
  if ! gateway_reachable; then
    say "no acker for $alone s, and the gateway cannot be reached either: commits go on waiting"
    exit 0
  fi
  here "SET GLOBAL rpl_semi_sync_master_enabled = 0" || exit 0
  say "DEGRADED: no acker for $alone s; commits are on this server alone until $PEER is back"
elif [ "$peer" = 1 ]; then
  listen_again
  if [ "$clients" -ge 1 ] && [ "$(slave_status Slave_IO_Running "$PEER")" = Yes ]; then
    here "SET GLOBAL rpl_semi_sync_master_enabled = 1" && say "$PEER is back: commits wait for its acknowledgement again"
    rm -f "$SINCE"
  fi
fi
exit 0
