/**
 * Why the priority of an instance is not the one of its file: each check with its weight, and by name whatever else may have moved it.
 * The status carries the standings of checks only, so files, processes and interfaces are named with the sum of what they did.
 */
import { failureInWords } from "../core/events/explain.ts";
import { priorityChange } from "../core/health/trackers.ts";
import type { Tracked, VrrpInstanceConfig } from "../core/vrrp/config.ts";
import type { ExplainLine } from "./contract/types.ts";
import type { ExplainInput } from "./explain-input.ts";

export function priorityLines(input: ExplainInput): ExplainLine[] {
  const { view, status, config } = input;
  if (view.priority === view.basePriority) return [];
  const vrrp = config?.instances.find((instance) => instance.vrrp.name === view.name)?.vrrp ?? null;
  const lines: ExplainLine[] = [
    { depth: 1, text: `its priority is ${view.priority} instead of ${view.basePriority} because of what it tracks` },
  ];
  let rest = view.priority - view.basePriority;
  for (const check of status.checks) {
    const weight = check.trackedBy.find((tracker) => tracker.instance === view.name)?.weight ?? 0;
    if (weight === 0 || check.standing === "unknown") continue;
    const reverse = vrrp?.trackScripts.find(({ key }) => key === check.key)?.reverse ?? false;
    rest -= priorityChange({ weight, reverse }, check.standing === "ok");
    const verb = check.standing === "ok" ? "succeeds" : `fails: ${failureInWords(check.outcome, check.lastError)}`;
    lines.push({
      depth: 2,
      text: `script ${check.key} (weight ${signed(weight)}${reverse ? " reverse" : ""}) ${verb}`,
    });
  }
  const others = vrrp === null ? [] : otherTrackers(vrrp);
  if (rest !== 0 && others.length > 0) lines.push({ depth: 2, text: `${signed(rest)} by ${others.join(", ")}` });
  return lines;
}

/** Whatever else moves the priority, by its name in the file. */
function otherTrackers(vrrp: VrrpInstanceConfig): readonly string[] {
  const named = (kind: string, trackers: readonly Tracked[]): readonly string[] =>
    trackers.filter(({ weight }) => weight !== 0).map(({ key }) => `${kind} ${key}`);
  return [
    ...named("tracked file", vrrp.trackFiles),
    ...named("tracked process", vrrp.trackProcesses),
    ...named("tracked interface", vrrp.trackInterfaces),
  ];
}

const signed = (value: number): string => (value > 0 ? `+${value}` : String(value));
