/**
 * `fence strict` on the real kernel, with the faster layers taken away: both processes stopped or killed at once, and `vip_lease off`, so that
 * the address stays. Judged by a third host, which asks by ICMP, TCP and ARP, and which hears the adverts that the bound counts from.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Daemon } from "../src/lab/daemon.ts";
import { type Lab, type LabHost, VIP, withLab } from "../src/lab/lab.ts";
import { AddressObserver } from "../src/lab/observer.ts";
import { HOLDFAST_PROGRAM } from "../src/lab/paths.ts";
import { type RunningProgram, sleep, until } from "../src/lab/processes.ts";
import { GLOBALS, instanceBlock, VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { describeHoldfast } from "./support.ts";

const VIP6 = "2001:db8:11::100";
const STRICT = ["fence strict", "vip_lease off"];
/** 3 x advert_int 1 s, as `check` prints it. */
const BOUND_MILLIS = 3_000;
/** An answer is booked under the time of a question that was asked up to so long before. */
const ARP_PROBE_MILLIS = 10;

const config = (lines: readonly string[], vip = VIP): string => instanceBlock({ advertSeconds: 1, lines, vip });

/** What a client sees: its pings, and the adverts on its wire. Milliseconds since 1970, by the kernel's stamps. */
class Client {
  readonly #pings: RunningProgram;
  readonly #adverts: RunningProgram;

  private constructor(pings: RunningProgram, adverts: RunningProgram) {
    this.#pings = pings;
    this.#adverts = adverts;
  }

  static async watch(lab: Lab, vip = VIP): Promise<Client> {
    const client = lab.host("client");
    const filter = vip.includes(":") ? "ip6 proto 112" : "ip proto 112";
    const adverts = client.spawn(["tcpdump", "-tt", "-n", "-l", "-i", "eth0", filter]);
    await adverts.line(/listening on/, { timeoutMs: 10_000 });
    const pings = client.spawn(["ping", "-D", "-n", "-i", "0.005", vip]);
    await pings.line(/ bytes from /, { timeoutMs: 10_000 });
    await adverts.line(/VRRPv3/, { timeoutMs: 10_000 });
    return new Client(pings, adverts);
  }

  get lastAnswer(): number {
    const line = this.#pings.lines.findLast(({ text }) => text.includes(" bytes from "));
    return Number(/^\[([\d.]+)\]/.exec(line?.text ?? "")?.[1]) * 1_000;
  }

  get lastAdvert(): number {
    const line = this.#adverts.lines.findLast(({ text }) => text.includes("VRRPv3"));
    return Number(/^([\d.]+)/.exec(line?.text ?? "")?.[1]) * 1_000;
  }

  async silent(): Promise<void> {
    const before = this.lastAnswer;
    await sleep(1_500);
    expect(this.lastAnswer).toBe(before);
  }

  async answered(): Promise<void> {
    const before = this.lastAnswer;
    await until(() => this.lastAnswer > before || undefined, "the address answers", 15_000);
  }

  async stop(): Promise<void> {
    await this.#pings.signal("SIGKILL");
    await this.#adverts.signal("SIGKILL");
  }
}

async function connects(lab: Lab, vip = VIP): Promise<boolean> {
  const code = "import socket,sys; socket.create_connection((sys.argv[1], 7000), 1).close()";
  return (await lab.host("client").exec(["python3", "-c", code, vip])).code === 0;
}

/** A service that accepts on every address; the kernel alone answers a connection. */
async function serve(host: LabHost): Promise<void> {
  const code =
    "import socket,time; s=socket.socket(socket.AF_INET6); s.setsockopt(41,26,0); s.bind(('::',7000)); s.listen(99); print('up',flush=True); time.sleep(600)";
  await host.spawn(["python3", "-c", code]).line(/up/, { timeoutMs: 10_000 });
}

const tables = (host: LabHost): Promise<string> => host.execOrThrow(["nft", "list", "tables"]);

/** Both processes stand still meanwhile. */
async function whileFrozen(daemon: Daemon, body: () => Promise<void>): Promise<void> {
  const keeper = await daemon.keeperPid();
  process.kill(keeper, "SIGSTOP");
  await daemon.program.signal("SIGSTOP");
  try {
    await body();
  } finally {
    process.kill(keeper, "SIGCONT");
    await daemon.program.signal("SIGCONT");
  }
}

async function withIpv6(lab: Lab): Promise<void> {
  for (const [number, name] of ["db1", "client"].entries()) {
    const enable = "for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 0 > $f; done";
    await lab.host(name).execOrThrow(["sh", "-c", enable]);
    await lab
      .host(name)
      .execOrThrow(["ip", "-6", "addr", "add", `2001:db8:11::${number + 1}/64`, "dev", "eth0", "nodad"]);
  }
}

describeHoldfast("fence strict", () => {
  test("both processes frozen and no lifetime: silent before a peer would take over, although the address is there; thawed it runs for election", () =>
    withLab(async (lab) => {
      const db1 = lab.host("db1");
      const cluster = new VrrpCluster(lab);
      await serve(db1);
      const daemon = cluster.start("db1", "holdfast", config(STRICT));
      await cluster.heldBy(["db1"]);
      const client = await Client.watch(lab);
      expect(await connects(lab)).toBe(true);
      expect(await tables(db1)).toMatch(/table inet holdfast_fence_\d+\ntable arp holdfast_fence_\d+\n/);
      const observer = await AddressObserver.start(lab, [db1]);
      await whileFrozen(daemon, async () => {
        await sleep(BOUND_MILLIS + 500);
        await client.silent();
        const open = client.lastAnswer - client.lastAdvert;
        expect(open).toBeLessThanOrEqual(BOUND_MILLIS);
        // It is the fence that ends it, and not anything sooner.
        expect(open).toBeGreaterThan(BOUND_MILLIS - 200);
        expect(await db1.holds(VIP)).toBe(true);
        expect(await connects(lab)).toBe(false);
        const answeredArp = observer.probes.filter(({ macs }) => macs.length > 0).at(-1)?.at ?? 0;
        expect(answeredArp).toBeGreaterThan(client.lastAdvert);
        expect(answeredArp - client.lastAdvert).toBeLessThanOrEqual(BOUND_MILLIS + ARP_PROBE_MILLIS);
      });
      await observer.stop();
      await daemon.program.line(/the fence of its addresses closed|stood still/, { timeoutMs: 10_000 });
      await client.answered();
      expect(await connects(lab)).toBe(true);
      await client.stop();
      await cluster.stopAll();
      expect(await tables(db1)).toBe("");
    }));

  test("the same without `fence strict` goes on answering", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      await serve(lab.host("db1"));
      const daemon = cluster.start("db1", "holdfast", config(["vip_lease off"]));
      await cluster.heldBy(["db1"]);
      const client = await Client.watch(lab);
      await whileFrozen(daemon, async () => {
        await sleep(BOUND_MILLIS + 2_000);
        expect(client.lastAnswer - client.lastAdvert).toBeGreaterThan(BOUND_MILLIS + 900);
        expect(await connects(lab)).toBe(true);
      });
      await client.stop();
      await cluster.stopAll();
    }));

  test("both processes killed: silent in time; the next daemon takes address and tables away and serves", () =>
    withLab(async (lab) => {
      const db1 = lab.host("db1");
      const cluster = new VrrpCluster(lab);
      const daemon = cluster.start("db1", "holdfast", config(STRICT));
      await cluster.heldBy(["db1"]);
      const client = await Client.watch(lab);
      await daemon.killBoth();
      await sleep(BOUND_MILLIS + 500);
      await client.silent();
      expect(client.lastAnswer - client.lastAdvert).toBeLessThanOrEqual(BOUND_MILLIS);
      expect(await db1.holds(VIP)).toBe(true);
      const left = await tables(db1);
      expect(left).toContain("holdfast_fence_");
      const next = cluster.start("db1", "holdfast", config(STRICT));
      await next.program.line(/removed nftables tables left by an earlier daemon: inet holdfast_fence_/, {
        timeoutMs: 10_000,
      });
      await client.answered();
      expect(await tables(db1)).not.toBe(left);
      await client.stop();
      await cluster.stopAll();
      expect(await tables(db1)).toBe("");
    }));

  test("one process killed: the other takes address and tables away", () =>
    withLab(async (lab) => {
      const db1 = lab.host("db1");
      const cluster = new VrrpCluster(lab);
      const daemon = cluster.start("db1", "holdfast", config(STRICT));
      await cluster.heldBy(["db1"]);
      const first = await tables(db1);
      process.kill(await daemon.keeperPid(), "SIGKILL");
      await until(async () => (await tables(db1)) === "" || undefined, "control has swept", 5_000);
      await cluster.heldBy(["db1"]);
      expect(await tables(db1)).not.toBe(first);
      process.kill(await daemon.controlPid(), "SIGKILL");
      await until(async () => (await tables(db1)) === "" || undefined, "the keeper has swept", 5_000);
      expect(await db1.holds(VIP)).toBe(false);
    }));

  test("served without a gap for ten adverts; a flush by somebody else is put right; a reload takes the fence away and brings it", () =>
    withLab(async (lab) => {
      const db1 = lab.host("db1");
      const cluster = new VrrpCluster(lab);
      const daemon = cluster.start("db1", "holdfast", instanceBlock({ advertSeconds: 0.2, lines: STRICT }));
      await cluster.heldBy(["db1"]);
      const client = lab.host("client");
      const pings = client.spawn(["ping", "-n", "-q", "-c", "400", "-i", "0.01", VIP]);
      const before = await tables(db1);
      await db1.execOrThrow(["nft", "flush", "ruleset"]);
      await until(async () => (await tables(db1)) === before || undefined, "the tables are back", 2_000);
      await daemon.program.line(/nftables tables of `fence strict` were removed by somebody else/, {
        timeoutMs: 2_000,
      });
      const reload = async (lines: readonly string[]): Promise<void> => {
        writeFileSync(
          join(db1.directory, "daemon/keepalived.conf"),
          GLOBALS + instanceBlock({ advertSeconds: 0.2, lines }),
        );
        await daemon.program.signal("SIGHUP");
      };
      await reload(["vip_lease off"]);
      await until(async () => (await tables(db1)) === "" || undefined, "the fence is gone", 5_000);
      await reload(STRICT);
      await until(async () => (await tables(db1)) === before || undefined, "the fence is back", 5_000);
      await pings.exited;
      expect(pings.lines.map(({ text }) => text).join("\n")).toMatch(/400 packets transmitted, 400 received/);
      expect(daemon.program.lines.filter(({ text }) => text.includes("Entering MASTER STATE"))).toHaveLength(1);
      await daemon.stop();
      expect(await tables(db1)).toBe("");
    }));

  test("IPv6: silent in time, a link-local address as well", () =>
    withLab(async (lab) => {
      await withIpv6(lab);
      const db1 = lab.host("db1");
      const cluster = new VrrpCluster(lab);
      await serve(db1);
      const text = config(STRICT, "fe80::100").replace("        fe80::100\n", `        fe80::100\n        ${VIP6}\n`);
      const daemon = cluster.start("db1", "holdfast", text);
      await cluster.heldBy(["db1"], { vip: VIP6 });
      const client = await Client.watch(lab, VIP6);
      const local = async () => (await lab.host("client").exec(["ping", "-c1", "-W1", "fe80::100%eth0"])).code === 0;
      expect([await connects(lab, VIP6), await local()]).toEqual([true, true]);
      await whileFrozen(daemon, async () => {
        await sleep(BOUND_MILLIS + 500);
        await client.silent();
        expect(client.lastAnswer - client.lastAdvert).toBeLessThanOrEqual(BOUND_MILLIS);
        expect([await connects(lab, VIP6), await local(), await db1.holds(VIP6)]).toEqual([false, false, true]);
      });
      await client.answered();
      await client.stop();
      await cluster.stopAll();
      expect(await tables(db1)).toBe("");
    }));

  test("with the default lifetime the fence closes exactly where the kernel's removal is late; `check` prints the bound", () =>
    withLab(async (lab) => {
      const db1 = lab.host("db1");
      const cluster = new VrrpCluster(lab);
      const daemon = cluster.start("db1", "holdfast", config(["fence strict"]));
      await cluster.heldBy(["db1"]);
      const file = join(db1.directory, "daemon/keepalived.conf");
      const check = await db1.execOrThrow([process.execPath, HOLDFAST_PROGRAM, "check", file]);
      expect(check).toContain("answers nobody 2.02 s after its last advert");
      const client = await Client.watch(lab);
      const observer = await AddressObserver.start(lab, [db1]);
      await whileFrozen(daemon, async () => {
        await sleep(100);
        const since = client.lastAdvert;
        // Any change of an address shortly before makes the kernel put off the end (core/vrrp/lease.ts).
        await sleep(since + 1_900 - Date.now());
        await db1.execOrThrow([
          "ip",
          "addr",
          "add",
          "10.99.0.1/32",
          "dev",
          "lo",
          "valid_lft",
          "60",
          "preferred_lft",
          "60",
        ]);
        await sleep(2_000);
        const silent = client.lastAnswer - client.lastAdvert;
        const gone = (observer.first("db1", "removed", since) ?? 0) - client.lastAdvert;
        process.stderr.write(
          `after the last advert: silent ${silent.toFixed(0)} ms, address gone ${gone.toFixed(0)} ms\n`,
        );
        expect(client.lastAdvert).toBe(since);
        expect(silent).toBeLessThanOrEqual(2_020);
        expect(gone).toBeGreaterThan(silent + 500);
      });
      await observer.stop();
      await client.stop();
      await cluster.stopAll();
    }));

  // No lifetime of whole seconds is short enough for adverts of 0.1 s.
  test.each([
    ["with it never both answer", ["fence strict"]],
    ["without it both do", []],
  ])("a pair with fast adverts, the master frozen: %s", (_, lines) =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      const text = instanceBlock({ advertSeconds: 0.1, nopreempt: true, lines });
      const daemon = cluster.start("db1", "holdfast", text);
      await cluster.heldBy(["db1"]);
      const standby = cluster.start("db2", "holdfast", text);
      await standby.program.line(/Entering BACKUP STATE/, { timeoutMs: 10_000 });
      await sleep(1_000);
      const observer = await AddressObserver.start(lab, [lab.host("db1"), lab.host("db2")]);
      await sleep(500);
      await whileFrozen(daemon, async () => {
        await cluster.heldBy(["db2"]);
        await sleep(2_000);
      });
      await sleep(1_500);
      expect(await cluster.holders()).toEqual(["db2"]);
      await observer.stop();
      expect(new Set(observer.probes.flatMap(({ macs }) => macs)).size).toBe(2);
      expect(observer.answeredTwice.length > 0).toBe(lines.length === 0);
      await cluster.stopAll();
    }),
  );
});
