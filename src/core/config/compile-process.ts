/** global_defs about the processes themselves, and where the daemon lives (network namespace, pid files, umask). */
import { type Micros, micros, seconds } from "../lib/units.ts";
import type { KeeperSettings } from "../link/keeper-settings.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { GlobalConfig } from "./model.ts";
import { type Settings, wordSpan } from "./settings.ts";
import type { ConfigSource } from "./source.ts";

type ProcessPart = Pick<GlobalConfig, "keeper" | "place">;

const RT_PRIORITY_MAX = 99;
/**
 * Compiling a function or collecting garbage takes a Node process longer than keepalived's 10 ms: at the real-time
 * limit the kernel kills, so a short one would take the address away by our own hand.
 */
const SHORTEST_RT_LIMIT = seconds(1);
const DEFAULT_RT_LIMIT = seconds(10);
const PROCESSORS_MAX = 1_024;

export function compileProcess(settings: Settings, diagnostics: DiagnosticSink): ProcessPart {
  return {
    keeper: {
      nice: settings.number("vrrp_priority"),
      realtime: settings.number("vrrp_rt_priority"),
      realtimeLimit: readRealtimeLimit(settings),
      processors: readProcessors(settings, diagnostics),
      lockMemory: settings.has("vrrp_no_swap"),
      autoRealtimeMax: readAutoPriority(settings, diagnostics),
      autoRealtimeDelay: micros(settings.number("min_auto_priority_delay") ?? 1_000_000),
    },
    place: { netNamespace: null, instance: null, usePidDir: false, umask: readUmask(settings, diagnostics) },
  };
}

/** The part of the place that stands outside global_defs. */
export function readPlace(root: Settings, diagnostics: DiagnosticSink): Omit<GlobalConfig["place"], "umask"> {
  return {
    netNamespace: readPlaceName(root, "net_namespace", diagnostics),
    instance: readPlaceName(root, "instance", diagnostics),
    usePidDir: root.has("use_pid_dir"),
  };
}

export const DEFAULT_KEEPER_SETTINGS: KeeperSettings = {
  nice: null,
  realtime: null,
  realtimeLimit: DEFAULT_RT_LIMIT,
  processors: null,
  lockMemory: false,
  autoRealtimeMax: 0,
  autoRealtimeDelay: seconds(1),
};

function readRealtimeLimit(settings: Settings): Micros {
  const given = settings.number("vrrp_rlimit_rttime");
  return given === null ? DEFAULT_RT_LIMIT : micros(Math.max(given, SHORTEST_RT_LIMIT));
}

/** -1 is keepalived's way to say "no, and no warning about it". */
function readAutoPriority(settings: Settings, diagnostics: DiagnosticSink): number {
  const node = settings.node("max_auto_priority");
  if (node === null) return 0;
  const [word] = settings.words("max_auto_priority");
  if (word === undefined) return RT_PRIORITY_MAX;
  const value = /^[+-]?\d{1,9}$/.test(word.text) ? Number(word.text) : Number.NaN;
  if (value >= -1 && value <= RT_PRIORITY_MAX) return Math.max(0, value);
  const message = `\`max_auto_priority ${word.text}\` is out of range and ignored`;
  diagnostics.report("out-of-range", wordSpan(node, word), message, "write a number from -1 to 99, or none for 99");
  return 0;
}

function readProcessors(settings: Settings, diagnostics: DiagnosticSink): readonly number[] | null {
  const node = settings.node("vrrp_cpu_affinity");
  if (node === null) return null;
  const numbers: number[] = [];
  for (const word of settings.words("vrrp_cpu_affinity")) {
    const value = processorOf(word.text);
    if (value !== null) numbers.push(value);
    else {
      const message = `\`${word.text}\` is no number of a processor and is ignored`;
      diagnostics.report("bad-value", wordSpan(node, word), message, "write numbers as in /proc/cpuinfo, from 0");
    }
  }
  if (numbers.length > 0) return numbers;
  const remedy = "write vrrp_cpu_affinity 0 1, with numbers as in /proc/cpuinfo";
  diagnostics.report("missing-argument", node.span, "`vrrp_cpu_affinity` names no processor", remedy);
  return null;
}

/** keepalived refuses such a number as well; on the host that the file is for it may be right. */
export function reportAbsentProcessors(
  settings: Settings,
  { hasProcessor }: Pick<ConfigSource, "hasProcessor">,
  diagnostics: DiagnosticSink,
): void {
  const node = settings.node("vrrp_cpu_affinity");
  if (node === null) return;
  for (const word of settings.words("vrrp_cpu_affinity")) {
    const value = processorOf(word.text);
    if (value === null || hasProcessor(value) !== false) continue;
    const message = `this host has no processor ${value}; the keeper does not run there`;
    diagnostics.report("unknown-processor", wordSpan(node, word), message, "lscpu -e shows the numbers");
  }
}

function processorOf(text: string): number | null {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : PROCESSORS_MAX;
  return value < PROCESSORS_MAX ? value : null;
}

/** Names become parts of file names. */
function readPlaceName(root: Settings, keyword: string, diagnostics: DiagnosticSink): string | null {
  const text = root.text(keyword);
  if (text === null) return null;
  if (/^[^/\0]{1,200}$/.test(text) && text !== "." && text !== "..") return text;
  const span = root.node(keyword)?.span ?? null;
  const message = `\`${keyword} ${text}\` is no name and is ignored`;
  diagnostics.report("bad-value", span, message, "write a name without a slash, as `ip netns list` shows it");
  return null;
}

/** sys/stat.h: the bits by the names that keepalived takes. */
const WHO = { USR: 6, GRP: 3, OTH: 0 } as const;
const WHAT = { R: 4, W: 2, X: 1 } as const;
const UMASK_MAX = 0o777;

function readUmask(settings: Settings, diagnostics: DiagnosticSink): number | null {
  const node = settings.node("umask");
  if (node === null) return null;
  const text = settings
    .words("umask")
    .map((word) => word.text)
    .join(" ");
  const value = umaskOf(text);
  if (value !== null) return value;
  const remedy = "write an octal number such as 0022, or bits such as IWGRP | IWOTH";
  diagnostics.report("bad-value", node.span, `\`umask ${text}\` is not understood and ignored`, remedy);
  return null;
}

/** As strtoul(3) with base 0, or bits `I{R|W|X}{USR|GRP|OTH}` joined by `|`; null for anything else. */
export function umaskOf(text: string): number | null {
  if (/^(?:0x[0-9a-f]+|\d+)$/i.test(text)) {
    const octal = /^0[0-7]+$/.test(text);
    if (!octal && /^0\d/.test(text)) return null;
    const value = octal ? Number.parseInt(text, 8) : Number(text);
    return value <= UMASK_MAX ? value : null;
  }
  let mask = 0;
  for (const part of text.split("|")) {
    const match = /^I([RWX])(USR|GRP|OTH)$/.exec(part.trim());
    if (match === null) return null;
    mask |= WHAT[match[1] as keyof typeof WHAT] << WHO[match[2] as keyof typeof WHO];
  }
  return mask;
}
