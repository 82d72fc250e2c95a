/** track_script and track_interface: `NAME [weight N [reverse|noreverse]]` per line. */

import type { Tracked, VrrpInstanceConfig } from "../vrrp/config.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { VrrpScriptConfig } from "./model.ts";
import type { Settings } from "./settings.ts";
import { wordSpan } from "./settings.ts";
import { closest } from "./suggest.ts";
import type { Node } from "./tree.ts";

export interface TrackContext {
  readonly scripts: readonly VrrpScriptConfig[];
  readonly diagnostics: DiagnosticSink;
}

const HEAVIEST = 253;

export type MergedTrackers = Pick<VrrpInstanceConfig, "trackScripts" | "trackInterfaces">;

export function readTracked(
  settings: Settings,
  identity: { readonly name: string; readonly interface: string },
  context: TrackContext,
): MergedTrackers {
  return {
    trackScripts: trackedScripts(settings, identity.name, context),
    trackInterfaces: trackedInterfaces(settings, identity.interface, context.diagnostics),
  };
}

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

function readWeight(
  node: Node,
  fallback: { readonly weight: number; readonly reverse: boolean },
  diagnostics: DiagnosticSink,
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
  if (Math.abs(value) > HEAVIEST) {
    diagnostics.report(
      "out-of-range",
      wordSpan(node, number ?? first),
      `weight ${value} is out of range and ignored`,
      `write a number from -${HEAVIEST} to ${HEAVIEST}`,
    );
    return { weight: fallback.weight, reverse: fallback.reverse };
  }
  const reverse = direction?.text === "reverse" || (direction?.text !== "noreverse" && fallback.reverse);
  return { weight: value, reverse };
}
