/** Check scripts as they really are: hanging, deaf, talkative, missing, broken. The daemon goes on and can say why. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Daemon } from "../src/lab/daemon.ts";
import { HOLDFAST_PROGRAM } from "../src/lab/paths.ts";
import { processTree, sleep } from "../src/lab/processes.ts";
import { instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { holdfast, instanceOf, instanceWhen, statusOf } from "./holdfast-client.ts";
import { describeStage, type Stage } from "./stage.ts";

/** Half a second: a busy machine must not look like a check that disturbs its neighbours. */
const OTHER = instanceBlock({ name: "OTHER", virtualRouterId: 60, vip: "192.168.11.160", advertSeconds: 0.5 });
const TRACKED = ["track_script {", "    probe", "}"];

function script(stage: Stage, name: string, text: string): string {
  const file = join(stage.host("db1").directory, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return file;
}

const config = (command: string) =>
  `vrrp_script probe {\n    script "${command}"\n    interval 1\n    timeout 1\n}\n` +
  instanceBlock({ lines: TRACKED }) +
  OTHER;

const checkOf = async (daemon: Daemon) => (await statusOf(daemon))?.checks.find((check) => check.key === "probe");

const undisturbed = { state: "MASTER", holding: true, counters: { becameMaster: 1, releasedMaster: 0 } };

describeStage("a check script", (stage) => {
  test("that hangs and ignores TERM fails by timeout, is killed with its children, and never runs twice at once", async () => {
    const count = join(stage.host("db1").directory, "running.txt");
    const file = script(stage, "deaf.sh", `trap '' TERM\necho run >>${count}\nsleep 600 &\nwait\nsleep 600`);
    const daemon = stage.start("db1", config(file));
    await instanceWhen(daemon, "OTHER", (it) => it.holding);
    const fault = await instanceWhen(daemon, "VI_1", (it) => it.state === "FAULT");
    expect(fault.reason).toContain("probe");
    expect((await checkOf(daemon))?.outcome).toEqual({ kind: "timeout", afterMillis: 1_000 });
    expect((await holdfast(daemon, "explain", "VI_1")).stdout).toMatch(/timeout|timed out|within 1 s|after 1 s/);
    const control = await daemon.controlPid();
    let most = 0;
    for (let round = 0; round < 30; round++) {
      most = Math.max(most, shellsBelow(control));
      await sleep(150);
    }
    expect(most).toBe(1);
    expect(
      readFileSync(count, "utf8")
        .split("\n")
        .filter((line) => line === "run").length,
    ).toBeGreaterThan(1);
    expect(await instanceOf(daemon, "OTHER")).toMatchObject(undisturbed);
    await daemon.stop();
    const left = await stage.host("db1").exec(["pgrep", "-x", "sleep", "-a"]);
    expect(left.stdout).not.toContain("sleep 600");
  });

  test("that floods both outputs is only a check; its last line is kept", async () => {
    const flood = "head -c 30000000 /dev/zero | tr '\\\\0' x";
    const file = script(stage, "flood.sh", `${flood}\n${flood} >&2\necho >&2\necho the last word >&2`);
    const daemon = stage.start("db1", config(file).replace("timeout 1", "timeout 30"));
    await instanceWhen(daemon, "VI_1", (it) => it.holding, 30_000);
    expect((await checkOf(daemon))?.lastError).toBe("the last word");
    const status = readFileSync(`/proc/${await daemon.controlPid()}/status`, "utf8");
    const kilobytes = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]);
    // 60 MB were written; a daemon that kept them would be larger than this by as much.
    expect(kilobytes).toBeLessThan(160_000);
  });

  test("that does not exist is FAULT with the remedy; `check` only warns of it", async () => {
    const daemon = stage.start("db1", config("/nonexistent/check.sh -x"));
    await instanceWhen(daemon, "OTHER", (it) => it.holding);
    await instanceWhen(daemon, "VI_1", (it) => it.state === "FAULT");
    const { stdout } = await holdfast(daemon, "explain", "VI_1");
    expect(stdout).toContain("/nonexistent/check.sh does not exist");
    expect(stdout.replaceAll(/\s+/g, " ")).toContain("install it or correct the path");
    expect(await instanceOf(daemon, "OTHER")).toMatchObject(undisturbed);

    const checked = await daemon.host.exec([process.execPath, HOLDFAST_PROGRAM, "check", stage.configFile(daemon)]);
    expect(checked.code).toBe(0);
    expect(checked.stdout + checked.stderr).toMatch(/warning: .*\/nonexistent\/check\.sh/);
  });

  test("whose library is missing can be understood from explain alone", async () => {
    const words = "ImportError: libmysqlclient.so.21: cannot open shared object file: No such file or directory";
    const trace = "Traceback (most recent call last):\\n  File checkMySQL.py, line 3, in <module>\\n";
    const file = script(stage, "import.sh", `printf '${trace}' >&2\necho '${words}' >&2\nexit 1`);
    const daemon = stage.start("db1", config(file));
    await instanceWhen(daemon, "VI_1", (it) => it.state === "FAULT");
    const told = (await holdfast(daemon, "explain", "VI_1")).stdout.replaceAll(/\s+/g, " ");
    expect(told).toContain(words);
    expect(told).toContain("exit code 1");
    // Repaired while it runs.
    script(stage, "import.sh", "exit 0");
    await instanceWhen(daemon, "VI_1", (it) => it.holding);
  });

  test("that cannot be executed any more after a while is FAULT, and back when it can", async () => {
    const file = script(stage, "mode.sh", "exit 0");
    const daemon = stage.start("db1", config(file));
    await instanceWhen(daemon, "VI_1", (it) => it.holding);
    await daemon.host.execOrThrow(["chmod", "0644", file]);
    await instanceWhen(daemon, "VI_1", (it) => it.state === "FAULT" && !it.holding);
    await stage.held("db1", false);
    await daemon.host.execOrThrow(["chmod", "0755", file]);
    await instanceWhen(daemon, "VI_1", (it) => it.holding);
  });
});

/** Direct children of control that are the check script itself. */
function shellsBelow(control: number): number {
  return processTree(control).filter((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "latin1");
      const parent = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
      return line.includes("deaf.sh") && parent === control;
    } catch {
      return false;
    }
  }).length;
}
