/** The section "VRRP Sync groups" of keepalived's data dump. */
import type { SyncGroupConfig } from "../config/model.ts";
import type { HookKind } from "../events/vocabulary.ts";
import type { VrrpStateName } from "../vrrp/state.ts";
import type { VrrpInstanceStatus } from "../vrrp/status.ts";
import { type DumpInput, type DumpText, yesNo } from "./input.ts";
import { baseKey, commandText, ownerText, weightText } from "./words.ts";

export function groupData(text: DumpText, input: DumpInput): void {
  if (input.config.groups.length === 0) return;
  text.section("VRRP Sync groups");
  for (const group of input.config.groups) oneGroup(text, input, group);
}

function oneGroup(text: DumpText, input: DumpInput, group: SyncGroupConfig): void {
  const members = input.instances.filter(({ name }) => group.members.includes(name));
  const initial = members.filter(({ state }) => state === "INIT").length;
  text.line(0, `VRRP Sync Group = ${group.name}, ${groupState(members)}`);
  text.line(1, `Num member fault ${members.filter(hasOwnFault).length}, num member init ${initial}`);
  text.line(1, "VRRP member instances :");
  for (const name of group.members) text.line(2, name);
  if (group.trackingWeight) text.line(1, "sync group tracking weight set");
  text.field(1, "Using smtp notification", yesNo(group.mail));
  if (group.priorityChanges) text.field(1, "Notify priority changes", yesNo(true));
  tracked(text, group);
  hooks(text, input, group);
}

/** A member that only follows another one into FAULT has none of its own. */
const hasOwnFault = ({ faults }: VrrpInstanceStatus): boolean => faults.some(({ kind }) => kind !== "sibling");

/** The group stands where its members stand together; on the way there it is the least of them. */
function groupState(members: readonly VrrpInstanceStatus[]): VrrpStateName {
  const order: readonly VrrpStateName[] = ["FAULT", "STOP", "INIT", "BACKUP", "MASTER"];
  return order.find((state) => members.some((member) => member.state === state)) ?? "INIT";
}

function tracked(text: DumpText, { tracked: lists }: SyncGroupConfig): void {
  const list = (title: string, entries: readonly string[]): void => {
    if (entries.length > 0) text.line(1, `${title} :`);
    for (const entry of entries) text.line(2, entry);
  };
  list(
    "Tracked interfaces",
    lists.trackInterfaces.map((one) => `${one.key} ${weightText(one)}`),
  );
  list(
    "Tracked scripts",
    lists.trackScripts.map((one) => `${baseKey(one.key)} ${weightText(one)}`),
  );
  list(
    "Tracked files",
    lists.trackFiles.map((one) => `${one.key}, ${weightText(one)}`),
  );
  // In the singular here, in the plural in an instance.
  list(
    "Tracked process",
    lists.trackProcesses.map((one) => `${one.key}, ${weightText(one)}`),
  );
}

/** In keepalived's order. */
const HOOKS: readonly (readonly [HookKind, string])[] = [
  ["notify_backup", "Backup"],
  ["notify_master", "Master"],
  ["notify_fault", "Fault"],
  ["notify_stop", "Stop"],
  ["notify", "Generic"],
];

function hooks(text: DumpText, input: DumpInput, group: SyncGroupConfig): void {
  for (const [kind, name] of HOOKS) {
    const command = group.hooks[kind];
    if (command === undefined) continue;
    text.field(1, `${name} state transition script`, `${commandText(command)}, uid:gid ${ownerText(command, input)}`);
  }
}
