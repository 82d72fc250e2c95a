#!/usr/bin/env node
/**
 * The command `holdfast`: composition root of the command line. Gives the program what the CLI layer may not import, each
 * part loaded only when it is asked for.
 */
import { readFileSync } from "node:fs";
import { type ProgramParts, runProgram } from "../cli/program.ts";
import { endQuietlyWhenReaderLeaves, processTerminal } from "../cli/terminal.ts";

function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

const notThere = (what: string) => (): Promise<number> => {
  process.stderr.write(`holdfast: ${what} is not there yet\n`);
  return Promise.resolve(1);
};

function parts(): ProgramParts {
  const version = packageVersion();
  return {
    version,
    runDaemon: async (options) => (await import("./control.ts")).runControl(options, version),
    testConfig: notThere("-t"),
    check: notThere("check"),
    sim: notThere("sim"),
    lab: notThere("lab"),
    readOffline: async () => ({ api: 1, events: [], problems: [] }),
  };
}

/** Ctrl-C ends what watches or follows; a second one ends anything. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort());
  return controller.signal;
}

endQuietlyWhenReaderLeaves();
process.exitCode = await runProgram(process.argv.slice(2), parts(), {
  terminal: processTerminal(),
  signal: interruptSignal(),
});
