/** Floods: what the kernel can tell is dropped there, adverts go on, nobody changes hands; what it cannot tell raises an alarm. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Daemon } from "../src/lab/daemon.ts";
import { type Lab, withLab } from "../src/lab/lab.ts";
import { LAB_DATA } from "../src/lab/paths.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { instanceBlock, VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { instanceWhen, statusOf } from "./holdfast-client.ts";
import { DAEMON, describeHoldfast } from "./support.ts";

const FLOOD = 20_000;
const OWN = { db1: "192.168.11.81", db2: "192.168.11.82" } as const;

function config(priority: number, own: string, peer: string): string {
  const unicast = [`unicast_src_ip ${own}`, "check_unicast_src", "unicast_peer {", `    ${peer}`, "}"];
  return [
    instanceBlock({ name: "GROUP", virtualRouterId: 51, vip: "192.168.11.51", priority, advertSeconds: 0.5 }),
    instanceBlock({
      name: "PEERS",
      virtualRouterId: 52,
      vip: "192.168.11.52",
      priority,
      advertSeconds: 0.5,
      lines: unicast,
    }),
  ].join("");
}

/** How often a process has gone to sleep so far: once a wake-up. */
function sleeps(pid: number): number {
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

async function flood(lab: Lab, kind: string): Promise<void> {
  const words = [join(LAB_DATA, "hostile/flood.py"), "eth0", kind, String(FLOOD), OWN.db1];
  expect(Number(await lab.host("client").execOrThrow(words, { timeoutMs: 60_000 }))).toBe(FLOOD);
}

async function counted(daemon: Daemon, name: string): Promise<{ dropped: number; became: number }> {
  const found = (await statusOf(daemon))?.instances.find((instance) => instance.name === name);
  const dropped = Object.values(found?.counters.drops ?? {}).reduce((sum, count) => sum + count, 0);
  return { dropped, became: found?.counters.becameMaster ?? -1 };
}

/** How often each of these became MASTER, of each instance. */
async function becameMaster(daemons: readonly Daemon[]): Promise<readonly number[]> {
  const counts: number[] = [];
  for (const daemon of daemons)
    for (const name of ["GROUP", "PEERS"]) counts.push((await counted(daemon, name)).became);
  return counts;
}

describeHoldfast("floods", () => {
  test("wrong router, length and source end in the kernel; nobody changes hands; a storm of believable ones raises an alarm", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      const master = cluster.start("db1", DAEMON, config(150, OWN.db1, OWN.db2));
      const backup = cluster.start("db2", DAEMON, config(100, OWN.db2, OWN.db1));
      for (const name of ["GROUP", "PEERS"]) {
        await instanceWhen(master, name, (it) => it.state === "MASTER", 45_000);
        await instanceWhen(backup, name, (it) => it.state === "BACKUP", 45_000);
      }
      const keeper = await master.keeperPid();
      // On a busy machine the lower priority may have been up first and have yielded: what counts is what the floods change.
      const settled = await becameMaster([master, backup]);

      // Nothing of it wakes anybody: the keeper sleeps as often as its own adverts let it.
      const began = { sleeps: sleeps(keeper), at: performance.now() };
      await flood(lab, "vrid");
      const seconds = (performance.now() - began.at) / 1_000;
      // Two instances at two adverts a second, heartbeats, and the answers to status: far from one for each of 20,000 frames.
      expect(sleeps(keeper) - began.sleeps).toBeLessThan(100 * seconds + 100);

      for (const [kind, name, text] of [
        ["length", "GROUP", "bad adverts (length)"],
        ["source", "PEERS", "bad adverts (not-a-peer)"],
      ] as const) {
        // Both routers share the socket: what the last kind has shut for ten seconds tells nothing of this one.
        await sleep(11_000);
        const before = await counted(master, name);
        await flood(lab, kind);
        await until(() => master.program.text.includes(text) || undefined, `${kind}: the flood is told`, 20_000);
        const now = await counted(master, name);
        expect(now.dropped).toBeGreaterThan(before.dropped);
        // A hundred until it is shut, and what had been queued by then.
        expect(now.dropped - before.dropped).toBeLessThan(FLOOD / 4);
      }

      expect(await becameMaster([master, backup])).toEqual(settled);
      for (const vip of ["192.168.11.51", "192.168.11.52"]) expect(await cluster.holders(vip)).toEqual(["db1"]);

      // Believable adverts cannot be told from right ones: what they do is not bounded, but it is told.
      await flood(lab, "storm");
      await until(() => master.program.text.includes("advert storm") || undefined, "the storm is told", 20_000);
      expect(master.program.text).toContain("auth_hmac");
    }));
});
