/**
 * `holdfast sim`: runs one seed or a range of them and says what came of it. The words on the command line are the
 * CLI's; this takes parsed options. Exit code 0: nothing violated; 1: a violation, with the command that replays it.
 */
import type { SimOptions } from "./options.ts";
import { describeResult, runSim, type SimResult } from "./run-sim.ts";

export interface SimCommandOptions extends SimOptions {
  /** Seeds seed, seed + 1, ... so many. */
  readonly runs?: number;
  /** One JSON object a run on standard output. */
  readonly json?: boolean;
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
    const result = runSim({ ...own, seed: own.seed + run });
    totals.hours += result.passed / HOUR;
    totals.events += result.events;
    totals.takeovers += result.takeovers;
    io.progress?.(`${run + 1} of ${runs} seeds, ${totals.hours.toFixed(1)} simulated hours`);
    const failed = result.violation !== null;
    if (failed) io.progress?.("");
    if (json) io.out(JSON.stringify(jsonOf(result)));
    else if (failed || runs === 1) say(result, io);
    if (failed) return 1;
    // Lets signals in between two runs.
    await Promise.resolve();
  }
  io.progress?.("");
  if (!json) io.out(summary(runs, totals, (io.millis() - begun) / 1_000));
  return 0;
}

function say(result: SimResult, io: SimIo): void {
  for (const line of describeResult(result)) io.out(line);
}

function summary(runs: number, totals: { hours: number; events: number; takeovers: number }, seconds: number): string {
  const speed = seconds > 0 ? totals.hours / seconds : 0;
  const seeds = runs === 1 ? "1 seed" : `${runs} seeds`;
  return (
    `${seeds}, ${totals.hours.toFixed(2)} simulated hours, ${totals.takeovers} takeovers, ${totals.events} events, ` +
    `no violation; ${speed.toFixed(2)} simulated hours per second`
  );
}

function jsonOf(result: SimResult): unknown {
  const { setup, violation, passed, events, takeovers, rounds, hash, replay, lastEvents } = result;
  return { setup, violation, hours: passed / HOUR, events, takeovers, rounds, hash, replay, lastEvents };
}
