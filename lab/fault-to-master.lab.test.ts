import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withLab } from "../src/lab/lab.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { fileCheck, instanceBlock, NotifyRecorder, VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { DAEMON, describeLab } from "./support.ts";

describeLab("incident fault-to-master", () => {
  test("leaving FAULT passes through BACKUP; every hook runs once, in that order, with keepalived's arguments", () =>
    withLab(async (lab) => {
      const host = lab.host("db1");
      const healthy = join(host.directory, "healthy");
      const recorder = new NotifyRecorder(host);
      const lines = ["track_script {", "    healthy", "}", `notify ${recorder.script}`];
      const config = fileCheck("healthy", healthy) + instanceBlock({ name: "redis1", priority: 90, lines });
      const cluster = new VrrpCluster(lab);
      cluster.start("db1", DAEMON, config);
      const seen = (count: number) =>
        until(() => recorder.lines.length >= count || undefined, `${count} hooks`, 10_000);
      await seen(1);
      expect(recorder.lines).toEqual(["INSTANCE redis1 FAULT 90"]);
      expect(await cluster.holders()).toEqual([]);

      writeFileSync(healthy, "");
      await cluster.heldBy(["db1"]);
      await seen(3);
      rmSync(healthy);
      await cluster.heldBy([]);
      await seen(4);
      await sleep(1_200);
      expect(recorder.lines).toEqual([
        "INSTANCE redis1 FAULT 90",
        "INSTANCE redis1 BACKUP 90",
        "INSTANCE redis1 MASTER 90",
        "INSTANCE redis1 FAULT 90",
      ]);
    }));
});
