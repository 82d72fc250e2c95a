/**
 * Three hosts, Holdfast and real keepalived 2.2.7 in every mixture that differs, one file with every feature: the highest priority
 * serves, each stop hands on to the next, a returning host preempts where it may, and never do two of them advertise one router.
 */
import { expect, test } from "vitest";
import { type Daemon, type DaemonKind, startDaemon } from "../src/lab/daemon.ts";
import { createLab, type Lab, type Topology } from "../src/lab/lab.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { GLOBALS } from "../src/lab/vrrp-cluster.ts";
import { CLUSTER, type ClusterHost, clusterConfig, FEATURES, type Feature } from "./cluster-features.ts";
import { disobeying, type Seen, SenderWatch } from "./sender-watch.ts";
import { describeHoldfast } from "./support.ts";

const TOPOLOGY: Topology = {
  hosts: CLUSTER.map(({ name, address }) => ({ name, address })),
  prefixLength: 24,
  gateway: null,
};

type Kinds = readonly [DaemonKind, DaemonKind, DaemonKind];
/** Longer than any Master_Down here (3.8 s) and what a busy machine adds to it. */
const SETTLE_MILLIS = 20_000;

/** Without preemption whoever was first stays: on a busy machine that need not be the higher priority. */
const ANY = "any one host";

class MixedCluster {
  readonly lab: Lab;
  readonly #kinds: Kinds;
  readonly #daemons = new Map<string, Daemon>();

  constructor(lab: Lab, kinds: Kinds) {
    this.lab = lab;
    this.#kinds = kinds;
  }

  start(index: number): void {
    const host = CLUSTER[index] as ClusterHost;
    const kind = this.#kinds[index] as DaemonKind;
    const config = GLOBALS + clusterConfig(host);
    this.#daemons.set(host.name, startDaemon(this.lab.host(host.name), { kind, config }));
  }

  async stop(index: number): Promise<void> {
    await this.#daemons.get((CLUSTER[index] as ClusterHost).name)?.stop();
  }

  /** Each of these hosts listens: all its instances have said that they are BACKUP. */
  async backups(indices: readonly number[]): Promise<void> {
    for (const index of indices) {
      const program = this.#daemons.get((CLUSTER[index] as ClusterHost).name)?.program;
      for (const id of FEATURES.flatMap((feature) => feature.virtualRouterIds)) {
        await program?.line(new RegExp(`\\(VI_${id}\\) Entering BACKUP STATE`), { timeoutMs: SETTLE_MILLIS });
      }
    }
    // Time for an advert of each: only who has heard the master hears it resign.
    await sleep(1_500);
  }

  /** Every address of every feature is on the host that `holder` names for it, and on no other. */
  async settles(what: string, holder: (feature: Feature) => string): Promise<void> {
    const wrong = async (): Promise<readonly string[]> => {
      const held = await Promise.all(CLUSTER.map(({ name }) => addressesOn(this.lab, name)));
      return FEATURES.flatMap((feature) => wrongHolders(feature, held, holder(feature)));
    };
    let last: readonly string[] = [];
    const settled = async () => {
      last = await wrong();
      return last.length === 0 ? true : undefined;
    };
    await until(settled, what, SETTLE_MILLIS).catch((error) => {
      const logs = [...this.#daemons].map(([name, { program }]) => {
        const lines = program.lines.map((line) => line.text).filter((line) => !line.includes("gratuitous"));
        return `-- ${name}\n${lines.slice(-80).join("\n")}`;
      });
      throw new Error(`${String(error)}: ${last.join("; ")}\n${logs.join("\n")}`);
    });
  }
}

/** Hosts of a lab have no IPv6 unless a test wants it. */
const IPV6_SCRIPT = `
  for name in all default eth0; do echo 0 >/proc/sys/net/ipv6/conf/$name/disable_ipv6; done
  ip addr add "$1/64" dev eth0 nodad
  while ip -6 -o addr show dev eth0 tentative | grep -q . || ! ip -6 -o addr show dev eth0 scope link | grep -q .; do sleep 0.1; done`;

async function enableIpv6(lab: Lab): Promise<void> {
  const scripts = CLUSTER.map(({ name, address6 }) =>
    lab.host(name).execOrThrow(["sh", "-c", IPV6_SCRIPT, "sh", address6]),
  );
  await Promise.all(scripts);
}

async function addressesOn(lab: Lab, host: string): Promise<ReadonlySet<string>> {
  const text = await lab.host(host).execOrThrow(["ip", "-o", "addr", "show"]);
  return new Set([...text.matchAll(/inet6? ([0-9a-f.:]+)/g)].map((match) => match[1] ?? ""));
}

function wrongHolders(feature: Feature, held: readonly ReadonlySet<string>[], wanted: string): readonly string[] {
  return feature.vips.flatMap((vip) => {
    const names = CLUSTER.filter((_, index) => held[index]?.has(vip)).map(({ name }) => name);
    return names.join() === wanted || (wanted === ANY && names.length === 1)
      ? []
      : [`${feature.title}: ${vip} is on ${names.join(" and ") || "no host"}`];
  });
}

async function runCluster(kinds: Kinds): Promise<void> {
  const lab = await createLab(TOPOLOGY);
  await enableIpv6(lab);
  const watches = await Promise.all(CLUSTER.map(({ name }) => SenderWatch.start(lab.host(name))));
  try {
    const cluster = new MixedCluster(lab, kinds);
    cluster.start(0);
    await cluster.settles("the highest priority holds all", () => "db1");
    cluster.start(1);
    cluster.start(2);
    await cluster.backups([1, 2]);
    await cluster.settles("others change nothing", () => "db1");
    await cluster.stop(0);
    await cluster.settles("the second holds all", ({ preempts }) => (preempts ? "db2" : ANY));
    await cluster.stop(1);
    await cluster.settles("the third holds all", () => "db3");
    cluster.start(0);
    const preempted = ({ preempts }: Feature) => (preempts ? "db1" : "db3");
    await cluster.settles("the first preempts where it may", preempted);
    cluster.start(1);
    await cluster.backups([1]);
    await cluster.settles("one in the middle changes nothing", preempted);
    await cluster.stop(2);
    await cluster.settles("the first holds all again", () => "db1");
    await cluster.stop(1);
    await cluster.stop(0);
    for (const feature of FEATURES) for (const id of feature.virtualRouterIds) judge(watches, feature, id);
  } finally {
    for (const watch of watches) await watch.stop();
    await lab.destroy();
  }
}

/** Who began and who ended, and that nobody was master to a higher one's face. */
function judge(watches: readonly SenderWatch[], { title, intervalSeconds }: Feature, id: number): void {
  const timeline = () => `${title}:\n${SenderWatch.timeline(watches, id)}`;
  expect(SenderWatch.ends(watches, id), timeline()).toEqual(["db1", "db1"]);
  for (const [index, { priority }] of CLUSTER.entries()) {
    const seen = (watches[index] as SenderWatch).seen(id);
    // Each hears another at some time: a rule over nothing would always hold.
    expect(seen.filter(({ direction }) => direction === "heard").length, timeline()).toBeGreaterThan(0);
    expect(disobeying(seen, { priority, intervalSeconds }), timeline()).toEqual([]);
  }
}

const MIXTURES: readonly Kinds[] = [
  ["holdfast", "keepalived", "holdfast"],
  ["keepalived", "holdfast", "keepalived"],
  ["holdfast", "holdfast", "keepalived"],
  ["keepalived", "keepalived", "holdfast"],
];

describeHoldfast("a mixed cluster of three", () => {
  test("the rule finds who is master to a higher one's face, and lets go who was set free", () => {
    const own = { priority: 100, intervalSeconds: 1 };
    const row = (...events: readonly (readonly [number, Seen["direction"], number])[]) =>
      disobeying(
        events.map(([at, direction, priority]) => ({ at, direction, priority, host: "db1", virtualRouterId: 1 })),
        own,
      ).map(({ at }) => at);
    expect(
      row([0, "heard", 200], [1, "heard", 200], [1.4, "sent", 100], [2, "heard", 200], [2.4, "sent", 100]),
    ).toEqual([2.4]);
    expect(row([0, "heard", 200], [1, "heard", 200], [1.1, "heard", 0], [1.8, "sent", 100])).toEqual([]);
    expect(row([0, "heard", 200], [1, "heard", 200], [4, "sent", 100], [5, "sent", 100])).toEqual([]);
    expect(row([0, "heard", 50], [1, "heard", 50], [2, "sent", 100], [3, "sent", 100])).toEqual([]);
  });

  for (const kinds of MIXTURES) test(kinds.join(", "), () => runCluster(kinds), 180_000);
});
