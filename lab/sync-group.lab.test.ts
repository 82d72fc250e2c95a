import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DaemonKind } from "../src/lab/daemon.ts";
import { type LabHost, VIP, withLab } from "../src/lab/lab.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { instanceBlock, NotifyRecorder, VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { describeHoldfast } from "./support.ts";

const SECOND_VIP = "192.168.11.101";

/** Two instances in one group; a number other than 0 in the file means FAULT for VI_2, and so for both. */
function groupConfig(host: LabHost, recorder: NotifyRecorder | null, priority = 100): string {
  const notify = recorder === null ? [] : [`notify "${recorder.script}"`];
  return [
    `track_file health {\n    file ${join(host.directory, "health")}\n    weight 0\n}`,
    "vrrp_sync_group G1 {\n    group {\n        VI_1\n        VI_2\n    }",
    ...notify.map((line) => `    ${line}`),
    "}",
    instanceBlock({ name: "VI_1", priority, lines: notify }),
    instanceBlock({
      name: "VI_2",
      priority,
      virtualRouterId: 52,
      vip: SECOND_VIP,
      lines: [...notify, "track_file {", "    health", "}"],
    }),
    "",
  ].join("\n");
}

const setHealth = (host: LabHost, value: number): void => writeFileSync(join(host.directory, "health"), `${value}\n`);

/** A life of one daemon alone: MASTER, FAULT by the file, MASTER again, stop. What its hooks heard. */
async function life(kind: DaemonKind): Promise<readonly string[]> {
  return await withLab(async (lab) => {
    const host = lab.host("db1");
    const recorder = new NotifyRecorder(host);
    // All three: keepalived runs hooks at once, and the group's may be done before a member's.
    const heard = async (state: string, times: number): Promise<void> => {
      for (const line of [`INSTANCE VI_1 ${state} 100`, `INSTANCE VI_2 ${state} 100`, `GROUP G1 ${state} 0`])
        await until(
          () => recorder.lines.filter((other) => other === line).length === times || undefined,
          `${kind}: ${line}, ${times} times; it heard ${recorder.lines.join(", ")}`,
          40_000,
        );
    };
    setHealth(host, 0);
    const daemon = new VrrpCluster(lab).start("db1", kind, groupConfig(host, recorder));
    await heard("MASTER", 1);
    setHealth(host, 7);
    await heard("FAULT", 1);
    expect(await host.holds(VIP)).toBe(false);
    setHealth(host, 0);
    await heard("MASTER", 2);
    await sleep(300);
    await daemon.stop();
    return recorder.lines;
  });
}

const of = (lines: readonly string[], name: string): readonly string[] =>
  lines.filter((line) => line.split(" ")[1] === name);

describeHoldfast("a sync group", () => {
  describe("beside keepalived's", () => {
    test("hooks of each instance and of the group hear the same, in the same order", async () => {
      const theirs = await life("keepalived");
      const ours = await life("holdfast");
      for (const name of ["VI_1", "VI_2", "G1"]) expect(of(ours, name), name).toEqual(of(theirs, name));
    });

    for (const [first, second] of [
      ["holdfast", "keepalived"],
      ["keepalived", "holdfast"],
    ] as const) {
      test(`a fault of one instance moves both addresses from ${first} to ${second} and back`, () =>
        withLab(async (lab) => {
          const cluster = new VrrpCluster(lab);
          const [db1, db2] = [lab.host("db1"), lab.host("db2")];
          for (const host of [db1, db2]) setHealth(host, 0);
          const both = async (name: string) => {
            await cluster.heldBy([name], { timeoutMs: 40_000 });
            await cluster.heldBy([name], { vip: SECOND_VIP, timeoutMs: 40_000 });
          };
          cluster.start("db1", first, groupConfig(db1, null, 150));
          await both("db1");
          const other = cluster.start("db2", second, groupConfig(db2, null, 100));
          await sleep(1_000);
          await both("db1");
          setHealth(db1, 1);
          await both("db2");
          setHealth(db1, 0);
          await both("db1");
          await other.stop();
          await both("db1");
        }));
    }
  });

  test("a tracked process: its end is FAULT, its start the way back", () =>
    withLab(async (lab) => {
      const host = lab.host("db1");
      const program = join(host.directory, "hf-tracked");
      copyFileSync("/bin/sleep", program);
      const recorder = new NotifyRecorder(host);
      const tracked = "vrrp_track_process p {\n    process hf-tracked\n    weight 0\n}\n";
      const lines = [`notify "${recorder.script}"`, "track_process {", "    p", "}"];
      const said = (line: string, times = 1) =>
        until(() => recorder.lines.filter((other) => other === line).length === times || undefined, line, 40_000);
      const daemon = new VrrpCluster(lab).start("db1", "holdfast", tracked + instanceBlock({ lines }));
      await said("INSTANCE VI_1 FAULT 100");
      const running = host.spawn([program, "600"]);
      await said("INSTANCE VI_1 MASTER 100");
      await running.signal("SIGKILL");
      await said("INSTANCE VI_1 FAULT 100", 2);
      await daemon.stop();
    }));
});
