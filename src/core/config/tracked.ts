/**
 * track_script, track_interface, track_file, track_process, track_mysql and track_redis: `NAME [weight N [reverse|noreverse]]` per line. Only what is
 * defined above may be tracked, as with keepalived.
 */

import type { Tracked } from "../vrrp/config.ts";
import type { QuorumStoreBlock } from "./compile-quorum.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type {
  InstanceWritten,
  MysqlBlockConfig,
  RedisBlockConfig,
  TrackerLists,
  TrackFileConfig,
  TrackProcessConfig,
  VrrpScriptConfig,
} from "./model.ts";
import type { Settings } from "./settings.ts";
import { wordSpan } from "./settings.ts";
import { closest } from "./suggest.ts";
import type { Node } from "./tree.ts";

export interface TrackContext {
  /** Defined so far. */
  readonly scripts: readonly VrrpScriptConfig[];
  readonly files: readonly TrackFileConfig[];
  readonly processes: readonly TrackProcessConfig[];
  readonly mysql: readonly MysqlBlockConfig[];
  readonly redis: readonly RedisBlockConfig[];
  /** Wherever it stands in the file. */
  readonly quorum: QuorumStoreBlock;
  readonly diagnostics: DiagnosticSink;
}

/** Of scripts and interfaces; 254 would be FAULT. */
const HEAVIEST = 253;
const HEAVIEST_FILE = 254;

export function readTracked(
  settings: Settings,
  identity: { readonly name: string; readonly interface: string },
  context: TrackContext,
): TrackerLists {
  return {
    trackScripts: trackedScripts(settings, identity.name, context),
    trackInterfaces: trackedInterfaces(settings, identity.interface, context.diagnostics),
    trackFiles: trackedOthers(linesOf(settings, "track_file"), context.files, context.diagnostics),
    trackProcesses: trackedOthers(linesOf(settings, "track_process"), context.processes, context.diagnostics),
    trackMysql: trackedServers("mysql", settings, context),
    trackRedis: trackedServers("redis", settings, context),
  };
}

/** A server that is managed is tracked as well: its death is FAULT unless track_mysql or track_redis says otherwise. */
function trackedServers(kind: "mysql" | "redis", settings: Settings, context: TrackContext): readonly Tracked[] {
  const defined = context[kind];
  const tracked = trackedOthers(linesOf(settings, `track_${kind}`), defined.map(unweighted), context.diagnostics);
  const name = settings.text(`manage_${kind}`);
  const known = name !== null && defined.some((one) => one.name === name) && !tracked.some(({ key }) => key === name);
  return known ? [...tracked, { key: name, weight: 0, reverse: false }] : tracked;
}

export const NO_TRACKERS: TrackerLists = {
  trackScripts: [],
  trackInterfaces: [],
  trackFiles: [],
  trackProcesses: [],
  trackMysql: [],
  trackRedis: [],
};

/** As a file says that asks for nothing of the kind. */
export const NOTHING_WRITTEN: InstanceWritten = {
  strict: false,
  ownInterface: false,
  addressInterfaces: false,
  faultWithoutPeer: false,
  trackers: NO_TRACKERS,
};

/** The lists alone. */
export const trackersOf = (lists: TrackerLists): TrackerLists => ({
  trackScripts: lists.trackScripts,
  trackInterfaces: lists.trackInterfaces,
  trackFiles: lists.trackFiles,
  trackProcesses: lists.trackProcesses,
  trackMysql: lists.trackMysql,
  trackRedis: lists.trackRedis,
});

function linesOf(settings: Settings, name: string): readonly Node[] {
  return settings.nodes(name).flatMap((node) => node.block ?? []);
}

function trackedScripts(settings: Settings, instance: string, context: TrackContext): readonly Tracked[] {
  const tracked = new Map<string, Tracked>();
  for (const node of linesOf(settings, "track_script")) {
    const script = context.scripts.find((one) => one.name === node.keyword);
    if (script === undefined) {
      const near = closest(
        node.keyword,
        context.scripts.map((one) => one.name),
      );
      const remedy =
        near === null ? "define vrrp_script above the instance that tracks it" : `did you mean \`${near}\`?`;
      context.diagnostics.report(
        "unknown-script",
        node.span,
        `track script ${node.keyword} is not defined above; it is not tracked`,
        remedy,
      );
      continue;
    }
    const key = script.perInstance ? `${script.name}@${instance}` : script.name;
    tracked.set(key, { key, ...readWeight(node, script, context.diagnostics) });
  }
  return [...tracked.values()];
}

function trackedInterfaces(settings: Settings, own: string, diagnostics: DiagnosticSink): readonly Tracked[] {
  const tracked = new Map<string, Tracked>();
  for (const node of linesOf(settings, "track_interface")) {
    // The instance's own interface is tracked anyway; a weight on it would be lost, so it is kept.
    const weight = readWeight(node, { weight: 0, reverse: false }, diagnostics);
    if (node.keyword === own && weight.weight === 0 && !weight.reverse) continue;
    tracked.set(node.keyword, { key: node.keyword, ...weight });
  }
  return [...tracked.values()];
}

interface Weighted {
  readonly name: string;
  readonly weight: number;
  readonly reverse: boolean;
}

/** A server is tracked with the weight of the line; without one it means FAULT. */
const unweighted = ({ name }: Pick<Weighted, "name">): Weighted => ({ name, weight: 0, reverse: false });

/** Files, processes and database servers. */
function trackedOthers(
  lines: readonly Node[],
  defined: readonly Weighted[],
  diagnostics: DiagnosticSink,
): readonly Tracked[] {
  const tracked = new Map<string, Tracked>();
  for (const node of lines) {
    const object = defined.find((one) => one.name === node.keyword);
    if (object === undefined) {
      const names = defined.map((one) => one.name);
      const near = closest(node.keyword, names);
      const remedy = near === null ? "define it above what tracks it" : `did you mean \`${near}\`?`;
      diagnostics.report(
        "unknown-tracked",
        node.span,
        `${node.keyword} is not defined above; it is not tracked`,
        remedy,
      );
    } else if (tracked.has(object.name)) {
      const message = `${object.name} is tracked already; this line is ignored`;
      diagnostics.report("bad-value", node.span, message, "name each once");
    } else tracked.set(object.name, { key: object.name, ...readWeight(node, object, diagnostics, HEAVIEST_FILE) });
  }
  return [...tracked.values()];
}

function readWeight(
  node: Node,
  fallback: { readonly weight: number; readonly reverse: boolean },
  diagnostics: DiagnosticSink,
  heaviest = HEAVIEST,
): Pick<Tracked, "weight" | "reverse"> {
  const [first, number, direction] = node.args;
  if (first === undefined) return { weight: fallback.weight, reverse: fallback.reverse };
  const value = number !== undefined && /^[+-]?\d{1,4}$/.test(number.text) ? Number(number.text) : null;
  if (first.text !== "weight" || value === null) {
    diagnostics.report(
      "bad-value",
      wordSpan(node, first),
      `\`${first.text}\` is not understood after \`${node.keyword}\` and is ignored`,
      "write NAME weight N [reverse]",
    );
    return { weight: fallback.weight, reverse: fallback.reverse };
  }
  if (Math.abs(value) > heaviest) {
    diagnostics.report(
      "out-of-range",
      wordSpan(node, number ?? first),
      `weight ${value} is out of range and ignored`,
      `write a number from -${heaviest} to ${heaviest}`,
    );
    return { weight: fallback.weight, reverse: fallback.reverse };
  }
  const reverse = direction?.text === "reverse" || (direction?.text !== "noreverse" && fallback.reverse);
  return { weight: value, reverse };
}
