import { test } from "vitest";
import { withLab } from "../src/lab/lab.ts";
import { instanceBlock, VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { DAEMON, describeLab } from "./support.ts";

const FIRST = "192.168.11.100";
const SECOND = "192.168.11.101";

const config = (priorities: { readonly first: number; readonly second: number }): string =>
  instanceBlock({ name: "VI_A", virtualRouterId: 51, vip: FIRST, priority: priorities.first }) +
  instanceBlock({ name: "VI_B", virtualRouterId: 52, vip: SECOND, priority: priorities.second });

describeLab("multi-instance: two instances, each with an address of its own", () => {
  test("each host is master of one; the survivor of a stop holds both, and gives one back", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      const first = cluster.start("db1", DAEMON, config({ first: 150, second: 100 }));
      cluster.start("db2", DAEMON, config({ first: 100, second: 150 }));
      await cluster.heldBy(["db1"], { vip: FIRST });
      await cluster.heldBy(["db2"], { vip: SECOND });
      await first.stop();
      await cluster.heldBy(["db2"], { vip: FIRST });
      await cluster.heldBy(["db2"], { vip: SECOND });
      cluster.start("db1", DAEMON, config({ first: 150, second: 100 }));
      await cluster.heldBy(["db1"], { vip: FIRST });
      await cluster.heldBy(["db2"], { vip: SECOND });
    }));
});
