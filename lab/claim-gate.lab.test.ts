import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withLab } from "../src/lab/lab.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { fileCheck, instanceBlock, NotifyRecorder, VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { DAEMON, describeHoldfast } from "./support.ts";

describeHoldfast("claim gate", () => {
  test("a refused claim is FAULT with the reason and no address; an opened gate lets the address come", () =>
    withLab(async (lab) => {
      const host = lab.host("db1");
      const gate = join(host.directory, "gate-open");
      const healthy = join(host.directory, "healthy");
      writeFileSync(healthy, "");
      const claim = join(host.directory, "claim.sh");
      const arguments_ = join(host.directory, "claim.txt");
      const refusal = "the applier is behind";
      writeFileSync(
        claim,
        `#!/bin/sh\necho "$@" >>${arguments_}\n[ -e ${gate} ] || { echo "${refusal}" >&2; exit 1; }\n`,
        { mode: 0o755 },
      );
      const recorder = new NotifyRecorder(host);
      const lines = ["track_script {", "    healthy", "}", `notify_claim ${claim}`, `notify ${recorder.script}`];
      const cluster = new VrrpCluster(lab);
      const daemon = cluster.start(
        "db1",
        DAEMON,
        fileCheck("healthy", healthy) + instanceBlock({ name: "VI_G", lines }),
      );
      await until(() => recorder.lines.some((line) => line.includes("FAULT")) || undefined, "FAULT", 10_000);
      expect(recorder.lines.filter((line) => line.includes("MASTER"))).toEqual([]);
      expect(await cluster.holders()).toEqual([]);
      expect(daemon.program.text).toContain(refusal);

      writeFileSync(gate, "");
      await cluster.heldBy(["db1"], { timeoutMs: 20_000 });
      await sleep(300);
      expect(recorder.lines.at(-1)).toBe("INSTANCE VI_G MASTER 100");
      const { stdout } = await host.exec(["cat", arguments_]);
      expect(stdout.split("\n")[0]).toBe("INSTANCE VI_G 100");
    }));
});
