/**
 * `holdfast sim`: runs one seed or a range of them and says what came of it. The words on the command line are the
 * CLI's; this takes parsed options. Exit code 0: nothing violated; 1: a violation, with the command that replays it.
 */
import type { Policy } from "../core/database/config.ts";
import { describePair, runPair } from "./mysql/run-pair.ts";
import type { SimOptions } from "./options.ts";
import { describeQuorum, runQuorum } from "./quorum/run-cluster.ts";
import { describeRedisPair, runRedisPair } from "./redis/run-pair.ts";
import { describeResult, runSim } from "./run-sim.ts";
import type { Violation } from "./tracks.ts";

export interface SimCommandOptions extends SimOptions {
  /** Seeds seed, seed + 1, ... so many. */
  readonly runs?: number;
  /** One JSON object a run on standard output. */
  readonly json?: boolean;
  /** A managed pair of database servers instead of elections alone. */
  readonly mysql?: boolean;
  readonly redis?: boolean;
  /** A managed group that asks a quorum store. */
  readonly quorum?: boolean;
  readonly policy?: Policy;
}

interface Run {
  readonly violation: Violation | null;
  readonly passed: number;
  readonly events: number;
  readonly takeovers: number;
  readonly words: readonly string[];
  /** For --json. */
  readonly account: object;
}

export interface SimIo {
  readonly out: (line: string) => void;
  /** Progress; null when standard error is no terminal. */
  readonly progress: ((text: string) => void) | null;
  /** Milliseconds of real time, for the speed figure only. */
  readonly millis: () => number;
}

const HOUR = 3_600_000_000;

export async function runSimCommand(options: SimCommandOptions, io: SimIo): Promise<number> {
  const { runs = 1, json = false, ...own } = options;
  const begun = io.millis();
  const totals = { hours: 0, events: 0, takeovers: 0 };
  for (let run = 0; run < runs; run++) {
    const result = await runOne({ ...own, seed: own.seed + run });
    totals.hours += result.passed / HOUR;
    totals.events += result.events;
    totals.takeovers += result.takeovers;
    io.progress?.(`${run + 1} of ${runs} seeds, ${totals.hours.toFixed(1)} simulated hours`);
    const failed = result.violation !== null;
    if (failed) io.progress?.("");
    if (json) io.out(JSON.stringify(result.account));
    else if (failed || runs === 1) for (const line of result.words) io.out(line);
    if (failed) return 1;
    // Lets signals in between two runs.
    await Promise.resolve();
  }
  io.progress?.("");
  if (!json) io.out(summary(runs, totals, (io.millis() - begun) / 1_000));
  return 0;
}

async function runOne({ mysql, redis, quorum, policy, ...options }: SimCommandOptions): Promise<Run> {
  const { seed, hours, faults, nodes } = options;
  const ofPair = {
    seed,
    hours,
    ...(policy === undefined ? {} : { policy }),
    ...(faults === undefined ? {} : { faults }),
  };
  if (mysql === true) {
    const result = await runPair(ofPair);
    return { ...result, words: describePair(result), account: accountOf(result) };
  }
  if (redis === true) {
    const result = await runRedisPair(ofPair);
    return { ...result, words: describeRedisPair(result), account: accountOf(result) };
  }
  if (quorum === true) {
    const result = await runQuorum({ ...ofPair, ...(nodes === undefined ? {} : { nodes }) });
    return { ...result, words: describeQuorum(result), account: accountOf(result) };
  }
  const result = runSim(options);
  const { setup, violation, passed, events, takeovers, rounds, hash, replay, lastEvents } = result;
  const account = { setup, violation, hours: passed / HOUR, events, takeovers, rounds, hash, replay, lastEvents };
  return { violation, passed, events, takeovers, words: describeResult(result), account };
}

const accountOf = ({ passed, ...account }: { readonly passed: number }): object => ({
  ...account,
  hours: passed / HOUR,
});

function summary(runs: number, totals: { hours: number; events: number; takeovers: number }, seconds: number): string {
  const speed = seconds > 0 ? totals.hours / seconds : 0;
  const seeds = runs === 1 ? "1 seed" : `${runs} seeds`;
  return (
    `${seeds}, ${totals.hours.toFixed(2)} simulated hours, ${totals.takeovers} takeovers, ${totals.events} events, ` +
    `no violation; ${speed.toFixed(2)} simulated hours per second`
  );
}
