// Real programs: small shell scripts in a folder of the test's own. Times are limits of the protocol, not speeds.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Command } from "../core/config/model.ts";
import { type Micros, millis, seconds } from "../core/lib/units.ts";
import {
  OUTPUT_TAIL_BYTES,
  PLAIN_POLICY,
  type ProgramEnd,
  type ProgramOutput,
  type RunningProgram,
} from "../ports/spawner.ts";
import { createArena } from "./arena.ts";
import { findSetpriv } from "./death-signal.ts";
import { createSpawner } from "./spawn.ts";
import { createTimers } from "./timers.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-spawn-"));
afterAll(() => rmSync(folder, { recursive: true }));

const setpriv = findSetpriv();
const arena = createArena(64 * 1024);
const spawner = createSpawner(arena, setpriv);
const policy = PLAIN_POLICY;
let count = 0;

function scriptFile(text: string, mode = 0o755): string {
  const path = join(folder, `script-${++count}`);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const SPAN = { file: "/k.conf", line: 1, column: 1, length: 1 };
const commandOf = (...argv: string[]): Command => ({ argv, user: null, group: null, text: argv.join(" "), span: SPAN });

interface Ended {
  readonly end: ProgramEnd;
  readonly output: ProgramOutput;
}

async function begin(...argv: string[]): Promise<{ program: RunningProgram; ended: Promise<Ended> }> {
  const examined = await spawner.examine(commandOf(...argv), policy);
  if (!examined.ok) throw new Error(examined.error.reason);
  let program: RunningProgram | undefined;
  const ended = new Promise<Ended>((resolve) => {
    program = spawner.start(examined.value, { HOLDFAST_STATE: "BACKUP" }, (end, output) => resolve({ end, output }));
  });
  return { program: program as RunningProgram, ended };
}

const run = async (...argv: string[]): Promise<Ended> => (await begin(...argv)).ended;

async function until(condition: () => boolean, limit: Micros = seconds(20)): Promise<void> {
  const timers = createTimers();
  const start = timers.now();
  while (!condition() && timers.now() - start < limit) {
    await new Promise((resolve) => timers.schedule(millis(20), () => resolve(null)));
  }
}

const alive = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
};

test("exit code, arguments, environment and both outputs come back", async () => {
  const path = scriptFile('#!/bin/sh\necho "out $1 $HOLDFAST_STATE"\necho oops >&2\nexit 3\n');
  const { end, output } = await run(path, "two words; $(id)");
  expect(end).toEqual({ kind: "exit", code: 3 });
  expect(output).toEqual({ stdout: "out two words; $(id) BACKUP\n", stderr: "oops\n" });
});

test("a script may open /dev/stderr, which fails on Node's own pipes", async () => {
  const { end, output } = await run(scriptFile("#!/bin/sh\nset -e\necho oops >/dev/stderr\n"));
  expect(end).toEqual({ kind: "exit", code: 0 });
  expect(output.stderr).toBe("oops\n");
});

test("a file without an interpreter line is run by /bin/sh, as execvp(3) does", async () => {
  expect((await run(scriptFile("exit 7\n"))).end).toEqual({ kind: "exit", code: 7 });
});

test("a command beginning with </ asks whether the file can be read", async () => {
  const path = scriptFile("anything", 0o644);
  expect((await run(`<${path}`)).end).toEqual({ kind: "exit", code: 0 });
  const missing = await run(`<${path}-missing`);
  expect(missing.end.kind === "exit" && missing.end.code !== 0).toBe(true);
  expect(missing.output.stderr).toContain(`${path}-missing`);
});

test("a flood is read to the end and only its tail is kept", async () => {
  const { end, output } = await run(
    scriptFile("#!/bin/sh\nhead -c 5000000 /dev/zero | tr '\\0' x >&2\necho last >&2\n"),
  );
  expect(end).toEqual({ kind: "exit", code: 0 });
  expect(output.stderr.length).toBeLessThanOrEqual(OUTPUT_TAIL_BYTES);
  expect(output.stderr.endsWith("xlast\n")).toBe(true);
});

test("signals go to the whole group: a child of a hanging script does not survive it", async () => {
  const pidFile = join(folder, "grandchild");
  const path = scriptFile(`#!/bin/sh\nsleep 300 &\necho $! > ${pidFile}.new; mv ${pidFile}.new ${pidFile}\nwait\n`);
  const { program, ended } = await begin(path);
  await until(() => existsSync(pidFile));
  program.signalGroup("SIGTERM");
  expect((await ended).end).toEqual({ kind: "signal", signal: "SIGTERM" });
  const grandchild = Number(readFileSync(pidFile, "utf8"));
  await until(() => !alive(grandchild));
  expect(alive(grandchild)).toBe(false);
});

test("a script that ignores TERM is ended by KILL", async () => {
  const ready = join(folder, "ready");
  const { program, ended } = await begin(
    scriptFile(`#!/bin/sh\ntrap '' TERM\ntouch ${ready}\nwhile :; do sleep 1; done\n`),
  );
  await until(() => existsSync(ready));
  program.signalGroup("SIGTERM");
  program.signalGroup("SIGKILL");
  expect((await ended).end).toEqual({ kind: "signal", signal: "SIGKILL" });
});

test("what a script leaves running neither holds up its end nor dies of writing", async () => {
  const [go, done] = [join(folder, "go"), join(folder, "done")];
  const wait = `while [ ! -e ${go} ]; do sleep 0.1; done`;
  const path = scriptFile(`#!/bin/sh\n( ${wait}; echo still here >&2 && touch ${done} ) &\nexit 0\n`);
  expect((await run(path)).end).toEqual({ kind: "exit", code: 0 });
  writeFileSync(go, "");
  await until(() => existsSync(done));
  expect(existsSync(done)).toBe(true);
});

test("what cannot be run is named, with the remedy", async () => {
  const notExecutable = scriptFile("#!/bin/sh\n", 0o644);
  const reasons = [];
  for (const name of [join(folder, "missing"), notExecutable, folder, "no-such-program-anywhere"]) {
    const examined = await spawner.examine(commandOf(name), policy);
    reasons.push(examined.ok ? "usable" : `${examined.error.reason}; ${examined.error.remedy}`);
  }
  expect(reasons).toEqual([
    `${folder}/missing does not exist; install it or correct the path`,
    `${notExecutable} cannot be executed; run: chmod a+x ${notExecutable}`,
    `${folder} is not a file; name an executable file`,
    "no-such-program-anywhere is in no folder of PATH; write the whole path",
  ]);
});

test("an interpreter that is missing is a failure to start, not a crash", async () => {
  const { end } = await run(scriptFile("#!/no/such/interpreter\n"));
  const reason = "the interpreter named in its first line does not exist; install it or correct the line";
  expect(end).toEqual({ kind: "spawn-failed", reason });
});

test("a script's own 127 is its exit code, not a failure to start", async () => {
  const { end } = await run(scriptFile("#!/bin/sh\necho 'setpriv: failed to execute' >&2\nexit 127\n"));
  expect(end).toEqual({ kind: "exit", code: 127 });
});

test("setpriv is found here, one that cannot do it is not taken, and without one programs still run", async () => {
  expect(setpriv).toMatch(/\/setpriv$/);
  expect(findSetpriv(["/no/such/setpriv", "/bin/false"])).toBe(null);
  const examined = await spawner.examine(commandOf(scriptFile("#!/bin/sh\nexit 4\n")), policy);
  if (!examined.ok) throw new Error(examined.error.reason);
  const program = examined.value;
  const end = await new Promise((resolve) => {
    createSpawner(arena, null).start(program, {}, resolve);
  });
  expect(end).toEqual({ kind: "exit", code: 4 });
});

test("a program is the leader of its group", async () => {
  const path = scriptFile("#!/bin/sh\nsed -n 's/^NSpgid:\\t//p' /proc/$$/status; echo $$\n");
  const { output } = await run(path);
  const [group, own] = output.stdout.trim().split("\n");
  expect(group?.split("\t").at(-1)).toBe(own);
});

test("two looks at one file at the same time keep their own arguments", async () => {
  const path = scriptFile("#!/bin/sh\n");
  const looked = await Promise.all(["a", "b"].map((word) => spawner.examine(commandOf(path, word), policy)));
  expect(looked.map((one) => one.ok && one.value.args)).toEqual([["a"], ["b"]]);
});

test.runIf(process.geteuid?.() === 0)(
  "enable_script_security refuses a root-run script that others can change",
  async () => {
    const path = scriptFile("#!/bin/sh\n", 0o777);
    const examined = await spawner.examine(commandOf(path), { ...policy, security: true });
    expect(examined.ok ? "usable" : examined.error.reason).toContain(`others than root can change ${path}`);
  },
);

test.runIf(process.geteuid?.() === 0)("what everybody may change never runs as root", async () => {
  const open = scriptFile("#!/bin/sh\n", 0o757);
  const groupOnly = scriptFile("#!/bin/sh\n", 0o775);
  const reasonOf = async (path: string, user: string | null): Promise<string> => {
    const examined = await spawner.examine({ ...commandOf(path), user }, policy);
    return examined.ok ? "usable" : `${examined.error.reason}; ${examined.error.remedy}`;
  };
  expect(await reasonOf(open, null)).toBe(
    `${open} runs as root, but all users can change ${open}; run: chmod o-w ${open}; or give the script a \`user\``,
  );
  expect(await reasonOf(open, "nobody")).toBe("usable");
  expect(await reasonOf(groupOnly, null)).toBe("usable");
  const inside = join(folder, "open");
  mkdirSync(inside);
  const moved = join(inside, "script");
  renameSync(groupOnly, moved);
  chmodSync(inside, 0o777);
  expect(await reasonOf(moved, null)).toContain(`all users can change ${inside};`);
  chmodSync(inside, 0o1777);
  expect(await reasonOf(moved, null)).toBe("usable");
});

test.runIf(process.geteuid?.() === 0)("a script with a user runs as that user", async () => {
  const command = { ...commandOf("id", "-u"), user: "nobody" };
  const examined = await spawner.examine(command, policy);
  if (!examined.ok) throw new Error(examined.error.reason);
  const uid = await new Promise<string>((resolve) => {
    spawner.start(examined.value, {}, (_end, output) => resolve(output.stdout.trim()));
  });
  expect(uid).toBe(String(examined.value.identity?.uid));
  expect(uid).not.toBe("0");
});

test.skipIf(process.geteuid?.() !== 0)("set_supplementary_groups gives a script all groups of its user", async () => {
  const path = scriptFile("#!/bin/sh\nid -G\n");
  chmodSync(folder, 0o755);
  const groupsWith = async (supplementaryGroups: boolean): Promise<string> => {
    const examined = await spawner.examine({ ...commandOf(path), user: "games" }, { ...policy, supplementaryGroups });
    if (!examined.ok) throw new Error(examined.error.reason);
    // /etc/group of this host decides; where games is in no other group both are the same.
    const program = { ...examined.value };
    const output = await new Promise<ProgramOutput>((resolve) => {
      spawner.start(
        supplementaryGroups ? { ...program, identity: { uid: 5, gid: 60, groups: [4, 20] } } : program,
        {},
        (_, said) => resolve(said),
      );
    });
    return output.stdout.trim();
  };
  expect((await groupsWith(false)).split(" ")).toHaveLength(1);
  expect(await groupsWith(true)).toBe("60 4 20");
});

test("use_symlink_paths off runs the file that the link leads to", async () => {
  const path = scriptFile('#!/bin/sh\necho "$0"\n');
  const link = `${path}-link`;
  symlinkSync(path, link);
  const examined = await spawner.examine(commandOf(link), { ...policy, symlinkPaths: false });
  expect(examined).toMatchObject({ ok: true, value: { file: path } });
  expect(await spawner.examine(commandOf(link), policy)).toMatchObject({ ok: true, value: { file: link } });
});
