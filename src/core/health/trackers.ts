/**
 * What the trackers of one instance add up to: reasons for FAULT, whether a veto is still open, and the effective
 * priority. keepalived's weight table:
 *
 *   weight  0          FAULT while failing       weight  0 reverse   FAULT while succeeding
 *   weight +w          +w while succeeding       weight +w reverse   -w while succeeding
 *   weight -w          -w while failing          weight -w reverse   +w while failing
 *
 * A file weighs by its number: value x weight is added, with `reverse` subtracted; -254 and below is FAULT. With weight 0 a
 * number other than 0 is FAULT (`reverse`: 0 is).
 *
 * Reads standings only; when a script runs and what its results mean is check.ts's and the check engine's work.
 */

import { type DatabaseStanding, troubleFor } from "../database/standing.ts";
import type { IpAddress } from "../lib/ip.ts";
import type { FileStanding, ProcessStanding, ScriptStanding } from "../link/messages.ts";
import type { Fault } from "../vrrp/causes.ts";
import type { Tracked, VrrpInstanceConfig } from "../vrrp/config.ts";

export interface TrackerInputs {
  /** By key; a script without an entry has not reported. */
  readonly standings: ReadonlyMap<string, ScriptStanding>;
  readonly files: ReadonlyMap<string, FileStanding>;
  readonly processes: ReadonlyMap<string, ProcessStanding>;
  readonly mysql: ReadonlyMap<string, DatabaseStanding>;
  readonly redis: ReadonlyMap<string, DatabaseStanding>;
  /** The links that exist. */
  readonly links: readonly { readonly name: string; readonly usable: boolean }[];
  readonly source: IpAddress | null;
  /** It holds its addresses: what only a standby must have does not count. */
  readonly serving: boolean;
  /** Control has not been heard for too long: what it said last is worth nothing. */
  readonly controlSilent: boolean;
}

export interface Fitness {
  readonly faults: readonly Fault[];
  /** A tracker that can veto has not reported yet. */
  readonly waiting: boolean;
  /** Effective priority, 1 to 254; 255 stays 255. */
  readonly priority: number;
}

const SILENT: ScriptStanding = { kind: "unknown" };

export function evaluateTrackers(config: VrrpInstanceConfig, inputs: TrackerInputs): Fitness {
  const scripts = assessScripts(config, inputs);
  const interfaces = assessInterfaces(config, inputs);
  const files = assessFiles(config, inputs);
  const processes = assessProcesses(config, inputs);
  const mysql = assessDatabases("mysql", config.trackMysql, inputs);
  const redis = assessDatabases("redis", config.trackRedis, inputs);
  const faults = [
    ...controlFaults(inputs),
    ...ownInterfaceFaults(config, inputs),
    ...scripts.faults,
    ...interfaces.faults,
    ...files.faults,
    ...processes.faults,
    ...mysql.faults,
    ...redis.faults,
  ];
  const weighed = [scripts, interfaces, files, processes, mysql, redis];
  const change = weighed.reduce((sum, each) => sum + each.change, 0);
  const waiting = scripts.waiting || files.waiting || processes.waiting || mysql.waiting || redis.waiting;
  return { faults, waiting, priority: effectivePriority(config.priority, change) };
}

function assessScripts(config: VrrpInstanceConfig, inputs: TrackerInputs) {
  const faults: Fault[] = [];
  let waiting = false;
  let change = 0;
  for (const tracked of config.trackScripts) {
    const standing = inputs.controlSilent ? SILENT : (inputs.standings.get(tracked.key) ?? SILENT);
    const fault = scriptFault(tracked, standing);
    if (fault !== null) faults.push(fault);
    if (standing.kind !== "unknown") change += priorityChange(tracked, standing.kind === "ok");
    else if (tracked.weight === 0) waiting = true;
  }
  return { faults, waiting, change };
}

function assessInterfaces(config: VrrpInstanceConfig, inputs: TrackerInputs) {
  const faults: Fault[] = [];
  let change = 0;
  for (const { key, weight, reverse } of trackedInterfaces(config)) {
    const problem = linkProblem(key, inputs);
    if (weight !== 0) change += priorityChange({ weight, reverse }, problem === null);
    else if ((problem === null) === reverse)
      faults.push({ kind: "interface", interface: key, problem: problem ?? "up" });
  }
  return { faults, change };
}

/** keepalived's thresholds: a product that low is FAULT, one above counts as the greatest. */
const FILE_FAULT = -254;
const FILE_MOST = 253;

/** Control reads every file before anything else: until then, whatever its weight, nothing is decided. */
function assessFiles(config: VrrpInstanceConfig, inputs: TrackerInputs) {
  const faults: Fault[] = [];
  let waiting = false;
  let change = 0;
  for (const { key, weight, reverse } of config.trackFiles) {
    const standing = inputs.controlSilent ? undefined : inputs.files.get(key);
    if (standing === undefined) {
      waiting = true;
      continue;
    }
    const { value } = standing;
    const product = weight === 0 ? 0 : value * weight * (reverse ? -1 : 1);
    const vetoes = weight === 0 ? (value === 0) === reverse : product <= FILE_FAULT;
    if (vetoes) faults.push({ kind: "file", key, value });
    else change += Math.min(product, FILE_MOST);
  }
  return { faults, waiting, change };
}

function assessProcesses(config: VrrpInstanceConfig, inputs: TrackerInputs) {
  const faults: Fault[] = [];
  let waiting = false;
  let change = 0;
  for (const { key, weight, reverse } of config.trackProcesses) {
    const standing = inputs.controlSilent ? undefined : inputs.processes.get(key);
    if (standing === undefined) {
      waiting = true;
      continue;
    }
    const succeeds = standing.kind === "ok";
    if (weight !== 0) change += priorityChange({ weight, reverse }, succeeds);
    else if (succeeds === reverse) faults.push({ kind: "process", key, count: standing.count });
  }
  return { faults, waiting, change };
}

/** As with processes: until a server has been looked at, nothing is decided. */
function assessDatabases(kind: "mysql" | "redis", list: readonly Tracked[], inputs: TrackerInputs) {
  const faults: Fault[] = [];
  let waiting = false;
  let change = 0;
  for (const { key, weight, reverse } of list) {
    const standing = inputs.controlSilent ? undefined : inputs[kind].get(key);
    if (standing === undefined) {
      waiting = true;
      continue;
    }
    const trouble = troubleFor(standing, inputs.serving);
    if (weight !== 0) change += priorityChange({ weight, reverse }, trouble === null);
    else if ((trouble === null) === reverse) faults.push({ kind, key, trouble });
  }
  return { faults, waiting, change };
}

function controlFaults(inputs: TrackerInputs): Fault[] {
  return inputs.controlSilent ? [{ kind: "control-silent" }] : [];
}

/** Without its interface an instance cannot speak, whatever dont_track_primary says; a carrier may be ignored. */
function ownInterfaceFaults(config: VrrpInstanceConfig, inputs: TrackerInputs): Fault[] {
  const problem = linkProblem(config.interface, inputs);
  const { transport } = config;
  const faults: Fault[] = transport.kind === "unicast" && transport.peers.length === 0 ? [{ kind: "no-peer" }] : [];
  if (problem === "missing" || (problem === "down" && !config.dontTrackPrimary)) {
    faults.push({ kind: "interface", interface: config.interface, problem });
  }
  if (problem !== "missing" && inputs.source === null) {
    faults.push({
      kind: "no-source-address",
      interface: config.interface,
      family: config.family,
      wanted: config.sourceAddress,
    });
  }
  return faults;
}

/** track_interface, and the interfaces that carry addresses and routes: without them we could not serve. `no_track` leaves one out. */
function trackedInterfaces(config: VrrpInstanceConfig): readonly Tracked[] {
  const tracked = [...config.trackInterfaces];
  const carriers = [
    ...[...config.advertised, ...config.excluded].filter(({ options }) => options?.untracked !== true),
    ...config.routes.filter((route) => route.tracked),
  ];
  for (const { device } of carriers) {
    if (device === null || device === config.interface || tracked.some((it) => it.key === device)) continue;
    tracked.push({ key: device, weight: 0, reverse: false });
  }
  return tracked;
}

function linkProblem(name: string, inputs: TrackerInputs): "missing" | "down" | null {
  const link = inputs.links.find((it) => it.name === name);
  if (link === undefined) return "missing";
  return link.usable ? null : "down";
}

/**
 * A script that cannot run says nothing about the service, so it vetoes whatever its weight: keepalived drops it and serves as if all
 * were well.
 */
function scriptFault({ key, weight, reverse }: Tracked, standing: ScriptStanding): Fault | null {
  if (standing.kind === "unusable") return { kind: "script-unusable", key, reason: standing.reason };
  if (weight !== 0) return null;
  return standing.kind === (reverse ? "ok" : "failed") ? { kind: "script", key } : null;
}

/** What one tracked object adds to the priority: a positive weight counts while it succeeds, a negative one while it fails. */
export function priorityChange({ weight, reverse }: Pick<Tracked, "weight" | "reverse">, succeeds: boolean): number {
  const applies = weight > 0 ? succeeds : !succeeds;
  if (!applies) return 0;
  return reverse ? -weight : weight;
}

function effectivePriority(base: number, change: number): number {
  return base === 255 ? 255 : Math.min(254, Math.max(1, base + change));
}
