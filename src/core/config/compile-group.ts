/**
 * vrrp_sync_group: resolves its members, which may stand anywhere in the file, and makes what the group tracks part of each of
 * them. What keepalived leaves out is left out here too: unknown members, a second membership, members' own weights.
 */
import type { HookKind } from "../events/vocabulary.ts";
import { micros, seconds } from "../lib/units.ts";
import type { SyncGroupMembership, Tracked, VrrpInstanceConfig } from "../vrrp/config.ts";
import type { Command, InstanceConfig, SyncGroupConfig, TrackerLists } from "./model.ts";
import type { Settings } from "./settings.ts";
import { readSettings, rename } from "./settings.ts";
import { closest } from "./suggest.ts";
import { NO_TRACKERS, readTracked, type TrackContext, trackersOf } from "./tracked.ts";
import type { Node } from "./tree.ts";

const HOOKS = [
  "notify",
  "notify_master",
  "notify_backup",
  "notify_fault",
  "notify_stop",
] as const satisfies readonly HookKind[];

export interface GroupContext extends TrackContext {
  /** smtp_alert of groups that say nothing. */
  readonly mailDefault: boolean;
}

interface Work {
  readonly context: GroupContext;
  readonly instances: Map<string, InstanceConfig>;
  readonly groups: Map<string, SyncGroupConfig>;
}

/** `members` are all instances, in their order, with what their groups give them. */
export function compileGroups(
  nodes: readonly Node[],
  instances: readonly InstanceConfig[],
  context: GroupContext,
): { readonly groups: readonly SyncGroupConfig[]; readonly members: readonly InstanceConfig[] } {
  const work: Work = {
    context,
    instances: new Map(instances.map((instance) => [instance.vrrp.name, instance])),
    groups: new Map(),
  };
  for (const node of nodes) compileGroup(node, work);
  return { groups: [...work.groups.values()], members: [...work.instances.values()] };
}

function compileGroup(node: Node, work: Work): void {
  const { diagnostics } = work.context;
  const name = node.args[0]?.text;
  if (name === undefined) {
    const message = "`vrrp_sync_group` lacks its name and is left out";
    diagnostics.report("missing-argument", node.span, message, "write vrrp_sync_group NAME { ... }");
    return;
  }
  const earlier = work.groups.get(name);
  if (earlier !== undefined) {
    const message = `vrrp_sync_group ${name} is already defined in line ${earlier.span.line}; this one is left out`;
    diagnostics.report("duplicate-name", node.span, message, "rename one of the two");
    return;
  }
  const settings = readSettings(node.block ?? [], "vrrp_sync_group", diagnostics);
  const members = readMembers(name, settings, work);
  if (members.length < 2) {
    const message = `sync group ${name} has ${members.length === 1 ? "only one usable member" : "no usable member"}`;
    diagnostics.report("group-too-small", node.span, message, "name at least two instances in group { ... }");
  }
  if (members.length === 0) return;
  const tracked = joinMembers(name, { members, settings }, work);
  lintPriorities(node, name, members, work);
  work.groups.set(name, {
    name,
    members,
    hooks: readHooks(settings),
    hookTimeout: settings.duration("hook_timeout") ?? seconds(60),
    mail: settings.flag("smtp_alert") ?? work.context.mailDefault,
    priorityChanges: settings.flag("notify_priority_changes") ?? false,
    trackingWeight: settings.node("sync_group_tracking_weight") !== null,
    tracked,
    span: node.span,
  });
}

/** One name per line, or several. */
function readMembers(group: string, settings: Settings, work: Work): readonly string[] {
  const members: string[] = [];
  for (const line of settings.nodes("group").flatMap((node) => node.block ?? [])) {
    for (const name of [line.keyword, ...line.args.map((word) => word.text)]) {
      const instance = work.instances.get(name);
      const other = members.includes(name) ? group : (instance?.vrrp.syncGroup?.name ?? null);
      if (instance === undefined) reportUnknown({ group, name, line }, work);
      else if (other !== null) reportTwice({ group, name, line }, other, work);
      else members.push(name);
    }
  }
  return members;
}

interface Mention {
  readonly group: string;
  readonly name: string;
  readonly line: Node;
}

function reportUnknown({ group, name, line }: Mention, { instances, context }: Work): void {
  const near = closest(name, [...instances.keys()]);
  context.diagnostics.report(
    "unknown-member",
    line.span,
    `sync group ${group} names ${name}, and there is no such usable vrrp_instance; the group goes without it`,
    near === null ? "name an instance of this file" : `did you mean \`${near}\`?`,
  );
}

function reportTwice({ group, name, line }: Mention, other: string, { context }: Work): void {
  const then = other === group ? "once is enough" : `${group} goes without it`;
  context.diagnostics.report(
    "member-twice",
    line.span,
    `${name} belongs to sync group ${other} already; ${then}`,
    "name each instance in one sync group",
  );
}

/** What the group tracks, as its first member does. */
function joinMembers(
  name: string,
  { members, settings }: { readonly members: readonly string[]; readonly settings: Settings },
  { instances, context }: Work,
): TrackerLists {
  const node = settings.node("sync_group_tracking_weight");
  if (node?.keyword === "global_tracking") {
    const message = `${name}: \`global_tracking\` is old; it means sync_group_tracking_weight`;
    const fix = rename(node, "sync_group_tracking_weight");
    const text = "track for the whole group, in vrrp_sync_group";
    context.diagnostics.report("deprecated", node.span, message, { text, fix });
  }
  const gates = members.map((member) => instances.get(member)?.vrrp);
  const syncGroup: SyncGroupMembership = {
    name,
    members,
    waitsForChecks:
      settings.has("track_script") ||
      settings.has("track_mysql") ||
      settings.has("track_redis") ||
      members.some((member) => tracksChecks(instances.get(member)?.vrrp)),
    claimGate: longest(gates.map((vrrp) => vrrp?.claimGate ?? null)),
    releaseGate: longest(gates.map((vrrp) => vrrp?.releaseGate ?? null)),
  };
  let tracked: TrackerLists = NO_TRACKERS;
  for (const member of members) {
    const instance = instances.get(member);
    if (instance === undefined) continue;
    const own = node === null ? withoutWeights(instance, context) : instance.vrrp;
    // Once for each member: a check with per_instance runs for each of them. Only the first reading reports.
    const quiet = member === members[0] ? context : { ...context, diagnostics: SILENT };
    const ofGroup = readTracked(settings, { name: member, interface: instance.vrrp.interface }, quiet);
    const notices = settings.flag("notify_priority_changes")
      ? { ...instance.notices, priorityChanges: true }
      : instance.notices;
    if (member === members[0]) tracked = ofGroup;
    const written = { ...instance.written, trackers: trackersOf(own) };
    instances.set(member, { ...instance, notices, written, vrrp: { ...own, ...merge(own, ofGroup), syncGroup } });
  }
  return tracked;
}

const SILENT = { list: [], report: () => undefined };

const tracksChecks = (
  vrrp: Pick<VrrpInstanceConfig, "trackScripts" | "trackMysql" | "trackRedis"> | undefined,
): boolean => vrrp !== undefined && vrrp.trackScripts.length + vrrp.trackMysql.length + vrrp.trackRedis.length > 0;

function longest(gates: readonly VrrpInstanceConfig["claimGate"][]): VrrpInstanceConfig["claimGate"] {
  const timeouts = gates.flatMap((gate) => (gate === null ? [] : [gate.timeout]));
  return timeouts.length === 0 ? null : { timeout: micros(Math.max(...timeouts)) };
}

const LISTS = [
  "trackScripts",
  "trackInterfaces",
  "trackFiles",
  "trackProcesses",
  "trackMysql",
  "trackRedis",
] as const satisfies readonly (keyof TrackerLists)[];

/** keepalived drops them: members that weigh differently would be torn apart. */
function withoutWeights({ vrrp, span }: InstanceConfig, { diagnostics }: TrackContext): VrrpInstanceConfig {
  const dropped = LISTS.flatMap((list) => vrrp[list].filter((tracked) => tracked.weight !== 0));
  if (dropped.length === 0) return vrrp;
  diagnostics.report(
    "group-weight-ignored",
    span,
    `${vrrp.name} is in a sync group: what it tracks with a weight (${dropped.map((tracked) => tracked.key).join(", ")}) is ignored`,
    "track it in the vrrp_sync_group, or set sync_group_tracking_weight there",
  );
  const kept = Object.fromEntries(LISTS.map((list) => [list, vrrp[list].filter((tracked) => tracked.weight === 0)]));
  return { ...vrrp, ...kept };
}

/** What the group tracks comes on top; of two entries for one thing the group's counts. */
function merge(own: TrackerLists, ofGroup: TrackerLists): TrackerLists {
  const joined = (list: (typeof LISTS)[number]): readonly Tracked[] => {
    const keys = ofGroup[list].map((tracked) => tracked.key);
    return [...own[list].filter((tracked) => !keys.includes(tracked.key)), ...ofGroup[list]];
  };
  return {
    trackScripts: joined("trackScripts"),
    trackInterfaces: joined("trackInterfaces"),
    trackFiles: joined("trackFiles"),
    trackProcesses: joined("trackProcesses"),
    trackMysql: joined("trackMysql"),
    trackRedis: joined("trackRedis"),
  };
}

function lintPriorities(node: Node, name: string, members: readonly string[], { instances, context }: Work): void {
  const priorities = members.map((member) => instances.get(member)?.vrrp.priority);
  if (new Set(priorities).size < 2) return;
  context.diagnostics.report(
    "group-priorities",
    node.span,
    `the members of ${name} have the priorities ${priorities.join(", ")}: if each of two hosts is higher in one of them, neither gets the whole group by its priority`,
    "give all members on one host the same priority",
  );
}

function readHooks(settings: Settings): Readonly<Partial<Record<HookKind, Command>>> {
  const hooks: Partial<Record<HookKind, Command>> = {};
  for (const kind of HOOKS) {
    const command = settings.command(kind);
    if (command !== null) hooks[kind] = command;
  }
  return hooks;
}
