/**
 * Where commands write: streams, width, colours. Colours only on a terminal and never with NO_COLOR; a reader that goes away
 * (`holdfast status | head`) ends the command quietly.
 */
import { createInterface } from "node:readline";
import { styleText } from "node:util";

export type Style = "good" | "bad" | "warn" | "dim" | "strong";

export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly width: number;
  readonly isTty: boolean;
  readonly paint: (style: Style, text: string) => string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One line from the person at the terminal, "" at its end; absent where nobody sits. */
  readonly ask?: (question: string) => Promise<string>;
}

const COLOURS = { good: "green", bad: "red", warn: "yellow", dim: "gray", strong: "bold" } as const;
const PLAIN_WIDTH = 80;

export const plain = (_style: Style, text: string): string => text;

export function processTerminal(): Terminal {
  const isTty = process.stdout.isTTY === true;
  const noColor = process.env.NO_COLOR;
  const colours = isTty && (noColor === undefined || noColor === "") && process.env.TERM !== "dumb";
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    width: isTty ? Math.max(40, process.stdout.columns) : PLAIN_WIDTH,
    isTty,
    paint: colours ? (style, text) => styleText(COLOURS[style], text, { validateStream: false }) : plain,
    env: process.env,
    ...(isTty && process.stdin.isTTY === true ? { ask } : {}),
  };
}

async function ask(question: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stdout });
  const answered = new Promise<string>((resolve) => {
    reader.question(question, resolve);
    reader.once("close", () => resolve(""));
  });
  return await answered.finally(() => reader.close());
}

/** Call once, before anything is written. `ignore` is for the daemon: it goes on without its reader. */
export function endQuietlyWhenReaderLeaves(): { ignore(): void } {
  let ends = true;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      // The reader has seen enough; that is its right and no failure of ours.
      if (ends) process.exit(0);
    });
  }
  return {
    ignore() {
      ends = false;
    },
  };
}
