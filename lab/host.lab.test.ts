// What the daemon asks of its host and what the host does to it: priorities, namespaces, the service manager, a full disk,
// no descriptors left, a wall clock that jumps. None of it may cost the address.
import { release } from "node:os";
import { expect, test } from "vitest";
import { ScriptHost } from "./script-host.ts";
import { describeHoldfast } from "./support.ts";

const INSTANCE = `
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  version 3
  priority 100
  advert_int 0.2
  virtual_ipaddress {
    192.0.2.50/24
  }
  BODY
}
`;
const instance = (body = ""): string => INSTANCE.replace("BODY", body);

/** Hears what the service manager would, one message a line. */
const MANAGER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    text = s.recv(4096).decode()
    print(text.strip().replace("\\n", " "), flush=True)
    if "STOPPING" in text: break
`;

/** Forks until the host has no process left, for four seconds after the log has said so. */
const CROWD = `
import os, signal, sys, time
kids, until = [], None
while until is None or time.monotonic() < until:
    try:
        kid = os.fork()
        if kid == 0:
            time.sleep(1000)
            os._exit(0)
        kids.append(kid)
    except OSError:
        time.sleep(0.01)
    if until is None and "out of processes" in open(sys.argv[1]).read():
        until = time.monotonic() + 4
        print("full", flush=True)
for kid in kids:
    os.kill(kid, signal.SIGKILL)
    os.waitpid(kid, 0)
`;

/** Until 6.14 kernel.pid_max is one for the whole machine, which is none of a test's business. */
const [major = 0, minor = 0] = release().split(".").map(Number);
const sharedPidLimit = major < 6 || (major === 6 && minor < 14);

async function on(body: (host: ScriptHost) => Promise<void>): Promise<void> {
  const host = new ScriptHost();
  try {
    await body(host);
  } finally {
    host.remove();
  }
}

describeHoldfast("the daemon and its host", () => {
  test(
    "settings of the keeper are in force: for the loop's thread alone where it is real time",
    () =>
      on(async (host) => {
        const globals =
          "vrrp_priority -5\nvrrp_rt_priority 20\nvrrp_rlimit_rttime 2000000\nvrrp_cpu_affinity 0\nvrrp_no_swap";
        const config = host.file("conf", `global_defs {\n${globals}\n}\n${instance()}`);
        const out = await host.run(`
        $HOLDFAST run -n -f ${config} -p $D/pid 2>$D/log & P=$!
        await holds
        K=$(cut -d' ' -f1 $D/pid.keeper)
        for T in /proc/$K/task/*; do
          T=\${T##*/}
          echo "thread $([ $T = $K ] && echo loop || echo other) $(chrt -p $T | grep -o 'SCHED_[A-Z]*' | head -1) $(taskset -p $T | grep -o '[^ ]*$')"
        done | sort -u
        grep -o 'realtime timeout *[0-9]*' /proc/$K/limits | tr -s ' '
        [ $(awk '/VmLck/ {print $2}' /proc/$K/status) -gt 0 ] && echo locked
        ps -o ni= -L -p $K | tr -d ' ' | sort -u | tr '\\n' ' '; echo
        kill $P; wait $P`);
        expect(out.trim().split("\n")).toEqual([
          "thread loop SCHED_RR 1",
          "thread other SCHED_OTHER 1",
          "realtime timeout 2000000",
          "locked",
          "- -5",
        ]);
      }),
    120_000,
  );

  test(
    "vrrp_no_swap: the keeper lives on while its runtime takes memory and gives it back",
    () =>
      on(async (host) => {
        const file = host.file("value", "1\n");
        const tracked = `track_file tf {\nfile ${file}\n}\n`;
        const text = `global_defs {\nvrrp_no_swap\n}\n${tracked}${instance("track_file {\ntf weight 1\n}")}`;
        const config = host.file("conf", text);
        const out = await host.run(`
        $HOLDFAST run -n -D -f ${config} -p $D/pid 2>$D/log & P=$!
        await holds
        K=$(cut -d' ' -f1 $D/pid.keeper)
        [ $(awk '/VmLck/ {print $2}' /proc/$K/status) -gt 10000 ] && echo locked
        i=0; while [ $i -lt 600 ]; do i=$((i + 1)); echo $((i % 50)) >${file}; sleep 0.02; done
        [ -d /proc/$K ] && echo alive
        kill $P; wait $P`);
        expect(out.trim().split("\n")).toEqual(["locked", "alive"]);
      }),
    120_000,
  );

  test(
    "without the right for it the address is served, and the log names the setting and the remedy",
    () =>
      on(async (host) => {
        const config = host.file("conf", `global_defs {\nvrrp_rt_priority 20\nvrrp_no_swap\n}\n${instance()}`);
        const out = await host.run(`
        setpriv --bounding-set -sys_nice,-ipc_lock prlimit --memlock=65536:65536 $HOLDFAST run -n -f ${config} -p $D/pid 2>$D/log & P=$!
        await holds
        kill $P; wait $P
        grep "not in force" $D/log`);
        expect(out).toMatch(/vrrp_rt_priority 20.* is not in force: .*CAP_SYS_NICE/);
        expect(out).toMatch(/vrrp_no_swap on is not in force: cannot lock memory/);
      }),
    120_000,
  );

  test(
    "net_namespace, instance, startup and shutdown script, umask and the service manager",
    () =>
      on(async (host) => {
        const script = host.file("note", '#!/bin/sh\necho "$1 $(umask)" >> "$(dirname "$0")/notes"\n');
        const globals = `script_user root\nstartup_script "${script} up"\nshutdown_script "${script} down"\numask 0027`;
        const config = host.file(
          "conf",
          `net_namespace red\ninstance INST\nglobal_defs {\n${globals}\n}\n${instance()}`,
        );
        const manager = host.file("manager.py", MANAGER);
        const out = await host.run(`
        mkdir -p /run/netns; ip netns add red; ip link set eth0 netns red
        ip netns exec red sh -c 'ip link set lo up; ip addr add 192.0.2.1/24 dev eth0; ip link set eth0 up'
        holds() { ip netns exec red ip -4 addr show eth0 | grep -q "192.0.2.50/"; }
        python3 ${manager} $D/socket > $D/manager & M=$!
        await test -S $D/socket
        NOTIFY_SOCKET=$D/socket WATCHDOG_USEC=1000000 $HOLDFAST run -n -f ${config} --state-dir $D/state 2>$D/log & P=$!
        await holds
        ls /run/keepalived/red | grep -v keeper; [ "$(cat /run/keepalived/red/keepalived_INST.pid)" = $P ] && echo same pid
        await grep -q "VI_1 MASTER" $D/manager
        kill -HUP $P; await grep -q RELOADING $D/manager
        await sh -c "[ $(grep -c READY=1 $D/manager) -ge 1 ]"
        K=$(cut -d' ' -f1 /run/keepalived/red/keepalived_INST.pid.keeper)
        kill $P; wait $P; wait $M
        echo "notes:" $(cat $D/notes)
        grep -v "^WATCHDOG" $D/manager; grep -q "^WATCHDOG=1" $D/manager && echo alive`);
        expect(out).toContain("keepalived_INST.pid\nvrrp_INST.pid\nsame pid\n");
        expect(out).toContain("notes: up 0027 down 0027");
        expect(out).toMatch(/READY=1 MAINPID=\d+ STATUS=/);
        expect(out).toMatch(
          /STATUS=VI_1 MASTER[\s\S]*RELOADING=1 MONOTONIC_USEC=\d+\nREADY=1[\s\S]*STOPPING=1[\s\S]*alive/,
        );
      }),
    120_000,
  );

  test(
    "a namespace that does not exist is refused by name, before anything is touched",
    () =>
      on(async (host) => {
        const config = host.file("conf", `net_namespace blue\n${instance()}`);
        const out = await host.run(`
        $HOLDFAST run -n -f ${config} -p $D/pid 2>$D/log; echo "exit $?"; cat $D/log; ls $D`);
        expect(out).toMatch(/exit 1[\s\S]*net_namespace blue does not exist; make it: ip netns add blue/);
        expect(out).not.toContain("pid\n");
      }),
    120_000,
  );

  test(
    "a stopped control gives no sign of life, and gives it again afterwards",
    () =>
      on(async (host) => {
        const config = host.file("conf", instance());
        const manager = host.file("manager.py", MANAGER);
        const out = await host.run(`
        python3 ${manager} $D/socket > $D/manager & M=$!
        await test -S $D/socket
        NOTIFY_SOCKET=$D/socket WATCHDOG_USEC=400000 $HOLDFAST run -n -f ${config} -p $D/pid 2>$D/log & P=$!
        await holds
        kill -STOP $P; sleep 0.5; A=$(grep -c WATCHDOG $D/manager); sleep 1; B=$(grep -c WATCHDOG $D/manager)
        kill -CONT $P; sleep 1; C=$(grep -c WATCHDOG $D/manager)
        [ $A = $B ] && [ $C -gt $B ] && echo "silent while control is stopped"
        kill $P; wait $P`);
        expect(out).toContain("silent while control is stopped");
      }),
    120_000,
  );

  test(
    "out of descriptors: checks cannot be started, their standing stays, the address too",
    () =>
      on(async (host) => {
        const check = host.file("check", "#!/bin/sh\nexit 0\n");
        const globals = "global_defs {\nscript_user root\n}\n";
        const script = `vrrp_script chk {\nscript ${check}\ninterval 1\ntimeout 3\n}\n`;
        const config = host.file("conf", globals + script + instance("track_script {\nchk\n}"));
        const out = await host.run(`
        $HOLDFAST run -n -f ${config} -p $D/pid 2>$D/log & P=$!
        await holds
        prlimit --pid $P --nofile=3:4096
        await said "out of descriptors"
        sleep 4; holds && echo "still held"
        prlimit --pid $P --nofile=1024:4096
        await said "has descriptors again"
        holds && echo "and after"
        kill $P; wait $P; echo "exit $?"; grep descriptors $D/log; grep -c "Entering" $D/log`);
        expect(out).toMatch(/still held\nand after\nexit 0/);
        expect(out).toMatch(
          /the host is out of descriptors: .*check cannot be started; it is tried again; raise LimitNOFILE/,
        );
        // BACKUP and MASTER, nothing after that.
        expect(out.trim().endsWith("2")).toBe(true);
      }),
    120_000,
  );

  test.skipIf(sharedPidLimit)(
    `out of processes: checks cannot be started, their standing stays, the address too${sharedPidLimit ? " (needs a kernel of 6.14 or later: pid_max of a namespace)" : ""}`,
    () =>
      on(async (host) => {
        const check = host.file("check", "#!/bin/sh\nexit 0\n");
        const globals = "global_defs {\nscript_user root\n}\n";
        const script = `vrrp_script chk {\nscript ${check}\ninterval 1\ntimeout 3\n}\n`;
        const config = host.file("conf", globals + script + instance("track_script {\nchk\n}"));
        const crowd = host.file("crowd.py", CROWD);
        const out = await host.run(`
        echo 400 >/proc/sys/kernel/pid_max
        $HOLDFAST run -n -f ${config} -p $D/pid 2>$D/log & P=$!
        await holds
        python3 ${crowd} $D/log
        await said "has processes again"
        holds && echo "and after"
        kill $P; wait $P; echo "exit $?"; grep processes $D/log; grep -c "Entering" $D/log`);
        expect(out).toMatch(/^full\nand after\nexit 0/);
        expect(out).toMatch(/the host is out of processes: .*check cannot be started; it is tried again; raise/);
        expect(out.trim().endsWith("2")).toBe(true);
      }),
    120_000,
  );

  test(
    "a full disk under pid file, journal and FIFO is told and costs no address",
    () =>
      on(async (host) => {
        const config = host.file("conf", `global_defs {\nnotify_fifo /full/fifo\n}\n${instance()}`);
        const out = await host.run(`
        mkdir -p /run/full $D/full; mount -t tmpfs -o size=64k,nr_inodes=4 none $D/full
        sed -i "s#/full#$D/full#" ${config}
        touch $D/full/pid; dd if=/dev/zero of=$D/full/fill bs=4k count=64 2>/dev/null; touch $D/full/last 2>/dev/null
        $HOLDFAST run -n -f ${config} -p $D/full/pid --state-dir $D/full/state --socket $D/socket 2>$D/log & P=$!
        await holds
        echo "held"; kill $P; wait $P; echo "exit $?"; cat $D/log`);
        expect(out).toMatch(/held\nexit 0/);
        expect(out).toMatch(/pid is locked but stays empty: .*ENOSPC/);
        expect(out).toMatch(/notify FIFO .*fifo: it cannot be made \(ENOSPC\): the disk is full; make room/);
        expect(out).toMatch(/journal cannot be written/);
      }),
    120_000,
  );

  test(
    "a wall clock that jumps by hours changes nothing: same master, adverts on time",
    () =>
      on(async (host) => {
        // Every reading of the date is off by up to a day, in both processes; the kernel's clock of intervals goes on.
        const jumps = host.file(
          "jumps.mjs",
          "const real = Date.now;\nlet n = 0;\nDate.now = () => real() + ((n++ % 3) - 1) * 86_400_000;\n",
        );
        const config = host.file("conf", instance());
        const out = await host.run(`
        NODE_OPTIONS="--import ${jumps}" $HOLDFAST run -n -f ${config} -p $D/pid 2>$D/log & P=$!
        await holds
        heard() { awk '/eth1:/ {print $3}' /proc/net/dev; }
        A=$(heard); sleep 4; echo $(($(heard) - A)); holds && echo "still held"
        kill $P; wait $P; grep -c "Entering" $D/log; cut -c9-10 $D/log | sort -u | wc -l`);
        const [adverts, held, entered, days] = out.trim().split("\n");
        // 20 are due; a loaded machine may hold some back, not half of them.
        expect(Number(adverts)).toBeGreaterThanOrEqual(10);
        expect([held, entered]).toEqual(["still held", "2"]);
        // The log shows that the clock did jump.
        expect(Number(days)).toBeGreaterThan(1);
      }),
    120_000,
  );
});
