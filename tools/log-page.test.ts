// docs/log.md names every line that the daemon can write, and no other.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { describe } from "../src/core/events/describe.ts";
import type { LogLevel } from "../src/core/events/log-line.ts";
import { type LoggedText, loggedTexts } from "./log-calls.ts";
import { EVERY_EVENT } from "./log-samples.ts";

type Mark = "" | "D" | "P";

interface Documented {
  readonly written: string;
  readonly pattern: RegExp;
  readonly mark: Mark;
}

/** What stands for something else in the lines of the page; other words in capitals are meant. */
const PLACEHOLDERS = new Set(
  "A B C F G H I IF K M MAC N O P R S T X ADDRESSES COMMAND FILE HOOK HOW SERVER TEXT WHY".split(" "),
);

/** Texts of src/main and src/control that are made elsewhere, by file and expression; each like one of them. */
const MADE_ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  "main/config-reading.ts renderDiagnostic(diagnostic, loaded.files)": [
    "k.conf:3:1: error: … [unknown-keyword]",
    "k.conf:3:1: warning: … [script-security]",
  ],
  "main/control.ts text.trimEnd()": ["holdfast vrrp: cannot open a socket: EPERM"],
  // The argument of refuse() and fail(): each call of them is looked at itself.
  "main/control.ts problem": ["Invalid log facility '…': …", "Invalid --umask option …: …"],
  "main/start-conditions.ts problem": ["… is locked but stays empty: …"],
  "main/control.ts text": ["Scheduling reload for …"],
  "main/control.ts message": ["no API: …; …"],
  "main/control.ts fatal": [],
  "main/control.ts writers.problem": [
    "…: … records are damaged, the last of a group may be among them; …",
    "… cannot be read: …",
  ],
  "main/log-writer.ts problem": ["the log file … cannot be written: …; its lines are lost until it can"],
  "main/control.ts despite": [
    "Started without the lines that are wrong; every reload will be refused until they are corrected: …",
  ],
  "main/control.ts notice": ["option … changes nothing: …"],
  "main/control.ts reason": ["the keeper refuses the configuration: …"],
  "main/control.ts lost": [
    "net_namespace … does not exist; make it: …",
    "cannot enter net_namespace … (EPERM); needs CAP_SYS_ADMIN",
  ],
  "main/control.ts unfit.problem": [
    "the configuration … cannot be read",
    "… holds no usable vrrp_instance; the lines above say what to correct",
  ],
  "main/control.ts capable.error.message": ["missing …: needed to send adverts and to set addresses; …"],
  "main/control.ts pidFiles": [
    "a daemon is already running with …; stop it, or give another file with -p",
    "… belongs to keepalived (pid …), which is running; stop it, or give another file with -p",
    "… cannot be locked: …; give another one with -p",
    "the pid file cannot be written: …; give another one with -p",
  ],
  "main/control.ts String(error)": ["TypeError: …"],
  "main/dumps.ts problem": ["… cannot be written: the disk is full; …"],
  "main/dumps.ts line": ["------< VRRP Topology >------"],
  "main/keeper-ahead.ts text": [],
  "control/control-plane.ts `${message}; ${remedy}`": ["the journal in … cannot be opened: …"],
  "control/control-plane.ts takeUp(journal, model, stateDir)": ["the journal in … can be written now"],
  "control/control-plane.ts opening.journal.repaired": [
    "… bytes after the last whole line of the journal were moved to …",
  ],
};

const PAGE = readFileSync(new URL("../docs/log.md", import.meta.url), "utf8");
const LINES = documented(PAGE.slice(PAGE.indexOf("## Every line"), PAGE.indexOf("## Lines of keepalived 1.2.x")));
const CALLS = loggedTexts();
const CALL_LINES = CALLS.flatMap((call) => textsOf(call).map((text) => ({ text, mark: markOf(call.level) })));

/** The first cell of each row: lines in backticks, "D" or "P" before each that needs -D or the debug level. */
function documented(section: string): readonly Documented[] {
  const cells = section.split("\n").flatMap((row) => /^\| (.*?) \| /.exec(row)?.[1] ?? []);
  return cells.flatMap((cell) =>
    [...cell.matchAll(/(?:\b([DP]) )?(?:`` ?(.+?) ?``|`(.+?)`)(?!`)/g)].map(([, mark = "", double, single]) => {
      const written = double ?? single ?? "";
      return { written, pattern: patternOf(written), mark: mark as Mark };
    }),
  );
}

function patternOf(written: string): RegExp {
  const parts = written.split(/(\b[A-Z]+\b|\.\.\.$)/);
  const literal = (part: string): string => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const source = parts.map((part) => (part === "..." ? ".*" : PLACEHOLDERS.has(part) ? ".+" : literal(part))).join("");
  return new RegExp(`^${source}$`, "s");
}

function markOf(level: LogLevel): Mark {
  return level === "detail" ? "D" : level === "debug" ? "P" : "";
}

const eventLines = EVERY_EVENT.flatMap(
  (body) => describe({ at: 1, time: 1, origin: "vrrp", body }).lines as readonly { level: LogLevel; text: string }[],
).map(({ level, text }) => ({ text, mark: markOf(level) }));

function textsOf({ file, expression, text }: LoggedText): readonly string[] {
  return MADE_ELSEWHERE[`${file} ${expression}`] ?? (text === null ? [] : [text]);
}

const isDocumented = (line: { text: string; mark: Mark }): boolean =>
  LINES.some(({ pattern, mark }) => mark === line.mark && pattern.test(line.text));

test("every line of every event is in docs/log.md, with D or P where -D or the debug level is needed", () => {
  const absent = eventLines.filter((line) => !isDocumented(line)).map(({ text, mark }) => `${mark} ${text}`);
  expect([...new Set(absent)]).toEqual([]);
});

test("every line that is no event is in docs/log.md", () => {
  const calls = CALLS.map(({ text, file, expression }) => ({ text, key: `${file} ${expression}` }));
  const unknown = calls.filter(({ text, key }) => text === null && !Object.hasOwn(MADE_ELSEWHERE, key));
  expect(unknown.map(({ key }) => key)).toEqual([]);
  expect(Object.keys(MADE_ELSEWHERE).filter((key) => !calls.some((call) => call.key === key))).toEqual([]);
  expect(CALL_LINES.length).toBeGreaterThan(30);
  expect(CALL_LINES.filter((line) => !isDocumented(line))).toEqual([]);
});

test("docs/log.md names no line that nothing writes", () => {
  const lines = [...eventLines, ...CALL_LINES];
  const idle = LINES.filter(
    ({ pattern, mark }) => !lines.some((line) => line.mark === mark && pattern.test(line.text)),
  );
  expect(idle.map(({ written, mark }) => `${mark} ${written}`)).toEqual([]);
});

test("no pattern of the page is so wide that it stands for anything", () => {
  const wide = LINES.filter(({ pattern }) => pattern.test("(VI) something quite new") || pattern.test("something new"));
  expect(wide.map(({ written }) => written)).toEqual([]);
});
