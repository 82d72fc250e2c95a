/** The command line with all its commands and options, for pages and completions that are made from it; nothing of it can be run. */
import type { Command } from "commander";
import { buildProgram, type ProgramParts } from "../src/cli/program.ts";
import { plain } from "../src/cli/terminal.ts";

export function program(): Command {
  const fail = async (): Promise<never> => {
    throw new Error("nothing is run here");
  };
  const parts: ProgramParts = {
    version: "0",
    runDaemon: fail,
    testConfig: fail,
    check: fail,
    hostDoctor: fail,
    sim: fail,
    lab: fail,
    probe: fail,
    languageServer: fail,
    genhash: fail,
    realserver: fail,
    witness: fail,
    mha: fail,
    readOffline: fail,
  };
  const quiet = (): void => undefined;
  const terminal = { out: quiet, err: quiet, width: 80, isTty: false, paint: plain, env: {} };
  const never = new AbortController().signal;
  return buildProgram(parts, { terminal, interrupt: () => never, readerLeft: async () => never }, quiet);
}
