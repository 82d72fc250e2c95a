/** What may forbid a failover although the master is dead: an earlier one that failed or is too recent, and a person who says no. */
import { chmodSync, chownSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { hostInfo, type MhaServer } from "../core/mha/config.ts";
import { withoutBlock } from "../core/mha/ini.ts";
import type { Alive } from "../core/mha/topology.ts";
import { MhaError, wordsOf } from "./environment.ts";
import type { FailoverContext } from "./failover-context.ts";
import { ctime } from "./log.ts";

export const isYes = (answer: string): boolean => /^y/i.test(answer.trim());

export class FailoverGuard {
  readonly #context: FailoverContext;

  constructor(context: FailoverContext) {
    this.#context = context;
  }

  async check(dead: string): Promise<void> {
    const { files, options, env } = this.#context;
    if (options.ignoreLastFailover) {
      files.unmark("error");
      files.unmark("complete");
    }
    if (files.has("error")) {
      throw new MhaError(
        `Failover error flag file ${files.paths.error} exists: the last failover failed. Look into its log, mend what is broken, remove the file and start again`,
      );
    }
    if (options.interactive && !isYes(await env.ask(`Master ${dead} is dead. Proceed? (yes/NO): `))) {
      throw new MhaError("Not typed yes. Stopping.", { quiet: true });
    }
    const last = files.lastFailover;
    if (last === null) return;
    const minutes = (Date.now() - last.getTime()) / 60_000;
    if (minutes >= options.lastFailoverMinute) return files.unmark("complete");
    throw new MhaError(
      `Last failover was done at ${ctime(last)}, ${Math.floor(minutes)} minutes ago. It is too early to do failover again (last_failover_minute ` +
        `${options.lastFailoverMinute}). Remove ${files.paths.complete}, or start with --ignore_last_failover, if it is to happen`,
    );
  }

  /** A person may name another one than the rules have chosen. */
  async confirm(dead: MhaServer, winner: Alive, slaves: readonly Alive[]): Promise<Alive> {
    return confirmMaster(this.#context.env.ask, { from: dead, winner, slaves });
  }

  removeBlock(id: string): void {
    const { options, log } = this.#context;
    try {
      removeBlock(options.conf, id);
      log.info(`Deleted ${id} entry from ${options.conf} .`);
    } catch (error) {
      // The failover is done; the file is a matter of its own.
      log.error(`${id} could not be removed from ${options.conf}: ${wordsOf(error)}`);
    }
  }
}

export async function confirmMaster(
  ask: (question: string) => Promise<string>,
  { from, winner, slaves }: { readonly from: MhaServer; readonly winner: Alive; readonly slaves: readonly Alive[] },
): Promise<Alive> {
  const first = await ask(`Starting master switch from ${hostInfo(from)} to ${hostInfo(winner.server)}? (yes/NO): `);
  if (isYes(first)) return winner;
  if (!isYes(await ask("Continue? (yes/NO): "))) throw new MhaError("Not typed yes. Stopping.", { quiet: true });
  const name = (await ask("Enter new master host name: ")).trim();
  const other = slaves.find(({ server }) => server.hostname === name || server.ip === name);
  if (other === undefined) throw new MhaError(`New server ${name} not found!`);
  if (isYes(await ask(`Master switch to ${hostInfo(other.server)}. OK? (yes/NO): `))) return other;
  throw new MhaError("Not typed yes. Stopping.", { quiet: true });
}

export function removeBlock(path: string, id: string): void {
  const text = withoutBlock(readFileSync(path, "utf8"), id);
  if (text === null) throw new MhaError(`Entry ${id} not found from ${path} .`);
  replaceFile(path, text);
}

/** Whole or not at all: the file may be read at any time. */
export function replaceFile(path: string, text: string): void {
  const scratch = `${path}.${process.pid}.new`;
  const { mode, uid, gid } = statSync(path);
  writeFileSync(scratch, text, { mode: 0o600 });
  chownSync(scratch, uid, gid);
  chmodSync(scratch, mode & 0o7777);
  renameSync(scratch, path);
}
