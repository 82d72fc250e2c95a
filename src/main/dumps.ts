/**
 * keepalived's dumps: asks the keeper, renders (core/dumps) and writes. A dump that fails says so in the log and the daemon
 * goes on. One is made at a time, in the order in which they were asked for.
 */
import { hostname } from "node:os";
import type { HoldfastConfig } from "../core/config/model.ts";
import { renderParentData, renderVrrpData } from "../core/dumps/data.ts";
import { dumpFiles } from "../core/dumps/files.ts";
import type { DumpInput } from "../core/dumps/input.ts";
import { renderJson } from "../core/dumps/json.ts";
import type { DumpKind } from "../core/dumps/kinds.ts";
import { renderStats } from "../core/dumps/stats.ts";
import type { VrrpInstanceStatus } from "../core/vrrp/status.ts";
import type { ControlProcess } from "../engine/control-process.ts";
import { readAccounts } from "../linux/accounts.ts";
import type { Arena } from "../linux/arena.ts";
import { writeDumpFile } from "../linux/dump-file.ts";
import { readInterfaces } from "../linux/interface-facts.ts";
import type { LogWriter } from "./log-writer.ts";
import type { SignalDump } from "./signals.ts";

export interface DumpHost {
  readonly control: ControlProcess;
  readonly log: LogWriter;
  readonly config: () => HoldfastConfig;
  readonly umask: number;
  readonly arena: Arena;
  /** CLOCK_MONOTONIC, microseconds. */
  readonly now: () => number;
}

export interface DumpReport {
  /** Files that were written. */
  readonly files: readonly string[];
  /** Sentences with the remedy. */
  readonly problems: readonly string[];
}

export interface Dumper {
  dump(kind: SignalDump): Promise<DumpReport>;
  /** -d: the data dump as log lines. */
  log(): Promise<void>;
}

export function createDumper(host: DumpHost): Dumper {
  let last: readonly VrrpInstanceStatus[] = [];
  let busy: Promise<unknown> = Promise.resolve();
  /** Asked for and not begun: a storm of signals asks for one dump of each kind, not for thousands. */
  const waiting = new Map<SignalDump, Promise<DumpReport>>();
  const make = async (kind: SignalDump): Promise<DumpReport> => {
    waiting.delete(kind);
    if (kind === "threads") return logThreads(host);
    const fresh = await host.control.keeper.status(kind === "stats-clear");
    const problems: string[] = [];
    if (fresh === null) problems.push("the keeper does not answer: the dump shows what it said last");
    else last = fresh;
    const report = writeFiles(kind, inputOf(host, last), host);
    return { files: report.files, problems: [...problems, ...report.problems] };
  };
  return {
    dump(kind) {
      const asked = waiting.get(kind);
      if (asked !== undefined) return asked;
      const made = busy.then(() => make(kind));
      waiting.set(kind, made);
      busy = made.then(
        ({ problems }) => {
          for (const problem of problems) host.log.line("vrrp", problem);
        },
        (error: unknown) => host.log.line("vrrp", `the dump failed: ${String(error)}`),
      );
      return made;
    },
    async log() {
      const input = inputOf(host, (await host.control.keeper.status()) ?? last);
      for (const line of renderVrrpData(input).trimEnd().split("\n")) host.log.line("vrrp", line);
    },
  };
}

function inputOf(host: DumpHost, instances: readonly VrrpInstanceStatus[]): DumpInput {
  const wallMillis = Date.now();
  return {
    config: host.config(),
    instances,
    checks: host.control.checks.status(),
    trackers: host.control.trackers(),
    interfaces: readInterfaces(host.arena, virtualAddresses(host.config())),
    accounts: readAccounts(),
    hostName: hostname(),
    umask: host.umask,
    now: {
      at: host.now(),
      wall: wallMillis * 1_000,
      utcOffsetMinutes: -new Date(wallMillis).getTimezoneOffset(),
    },
  };
}

const virtualAddresses = (config: HoldfastConfig): ReadonlySet<string> =>
  new Set(
    config.instances.flatMap(({ vrrp }) =>
      [...vrrp.advertised, ...vrrp.excluded].map(({ address }) => address as string),
    ),
  );

const WORDS: Readonly<Record<DumpKind, string>> = {
  data: "VRRP data",
  stats: "VRRP stats",
  "stats-clear": "and clearing VRRP stats",
  json: "VRRP as json",
};

function writeFiles(kind: DumpKind, input: DumpInput, { log }: DumpHost): DumpReport {
  const place = {
    settings: input.config.global.dumps,
    folder: process.env.TMPDIR || "/tmp",
    instance: input.config.global.place.instance,
    namespace: input.config.global.place.netNamespace,
  };
  const names = dumpFiles(place);
  if (kind === "data") log.line("parent", `Printing parent data for process(${process.pid}) on signal`);
  log.line("vrrp", `Printing ${WORDS[kind]} for process(${process.pid}) on signal`);
  const texts: readonly (readonly [string, string])[] =
    kind === "data"
      ? [
          [names.parent, renderParentData(input)],
          [names.data, renderVrrpData(input)],
        ]
      : [kind === "json" ? [names.json, renderJson(input)] : [names.stats, renderStats(input)]];
  const files: string[] = [];
  const problems: string[] = [];
  for (const [path, text] of texts) {
    const written = writeDumpFile(path, text);
    if (written.ok) files.push(path);
    else problems.push(written.error);
  }
  return { files, problems };
}

/** What this process waits for: keepalived prints its threads, which are its timers and sockets. */
function logThreads({ control, log }: DumpHost): DumpReport {
  const { condition, pid, restarts } = control.keeper.state();
  log.line("parent", `Thread dump: keeper ${condition}, pid ${pid ?? "none"}, restarted ${restarts} times`);
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  for (const [kind, count] of counts) log.line("parent", `Thread dump: ${count} x ${kind}`);
  for (const { key, running, nextRunAt } of control.checks.status()) {
    const next = nextRunAt === null ? "" : `, next run at ${(nextRunAt / 1e6).toFixed(6)}`;
    log.line("checks", `Thread dump: check ${key} ${running ? "runs" : "is idle"}${next}`);
  }
  return { files: [], problems: [] };
}
