/**
 * Signals in masses: while the daemon starts, when nobody may open Node's debugger by SIGUSR1, and while it serves, when
 * thousands of each must neither end it nor delay its adverts, and the last one is still answered.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { HOLDFAST_LAUNCHER } from "../src/lab/paths.ts";
import { execute } from "../src/lab/processes.ts";
import { describeHoldfast } from "./support.ts";

const CONFIG = `vrrp_instance VI_1 {
  interface eth0
  version 3
  virtual_router_id 51
  priority 100
  advert_int 0.2
  virtual_ipaddress {
    192.0.2.50
  }
}
`;

const PREPARE = `
out=$1 program=$2
export TMPDIR=$out
mount -t tmpfs none /run
ip link add eth0 type veth peer name eth1
ip link set lo up; ip addr add 192.0.2.1/24 dev eth0; ip link set eth0 up; ip link set eth1 up
await() { n=0; until eval "$1"; do n=$((n+1)); [ $n -lt 600 ] || { echo "never: $1"; exit 1; }; sleep 0.1; done; }
# Port 9229 in the state LISTEN: nothing else of this namespace listens to anything.
open() { grep -q ':240D .* 0A ' /proc/net/tcp /proc/net/tcp6; }
`;

/**
 * SIGUSR1 at other moments of each start. Before Node has any handler it ends the process, as it ends any program that has not taken
 * it yet; what must not be is a debugger, however short.
 */
const EARLY = `${PREPARE}
survived=0
# The signals have been handled, or have ended it: none is waiting any more, however busy the machine.
taken() { ! [ -e /proc/$DAEMON/status ] || ! grep -E '^(SigPnd|ShdPnd):' /proc/$DAEMON/status | grep -qv 0000000000000000; }
for delay in 0.01 0.02 0.03 0.04 0.06 0.08 0.12 0.2 0.4 0.8 1.6 3.2 6.4; do
  rm -f /run/pid
  "$program" -n -f $out/k.conf -p /run/pid 2>>$out/log & DAEMON=$!
  sleep $delay
  n=0
  while [ $n -lt 10 ]; do
    n=$((n+1)); kill -USR1 $DAEMON 2>/dev/null; open && echo "the debugger is open after $delay s"
  done
  await taken
  sleep 0.3
  open && echo "the debugger stays open after $delay s"
  if kill -0 $DAEMON 2>/dev/null; then
    survived=$((survived+1))
    # The third is old enough to have taken the signal: it goes on below.
    [ $survived -lt 3 ] || break
    kill -KILL $DAEMON; wait $DAEMON
  fi
done >>$out/said 2>/dev/null
cat $out/said
[ $survived -eq 3 ] || echo "only $survived starts survived"
await '[ -s /run/pid ]'
rm -f $out/keepalived.data
kill -USR1 $(cat /run/pid); await '[ -s $out/keepalived.data ]'
await 'pgrep -P $DAEMON >/dev/null'
for keeper in $(pgrep -P $DAEMON); do kill -USR1 $keeper; done
sleep 0.5
open && echo "the keeper's debugger is open"
kill $DAEMON; wait $DAEMON || echo "ended with $?"
`;

const STORM = `${PREPARE}
"$program" -n -f $out/k.conf -p /run/pid 2>$out/log & DAEMON=$!
await 'ip -4 addr show eth0 | grep -q 192.0.2.50'
sent() { awk '$1 == "eth0:" { print $11 }' /proc/net/dev; }
# Ten intervals long: however fast the signals come, there are adverts to be delayed.
( sleep 2; touch $out/enough ) &
before=$(sent)
for sender in 1 2 3 4; do
  ( until [ -e $out/enough ]; do
      for n in 1 2 3 4 5 6 7 8 9 10; do for s in USR1 USR2 36 63 64; do kill -$s $DAEMON; done; done; sleep 0.05
    done ) & SENDERS="$SENDERS $!"
done
wait $SENDERS
after=$(sent)
[ $((after - before)) -ge 5 ] && echo "adverts went on" || echo "$((after - before)) adverts in ten intervals"
sleep 1
rm -f $out/keepalived.json $out/keepalived.stats
kill -36 $DAEMON; await '[ -s $out/keepalived.json ]'
kill -63 $DAEMON; await '[ -s $out/keepalived.stats ]'
ip -4 addr show eth0 | grep -q 192.0.2.50 && echo "still MASTER"
grep -c 'Entering' $out/log
ls $out | grep -c 'keepalived.*-'
kill $DAEMON; wait $DAEMON || echo "ended with $?"
`;

const folder = mkdtempSync(join(tmpdir(), "holdfast-signals-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function run(script: string): Promise<string> {
  const out = mkdtempSync(join(folder, "run-"));
  writeFileSync(join(out, "k.conf"), CONFIG);
  const inside = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"];
  const { code, stdout, stderr } = await execute([...inside, "sh", "-c", script, "sh", out, HOLDFAST_LAUNCHER], {
    timeoutMs: 150_000,
  });
  // Null: it hung and was killed.
  expect(code, `${stdout}${stderr}`).toBe(0);
  return `${stdout}${stderr}${stdout.includes("never") ? readFileSync(join(out, "log"), "utf8") : ""}`;
}

describeHoldfast("signals in masses", () => {
  test.concurrent("SIGUSR1 from before the first instruction on never opens Node's debugger, and is a data dump in the end", async () => {
    expect(await run(EARLY)).toBe("");
  }, 100_000);

  test.concurrent("thousands of each dump signal at once end nothing, delay no advert, and the last is answered", async () => {
    const said = await run(STORM);
    // BACKUP and MASTER, once each; no half-written file is left.
    expect(said).toBe("adverts went on\nstill MASTER\n2\n0\n");
  }, 100_000);
});
