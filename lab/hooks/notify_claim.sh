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

if ! here "SELECT 1" >/dev/null; then
  say "refused: the local server does not answer"
  exit 1
fi
# A second call on a server that is open already changes nothing.
peer_position=
if there "SET GLOBAL read_only = 1" >/dev/null; then
  peer_position=$(there "SELECT @@gtid_binlog_pos")
  peer=reachable
  say "the peer $PEER is reachable and closed for writes"
else
  peer=gone
  # Its kernel may still hold events that nobody acknowledged and deliver them when the link is back. A new connection
  # gets what the peer really has after its recovery. The applier goes on meanwhile, so nothing received is dropped.
  here "STOP SLAVE IO_THREAD"
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
[ "$peer" = reachable ] || here "START SLAVE IO_THREAD"
here "SET GLOBAL read_only = 0" || exit 1
say "open for writes"
