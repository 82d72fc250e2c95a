/**
 * The commands of a page of docs/: what a reader types, on which host, and what the page says that they see. Pure text; nothing is
 * run here. A fenced block is one of these, and anything else is an error:
 *
 *     ```console            lines `db1# COMMAND`, `client$ COMMAND`, `both# COMMAND`; below each, what it prints
 *     <!-- file PATH HOST... -->        the next block is the content of that file
 *     <!-- not run: REASON -->          the next block is not run, for that reason
 *     ```text               nothing to type: a picture, a line of a log
 */

export interface CommandStep {
  readonly kind: "command";
  readonly line: number;
  readonly hosts: readonly string[];
  readonly command: string;
  /** What the page shows below it; empty: nothing is promised. */
  readonly shown: readonly string[];
}

export interface FileStep {
  readonly kind: "file";
  readonly line: number;
  readonly hosts: readonly string[];
  readonly path: string;
  readonly text: string;
}

export interface NotRun {
  readonly line: number;
  readonly reason: string;
  readonly text: string;
}

export interface Page {
  readonly steps: readonly (CommandStep | FileStep)[];
  readonly notRun: readonly NotRun[];
  /** Blocks as they stand, markers included: equal in every language. */
  readonly blocks: readonly string[];
}

interface Fence {
  /** Of the opening line, counted from 1. */
  readonly line: number;
  readonly language: string;
  readonly marker: string | null;
  readonly lines: readonly string[];
}

const BOTH = ["db1", "db2"] as const;
const PROMPT = /^([a-z][a-z0-9]*)[#$] (.*)$/s;

function fencesOf(text: string): Fence[] {
  const fences: Fence[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const open = /^```(\w*)$/.exec(lines[at] ?? "");
    if (open === null) continue;
    const end = lines.indexOf("```", at + 1);
    if (end === -1) throw new Error(`line ${at + 1}: the block is never closed`);
    const marker = /^<!-- (.*) -->$/.exec(lines[at - 1] ?? "")?.[1] ?? null;
    fences.push({ line: at + 1, language: open[1] ?? "", marker, lines: lines.slice(at + 1, end) });
    at = end;
  }
  return fences;
}

/** A command that ends with a backslash goes on in the next line. */
function joined(fence: Fence): { readonly line: number; readonly text: string }[] {
  const whole: { line: number; text: string }[] = [];
  for (const [index, text] of fence.lines.entries()) {
    const last = whole.at(-1);
    if (last !== undefined && PROMPT.test(last.text) && last.text.endsWith("\\")) last.text += `\n${text}`;
    else whole.push({ line: fence.line + index + 1, text });
  }
  return whole;
}

function commandsOf(fence: Fence): CommandStep[] {
  const steps: { line: number; hosts: readonly string[]; command: string; shown: string[] }[] = [];
  for (const { line, text } of joined(fence)) {
    const prompt = PROMPT.exec(text);
    if (prompt !== null) {
      const [, host = "", command = ""] = prompt;
      steps.push({ line, hosts: host === "both" ? BOTH : [host], command, shown: [] });
    } else if (steps.length === 0) throw new Error(`line ${line}: output before any command`);
    else steps.at(-1)?.shown.push(text);
  }
  return steps.map((step) => ({ kind: "command", ...step }));
}

function forbidCommands(fence: Fence): void {
  const at = fence.lines.findIndex((line) => PROMPT.test(line) || /^[$#] |^(holdfast|systemctl|apt-get) /.test(line));
  if (at !== -1) throw new Error(`line ${fence.line + at + 1}: a command in a block of text is run by nobody`);
}

export function readPage(text: string): Page {
  const steps: (CommandStep | FileStep)[] = [];
  const notRun: NotRun[] = [];
  const blocks: string[] = [];
  for (const fence of fencesOf(text)) {
    const content = fence.lines.join("\n");
    const file = /^file (\S+) (.+)$/.exec(fence.marker ?? "");
    const reason = /^not run: (.+)$/.exec(fence.marker ?? "")?.[1];
    blocks.push([fence.marker ?? "", fence.language, content].join("\n"));
    if (reason !== undefined) notRun.push({ line: fence.line, reason, text: content });
    else if (file !== null) {
      const hosts = (file[2] ?? "").split(" ");
      steps.push({ kind: "file", line: fence.line, hosts, path: file[1] ?? "", text: `${content}\n` });
    } else if (fence.language === "console") steps.push(...commandsOf(fence));
    else if (fence.language === "text") forbidCommands(fence);
    else throw new Error(`line ${fence.line}: a block that nobody runs needs a reason: <!-- not run: ... -->`);
  }
  return { steps, notRun, blocks };
}
