/** What commands that ask a running daemon have in common: their options, and how long they go on. */
import { type Command, Option } from "commander";
import type { Terminal } from "./terminal.ts";

export interface Invocation {
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C; asked for only by commands that watch or wait, so that Ctrl-C ends all others as usual. */
  readonly interrupt: () => AbortSignal;
  /** Aborted when nobody reads standard output any more; asked for only by commands that go on by themselves. */
  readonly readerLeft: () => Promise<AbortSignal>;
}

/** For commands that go on until they are told to stop. */
export async function untilStopped({ interrupt, readerLeft }: Invocation): Promise<AbortSignal> {
  return AbortSignal.any([interrupt(), await readerLeft()]);
}

/** For commands that end by themselves: Ctrl-C ends them as it ends any program. */
export const never = (): AbortSignal => new AbortController().signal;

export type Done = (exitCode: number) => void;

export const json = (): Option => new Option("--json", "answer as JSON");

/** Commands that find the daemon take these. */
export function asking(program: Command, name: string, doc: string): Command {
  return program
    .command(name)
    .description(doc)
    .option("--socket <path>", "the daemon's API socket (also HOLDFAST_SOCKET)")
    .option("-p, --pid <file>", "the daemon's pid file: the socket lies beside it")
    .addOption(json());
}
