/**
 * What one simulated run is made of. Everything a caller leaves out is drawn from the seed, so that many seeds cover
 * many configurations; what was drawn is printed with the result.
 */
import { createPrng } from "./prng.ts";

export interface SimOptions {
  readonly seed: number;
  /** Simulated hours. */
  readonly hours: number;
  readonly nodes?: number;
  readonly instances?: number;
  readonly version?: 2 | 3;
  readonly intervalMillis?: number;
  readonly nopreempt?: boolean;
  readonly equalPriorities?: boolean;
  readonly gates?: boolean;
  /** "default" is the lease the configuration language would choose. */
  readonly lease?: "default" | "off";
  readonly unicast?: boolean;
  /** Version 3 only: every node its own advert interval, which the others learn. */
  readonly mixedIntervals?: boolean;
  /** No faults at all when false. */
  readonly faults?: boolean;
}

export type Setup = Required<SimOptions>;

export const NODES_MAX = 6;

/** Fills in what the caller left open. One draw per option, whether it is used or not: options stay independent. */
export function drawSetup(options: SimOptions): Setup {
  const prng = createPrng(options.seed).fork("setup");
  const nodes = prng.chance(0.7) ? 2 : prng.integer(3, 4);
  const instances = prng.integer(1, 3);
  const drawnVersion = prng.chance(0.5) ? 2 : 3;
  const fast = prng.pick([100, 100, 300, 1000]);
  const slow = prng.pick([1000, 1000, 1000, 2000]);
  const nopreempt = prng.chance(0.4);
  const equalPriorities = prng.chance(0.25);
  const gates = prng.chance(0.3);
  const leaseOff = prng.chance(0.1);
  const unicast = prng.chance(0.25);
  const mixed = prng.chance(0.4);
  const intervalMillis = options.intervalMillis;
  const version = options.version ?? (intervalMillis !== undefined && intervalMillis % 1000 !== 0 ? 3 : drawnVersion);
  const count = options.nodes ?? nodes;
  return {
    seed: options.seed,
    hours: options.hours,
    nodes: count,
    instances: options.instances ?? instances,
    version,
    intervalMillis: intervalMillis ?? (version === 3 ? fast : slow),
    nopreempt: options.nopreempt ?? nopreempt,
    equalPriorities: options.equalPriorities ?? equalPriorities,
    gates: options.gates ?? gates,
    lease: options.lease ?? (leaseOff ? "off" : "default"),
    unicast: options.unicast ?? unicast,
    mixedIntervals: version === 3 && (options.mixedIntervals ?? mixed),
    faults: options.faults ?? true,
  };
}

/** The words of the command that runs exactly this again. */
export function replayCommand(options: SimOptions): string {
  const words = ["holdfast sim", `--seed ${options.seed}`, `--hours ${options.hours}`];
  if (options.nodes !== undefined) words.push(`--nodes ${options.nodes}`);
  if (options.instances !== undefined) words.push(`--instances ${options.instances}`);
  if (options.version !== undefined) words.push(`--vrrp-version ${options.version}`);
  if (options.intervalMillis !== undefined) words.push(`--interval ${options.intervalMillis}`);
  pushSwitch(words, "nopreempt", options.nopreempt);
  pushSwitch(words, "equal-priorities", options.equalPriorities);
  pushSwitch(words, "gates", options.gates);
  if (options.lease !== undefined) words.push(`--lease ${options.lease}`);
  pushSwitch(words, "unicast", options.unicast);
  pushSwitch(words, "mixed-intervals", options.mixedIntervals);
  if (options.faults === false) words.push("--no-faults");
  return words.join(" ");
}

function pushSwitch(words: string[], name: string, value: boolean | undefined): void {
  if (value !== undefined) words.push(value ? `--${name}` : `--no-${name}`);
}
