/**
 * Virtual MAC and closed addresses on the real kernel: a pair of Holdfast and keepalived that fails over both ways, the rule set
 * compared with keepalived's, what clients notice of a fail-back, and what is left after stop and kill -9: nothing.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Lab, LabHost } from "../src/lab/lab.ts";
import { VIP, withLab } from "../src/lab/lab.ts";
import { LAB_DATA } from "../src/lab/paths.ts";
import { type RunningProgram, sleep, until } from "../src/lab/processes.ts";
import { GLOBALS, VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { describeHoldfast } from "./support.ts";

const VMAC = "00:00:5e:00:01:52";

const instance = (priority: number, body: string): string => `vrrp_instance VI_82 {
    state BACKUP
    interface eth0
    virtual_router_id 82
    version 3
    advert_int 0.3
    priority ${priority}
${body}
    virtual_ipaddress {
        ${VIP}/24
    }
}
`;

const output = (host: LabHost, ...argv: readonly string[]): Promise<string> => host.execOrThrow(argv);

const heldBy = (lab: Lab, holder: string): Promise<unknown> =>
  until(
    async () => {
      const held = await Promise.all(
        ["db1", "db2"].map(async (name) => ((await lab.host(name).carries(VIP)) ? name : "")),
      );
      return held.filter((name) => name !== "").join() === holder || undefined;
    },
    `${holder} alone holds ${VIP}`,
    30_000,
  );

/** As nft lists it, without the comment that says whose the table is. */
async function rules(host: LabHost): Promise<string> {
  const text = await output(host, "nft", "list", "ruleset");
  return text.replace(/^\s*comment "holdfast \d+"\n/gm, "");
}

const reachable = async (lab: Lab): Promise<boolean> => {
  const { code } = await lab.host("client").exec(["ping", "-c", "2", "-i", "0.2", "-W", "1", VIP]);
  return code === 0;
};

/** advert_int 0.3; the lower priority's Master_Down_Interval (RFC 9568 section 6.1): three of them and 156/256 of one. */
const ADVERT_MILLIS = 300;
const MASTER_DOWN_MILLIS = 3.61 * ADVERT_MILLIS;
/** The hosts answer with the same MAC; what differs is this. */
const TTL_OF = { db1: 61, db2: 62 } as const;

class Answers {
  readonly #program: RunningProgram;

  constructor(program: RunningProgram) {
    this.#program = program;
  }

  /** When a host first answered after an instant; both milliseconds since 1970. */
  first(host: keyof typeof TTL_OF, since: number): Promise<number> {
    const find = () => this.#lines(since).find(({ ttl }) => ttl === TTL_OF[host])?.at;
    return until(find, `${host} answers`, 20_000);
  }

  /** Milliseconds; watched for 1.5 s after the host's first answer. */
  async longestSilence(host: keyof typeof TTL_OF, since: number): Promise<number> {
    await this.first(host, since);
    await sleep(1_500);
    const lines = this.#lines(since);
    expect(lines.at(-1)?.ttl).toBe(TTL_OF[host]);
    return Math.max(...lines.map(({ gap }) => gap));
  }

  #lines(since: number) {
    const lines = this.#program.lines.map(({ text }) => text.split(" ").map(Number));
    return lines.flatMap(([at = 0, , gap = 0, ttl]) => (at > since ? [{ at, gap, ttl }] : []));
  }
}

/** Asks the address each millisecond from the client. */
async function probe(lab: Lab): Promise<Answers> {
  for (const [name, ttl] of Object.entries(TTL_OF)) {
    await output(lab.host(name), "sysctl", "-qw", `net.ipv4.ip_default_ttl=${ttl}`);
  }
  const program = lab.host("client").spawn([join(LAB_DATA, "observer/answer_probe.py"), "eth0", VIP, "1"]);
  await program.line(/^ready$/, { timeoutMs: 10_000 });
  program.write("go\n");
  return new Answers(program);
}

/** What a host sends, with times. */
async function framesOf(host: LabHost): Promise<RunningProgram> {
  const capture = host.spawn(["tcpdump", "-tt", "-e", "-n", "-l", "-p", "-Q", "out", "-i", "eth0"]);
  await capture.line(/listening on/, { timeoutMs: 10_000 });
  return capture;
}

describeHoldfast("virtual MAC", () => {
  test("a pair with keepalived fails over both ways; nothing is left after the stop", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      const db1 = lab.host("db1");
      cluster.start("db2", "keepalived", instance(100, "    use_vmac"));
      const ours = cluster.start("db1", "holdfast", instance(200, "    use_vmac"));
      await heldBy(lab, "db1");
      const link = await output(db1, "ip", "-d", "link", "show", "dev", "vrrp.82");
      expect(link).toContain(`link/ether ${VMAC}`);
      expect(link).toMatch(/macvlan mode private/);
      expect(link).toContain("addrgenmode none");
      expect(await reachable(lab)).toBe(true);
      expect(await output(lab.host("client"), "ip", "neigh", "show", VIP)).toContain(VMAC);
      await ours.stop();
      await heldBy(lab, "db2");
      expect((await db1.exec(["ip", "link", "show", "dev", "vrrp.82"])).code).not.toBe(0);
      expect(await output(db1, "cat", "/proc/sys/net/ipv4/conf/eth0/arp_ignore")).toBe("0\n");
      expect(await rules(db1)).toBe("");
      cluster.start("db1", "holdfast", instance(200, "    use_vmac"));
      await heldBy(lab, "db1");
      await cluster.stopAll();
    }));

  test("rules are keepalived's, survive a flush, and go; a killed daemon's interface and rules are swept", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      const [db1, db2] = [lab.host("db1"), lab.host("db2")];
      const body = "    use_vmac\n    no_accept";
      const theirs = cluster.start("db2", "keepalived", instance(100, body));
      await heldBy(lab, "db2");
      const expected = await rules(db2);
      await theirs.stop();
      const ours = cluster.start("db1", "holdfast", instance(100, body));
      await heldBy(lab, "db1");
      expect(await rules(db1)).toBe(expected);
      expect(await reachable(lab)).toBe(false);
      await output(db1, "nft", "flush", "ruleset");
      await until(async () => (await rules(db1)) === expected || undefined, "the rules are back", 5_000);
      await ours.killBoth();
      cluster.start("db1", "holdfast", instance(100, ""));
      await until(async () => (await rules(db1)) === "" || undefined, "the rules of the dead daemon are gone", 10_000);
      expect((await db1.exec(["ip", "link", "show", "dev", "vrrp.82"])).code).not.toBe(0);
      await heldBy(lab, "db1");
      expect(await reachable(lab)).toBe(true);
      await cluster.stopAll();
    }));

  test("the host that comes back says nothing by the virtual MAC before its first advert; clients follow it, and back", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      const db1 = lab.host("db1");
      const answers = await probe(lab);
      cluster.start("db2", "holdfast", instance(100, "    use_vmac"));
      await heldBy(lab, "db2");
      const frames = await framesOf(db1);
      const startedAt = Date.now();
      const returned = cluster.start("db1", "holdfast", instance(200, "    use_vmac"));
      const taken = await answers.first("db1", startedAt);
      // The answer may be here before the capture's line is.
      await frames.line(new RegExp(VMAC), { timeoutMs: 5_000 });
      const [first = ""] = frames.lines.map(({ text }) => text).filter((text) => text.includes(VMAC));
      expect(first).toMatch(/224\.0\.0\.18: VRRPv3, Advertisement, vrid 82, prio 200/);
      const preemptedAt = Number(first.split(" ")[0]) * 1_000;
      expect(taken - preemptedAt).toBeLessThan(ADVERT_MILLIS);
      // The first advert of the master at the latest puts right what the switch has learned wrongly.
      expect(await answers.longestSilence("db1", preemptedAt)).toBeLessThan(2 * ADVERT_MILLIS);
      const stoppedAt = Date.now();
      await returned.stop();
      expect((await answers.first("db2", stoppedAt)) - stoppedAt).toBeLessThan(MASTER_DOWN_MILLIS);
      expect(await answers.longestSilence("db2", stoppedAt)).toBeLessThan(MASTER_DOWN_MILLIS);
      await cluster.stopAll();
    }));

  test("a killed keeper alone: nothing answers there any more, the peer takes over, and it comes back", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      const db1 = lab.host("db1");
      const answers = await probe(lab);
      const ours = cluster.start("db1", "holdfast", instance(200, "    use_vmac"));
      cluster.start("db2", "holdfast", instance(100, "    use_vmac"));
      await heldBy(lab, "db1");
      await answers.first("db1", 0);
      const keeper = await ours.keeperPid();
      const killedAt = Date.now();
      process.kill(keeper, "SIGKILL");
      expect((await answers.first("db2", killedAt)) - killedAt).toBeLessThan(MASTER_DOWN_MILLIS);
      await answers.first("db1", Date.now());
      await heldBy(lab, "db1");
      const link = await output(db1, "ip", "-d", "link", "show", "dev", "vrrp.82");
      const inside = (await output(db1, "pgrep", "-f", "keeper.js")).trim();
      expect(link).toContain(`alias holdfast ${inside} `);
      await ours.stop();
      expect(await output(db1, "cat", "/proc/sys/net/ipv4/conf/eth0/arp_ignore")).toBe("0\n");
      expect(await rules(db1)).toBe("");
      await cluster.stopAll();
    }));

  test("somebody else's interface of the name, a base that goes and comes, and a reload that takes the virtual MAC off", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      const db1 = lab.host("db1");
      await output(db1, "ip", "link", "add", "vrrp.82", "type", "bridge");
      const ours = cluster.start("db1", "holdfast", instance(200, "    use_vmac"));
      await ours.program.line(/create vrrp\.82: an interface of this name exists and was not made by Holdfast/, {
        timeoutMs: 10_000,
      });
      expect(await output(db1, "ip", "-d", "link", "show", "dev", "vrrp.82")).toContain("bridge");
      expect(await db1.carries(VIP)).toBe(false);
      await output(db1, "ip", "link", "delete", "vrrp.82");
      await heldBy(lab, "db1");
      await output(db1, "ip", "link", "set", "eth0", "down");
      await heldBy(lab, "");
      await output(db1, "ip", "link", "set", "eth0", "up");
      await heldBy(lab, "db1");
      expect(await reachable(lab)).toBe(true);
      writeFileSync(join(db1.directory, "daemon/keepalived.conf"), GLOBALS + instance(200, ""));
      await ours.program.signal("SIGHUP");
      await until(async () => (await db1.holds(VIP)) || undefined, "the address is on the base", 10_000);
      expect((await db1.exec(["ip", "link", "show", "dev", "vrrp.82"])).code).not.toBe(0);
      expect(await rules(db1)).toBe("");
      expect(await reachable(lab)).toBe(true);
      writeFileSync(join(db1.directory, "daemon/keepalived.conf"), GLOBALS + instance(200, "    use_vmac"));
      await ours.program.signal("SIGHUP");
      await until(
        async () => (await output(db1, "ip", "-4", "-o", "addr", "show")).includes("vrrp.82") || undefined,
        "the virtual MAC is back",
        10_000,
      );
      await heldBy(lab, "db1");
      expect(await reachable(lab)).toBe(true);
      await cluster.stopAll();
    }));
});
