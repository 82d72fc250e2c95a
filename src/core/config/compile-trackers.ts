/** track_file and vrrp_track_process: one tracked thing each, with its weight. */
import { micros } from "../lib/units.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { TrackFileConfig, TrackProcessConfig } from "./model.ts";
import type { Settings } from "./settings.ts";
import { readSettings, wordSpan } from "./settings.ts";
import type { Node } from "./tree.ts";

function nameOf(node: Node, diagnostics: DiagnosticSink): string | null {
  const name = node.args[0]?.text ?? null;
  if (name === null) {
    const message = `\`${node.keyword}\` lacks its name and is left out`;
    diagnostics.report("missing-argument", node.span, message, `write ${node.keyword} NAME { ... }`);
  }
  return name;
}

export function compileTrackFile(node: Node, diagnostics: DiagnosticSink): TrackFileConfig | null {
  const name = nameOf(node, diagnostics);
  if (name === null) return null;
  const settings = readSettings(node.block ?? [], "track_file", diagnostics);
  const path = settings.text("file");
  if (path === null) {
    diagnostics.report("track-incomplete", node.span, `track_file ${name} names no file`, "write file /path");
    return null;
  }
  const weight = settings.weight("weight");
  return {
    name,
    path,
    weight: weight?.weight ?? 1,
    reverse: weight?.reverse ?? false,
    init: settings.has("init_file") ? readInit(settings, name, diagnostics) : null,
    span: node.span,
  };
}

const LARGEST = 254;

function readInit(settings: Settings, name: string, diagnostics: DiagnosticSink): TrackFileConfig["init"] {
  const node = settings.node("init_file");
  let value = 0;
  let overwrite = false;
  for (const word of settings.words("init_file")) {
    if (word.text === "overwrite") overwrite = true;
    else if (/^[+-]?\d+$/.test(word.text) && Math.abs(Number(word.text)) <= LARGEST) value = Number(word.text);
    else if (node !== null) {
      const message = `\`${word.text}\` after init_file of ${name} is no number from -${LARGEST} to ${LARGEST} and is ignored`;
      diagnostics.report("bad-value", wordSpan(node, word), message, "write init_file [VALUE] [overwrite]");
    }
  }
  return { value, overwrite };
}

export function compileTrackProcess(node: Node, diagnostics: DiagnosticSink): TrackProcessConfig | null {
  const name = nameOf(node, diagnostics);
  if (name === null) return null;
  const settings = readSettings(node.block ?? [], "vrrp_track_process", diagnostics);
  const argv = settings.words("process").map((word) => word.text);
  if (argv.length === 0) {
    diagnostics.report("track-incomplete", node.span, `${name} names no process`, "write process NAME");
    return null;
  }
  const weight = settings.weight("weight");
  const match = settings.text("param_match");
  const both = settings.duration("delay") ?? micros(0);
  return {
    name,
    pattern: {
      argv,
      paramMatch: match === "initial" || match === "partial" ? match : null,
      fullCommand: settings.has("full_command"),
    },
    quorum: {
      ...readQuorum(settings, node, diagnostics),
      forkDelay: settings.duration("fork_delay") ?? both,
      terminateDelay: settings.duration("terminate_delay") ?? both,
    },
    // keepalived.conf(5) says 1; the program does as with 0.
    weight: weight?.weight ?? 0,
    reverse: weight?.reverse ?? false,
    span: node.span,
  };
}

/** keepalived 2.2.7: with quorum_max 0 nothing may run, so nothing need. */
function readQuorum(
  settings: Settings,
  node: Node,
  diagnostics: DiagnosticSink,
): { least: number; most: number | null } {
  const most = settings.number("quorum_max");
  const least = settings.number("quorum") ?? (most === 0 ? 0 : 1);
  if (most === null || most >= least) return { least, most };
  const span = settings.node("quorum_max")?.span ?? node.span;
  diagnostics.report("bad-value", span, "quorum_max is less than quorum and is ignored", "write a greater quorum_max");
  return { least, most: null };
}
