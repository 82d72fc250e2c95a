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
  /** `fence strict`. */
  readonly fence?: boolean;
  readonly unicast?: boolean;
  /** Version 3 only: every node its own advert interval, which the others learn. */
  readonly mixedIntervals?: boolean;
  /** All instances of a node in one sync group; means nothing with one instance. */
  readonly groups?: boolean;
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
  const groups = prng.chance(0.35);
  // A stream of its own: what else a seed draws stays as it was.
  const fence = createPrng(options.seed).fork("fence").chance(0.25);
  const version = options.version ?? versionFor(options.intervalMillis, drawnVersion);
  const drawn: Setup = {
    seed: options.seed,
    hours: options.hours,
    nodes,
    instances,
    version,
    intervalMillis: version === 3 ? fast : slow,
    nopreempt,
    equalPriorities,
    gates,
    lease: leaseOff ? "off" : "default",
    fence,
    unicast,
    mixedIntervals: mixed,
    groups,
    faults: true,
  };
  const setup: Setup = { ...drawn, ...options };
  return {
    ...setup,
    version,
    mixedIntervals: version === 3 && setup.mixedIntervals,
    groups: setup.groups && setup.instances > 1,
  };
}

/** Version 2 counts whole seconds. */
function versionFor(intervalMillis: number | undefined, drawn: 2 | 3): 2 | 3 {
  return intervalMillis !== undefined && intervalMillis % 1_000 !== 0 ? 3 : drawn;
}

/** The words of the command that runs exactly this again. */
export function replayCommand(options: SimOptions): string {
  const words = ["holdfast sim", `--seed ${options.seed}`, `--hours ${options.hours}`];
  pushValue(words, "nodes", options.nodes);
  pushValue(words, "instances", options.instances);
  pushValue(words, "vrrp-version", options.version);
  pushValue(words, "interval", options.intervalMillis);
  pushSwitch(words, "nopreempt", options.nopreempt);
  pushSwitch(words, "equal-priorities", options.equalPriorities);
  pushSwitch(words, "gates", options.gates);
  pushValue(words, "lease", options.lease);
  pushSwitch(words, "fence", options.fence);
  pushSwitch(words, "unicast", options.unicast);
  pushSwitch(words, "mixed-intervals", options.mixedIntervals);
  pushSwitch(words, "groups", options.groups);
  if (options.faults === false) words.push("--no-faults");
  return words.join(" ");
}

function pushValue(words: string[], name: string, value: number | string | undefined): void {
  if (value !== undefined) words.push(`--${name} ${value}`);
}

function pushSwitch(words: string[], name: string, value: boolean | undefined): void {
  if (value !== undefined) words.push(value ? `--${name}` : `--no-${name}`);
}
