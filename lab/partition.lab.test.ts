import { expect, test } from "vitest";
import { VIP, withLab } from "../src/lab/lab.ts";
import { sleep } from "../src/lab/processes.ts";
import { instanceBlock, VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { DAEMON, describeLab } from "./support.ts";

describeLab("incident partition", () => {
  test("both hold the address while they cannot hear each other; after the repair one does, and clients reach it", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      cluster.start("db1", DAEMON, instanceBlock({ priority: 150 }));
      await cluster.heldBy(["db1"]);
      cluster.start("db2", DAEMON, instanceBlock({ priority: 100 }));
      await sleep(1_000);
      expect(await cluster.holders()).toEqual(["db1"]);
      await lab.cutLink("db1", "silent");
      await cluster.heldBy(["db1", "db2"]);
      const client = lab.host("client");
      // The client learns the address at db2 meanwhile.
      expect((await client.exec(["ping", "-c1", "-W1", VIP])).code).toBe(0);
      await lab.restoreLink("db1");
      await cluster.heldBy(["db1"]);
      await sleep(500);
      expect(await cluster.holders()).toEqual(["db1"]);
      expect((await client.exec(["arping", "-c1", "-w2", "-I", "eth0", VIP])).stdout).toContain("Received 1 response");
    }));

  test("a pulled cable makes the host release at once and the peer take over", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      cluster.start("db1", DAEMON, instanceBlock({ priority: 150 }));
      await cluster.heldBy(["db1"]);
      cluster.start("db2", DAEMON, instanceBlock({ priority: 100 }));
      await sleep(1_000);
      await lab.cutLink("db1");
      await cluster.heldBy(["db2"]);
      await lab.restoreLink("db1");
      await cluster.heldBy(["db1"]);
    }));
});
