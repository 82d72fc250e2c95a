/** What would have to happen for an instance to become MASTER, or to stop being it. Pure words. */

import type { InstanceConfig } from "../core/config/model.ts";
import { faultRemedy, lengthInWords } from "../core/events/explain.ts";
import type { GatewayEvidence } from "../core/evidence/gateways.ts";
import { claimWaitsForCheck, retryPause } from "../core/vrrp/transition.ts";
import type { InstanceView } from "./contract/types.ts";
import type { ExplainInput } from "./explain-input.ts";
import { unwillingSiblings } from "./siblings.ts";

export function outlookOf({ view, config, status }: ExplainInput): string[] {
  const settings = config?.instances.find((candidate) => candidate.vrrp.name === view.name) ?? null;
  switch (view.phase) {
    case "FAULT":
      return [
        ...view.faults.map((fault) => `To leave FAULT: ${faultRemedy(fault, claimRetry(settings))}.`),
        `Then it passes through BACKUP${untilMaster(view, settings)}.`,
      ];
    case "INIT":
      return [`Every tracked check has to report once; then it is BACKUP${untilMaster(view, settings)}.`];
    case "BACKUP":
      return waitsForSiblings(view, status) ?? backupOutlook(view, settings);
    case "PREPARING":
      return [`${gateInWords(settings)}${gateLimit(settings)}; then it announces itself.`];
    case "CLAIMING":
      return [`${gateInWords(settings)}${gateLimit(settings)}; then it takes the address.`];
    case "RELEASING":
      return ["It gives the address up when notify_release ends or its time is over."];
    case "MASTER":
      return masterOutlook(view);
    case "STOP":
      return ["The daemon has to be started again."];
  }
}

function waitsForSiblings(view: InstanceView, { instances }: ExplainInput["status"]): string[] | null {
  const siblings = unwillingSiblings(view, instances);
  if (siblings === null) return null;
  return [`It becomes MASTER when ${siblings} of sync group ${view.syncGroup} would, too: see there.`];
}

function claimRetry(settings: InstanceConfig | null): string {
  if (settings === null) return "later";
  if (claimWaitsForCheck(settings.vrrp)) return "when a check next succeeds";
  return `${lengthInWords(retryPause(settings.vrrp) / 1_000)} after it was refused`;
}

function backupOutlook(view: InstanceView, settings: InstanceConfig | null): string[] {
  const { master } = view;
  const wait = lengthInWords(view.masterDownMillis);
  if (master === null) return [`It becomes MASTER when no master is heard for ${wait}.`];
  const lines = [`It becomes MASTER when ${master.source} resigns (priority 0) or stays silent for ${wait}.`];
  lines.push(preemptLine(view, settings, master));
  if (settings?.vrrp.claimGate != null) lines.push(`Before that: ${gateInWords(settings)}.`);
  return lines;
}

type HeardMaster = NonNullable<InstanceView["master"]>;

function preemptLine(view: InstanceView, settings: InstanceConfig | null, master: HeardMaster): string {
  if (settings?.vrrp.preempt === false)
    return "It does not preempt (nopreempt): a higher priority alone changes nothing.";
  if (view.priority > master.priority) {
    return `Its priority ${view.priority} is higher than ${master.priority}: it takes over by itself.`;
  }
  return `Or its priority has to rise from ${view.priority} above ${master.priority}.`;
}

function masterOutlook(view: InstanceView): string[] {
  if (view.addresses.length > 0 && !view.holding)
    return ["The addresses have to be put on the interface and announced."];
  return ["It stays MASTER until a check of weight 0 fails, a better master is heard, or it is stopped."];
}

function untilMaster(view: InstanceView, settings: InstanceConfig | null): string {
  const other = settings?.vrrp.preempt === false ? "other" : "better";
  return `, and becomes MASTER when no ${other} master is heard for ${lengthInWords(view.masterDownMillis)}`;
}

function gateLimit(settings: InstanceConfig | null): string {
  const gate = settings?.vrrp.claimGate;
  return gate == null ? "" : ` within ${lengthInWords(gate.timeout / 1_000)}`;
}

/** The claim gate: a managed server, a hook, or both. */
function gateInWords(settings: InstanceConfig | null): string {
  const hook = "notify_claim has to end with exit code 0";
  if (settings === null) return hook;
  const managed = [
    ...(settings.managesMysql === null ? [] : [`mysql ${settings.managesMysql}`]),
    ...(settings.managesRedis === null ? [] : [`redis ${settings.managesRedis}`]),
  ];
  if (managed.length === 0) return evidenceInWords(settings, hook);
  const shown = managed.map((one) => `\`holdfast takeover ${one.replace(/^\S+ /, "")}\``);
  const server = `${managed.join(" and ")} has to be ready (${shown.join(", ")} shows how)`;
  return settings.hooks.notify_claim === undefined ? server : `${server}, and ${hook}`;
}

function evidenceInWords(settings: InstanceConfig, hook: string): string {
  const needed = [
    ...(settings.gateways === null ? [] : [gatewaysInWords(settings.gateways)]),
    ...(settings.claimProbe == null ? [] : ["nobody else may answer for its addresses"]),
    ...(settings.hooks.notify_claim === undefined ? [] : [hook]),
  ];
  return needed.length === 0 ? hook : needed.join(", and ");
}

function gatewaysInWords({ gateways, quorum }: GatewayEvidence): string {
  return gateways.length === 1 ? `${gateways[0]} has to answer` : `${quorum} of ${gateways.join(", ")} have to answer`;
}
