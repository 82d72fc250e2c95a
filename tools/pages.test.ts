// Pages of docs/ that exist in English and Chinese, and the commands in them, which lab/pages runs.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readPage } from "../lab/pages/page.ts";
import { PAGES } from "../lab/pages/pages.ts";
import { difference } from "../lab/pages/shown.ts";
import { INCIDENTS } from "../src/lab/incidents/incidents.ts";
import { program } from "./cli-program.ts";
import { alertRows } from "./metric-rows.ts";

const docs = new URL("../docs/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, docs), "utf8");

/** Written in both languages at once; redis.zh-CN.md is older and shorter than its English page. */
const BOOKS = readdirSync(docs)
  .filter((name) => name.endsWith(".zh-CN.md") && name !== "redis.zh-CN.md")
  .map((name) => name.replace(".zh-CN.md", ""));

const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, "");

/** What stays itself in every language: headings by depth, tables by width, steps, links by target. */
function skeleton(text: string): string[] {
  return withoutCode(text)
    .split("\n")
    .flatMap((line) => {
      const links = [...line.matchAll(/\]\(([^)#]*)[^)]*\)/g)].map(([, to]) => `link ${to}`);
      if (line.startsWith("#")) return [`heading ${line.indexOf(" ")}`, ...links];
      if (line.startsWith("|")) return [`row of ${line.split(/(?<!\\)\|/).length}`, ...links.sort()];
      const step = /^\d+\./.exec(line);
      return step === null ? links : [`step ${step[0]}`, ...links];
    });
}

/** As GitHub makes them from headings. */
const anchors = (text: string): Set<string> =>
  new Set(
    [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      (title ?? "")
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );

describe.each(BOOKS)("%s", (name) => {
  const english = read(`${name}.md`);
  const chinese = read(`${name}.zh-CN.md`);

  test("has the same blocks in both languages", () => {
    expect(readPage(chinese).blocks).toEqual(readPage(english).blocks);
  });

  test("has the same sections, tables, steps and links in both languages, each leading to the other", () => {
    const [first, ...others] = skeleton(english).filter((line) => !/^link .*:/.test(line));
    const neutral = (lines: readonly string[]) => lines.map((line) => line.replace(".zh-CN.md", ".md"));
    expect(first).toBe("heading 1");
    expect(others[0]).toBe(`link ${name}.zh-CN.md`);
    expect(skeleton(chinese)[1]).toBe(`link ${name}.md`);
    expect(neutral(skeleton(chinese).slice(1))).toEqual(neutral(others));
  });

  test.each([`${name}.md`, `${name}.zh-CN.md`])("the links of %s lead somewhere", (file) => {
    const links = [...withoutCode(read(file)).matchAll(/\]\(([^)]+)\)/g)].map(([, to]) => to ?? "");
    const broken = links.filter((to) => {
      const [path = "", anchor] = to.split("#");
      if (path.includes(":")) return false;
      const target = new URL(path === "" ? file : path, docs);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchors(readFileSync(target, "utf8")).has(decodeURIComponent(anchor));
    });
    expect(broken).toEqual([]);
  });
});

test("every page that is run is there in both languages, and blocks that are not run are counted and have a reason", () => {
  for (const { name, notRun } of PAGES) {
    expect(BOOKS).toContain(name);
    const page = readPage(read(`${name}.md`));
    expect(page.steps.length, name).toBeGreaterThan(5);
    expect(page.notRun.map(({ reason }) => reason.length > 20)).toEqual(Array(notRun).fill(true));
  }
});

test("pages that nobody runs have no console block", () => {
  const run = new Set(PAGES.map(({ name }) => name));
  for (const name of BOOKS) if (!run.has(name)) expect(readPage(read(`${name}.md`)).steps, name).toEqual([]);
});

test("every alert has a runbook, to which it links, and every runbook is of an alert or of an incident", () => {
  const sections = [...read("runbooks.md").matchAll(/^### (.+)$/gm)].map(([, title]) => title ?? "");
  const alerts = alertRows();
  expect(sections).toEqual([...alerts.map(({ name }) => name), ...INCIDENTS.map(({ name }) => name)].filter(isRunbook));
  const links = Object.fromEntries(alerts.map(({ name, runbook }) => [name, runbook]));
  expect(links).toEqual(Object.fromEntries(alerts.map(({ name }) => [name, `docs/runbooks.md#${name.toLowerCase()}`])));
});

/** A planned move is no fault, and a cut between the hosts alone is a case of partition. */
const isRunbook = (name: string): boolean => name !== "switchover" && name !== "partition-between";

test.each(BOOKS)("the commands that %s names exist, with those options", (name) => {
  const commands = new Map(program().commands.map((command) => [command.name(), command]));
  const named = [...read(`${name}.md`).matchAll(/(?:`|[#$] )holdfast ([a-z][a-z-]*)([^`\n]*)/g)];
  const unknown = named.flatMap(([text, word = "", rest = ""]) => {
    const command = commands.get(word);
    if (command === undefined) return [text];
    const known = new Set(command.options.map(({ long }) => long));
    const asked = [...(rest.split(" | ")[0] ?? "").matchAll(/ (--[a-z-]+)/g)].map(([, option]) => option);
    return known.size === 0 || asked.every((option) => known.has(option)) ? [] : [text];
  });
  expect(unknown).toEqual([]);
});

describe("reading a page", () => {
  test("commands by host, what they print, files, and blocks that are not run", () => {
    const page = readPage(
      "```console\nboth# a \\\n  b\nclient$ c\nout\n```\n<!-- file /etc/x db1 db2 -->\n```\ny\n```\n<!-- not run: because -->\n```\nz\n```\n",
    );
    expect(page.steps).toEqual([
      { kind: "command", line: 2, hosts: ["db1", "db2"], command: "a \\\n  b", shown: [] },
      { kind: "command", line: 4, hosts: ["client"], command: "c", shown: ["out"] },
      { kind: "file", line: 8, hosts: ["db1", "db2"], path: "/etc/x", text: "y\n" },
    ]);
    expect(page.notRun).toEqual([{ line: 12, reason: "because", text: "z" }]);
  });

  test.each([
    ["a block that nobody runs", "```\nholdfast status\n```\n", "needs a reason"],
    ["a command among text", "```text\ndb1# holdfast status\n```\n", "run by nobody"],
    ["output before a command", "```console\nout\n```\n", "before any command"],
    ["a block without an end", "```console\n", "never closed"],
  ])("%s is an error", (_, text, message) => {
    expect(() => readPage(text)).toThrow(message);
  });
});

describe("what is shown against what is printed", () => {
  test.each([
    ["times, durations, process numbers", ["a 03:54:39 4 s pid 1"], ["a   12:00:00.123   120 ms pid 77"]],
    ["hardware addresses", ["52:f2:b5:89:3a:dd answers"], ["06:be:c2:12:34:56 answers"]],
    ["anything for ... inside a line", ["eth0... UP"], ["eth0@if4   UP"]],
    ["any lines for ... alone", ["a", "...", "d"], ["a", "b", "c", "d"]],
    ["any end", ["a", "..."], ["a", "b"]],
    ["a text that is wrapped elsewhere", ["a since 04:20:47 (1 s)", "b c"], ["a since 04:20:47 (120 ms) b", "c"]],
    ["empty lines", ["a", "", "b"], ["a", "b", ""]],
  ])("agree: %s", (_, shown, printed) => {
    expect(difference(shown, printed)).toBeNull();
  });

  test.each([
    ["another number", ["priority 100"], ["priority 90"], 'shows "priority 100"'],
    ["another address", ["held 192.168.11.100"], ["held 192.168.11.101"], "shows"],
    ["a line too few", ["a", "b"], ["a"], "nothing more"],
    ["a line too many", ["a"], ["a", "b"], "leaves it out"],
    ["a line missing behind ...", ["...", "b"], ["a"], "not printed"],
  ])("differ: %s", (_, shown, printed, message) => {
    expect(difference(shown, printed)).toContain(message);
  });
});
