import { expect, test } from "vitest";
import { withLab } from "../src/lab/lab.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { instanceBlock, VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { DAEMON, describeLab } from "./support.ts";

describeLab("start-order: who holds the address after a start", () => {
  test("one after the other with nopreempt: the first holds, whatever its priority", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      cluster.start("db1", DAEMON, instanceBlock({ priority: 90, nopreempt: true }));
      await cluster.heldBy(["db1"]);
      cluster.start("db2", DAEMON, instanceBlock({ priority: 200, nopreempt: true }));
      // Master_Down at 0.2 s is under 0.8 s; three of them and the start.
      for (let look = 0; look < 15; look++) {
        await sleep(200);
        expect(await cluster.holders()).toEqual(["db1"]);
      }
    }));

  test("one after the other without nopreempt: the higher priority takes over", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      cluster.start("db1", DAEMON, instanceBlock({ priority: 90 }));
      await cluster.heldBy(["db1"]);
      cluster.start("db2", DAEMON, instanceBlock({ priority: 200 }));
      await cluster.heldBy(["db2"]);
    }));

  test("together with different priorities: the higher one holds, also with nopreempt", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      // Skew_Time differs by 0.78 s, more than the start of two processes.
      cluster.start("db1", DAEMON, instanceBlock({ priority: 50, advertSeconds: 1, nopreempt: true }));
      cluster.start("db2", DAEMON, instanceBlock({ priority: 250, advertSeconds: 1, nopreempt: true }));
      await cluster.heldBy(["db2"]);
      await sleep(1_500);
      expect(await cluster.holders()).toEqual(["db2"]);
    }));

  test("together with equal priorities, both claiming at once: the higher address holds", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      // A cut that neither host notices makes "at once" certain.
      await lab.cutLink("db2", "silent");
      cluster.start("db1", DAEMON, instanceBlock({}));
      cluster.start("db2", DAEMON, instanceBlock({}));
      await cluster.heldBy(["db1", "db2"]);
      await lab.restoreLink("db2");
      await cluster.heldBy(["db2"]);
    }));

  test("together with equal priorities and nopreempt: one holds, and goes on holding", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      cluster.start("db1", DAEMON, instanceBlock({ nopreempt: true }));
      cluster.start("db2", DAEMON, instanceBlock({ nopreempt: true }));
      const one = async () => {
        const holders = await cluster.holders();
        return holders.length === 1 ? holders : undefined;
      };
      await until(one, "a host holds the address", 10_000);
      // Both may have claimed within the same millisecond: one advert settles it.
      await sleep(1_000);
      const settled = await until(one, "exactly one host holds the address", 2_000);
      for (let look = 0; look < 10; look++) {
        await sleep(200);
        expect(await cluster.holders()).toEqual(settled);
      }
    }));
});
