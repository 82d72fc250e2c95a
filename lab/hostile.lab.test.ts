/** Adverts that nobody may believe, thousands of them, at a master and a backup that both go on. */
import { join } from "node:path";
import { expect, test } from "vitest";
import type { InstanceView, StatusReply } from "../src/control/contract/types.ts";
import type { Daemon } from "../src/lab/daemon.ts";
import { withLab } from "../src/lab/lab.ts";
import { LAB_DATA } from "../src/lab/paths.ts";
import { instanceBlock, VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { holdfast, instanceWhen, statusOf } from "./holdfast-client.ts";
import { DAEMON, describeHoldfast } from "./support.ts";

const ROUNDS = 400;
const PEERS = ["192.168.11.81", "192.168.11.82"];

function config(priority: number, own: string): string {
  const peers = PEERS.filter((peer) => peer !== own).map((peer) => `    ${peer}`);
  const unicast = [`unicast_src_ip ${own}`, "check_unicast_src", "unicast_peer {", ...peers, "}"];
  const shared = { priority, advertSeconds: 0.5 };
  return [
    instanceBlock({ name: "V2", virtualRouterId: 51, version: 2, priority, advertSeconds: 1, vip: "192.168.11.51" }),
    instanceBlock({ name: "V3", virtualRouterId: 52, vip: "192.168.11.52", ...shared }),
    instanceBlock({ name: "UNICAST", virtualRouterId: 53, vip: "192.168.11.53", lines: unicast, ...shared }),
  ].join("");
}

const inEach = async (daemon: Daemon, state: string): Promise<void> => {
  for (const name of ["V2", "V3", "UNICAST"]) await instanceWhen(daemon, name, (it) => it.state === state, 15_000);
};

/** What must not change; counters and times of hearing may. */
const standing = (status: StatusReply | undefined) =>
  status?.instances.map(({ name, state, phase, faults, holding, priority, counters }) => {
    const { becameMaster, releasedMaster, priorityZeroSent } = counters;
    return { name, state, phase, faults, holding, priority, becameMaster, releasedMaster, priorityZeroSent };
  });

const reasons = (instance: InstanceView | undefined): readonly string[] => Object.keys(instance?.counters.drops ?? {});

const ALWAYS = ["truncated", "version", "type", "length", "checksum", "ttl", "interval", "address-list"];

describeHoldfast("hostile adverts", () => {
  test("neither a master nor a backup believes, crashes or stops; every drop is counted under its reason", () =>
    withLab(async (lab) => {
      // Otherwise the kernel itself drops what seems to come from the host's own address.
      for (const name of ["db1", "db2"]) {
        await lab.host(name).execOrThrow(["sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/all/accept_local"]);
      }
      const cluster = new VrrpCluster(lab);
      const master = cluster.start("db1", DAEMON, config(150, "192.168.11.81"));
      const backup = cluster.start("db2", DAEMON, config(100, "192.168.11.82"));
      await inEach(master, "MASTER");
      await inEach(backup, "BACKUP");
      const before = await Promise.all([statusOf(master), statusOf(backup)]);

      const sender = join(LAB_DATA, "hostile/hostile_adverts.py");
      const words = [sender, "eth0", String(ROUNDS), "20260719", ...PEERS];
      const sent = Number(await lab.host("client").execOrThrow(words, { timeoutMs: 60_000 }));
      expect(sent).toBeGreaterThan(10_000);

      const after = await Promise.all([statusOf(master), statusOf(backup)]);
      after.forEach((status, index) => {
        expect(standing(status)).toEqual(standing(before[index]));
        expect(status?.keeper.pid).toBe(before[index]?.keeper.pid);
        expect(status?.keeper.restarts).toBe(0);
      });
      for (const vip of ["192.168.11.51", "192.168.11.52", "192.168.11.53"]) {
        expect(await cluster.holders(vip)).toEqual(["db1"]);
      }

      for (const daemon of [master, backup]) {
        const told = JSON.parse((await holdfast(daemon, "status", "--json")).stdout) as StatusReply;
        const of = (name: string) => reasons(told.instances.find((instance) => instance.name === name));
        const own = ["own-packet", "wrong-destination"];
        expect(of("V2")).toEqual(expect.arrayContaining([...ALWAYS, ...own, "auth-type", "auth-fail"]));
        expect(of("V3")).toEqual(expect.arrayContaining([...ALWAYS.filter((it) => it !== "address-list"), ...own]));
        expect(of("UNICAST")).toEqual(expect.arrayContaining(["not-a-peer", "wrong-destination"]));
        const counted = told.instances.flatMap((instance) => Object.values(instance.counters.drops));
        // Some frames end in the kernel, some are for no virtual router of ours; most must have been looked at.
        expect(counted.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(sent / 3);
      }
    }));
});
