/** Composition root of the commands with MHA's names, and of `holdfast mha`. */
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createSqlPort } from "../adapters/mysql/client.ts";
import { overview, runMha } from "../mha/commands.ts";

/** What is installed as `holdfast`. */
const PROGRAM = fileURLToPath(new URL("../../bin/holdfast", import.meta.url));

export async function mhaCommand(words: readonly string[], version: string): Promise<number> {
  const [name, ...args] = words;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(overview());
    return name === undefined ? 1 : 0;
  }
  return runMha(name, args, {
    version,
    sql: createSqlPort(),
    out: (text) => void process.stdout.write(text),
    ask,
    ended: endSignal(),
    self: [PROGRAM, "mha"],
  });
}

/** One reader for all questions: answers may lie there before they are asked for. */
const lines: string[] = [];
const waiting: ((line: string) => void)[] = [];
let reading = false;
let atEnd = false;

function ask(question: string): Promise<string> {
  process.stdout.write(question);
  if (!reading) {
    reading = true;
    const input = createInterface({ input: process.stdin });
    input.on("line", (line) => (waiting.length > 0 ? waiting.shift()?.(line) : lines.push(line)));
    input.on("close", () => {
      atEnd = true;
      for (const answer of waiting.splice(0)) answer("");
    });
  }
  const line = lines.shift();
  if (line !== undefined || atEnd) return Promise.resolve(line ?? "");
  return new Promise((resolve) => waiting.push(resolve));
}

function endSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const) process.on(name, () => controller.abort());
  return controller.signal;
}
