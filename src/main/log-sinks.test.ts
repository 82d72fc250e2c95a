import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { LogLevel } from "../core/events/log-line.ts";
import { openLogFile, withSuffix } from "../linux/log-file.ts";
import { fileSink, PRIORITIES, type SinkLine } from "./log-sinks.ts";
import { createLogWriter } from "./log-writer.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-log-"));
afterAll(() => rmSync(folder, { recursive: true }));

function recording() {
  const lines: SinkLine[] = [];
  return { lines, sink: { write: (line: SinkLine) => void lines.push(line) } };
}

test("the level decides, and can be changed while lines are written", () => {
  const { lines, sink } = recording();
  const log = createLogWriter({ format: "keepalived", level: "info", sinks: [sink] });
  const all: readonly LogLevel[] = ["error", "warning", "info", "detail", "debug"];
  for (const level of all) log.line("vrrp", level, level);
  log.level = "debug";
  log.line("vrrp", "every packet", "debug");
  log.level = "error";
  log.line("vrrp", "nothing", "warning");
  expect(lines.map(({ text }) => text)).toEqual(["error", "warning", "info", "every packet"]);
});

test("lines carry syslog's severity", () => {
  expect(PRIORITIES).toEqual({ error: 3, warning: 4, info: 6, detail: 6, debug: 7 });
});

test("each process has its file, as keepalived's -g has them", async () => {
  const path = join(folder, "keepalived.log");
  const problems: string[] = [];
  const sink = fileSink((suffix) =>
    openLogFile({ path: withSuffix(path, suffix), flush: true, onProblem: (problem) => problems.push(problem) }),
  );
  sink.write({ origin: "parent", level: "info", text: "one", time: 0 });
  sink.write({ origin: "vrrp", level: "info", text: "two", time: 0 });
  await sink.close?.();
  expect(readFileSync(path, "utf8")).toMatch(/^\w{3} Jan +1 \d\d:\d\d:00 1970: one\n$/);
  expect(readFileSync(join(folder, "keepalived_vrrp.log"), "utf8")).toMatch(/: two\n$/);
  expect(problems).toEqual([]);
});

test("after a rotation the lines go to a new file by the old name", async () => {
  const path = join(folder, "rotated.log");
  const file = openLogFile({ path, flush: false, onProblem: (problem) => expect.unreachable(problem) });
  file.write("before\n");
  await file.close();
  renameSync(path, `${path}.1`);
  file.reopen();
  file.write("after\n");
  await file.close();
  expect(readFileSync(`${path}.1`, "utf8")).toBe("before\n");
  expect(readFileSync(path, "utf8")).toBe("after\n");
});

test("a file that cannot be written is told once, and nothing throws", async () => {
  const problems: string[] = [];
  const path = join(folder, "no", "such.log");
  const file = openLogFile({ path, flush: false, onProblem: (problem) => problems.push(problem) });
  for (let line = 0; line < 3; line++) {
    file.write("lost\n");
    await file.close();
  }
  expect(problems).toEqual([`the log file ${path} cannot be written: ENOENT; its lines are lost until it can`]);
});

test.each([
  ["/var/log/keepalived.log", "/var/log/keepalived_vrrp.log"],
  ["/var/log/keepalived", "/var/log/keepalived_vrrp"],
  ["/var/log.d/keepalived", "/var/log.d/keepalived_vrrp"],
])("%s of the keeper is %s", (path, expected) => {
  expect(withSuffix(path, "_vrrp")).toBe(expected);
});
