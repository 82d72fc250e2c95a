/**
 * Why the priority of an instance is not the one of its file: each check with its weight, and by name whatever else may have moved it.
 * The status carries the standings of checks and database servers only, so files, processes and interfaces are named with the sum of what they did.
 */
import { failureInWords } from "../core/events/explain.ts";
import { priorityChange } from "../core/health/trackers.ts";
import type { Tracked, VrrpInstanceConfig } from "../core/vrrp/config.ts";
import type { ExplainLine } from "./contract/types.ts";
import type { ExplainInput } from "./explain-input.ts";

export function priorityLines(input: ExplainInput): ExplainLine[] {
  const { view, config } = input;
  if (view.priority === view.basePriority) return [];
  const vrrp = config?.instances.find((instance) => instance.vrrp.name === view.name)?.vrrp ?? null;
  const told = [
    ...checkReasons(input, vrrp),
    ...serverReasons("mysql", input, vrrp),
    ...serverReasons("redis", input, vrrp),
  ];
  const rest = told.reduce((left, { change }) => left - change, view.priority - view.basePriority);
  const others = vrrp === null ? [] : otherTrackers(vrrp);
  return [
    { depth: 1, text: `its priority is ${view.priority} instead of ${view.basePriority} because of what it tracks` },
    ...told.map(({ text }) => ({ depth: 2, text })),
    ...(rest !== 0 && others.length > 0 ? [{ depth: 2, text: `${signed(rest)} by ${others.join(", ")}` }] : []),
  ];
}

type Weight = Pick<Tracked, "weight" | "reverse">;

interface Reason {
  readonly change: number;
  readonly text: string;
}

function checkReasons({ view, status }: ExplainInput, vrrp: VrrpInstanceConfig | null): Reason[] {
  return status.checks.flatMap((check) => {
    const weight = check.trackedBy.find((tracker) => tracker.instance === view.name)?.weight ?? 0;
    if (weight === 0 || check.standing === "unknown") return [];
    const reverse = vrrp?.trackScripts.find(({ key }) => key === check.key)?.reverse ?? false;
    const succeeds = check.standing === "ok";
    const verb = succeeds ? "succeeds" : `fails: ${failureInWords(check.outcome, check.lastError)}`;
    return [reason(`script ${check.key}`, { weight, reverse }, succeeds, verb)];
  });
}

/** As the keeper counts: what only a standby must have does not move a MASTER. */
function serverReasons(
  product: "mysql" | "redis",
  { view, status }: ExplainInput,
  vrrp: VrrpInstanceConfig | null,
): Reason[] {
  const list = product === "mysql" ? vrrp?.trackMysql : vrrp?.trackRedis;
  return status[product].flatMap((server) => {
    const tracked = list?.find(({ key }) => key === server.name);
    if (tracked === undefined || tracked.weight === 0 || server.standing === "unknown") return [];
    const fails = server.standing === "failed" || (server.standing === "unfit" && view.state !== "MASTER");
    return [reason(`${product} ${server.name}`, tracked, !fails, fails ? `fails: ${server.trouble}` : "is fine")];
  });
}

function reason(what: string, tracked: Weight, succeeds: boolean, verb: string): Reason {
  const { weight, reverse } = tracked;
  const text = `${what} (weight ${signed(weight)}${reverse ? " reverse" : ""}) ${verb}`;
  return { change: priorityChange(tracked, succeeds), text };
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
