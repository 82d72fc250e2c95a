/**
 * The choice of the new master among the replicas of a dead one, or of a live one that is to be replaced: MHA's rules, with file names of
 * binary logs compared as numbers. Pure.
 */

import { err, ok, type Result } from "../lib/result.ts";
import { type Coordinates, reaches } from "../mysql/coordinates.ts";
import { hostInfo } from "./config.ts";
import type { Alive } from "./topology.ts";

/** Negative: `one` is behind; an unknown position is behind every known one. Names of different series count as equal. */
export function comparePositions(one: Coordinates | null, other: Coordinates | null): number {
  if (one === null || other === null) return (one === null ? 0 : 1) - (other === null ? 0 : 1);
  const [forth, back] = [reaches(one, other), reaches(other, one)];
  if (forth === null || back === null || (forth && back)) return 0;
  return forth ? 1 : -1;
}

const received = ({ facts }: Alive): Coordinates | null => facts.replication?.received ?? null;
const executed = ({ facts }: Alive): Coordinates | null => facts.replication?.executed ?? null;

/** Those that have received most. */
export function latestSlaves(slaves: readonly Alive[]): readonly Alive[] {
  return extreme(slaves, 1);
}

export function oldestSlaves(slaves: readonly Alive[]): readonly Alive[] {
  return extreme(slaves, -1);
}

function extreme(slaves: readonly Alive[], sign: 1 | -1): readonly Alive[] {
  return slaves.filter((one) => slaves.every((other) => sign * comparePositions(received(one), received(other)) >= 0));
}

/** Of those that have received most the one that has executed most: the others catch up from it. */
export function mostAdvanced(slaves: readonly Alive[]): Alive | undefined {
  return [...latestSlaves(slaves)].sort((one, other) => comparePositions(executed(other), executed(one)))[0];
}

/** Bytes of one log that a candidate may still have to execute. */
const TOO_FAR = 100_000_000;

function isDelayed(one: Alive, latest: Alive | undefined): boolean {
  const [most, done] = [latest === undefined ? null : received(latest), executed(one)];
  if (most === null || done === null) return false;
  const sameFile = most.file === done.file;
  return sameFile ? most.offset > done.offset + TOO_FAR : comparePositions(most, done) > 0;
}

/** Why it must not become master; null when it may. */
export function unfitFor(one: Alive, slaves: readonly Alive[], checkDelay: boolean): string | null {
  const { server, facts } = one;
  if (server.noMaster) return "no_master is set";
  if (!facts.logBin) return "its binary log is off";
  const major = ({ facts: { version } }: Alive): number => version.major * 1000 + version.minor;
  if (slaves.some((other) => major(other) < major(one)))
    return "another replica is of an older version and could not follow it";
  if (checkDelay && isDelayed(one, latestSlaves(slaves)[0]))
    return "it is too far behind in executing (check_repl_delay)";
  return null;
}

export interface Wish {
  /** Asked for by --new_master_host; null: choose. */
  readonly named: { readonly host: string; readonly port: number } | null;
  readonly checkDelay: boolean;
  readonly latestPriority: boolean;
}

export interface Choice {
  readonly winner: Alive;
  /** By which rule, for the log. */
  readonly because: string;
}

export function chooseMaster(slaves: readonly Alive[], wish: Wish): Result<Choice, string> {
  const fit = slaves.filter((one) => unfitFor(one, slaves, wish.checkDelay) === null);
  if (wish.named !== null) return namedMaster(slaves, wish.named, wish.checkDelay);
  const latest = latestSlaves(slaves);
  const isLatest = (one: Alive): boolean => latest.includes(one);
  const isCandidate = (one: Alive): boolean => one.server.candidate;
  const rules: readonly (readonly [string, (one: Alive) => boolean])[] = [
    ...(wish.latestPriority
      ? [["candidate_master that has received most", (one: Alive) => isLatest(one) && isCandidate(one)] as const]
      : []),
    ["candidate_master", isCandidate],
    ...(wish.latestPriority ? [["it has received most", isLatest] as const] : []),
    ["first in the configuration that may become master", () => true],
  ];
  for (const [because, holds] of rules) {
    const winner = fit.find(holds);
    if (winner !== undefined) return ok({ winner, because });
  }
  const reasons = slaves.map((one) => `${hostInfo(one.server)}: ${unfitFor(one, slaves, wish.checkDelay)}`);
  return err(`None of slaves can be master: ${reasons.join("; ")}`);
}

function namedMaster(
  slaves: readonly Alive[],
  { host, port }: { readonly host: string; readonly port: number },
  checkDelay: boolean,
): Result<Choice, string> {
  const winner = slaves.find(({ server }) => (server.hostname === host || server.ip === host) && server.port === port);
  if (winner === undefined) return err(`${host}:${port} is no replica that is alive; new_master_host must name one`);
  const reason = unfitFor(winner, slaves, checkDelay);
  return reason === null ? ok({ winner, because: "asked for" }) : err(`${host} is bad as a new master: ${reason}`);
}
