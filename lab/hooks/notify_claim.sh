#!/bin/sh
# notify_claim.sh DATABASE PEER [INSTANCE NAME PRIORITY]: makes the local server ready to be the writer.
# Exit 0 opens the gate: the address is taken only after that. Order matters:
#   1. close the peer for writes if it can be reached, so that nothing is acknowledged there any more; if it cannot,
#      stop listening to it;
#   2. wait until everything received from it has been applied;
#   3. ask for acknowledgements, or say that nobody is left to give them;
#   4. open the local server.
NAME=claim
. "$(dirname "$0")/common.sh"
WAIT_SECONDS=8

wait_for() {
  [ -n "$1" ] || return 0
  done=$(LIMIT=$((WAIT_SECONDS + 1)) here "SELECT MASTER_GTID_WAIT('$1', $WAIT_SECONDS)") && [ "$done" = 0 ]
}

# Its kernel may still hold events that nobody acknowledged, and the old writer may be alive behind a cut: what came from
# it later would be acknowledged to its clients and never fit in here. So nothing is received until the peer is back as
# standby (watch_acker.sh). The applier goes on meanwhile, so nothing received is dropped.
# A semi-sync receiver that stops tries to end its session at the source first, for a second when that is gone. A
# receiver that had lost its connection has nothing to read: that one is told to stop and not waited for, since a
# stopping receiver ends instead of reading when it gets a new connection.
stop_receiver() {
  receiver=$(slave_status Slave_IO_Running) || return 1
  [ "$receiver" != No ] || return 0
  # Its output goes nowhere: whoever waits for the end of what the hook says must not wait for it.
  LIMIT=4 here "STOP SLAVE IO_THREAD" >/dev/null 2>&1 &
  stopping=$!
  if [ "$receiver" != Connecting ]; then
    wait "$stopping"
    return
  fi
  tries=0
  while [ "$tries" -lt 40 ]; do
    tries=$((tries + 1))
    ordered=$(here "SELECT COUNT(*) FROM information_schema.processlist WHERE info = 'STOP SLAVE IO_THREAD'")
    receiver=$(slave_status Slave_IO_Running) || return 1
    [ "$receiver" != No ] || return 0
    [ "$receiver" != Connecting ] || [ "$ordered" != 1 ] || return 0
    sleep 0.02
  done
  return 1
}

if ! here "SELECT 1" >/dev/null; then
  say "refused: the local server does not answer"
  exit 1
fi
# A second call on a server that is open already changes nothing.
peer_position=
gateway_reachable >/dev/null 2>&1 &
probe=$!
if there "SET GLOBAL read_only = 1" >/dev/null; then
  peer_position=$(there "SELECT @@gtid_binlog_pos")
  peer=reachable
  say "the peer $PEER is reachable and closed for writes"
else
  peer=gone
  if ! wait "$probe"; then
    say "refused: neither $PEER nor the gateway can be reached, so this host is the one cut off"
    exit 1
  fi
  if ! stop_receiver; then
    say "refused: the receiver did not stop"
    exit 1
  fi
fi

if [ "$(slave_status Slave_SQL_Running)" = No ]; then
  problem=$(slave_status Last_SQL_Error)
  if [ -n "$problem" ]; then
    say "refused: the applier has stopped: $problem"
    exit 1
  fi
  here "START SLAVE SQL_THREAD"
fi
if ! received=$(slave_status Gtid_IO_Pos); then
  say "refused: the local server does not say what it has received"
  exit 1
fi
if ! wait_for "$received" || ! wait_for "$peer_position"; then
  say "refused: not everything received (${received:-nothing}) could be applied within $WAIT_SECONDS s"
  exit 1
fi
say "everything received is applied (${received:-nothing})"

if [ "$peer" = reachable ]; then
  here "SET GLOBAL rpl_semi_sync_master_enabled = 1" || exit 1
  say "commits wait for the acknowledgement of $PEER"
else
  here "SET GLOBAL rpl_semi_sync_master_enabled = 0" || exit 1
  say "DEGRADED: $PEER cannot be reached, nobody can acknowledge: commits are on this server alone until it is back"
fi
here "SET GLOBAL read_only = 0" || exit 1
say "open for writes"
