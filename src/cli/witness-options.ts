/** `holdfast witness`: where its file and its records are. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { DEFAULT_STATE_DIR } from "../control/contract/types.ts";
import type { Done } from "./asking.ts";

export interface WitnessOptions {
  readonly file: string;
  /** The records are in `witness` below it. */
  readonly stateDir: string;
}

const DEFAULT_FILE = "/etc/holdfast/witness.conf";

export function addWitness(program: Command, run: (options: WitnessOptions) => Promise<number>, done: Done): void {
  program
    .command("witness")
    .description("serve `quorum_store witness` of other hosts: the third vote where there is no etcd")
    .option("-f, --use-file <file>", "configuration file with a block witness { }", DEFAULT_FILE)
    .option("--state-dir <dir>", "directory in which the records are kept, in `witness` below it", DEFAULT_STATE_DIR)
    .action(async ({ useFile, stateDir }: { readonly useFile: string; readonly stateDir: string }) =>
      done(await run({ file: resolve(useFile), stateDir: resolve(stateDir) })),
    );
}
