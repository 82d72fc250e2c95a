/**
 * vrrp_instance: defaults and adjustments as keepalived 2.2.7 makes them. What keepalived drops is dropped here too,
 * with an error that says so; nothing is silently different.
 */

import type { HookKind } from "../events/vocabulary.ts";
import type { Micros } from "../lib/units.ts";
import { micros, seconds } from "../lib/units.ts";
import { type Transport, unicastTransport, type VrrpInstanceConfig } from "../vrrp/config.ts";
import { fenceSpan } from "../vrrp/fence.ts";
import { defaultLeaseSeconds, minimumLeaseSeconds } from "../vrrp/lease.ts";
import { readPeers } from "./addresses.ts";
import { readAuthentication } from "./compile-authentication.ts";
import { readGateways } from "./compile-evidence.ts";
import { readGarp } from "./compile-garp.ts";
import { readGroup } from "./compile-globals.ts";
import { readAuthHmac } from "./compile-hmac.ts";
import type { RoutingTools } from "./compile-host.ts";
import { hasOnePeer, managesUnknown, readGates } from "./compile-managed.ts";
import { readChecksumMode, readPeerTtls, readReceive } from "./compile-receive.ts";
import { isStrict } from "./compile-strict.ts";
import { withVirtualInterfaces } from "./compile-virtual.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import { addressOfFamily, checkNativeIpv6, type FamilyContext, instanceFamily, readVersion } from "./family.ts";
import type { InstanceDefaults } from "./instance-defaults.ts";
import type { Command, InstanceConfig } from "./model.ts";
import { misspellsSafety } from "./own-safety.ts";
import { readRoutes } from "./route-line.ts";
import { readRules } from "./rule-line.ts";
import type { Settings } from "./settings.ts";
import { readSettings, replaceArgument, wordSpan } from "./settings.ts";
import type { KeySource } from "./source.ts";
import { readTracked, type TrackContext, trackersOf } from "./tracked.ts";
import type { Node } from "./tree.ts";
import { readVips } from "./vips.ts";

const LOOPBACK = "lo";
const HOOK_TIMEOUT = seconds(60);
const HOOKS = [
  "notify",
  "notify_master",
  "notify_backup",
  "notify_fault",
  "notify_stop",
  "notify_claim",
  "notify_release",
  "notify_deleted",
  "notify_master_rx_lower_pri",
] as const satisfies readonly HookKind[];

export interface InstanceContext extends TrackContext {
  readonly defaults: InstanceDefaults;
  readonly tools: RoutingTools;
  /** For keys that stand in files. */
  readonly source: KeySource;
  /** Names of virtual interfaces given away so far. */
  readonly taken: Set<string>;
}

export function compileInstance(node: Node, context: InstanceContext): InstanceConfig | null {
  const { diagnostics } = context;
  const name = node.args[0]?.text;
  if (name === undefined) {
    diagnostics.report(
      "missing-argument",
      node.span,
      "`vrrp_instance` lacks its name",
      "write vrrp_instance NAME { ... }",
    );
    return null;
  }
  const settings = readSettings(node.block ?? [], "vrrp_instance", diagnostics);
  const virtualRouterId = settings.number("virtual_router_id");
  const device = settings.text("interface");
  if (virtualRouterId === null) {
    diagnostics.report(
      "missing-vrid",
      node.span,
      `${name} has no virtual_router_id and is left out`,
      "write virtual_router_id N, equal on all hosts of this instance",
    );
  }
  if (device === null) {
    diagnostics.report(
      "missing-interface",
      node.span,
      `${name} has no interface and is left out`,
      "write interface NAME",
    );
  }
  if (device === LOOPBACK) {
    diagnostics.report(
      "loopback-interface",
      settings.node("interface")?.span ?? node.span,
      `${name} is on the loopback interface, which no peer is on, and is left out`,
      "write interface NAME with the interface that reaches the peers",
    );
  }
  // Read also when it is left out: whoever mends the file wants to hear of everything at once.
  const identity = { name, virtualRouterId: virtualRouterId ?? 0, interface: device ?? "" };
  const plain = compileVrrp(node, identity, settings, context);
  if (plain === null || virtualRouterId === null || device === null || device === LOOPBACK) return null;
  const vrrp = withVirtualInterfaces(plain, settings, context);
  return {
    vrrp,
    hooks: readHooks(settings),
    hookTimeout: settings.duration("hook_timeout") ?? defaultHookTimeout(vrrp),
    notices: {
      mail: settings.flag("smtp_alert") ?? context.defaults.notices.mail,
      priorityChanges: settings.flag("notify_priority_changes") ?? context.defaults.notices.priorityChanges,
      deleted: settings.has("notify_deleted"),
    },
    gateways: readGateways(settings, name, diagnostics),
    claimProbe: settings.duration("claim_probe"),
    managesMysql: settings.text("manage_mysql"),
    managesRedis: settings.text("manage_redis"),
    written: {
      strict: isStrict(settings, context.defaults.strict),
      ownInterface: vrrp.virtualInterfaces.length > 0 && (settings.has("use_vmac") || settings.has("use_ipvlan")),
      addressInterfaces: settings.has("use_vmac_addr"),
      faultWithoutPeer: settings.has("unicast_fault_no_peer"),
      trackers: trackersOf(vrrp),
    },
    span: node.span,
  };
}

/** A claim waits for the hooks before it: one of them that hangs must leave it time. */
function defaultHookTimeout({ claimGate }: VrrpInstanceConfig): Micros {
  return claimGate === null ? HOOK_TIMEOUT : micros(Math.round(claimGate.timeout / 2));
}

function readHooks(settings: Settings): Readonly<Partial<Record<HookKind, Command>>> {
  const hooks: Partial<Record<HookKind, Command>> = {};
  for (const kind of HOOKS) {
    const command = settings.command(kind);
    if (command !== null) hooks[kind] = command;
  }
  return hooks;
}

function compileVrrp(
  node: Node,
  identity: { name: string; virtualRouterId: number; interface: string },
  settings: Settings,
  context: InstanceContext,
): VrrpInstanceConfig | null {
  const { defaults, diagnostics } = context;
  const family = instanceFamily(node.block ?? []);
  const inFamily = { name: identity.name, family, diagnostics };
  checkNativeIpv6(settings, inFamily);
  const version = readVersion(node.block ?? [], settings, defaults.version, inFamily);
  const flag = (name: string, fallback: boolean): boolean => settings.flag(name) ?? fallback;
  const advertInterval = readInterval(settings, version, diagnostics);
  const downTimerAdverts = settings.number("down_timer_adverts") ?? defaults.downTimerAdverts;
  const authHmac = readAuthHmac(settings, { name: identity.name, advertInterval }, context);
  // An address without the preparation that it was promised would lead clients to a server that nobody opened or closed.
  if (managesUnknown(settings, identity.name, context)) return null;
  if (misspellsSafety(identity.name, node.block ?? [], diagnostics)) return null;
  // Neither unsigned among hosts that sign, nor with keys that nobody else has: such a node would serve beside another.
  if (authHmac === "unusable") return null;
  const authentication = readAuthentication(settings, { version, family, signed: authHmac !== null }, diagnostics);
  const path = readPath(settings, defaults, inFamily);
  const leaseSeconds = readLease(settings, { advertInterval, downTimerAdverts }, diagnostics);
  // A word that is not understood is meant to fence.
  const fenced = (node.block ?? []).some(({ keyword }) => keyword === "fence") && settings.text("fence") !== "off";
  const standing = readStanding(settings, identity.name, authentication.kind === "ah", diagnostics);
  const highestPeerPriority = readHighestPeer(settings, diagnostics);
  const vips = readVips(node, settings, inFamily);
  const routing = readRouting(settings, context);
  const tracked = readTracked(settings, identity, context);
  const gates = readGates(settings, context, advertInterval);
  // Field by field: a spread inside a literal of this size takes V8 a tenth of a millisecond, and there may be a thousand instances.
  return {
    name: identity.name,
    virtualRouterId: identity.virtualRouterId,
    interface: identity.interface,
    family,
    version,
    initialState: standing.initialState,
    priority: standing.priority,
    preempt: standing.preempt,
    preemptDelay: standing.preemptDelay,
    advertInterval,
    downTimerAdverts,
    highestPeerPriority,
    authentication,
    authHmac,
    receive: readReceive(settings, defaults),
    transport: path.transport,
    sourceAddress: path.sourceAddress,
    requiresSource: path.requiresSource,
    soleSuccessor: authHmac?.mode === "enforce" && hasOnePeer(settings, path.transport, context),
    advertised: vips.advertised,
    excluded: vips.excluded,
    routes: routing.routes,
    rules: routing.rules,
    promoteSecondaries: flag("promote_secondaries", false),
    trackScripts: tracked.trackScripts,
    trackInterfaces: tracked.trackInterfaces,
    trackFiles: tracked.trackFiles,
    trackProcesses: tracked.trackProcesses,
    trackMysql: tracked.trackMysql,
    trackRedis: tracked.trackRedis,
    syncGroup: null,
    dontTrackPrimary: flag("dont_track_primary", false),
    garp: readGarp(settings, defaults, diagnostics),
    lowerPrioNoAdvert: flag("lower_prio_no_advert", defaults.lowerPrioNoAdvert),
    higherPrioSendAdvert: flag("higher_prio_send_advert", defaults.higherPrioSendAdvert),
    ownerIgnoreAdverts: flag("owner_ignore_adverts", defaults.ownerIgnoreAdverts),
    v3ChecksumAsV2: flag("v3_checksum_as_v2", defaults.v3ChecksumAsV2),
    claimGate: gates.claimGate,
    releaseGate: gates.releaseGate,
    virtualInterfaces: [],
    sendsVia: null,
    hearsVia: null,
    filter: null,
    leaseSeconds,
    fenceSpan: fenced ? fenceSpan({ advertInterval, downTimerAdverts, leaseSeconds }) : null,
  };
}

type Standing = Pick<VrrpInstanceConfig, "initialState" | "priority" | "preempt" | "preemptDelay">;

/** State, priority and preemption, which depend on each other. */
function readStanding(settings: Settings, name: string, ah: boolean, diagnostics: DiagnosticSink): Standing {
  const given = settings.number("priority");
  const state = settings.text("state");
  const master = state === "MASTER";
  const priority = given ?? (master ? 255 : 100);
  const preemptDelay = settings.duration("preempt_delay") ?? micros(0);
  const nopreempt = lastOf(settings, "nopreempt", "preempt") === "nopreempt";
  // keepalived: an owner that names no state starts as MASTER.
  const wanted = priority === 255 && state === null ? "MASTER" : master ? "MASTER" : "BACKUP";
  const initialState = ah ? "BACKUP" : wanted;
  if (ah && master) clearedByAh(settings, name, priority, diagnostics);
  if (!master) return { initialState, priority, preempt: !nopreempt, preemptDelay };
  clearedByMaster(settings, nopreempt ? "nopreempt" : null, name, diagnostics);
  clearedByMaster(settings, preemptDelay > 0 ? "preempt_delay" : null, name, diagnostics);
  return { initialState, priority, preempt: true, preemptDelay: micros(0) };
}

function clearedByAh(settings: Settings, name: string, priority: number, diagnostics: DiagnosticSink): void {
  diagnostics.report(
    priority === 255 ? "ah-clears-owner" : "ah-clears-master",
    settings.node("state")?.span ?? null,
    `${name}: state MASTER is cleared, because with auth_type AH a master must first hear where the numbers stand`,
    "write state BACKUP on all hosts; the priority decides who begins",
  );
}

function clearedByMaster(settings: Settings, keyword: string | null, name: string, diagnostics: DiagnosticSink): void {
  if (keyword === null) return;
  diagnostics.report(
    "master-clears-nopreempt",
    settings.node(keyword)?.span ?? null,
    `${name}: \`${keyword}\` is cleared, because the state is MASTER`,
    "write state BACKUP on both hosts; the priority decides who begins",
  );
}

/** Which of two opposite keywords stands last. */
function lastOf(settings: Settings, first: string, second: string): string | null {
  const a = settings.node(first);
  const b = settings.node(second);
  if (a === null || b === null) return a !== null ? first : b !== null ? second : null;
  return a.line > b.line ? first : second;
}

const V3_LONGEST = 40_950_000;

/** Whole seconds in version 2, centiseconds in version 3. */
function readInterval(settings: Settings, version: 2 | 3, diagnostics: DiagnosticSink): Micros {
  const given = settings.duration("advert_int");
  if (given === null) return seconds(1);
  const unit = version === 2 ? 1_000_000 : 10_000;
  let value = Math.max(unit, Math.round(given / unit) * unit);
  if (version === 3) value = Math.min(value, V3_LONGEST);
  if (value !== given) {
    const rule =
      version === 2 ? "version 2 counts whole seconds" : "version 3 counts hundredths of a second up to 40.95";
    const node = settings.node("advert_int");
    const message = `advert_int ${given / 1e6} becomes ${value / 1e6}: ${rule}`;
    const text = version === 2 ? "write whole seconds, or version 3" : null;
    const fix = node === null ? null : replaceArgument(node, 0, String(value / 1e6));
    diagnostics.report("adjusted", node?.span ?? null, message, { text, fix });
  }
  return micros(value);
}

/** IPv6: the kernel's hop limit, which keepalived leaves as it is. */
const UNICAST_TTL = { 4: 255, 6: 64 } as const;

/** timer_expired_backup [PRIO]: Holdfast always gives up in time; the number says how patient the peers are. */
function readHighestPeer(settings: Settings, diagnostics: DiagnosticSink): number {
  const node = settings.node("timer_expired_backup");
  const word = node?.args[0];
  if (node === null || word === undefined) return 255;
  const priority = /^\d{1,3}$/.test(word.text) ? Number(word.text) : 0;
  if (priority >= 1 && priority <= 254) return priority;
  const message = `\`${word.text}\` is no priority of a peer and is ignored`;
  diagnostics.report("bad-value", wordSpan(node, word), message, "write timer_expired_backup [1 to 254]");
  return 255;
}

type Path = Pick<VrrpInstanceConfig, "transport" | "sourceAddress" | "requiresSource">;

/** Where adverts come from and go to. */
function readPath(settings: Settings, defaults: InstanceDefaults, context: FamilyContext): Path {
  const transport = readTransport(settings, defaults, context);
  const sourceAddress = addressOfFamily(settings, "unicast_src_ip", context);
  const needed = context.family === 6 || transport.kind === "unicast";
  return { transport, sourceAddress, requiresSource: needed || settings.has("track_src_ip") };
}

function readTransport(settings: Settings, defaults: InstanceDefaults, context: FamilyContext): Transport {
  const { family, diagnostics } = context;
  const multicast: Transport = {
    kind: "multicast",
    group: readGroup(settings, "mcast_dst_ip", context) ?? defaults.groups[family],
  };
  const blocks = settings.nodes("unicast_peer");
  if (blocks.length === 0) return settings.has("unicast_fault_no_peer") ? unicastTransport([]) : multicast;
  const peers = readPeers(blocks, context);
  const node = blocks[0];
  // Without a peer there is nobody to send to: FAULT, and never the multicast group.
  if (peers.length === 0 && settings.has("unicast_fault_no_peer")) return unicastTransport([]);
  if (peers.length === 0) {
    diagnostics.report(
      "no-unicast-peer",
      node?.span ?? null,
      "unicast_peer names no usable peer; adverts go to the multicast group",
      "name the other hosts' addresses, or remove the block",
    );
    return multicast;
  }
  const own = settings.address("unicast_src_ip");
  if (own !== null && peers.includes(own)) {
    diagnostics.report(
      "peer-is-self",
      node?.span ?? null,
      `unicast_peer contains the own address ${own}`,
      "name only the other hosts",
    );
  }
  const peerTtls = readPeerTtls(blocks, diagnostics);
  return unicastTransport(peers, {
    ttl: settings.number("unicast_ttl") ?? UNICAST_TTL[family],
    // A range of TTLs means nothing for hosts that are no peers.
    checkSource: peerTtls.length > 0 || (settings.flag("check_unicast_src") ?? defaults.checkUnicastSource),
    peerTtls,
    checksum: readChecksumMode(settings, diagnostics),
  });
}

function readRouting(
  settings: Settings,
  { tools, diagnostics }: InstanceContext,
): Pick<VrrpInstanceConfig, "routes" | "rules"> {
  const context = { names: tools.names, diagnostics, trackGroups: null };
  return {
    routes: readRoutes(settings.nodes("virtual_routes"), context).map(({ route }) => route),
    rules: readRules(settings.nodes("virtual_rules"), context, tools.priorities).map(({ rule }) => rule),
  };
}

const LONGEST_LEASE = 86_400;

function readLease(
  settings: Settings,
  timing: { readonly advertInterval: Micros; readonly downTimerAdverts: number },
  diagnostics: DiagnosticSink,
): number | null {
  const text = settings.text("vip_lease");
  if (text === null) return defaultLeaseSeconds(timing);
  if (text === "off") return null;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  // A shorter one would run out from advert to advert.
  const shortest = minimumLeaseSeconds(timing);
  if (value >= shortest && value <= LONGEST_LEASE) return value;
  diagnostics.report(
    "bad-value",
    settings.node("vip_lease")?.span ?? null,
    `\`vip_lease ${text}\` is not understood; the default is used`,
    `write vip_lease SECONDS, from ${shortest} to ${LONGEST_LEASE} at this advert_int, or vip_lease off`,
  );
  return defaultLeaseSeconds(timing);
}
