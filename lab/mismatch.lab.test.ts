/** Hosts whose files do not agree: what each makes of it, beside a real keepalived, and that it says so once. */
import { expect, test } from "vitest";
import type { DropReason } from "../src/core/vrrp/status.ts";
import type { Daemon } from "../src/lab/daemon.ts";
import { type Lab, VIP, withLab } from "../src/lab/lab.ts";
import { type InstanceSpec, instanceBlock, VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { eventsOf, holdfast, instanceWhen } from "./holdfast-client.ts";
import { DAEMON, describeHoldfast } from "./support.ts";

const NAME = "VI_1";

interface Pair {
  readonly cluster: VrrpCluster;
  readonly ours: Daemon;
}

/** keepalived with the higher priority serves on db1, then Holdfast comes on db2. */
async function pair(lab: Lab, theirs: InstanceSpec, ours: InstanceSpec): Promise<Pair> {
  const cluster = new VrrpCluster(lab);
  cluster.start("db1", "keepalived", instanceBlock({ priority: 150, ...theirs }));
  await cluster.heldBy(["db1"]);
  return { cluster, ours: cluster.start("db2", DAEMON, instanceBlock({ priority: 100, ...ours })) };
}

/** Waits until so many adverts were counted under the reason; the log has one line of it for each state that it was in. */
async function counted({ ours }: Pair, reason: DropReason, adverts: number): Promise<{ state: string; told: number }> {
  const { state } = await instanceWhen(ours, NAME, ({ counters }) => (counters.drops[reason] ?? 0) >= adverts, 20_000);
  const told = (await eventsOf(ours)).filter(({ body }) => body.kind === "drop" && body.reason === reason).length;
  return { state, told };
}

const explained = async ({ ours }: Pair): Promise<string> => (await holdfast(ours, "explain", NAME)).stdout;

describeHoldfast("hosts that do not agree", () => {
  test("advert_int of version 3: the master's counts, nobody takes over, explain names it", () =>
    withLab(async (lab) => {
      const both = await pair(lab, { advertSeconds: 1 }, { advertSeconds: 0.4 });
      // Our own Master_Down would be 1.4 s: it outlasts the wait for the first advert, and five of the master's intervals outlast it by far.
      expect(await counted(both, "interval-differs", 5)).toEqual({ state: "BACKUP", told: 1 });
      await both.cluster.heldBy(["db1"]);
      expect(await explained(both)).toMatch(/obeyed all the same: \d+\s+interval-differs/);
    }));

  test("advert_int of version 2: the packet is dropped, as the RFC has it; both serve, and the log says whose is which", () =>
    withLab(async (lab) => {
      const both = await pair(lab, { version: 2, advertSeconds: 2 }, { version: 2, advertSeconds: 1 });
      expect(await counted(both, "interval", 1)).toEqual({ state: "BACKUP", told: 1 });
      // keepalived's own adverts stop once it hears ours: each packet that it drops puts off its timer.
      await both.cluster.heldBy(["db1", "db2"]);
      const log = both.ours.program.lines.map(({ text }) => text).join("\n");
      expect(log).toContain(`(${NAME}) advertisement interval mismatch mine=1 sec rcv'd=2 sec`);
      expect(await explained(both)).toMatch(/Packets dropped: \d+ interval/);
    }));

  test("one address more: it is obeyed, so that a list can be changed host by host, and both lists are told", () =>
    withLab(async (lab) => {
      const both = await pair(lab, {}, { vip: `${VIP}\n        192.168.11.49` });
      expect(await counted(both, "address-list", 5)).toEqual({ state: "BACKUP", told: 1 });
      await both.cluster.heldBy(["db1"]);
      const log = both.ours.program.lines.map(({ text }) => text).join("\n");
      expect(log).toMatch(/advertises 192\.168\.11\.100, ours are 192\.168\.11\.100 192\.168\.11\.49/);
      expect(log).not.toContain("another virtual router");
    }));

  test("no address in common: the virtual_router_id may be taken, and the log asks for it", () =>
    withLab(async (lab) => {
      const both = await pair(lab, {}, { vip: "192.168.11.48" });
      expect(await counted(both, "address-list", 5)).toEqual({ state: "BACKUP", told: 1 });
      const log = both.ours.program.lines.map(({ text }) => text).join("\n");
      expect(log).toMatch(/none is ours: does another virtual router use our virtual_router_id\?/);
    }));
});
