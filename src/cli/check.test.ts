import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { memorySource } from "../core/config/memory-source.ts";
import type { ConfigSource } from "../core/config/source.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { CheckOptions } from "./check.ts";
import { CONFIG_TEST_EXIT, runCheck, runConfigTest } from "./check.ts";

const CORPUS = new URL("../../conformance/config-test/", import.meta.url);

function table(name: string): ReadonlyMap<string, number> {
  const lines = readFileSync(new URL(name, CORPUS), "utf8").trim().split("\n");
  const rows = new Map(lines.map((line) => [line.split(" ")[0] ?? "", Number(line.split(" ")[1])]));
  expect(rows.size, `${name} names a case twice`).toBe(lines.length);
  return rows;
}

/** The host that the verdicts were recorded on. */
function recordedHost(files: Readonly<Record<string, string>>): ConfigSource {
  const modes: Readonly<Record<string, number>> = { "/bin/true": 0o755, "/bin/false": 0o755, "/etc/passwd": 0o644 };
  return memorySource(files, {
    hasInterface: (name) => ["lo", "eth0", "eth1"].includes(name),
    hasUser: (name) => ["root", "nobody"].includes(name),
    hasGroup: (name) => ["root"].includes(name),
    hasProcessor: (number) => number < 2,
    script: (path) => {
      const mode = modes[path];
      return { path, file: mode === undefined ? null : { kind: "file", mode, uid: 0, gid: 0 }, writableByOthers: null };
    },
  });
}

function run(kind: typeof runCheck, text: string, options: Partial<CheckOptions> = {}) {
  return runFiles(kind, { "/k.conf": text }, options);
}

function runFiles(kind: typeof runCheck, files: Readonly<Record<string, string>>, options: Partial<CheckOptions>) {
  const lines: string[] = [];
  const io = {
    source: recordedHost(files),
    out: (line: string) => void lines.push(line),
    err: (line: string) => void lines.push(line),
  };
  return { exit: kind({ file: "/k.conf", ...options }, io), text: lines.join("\n") };
}

const verdicts = table("verdicts.txt");
const differences = table("differences.txt");

/** A main file that is not there, and a directory in its place. */
const MAIN_UNREADABLE = ["main-missing", "main-directory"];

test("every case of the corpus has a recorded verdict", () => {
  const cases = readdirSync(new URL("cases/", CORPUS)).map((file) => file.replace(/\.conf$/, ""));
  expect(cases.length).toBeGreaterThanOrEqual(200);
  expect([...cases, ...MAIN_UNREADABLE].sort()).toEqual([...verdicts.keys()].sort());
});

test.each([...verdicts])(
  "-t on %s ends as keepalived's config test does, or as the list of differences says",
  (name, theirs) => {
    const file = `/${name}.conf`;
    const files = MAIN_UNREADABLE.includes(name)
      ? {}
      : { [file]: readFileSync(new URL(`cases${file}`, CORPUS), "utf8") };
    const ours = runFiles(runConfigTest, files, { file }).exit;
    expect(ours).toBe(differences.get(name) ?? theirs);
  },
);

test("a listed difference is a real one, and the page of the corpus says why", () => {
  const page = readFileSync(new URL("README.md", CORPUS), "utf8");
  const row = (name: string): string | undefined =>
    page.split("\n").find((line) => (line.split("|")[1] ?? "").split(",").some((cell) => cell.trim() === name));
  for (const [name, ours] of differences) {
    expect(verdicts.get(name)).not.toBe(ours);
    expect(row(name), `${name} has no row in README.md`).toMatch(/^\|[^|]+\| \d+ \| \d+ \| \S.*\|$/);
  }
});

test("-t on a file that cannot be read cannot run", () => {
  expect(run(runConfigTest, "", { file: "/other.conf" }).exit).toBe(CONFIG_TEST_EXIT.cannotRun);
});

const GOOD = "vrrp_instance A {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n 192.0.2.1\n }\n}\n";

test("check ends with 0 when nothing is worse than a warning", () => {
  const { exit, text } = run(runCheck, `global_defs {\n enable_dbus\n}\n${GOOD}`);
  expect(text).toContain("enable_dbus` is accepted, not done yet");
  expect(exit).toBe(0);
});

test("check --strict counts warnings", () => {
  expect(run(runCheck, `global_defs {\n vrrp_strict\n}\n${GOOD}`, { strict: true }).exit).toBe(1);
  expect(run(runCheck, GOOD, { strict: true }).exit).toBe(0);
});

test("check shows place, line, caret and what was probably meant", () => {
  const { exit, text } = run(runCheck, GOOD.replace("interface eth0", "interfce eth0"));
  expect(exit).toBe(1);
  expect(text).toContain("/k.conf:2:2: error: unknown keyword `interfce` in vrrp_instance [unknown-keyword]");
  expect(text).toContain("2 |  interfce eth0\n  |  ^^^^^^^^\n  = did you mean `interface`?");
});

test("check --json is one object with the same verdict", () => {
  const { exit, text } = run(runCheck, GOOD.replace("192.0.2.1", "192.0.2.300"), { json: true });
  const value = JSON.parse(text);
  expect(exit).toBe(1);
  expect(value).toMatchObject({ file: "/k.conf", exit: 1, errors: 1, instances: ["A"] });
  expect(value.diagnostics[0]).toMatchObject({
    code: "bad-address",
    file: "/k.conf",
    line: 5,
    column: 2,
    severity: "error",
  });
});

test("a missing check script is a warning, so that a file can be tested away from its host", () => {
  const { exit, text } = run(
    runCheck,
    `vrrp_script c {\n script "/etc/keepalived/check.py"\n}\n${GOOD.replace("}\n}", "}\n track_script {\n c\n }\n}")}`,
  );
  expect(text).toContain("/etc/keepalived/check.py does not exist here [script-not-found]");
  expect(exit).toBe(0);
});

const FIXABLE = `\uFEFFglobal_defs {\n  routr_id db1\n}\nvrrp_instance VI {\n  interface eth0\n  virtual_router_id 1\n  priorty 150\n  virtual_ipaddress {\n    192.0.2.1\n  }\n}\n`;

function fixing(text: string, fix: "write" | "dry", answer: Result<void, string> = ok(undefined)) {
  const files: Record<string, string> = { "/k.conf": text };
  const lines: string[] = [];
  const writes: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const rewrite = (path: string, before: string, after: string): Result<void, string> => {
    expect(before).toBe(files[path]);
    writes.push(after);
    if (answer.ok) files[path] = after;
    return answer;
  };
  const exit = runCheck({ file: "/k.conf", fix }, { source: recordedHost(files), rewrite, out: say, err: say });
  return { exit, writes, said: lines.join("\n") };
}

test("--fix makes what is safe, shows it, and says what remains", () => {
  const { exit, writes, said } = fixing(FIXABLE, "write");
  expect(writes).toEqual([FIXABLE.replace("\uFEFF", "").replace("routr_id", "router_id")]);
  expect(said).toContain("-<U+FEFF>global_defs {\n+global_defs {");
  expect(said).toContain("-  routr_id db1\n+  router_id db1");
  expect(said).toContain("2 corrections made in 1 of 1 files");
  expect(said).toContain("unknown keyword `priorty`");
  expect(said).not.toContain("[byte-order-mark]");
  expect(exit).toBe(1);
});

test("--dry-run shows the same and writes nothing", () => {
  const { writes, said } = fixing(FIXABLE, "dry");
  expect(writes).toEqual([]);
  expect(said).toContain("+  router_id db1");
  expect(said).toContain("nothing is written");
});

test("a file that cannot be written is said, and the exit code with it", () => {
  const { exit, said } = fixing(FIXABLE, "write", err("/k.conf has changed since it was read"));
  expect(exit).toBe(1);
  expect(said).toContain("has changed since it was read");
  expect(said).toContain("0 of 1 files were corrected");
});

test("SARIF carries the safe corrections, and only those", () => {
  const { runs } = JSON.parse(run(runCheck, FIXABLE, { format: "sarif" }).text) as {
    runs: [{ results: { ruleId: string; fixes?: unknown }[] }];
  };
  const fixable = runs[0].results.filter(({ fixes }) => fixes !== undefined);
  expect(fixable.map(({ ruleId }) => ruleId)).toEqual(["byte-order-mark", "unknown-keyword"]);
  expect(JSON.stringify(fixable[1]?.fixes)).toContain('"insertedContent":{"text":"router_id"}');
});

test.each([
  ["fence strict", "2.02 s"],
  ["fence strict\nvip_lease off", "3 s"],
  ["version 3\nadvert_int 0.2\nfence strict", "0.6 s"],
  ["", null],
])("the bound of %j is printed", (lines, bound) => {
  const text = `vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.0.2.1\n}\n${lines}\n}\n`;
  const printed = /frozen or killed answers nobody ([\d.]+ s) after/.exec(run(runCheck, text).text)?.[1] ?? null;
  expect(printed).toBe(bound);
});
