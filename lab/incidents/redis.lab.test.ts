/** The four classic incidents and a planned move on a managed Redis pair, judged by what applications were told and what the network sees. */
import { expect, test } from "vitest";
import { runs } from "../../tools/test-runs.ts";
import { describeStages, type Stage } from "../stage.ts";
import { playOn } from "./play.ts";

async function harmless(stage: Stage, name: string): Promise<void> {
  const { outcome, story } = await playOn(stage.lab, "holdfast", name);
  expect(outcome.problems, story).toEqual([]);
  // Behind a cut the writer goes on for seconds, for the applications on its own host: these writes are in the copy, which is judged.
  if (!name.startsWith("partition")) expect(outcome.lost, story).toBe(0);
}

describeStages("incidents on a managed Redis pair", {
  "power and daemons": (stage) => {
    test.sequential("cold-start-both: the newest data win, and nobody follows in a circle", () =>
      harmless(stage, "cold-start-both"));

    test.sequential("stale-vip: the address goes by itself before the other host has it, and the old server takes no more writes", () =>
      harmless(stage, "stale-vip"));
  },
  network: (stage) => {
    test.sequential("partition: the writer that is cut off stops and lets go, what it wrote alone is in a copy, a standby that is cut off does not claim", () =>
      harmless(stage, "partition"));

    test.sequential("partition-between: both may write, and afterwards one does", () =>
      harmless(stage, "partition-between"));

    // The ordinary run has its planned move in redis-takeover.lab.test.ts.
    const planned = ["switchover"].slice(0, runs(0, 1));
    test.sequential.each(planned)("%s: a planned move loses nothing and leaves one writer", (name) =>
      harmless(stage, name),
    );
  },
  faults: (stage) => {
    test.sequential("fault-to-master: older data are not served, and hooks run FAULT, BACKUP, MASTER, once each", () =>
      harmless(stage, "fault-to-master"));
  },
});
