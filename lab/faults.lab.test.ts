/** What the host can do to the daemon: interfaces, capabilities, pid file, foreign hands on the address, a full disk. */
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { daemonCommand } from "../src/lab/daemon.ts";
import { VIP } from "../src/lab/lab.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { GLOBALS, instanceBlock, NotifyRecorder } from "../src/lab/vrrp-cluster.ts";
import { Capture } from "./capture.ts";
import { eventsOf, holdfast, instanceOf, instanceWhen, statusOf } from "./holdfast-client.ts";
import { describeStages, type Stage } from "./stage.ts";

const FAST = instanceBlock({ advertSeconds: 0.5 });
const ADD_ETH7 = `
  ip link add eth7 type veth peer name eth7-peer && ip link set eth7-peer up &&
  ip addr add 10.77.0.1/24 dev eth7 && ip link set eth7 up`;

function anInterface(stage: Stage): void {
  test.sequential("missing at the start is FAULT with the reason; it appears, vanishes and comes back", async () => {
    const host = stage.host("db1");
    const config = instanceBlock({ name: "VI_7", vip: "10.77.0.100" }).replace("interface eth0", "interface eth7");
    const daemon = stage.start("db1", config);
    const states = () => eventStates(daemon, "VI_7");
    const missing = (it: { state: string; reason: string | null }) =>
      it.state === "FAULT" && it.reason?.includes("eth7") === true;

    await instanceWhen(daemon, "VI_7", missing);
    const { stdout } = await holdfast(daemon, "explain", "VI_7");
    expect(stdout).toContain("eth7");

    await host.execOrThrow(["sh", "-c", ADD_ETH7]);
    await instanceWhen(daemon, "VI_7", (it) => it.holding);
    await host.execOrThrow(["ip", "link", "del", "eth7"]);
    await instanceWhen(daemon, "VI_7", missing);
    await host.execOrThrow(["sh", "-c", ADD_ETH7]);
    await instanceWhen(daemon, "VI_7", (it) => it.holding);
    expect(await states()).toEqual(["FAULT", "BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER"]);
    await host.execOrThrow(["ip", "link", "del", "eth7"]);
  });

  test.sequential("going down is FAULT at once, up again leads through BACKUP; hooks run in that order, once each", async () => {
    const host = stage.host("db1");
    const recorder = new NotifyRecorder(host, "link");
    const lines = [`notify ${recorder.script}`];
    const daemon = stage.start("db1", instanceBlock({ name: "redis1", priority: 90, lines }));
    await instanceWhen(daemon, "redis1", (it) => it.holding);
    await host.execOrThrow(["ip", "link", "set", "eth0", "down"]);
    const down = await instanceWhen(daemon, "redis1", (it) => it.state === "FAULT");
    expect(down.faults).toContainEqual({ kind: "interface", interface: "eth0", problem: "down" });
    await stage.held("db1", false);
    await host.execOrThrow(["ip", "link", "set", "eth0", "up"]);
    await instanceWhen(daemon, "redis1", (it) => it.holding);
    await until(() => recorder.lines.length >= 5 || undefined, "five hooks", 10_000);
    const heard = recorder.lines.map((line) => line.replace("INSTANCE redis1 ", ""));
    expect(heard).toEqual(["BACKUP 90", "MASTER 90", "FAULT 90", "BACKUP 90", "MASTER 90"]);
  });

  test.sequential("whose cable is pulled is FAULT on that host, and the peer serves alone", async () => {
    const config = instanceBlock({ nopreempt: true });
    const first = stage.start("db1", config);
    await instanceWhen(first, "VI_1", (it) => it.holding);
    const second = stage.start("db2", config);
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    await stage.lab.cutLink("db1", "carrier");
    await instanceWhen(second, "VI_1", (it) => it.holding);
    expect((await instanceOf(first, "VI_1"))?.state).toBe("FAULT");
    expect(await stage.host("db1").holds(VIP)).toBe(false);
    await stage.lab.restoreLink("db1");
    await instanceWhen(first, "VI_1", (it) => it.state === "BACKUP");
    await sleep(1_000);
    expect((await instanceOf(second, "VI_1"))?.holding).toBe(true);
  });
}

/** The states an instance has entered, in order. */
async function eventStates(daemon: Parameters<typeof eventsOf>[0], name: string): Promise<readonly string[]> {
  return (await eventsOf(daemon)).flatMap(({ body }) =>
    body.kind === "vrrp" && body.instance === name && body.report.kind === "state" ? [body.report.to] : [],
  );
}

function needs(stage: Stage): void {
  for (const [dropped, names] of [
    ["-net_raw", ["CAP_NET_RAW"]],
    ["-net_admin", ["CAP_NET_ADMIN"]],
    ["-net_raw,-net_admin", ["CAP_NET_RAW", "CAP_NET_ADMIN"]],
  ] as const) {
    test.sequential(`without ${names.join(" and ")} it ends at once, names what is missing and what to do`, async () => {
      const host = stage.host("db1");
      const { argv } = daemonCommand(host, { kind: "holdfast", config: GLOBALS + FAST, name: `caps${dropped}` });
      const program = host.spawn(["setpriv", `--bounding-set=${dropped}`, ...argv]);
      const ended = until(() => !program.running || undefined, "the daemon ends", 15_000);
      await ended.finally(() => program.signal("SIGKILL"));
      expect(program.exitCode).toBe(1);
      const line = program.lines.find(({ text }) => text.includes(names[0]))?.text ?? "";
      for (const name of names) expect(line).toContain(name);
      expect(line).toContain("run as root");
      for (const name of ["CAP_NET_RAW", "CAP_NET_ADMIN"]) {
        // What is there is not called missing.
        expect(line.split("needed")[0]?.includes(name)).toBe((names as readonly string[]).includes(name));
      }
      expect(program.text).not.toMatch(/keeper-started|Starting VRRP child process/);
    });
  }

  test.sequential("a second daemon on the same pid file is refused; the first one does not notice", async () => {
    const host = stage.host("db1");
    const first = stage.start("db1", FAST);
    await instanceWhen(first, "VI_1", (it) => it.holding);
    const text = readFileSync(first.pidFile, "utf8");
    const name = dirname(first.pidFile).split("/").at(-1) ?? "";
    const { argv } = daemonCommand(host, { kind: "holdfast", config: GLOBALS + FAST, name });
    const second = await host.exec(argv, { timeoutMs: 15_000 });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`already running with ${first.pidFile} (pid ${text.trim()})`);
    expect(second.stderr).toContain("-p");
    expect(readFileSync(first.pidFile, "utf8")).toBe(text);
    const after = await instanceOf(first, "VI_1");
    expect(after).toMatchObject({ holding: true, counters: { becameMaster: 1, releasedMaster: 0 } });
  });

  test.sequential("a full disk for its state: it serves all the same and says what is wrong", async () => {
    const host = stage.host("db1");
    const stateDir = join(host.directory, "full");
    mkdirSync(stateDir);
    await host.execOrThrow(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", stateDir]);
    await host.exec(["dd", "if=/dev/zero", `of=${stateDir}/filler`, "bs=4k"]);
    const daemon = stage.start("db1", FAST, "--state-dir", stateDir);
    await instanceWhen(daemon, "VI_1", (it) => it.holding);
    const full = async () => ((await statusOf(daemon))?.journal.writable === false ? true : undefined);
    await until(full, "the journal is unwritable", 10_000);
    expect((await statusOf(daemon))?.journal.detail).toMatch(/ENOSPC|no space/i);
    const told = (await eventsOf(daemon)).filter(({ body }) => body.kind === "journal-unwritable");
    expect(told).toHaveLength(1);
    expect((await holdfast(daemon, "status")).stdout).toMatch(/journal/i);

    // What was kept in memory is written when there is room again.
    await host.execOrThrow(["rm", join(stateDir, "filler")]);
    const written = async () => ((await statusOf(daemon))?.journal.writable === true ? true : undefined);
    await until(written, "the journal is written again", 20_000);
    const journal = await host.execOrThrow(["cat", join(stateDir, "journal.jsonl")]);
    expect(journal).toContain('"daemon-started"');
  });
}

function foreignHands(stage: Stage): void {
  test.sequential("removed by somebody: it releases, says why, and is elected anew", async () => {
    const daemon = stage.start("db1", FAST);
    await instanceWhen(daemon, "VI_1", (it) => it.holding);
    await stage.host("db1").execOrThrow(["ip", "addr", "del", `${VIP}/32`, "dev", "eth0"]);
    await instanceWhen(daemon, "VI_1", (it) => it.holding && it.counters.becameMaster === 2);
    await stage.held("db1", true);
    const changes = (await eventsOf(daemon)).flatMap(({ body }) =>
      body.kind === "vrrp" && body.report.kind === "state" ? [`${body.report.to} ${body.report.cause.code}`] : [],
    );
    expect(changes.slice(-2)).toEqual(["BACKUP address-removed", "MASTER master-down"]);
  });

  test.sequential("removed by somebody while a peer listens: the peer serves alone", async () => {
    // After priority 0 everybody waits Skew_Time, so the higher priority comes first; before that nopreempt holds it back.
    const first = stage.start("db1", instanceBlock({ nopreempt: true, advertSeconds: 1 }));
    await instanceWhen(first, "VI_1", (it) => it.holding);
    const second = stage.start("db2", instanceBlock({ nopreempt: true, advertSeconds: 1, priority: 254 }));
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    await stage.host("db1").execOrThrow(["ip", "addr", "del", `${VIP}/32`, "dev", "eth0"]);
    await instanceWhen(second, "VI_1", (it) => it.holding);
    await sleep(500);
    expect(await instanceOf(first, "VI_1")).toMatchObject({ state: "BACKUP", holding: false });
    expect(await stage.host("db1").holds(VIP)).toBe(false);
  });

  // Plain VRRP asks nobody before it claims; as with keepalived, whoever announced last has the clients.
  test.sequential("in use on a host that speaks no VRRP: the master goes on, and says by which MAC and what to do", async () => {
    const client = stage.host("client");
    await client.execOrThrow(["ip", "addr", "add", `${VIP}/32`, "dev", "eth0"]);
    const mac = (await client.execOrThrow(["cat", "/sys/class/net/eth0/address"])).trim();
    const capture = await Capture.start(stage.host("gateway"), "in-use");
    const daemon = stage.start("db1", FAST);
    await instanceWhen(daemon, "VI_1", (it) => it.holding);
    // It uses the address: whom it asks for a MAC, it asks in its name.
    await client.exec(["ip", "neigh", "flush", "dev", "eth0"]);
    await client.exec(["ping", "-c", "1", "-W", "1", "-I", VIP, stage.host("gateway").address]);
    const noticed = await instanceWhen(daemon, "VI_1", (it) => it.counters.addressConflicts > 0);
    await sleep(1_000);
    await capture.stop();
    expect(noticed).toMatchObject({ state: "MASTER", holding: true });
    expect(await instanceOf(daemon, "VI_1")).toMatchObject({ holding: true, counters: { releasedMaster: 0 } });
    const told = (await eventsOf(daemon)).filter(({ body }) => body.kind === "address-conflict");
    expect(told.map(({ body }) => body)).toEqual([
      { kind: "address-conflict", instance: "VI_1", interface: "eth0", address: VIP, mac },
    ]);
    expect(daemon.program.text).toContain(`(VI_1) ${VIP} is in use elsewhere: ARP from ${mac} on eth0; find ${mac}`);
    expect((await holdfast(daemon, "explain", "VI_1")).stdout).toContain("Another host used an address");
    // Once announced as ever, and not again against the other.
    expect(capture.arps().filter((arp) => arp.senderAddress === VIP && arp.targetAddress === VIP)).toHaveLength(5);
    await client.execOrThrow(["ip", "addr", "del", `${VIP}/32`, "dev", "eth0"]);
  });

  test.sequential("moving between two of ours is nobody's conflict, there and back", async () => {
    const first = stage.start("db1", instanceBlock({ advertSeconds: 0.5, priority: 100 }));
    await instanceWhen(first, "VI_1", (it) => it.holding);
    const second = stage.start("db2", instanceBlock({ advertSeconds: 0.5, priority: 200 }));
    await instanceWhen(second, "VI_1", (it) => it.holding);
    await instanceWhen(first, "VI_1", (it) => it.state === "BACKUP");
    await second.stop();
    await instanceWhen(first, "VI_1", (it) => it.holding);
    expect((await instanceOf(first, "VI_1"))?.counters).toMatchObject({ becameMaster: 2, addressConflicts: 0 });
  });
}

describeStages("faults of the host", {
  "an interface": anInterface,
  "what the daemon needs": needs,
  "foreign hands on the address": foreignHands,
});
