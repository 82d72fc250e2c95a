/** The engine's record of one virtual router: configuration, core state, and what is in the kernel on its behalf. */
import type { IpAddress } from "../core/lib/ip.ts";
import type { Instant } from "../core/lib/units.ts";
import type { FromKeeper } from "../core/link/messages.ts";
import type { Fault } from "../core/vrrp/causes.ts";
import type { VirtualAddress, VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { initialState, isHolding, nextDeadline, phaseName, stateName } from "../core/vrrp/machine.ts";
import type { VrrpState } from "../core/vrrp/state.ts";
import { type DropReason, emptyCounters, type VrrpCounters, type VrrpInstanceStatus } from "../core/vrrp/status.ts";
import { masterDownInterval } from "../core/vrrp/timers.ts";
import type { KeyPorts } from "../ports/digest.ts";
import type { AddressChange, AdvertChannel, Link } from "../ports/network.ts";
import { type Authentication, createAuthentication, hasKeys } from "./vrrp-authentication.ts";

/** Packets for one virtual router within a second. */
export interface StormWatch {
  since: number;
  packets: number;
  /** When the alarm may be raised again. */
  quietUntil: number;
}

export interface Runtime {
  config: VrrpInstanceConfig;
  state: VrrpState;
  /** The state's next deadline; infinity when there is none. A plain number because it is compared on every wake-up. */
  deadline: number;
  /** Advert slot; slot + 1 holds the advert of priority 0. */
  readonly slot: number;
  readonly counters: VrrpCounters;
  link: Link | null;
  /** Links that adverts leave and arrive by: the instance's own, or its virtual interface. */
  sendLink: Link | null;
  hearLink: Link | null;
  /** A virtual interface that could not be made. */
  virtualFault: Fault | null;
  /** Our source address as the host has it now. */
  observedSource: IpAddress | null;
  /** There is none yet, but one whose duplicate address detection goes on. */
  sourcePending: boolean;
  /** Index of the interface for which the sockets are open. */
  openedOn: number | null;
  /** What the prepared frames were made from; null when they must be made again. */
  preparedFor: string | null;
  /** Faults that only the engine sees: sockets that do not open. */
  socketFault: Fault | null;
  /** Addresses of ours that the kernel has. */
  held: readonly VirtualAddress[];
  /** Renewals as last made, and what they were made from. */
  renewals: {
    readonly held: readonly VirtualAddress[];
    readonly config: VrrpInstanceConfig;
    readonly links: readonly Link[];
    readonly lifetime: number | null;
    readonly changes: readonly AddressChange[];
  } | null;
  /** Until when the fence of `fence strict` is open in the kernel; null while none stands. */
  fencedUntil: Instant | null;
  /** Routes and rules of ours are to be in the kernel. */
  routed: boolean;
  announced: boolean;
  /** The master last heard while we were in FAULT or INIT and took no part. */
  heardOutside: VrrpInstanceStatus["master"];
  /** Keys at work; null when adverts are neither sealed nor proved. */
  keys: Authentication | null;
  /** Who sent the last advert that was obeyed. */
  lastSource: IpAddress | null;
  /** Packets for it, counted against storms. */
  readonly storm: StormWatch;
  /** A unicast peer speaks the checksum of keepalived before 1.3.6, and so do we. */
  oldChecksum: boolean;
  /** Reasons already reported since the last change of state. */
  readonly dropsReported: Set<DropReason>;
  /** When a conflict was last told, by address and MAC. */
  readonly conflictsTold: Map<string, Instant>;
  /** Takes part; not while an instance of the same name, which a reload has removed, still releases. */
  begun: boolean;
  /** Removed from the configuration, or the daemon stops. */
  retired: boolean;
}

/** Slots are never used again, so no two instances of one keeper ever ask a gate of the same number. */
const GATES_PER_SLOT = 1_000_000;

export function createRuntime(config: VrrpInstanceConfig, slot: number, now: Instant): Runtime {
  return {
    config,
    state: { ...initialState(config, now), gateSerial: slot * GATES_PER_SLOT },
    deadline: Number.POSITIVE_INFINITY,
    slot,
    counters: emptyCounters(),
    link: null,
    sendLink: null,
    hearLink: null,
    virtualFault: null,
    observedSource: null,
    sourcePending: false,
    openedOn: null,
    preparedFor: null,
    socketFault: null,
    held: [],
    renewals: null,
    fencedUntil: null,
    routed: false,
    announced: false,
    heardOutside: null,
    keys: null,
    lastSource: null,
    oldChecksum: false,
    storm: { since: 0, packets: 0, quietUntil: 0 },
    dropsReported: new Set(),
    conflictsTold: new Map(),
    begun: false,
    retired: false,
  };
}

/** Keys as the configuration has them now; sequence numbers that were used stay used. */
export function renewKeys(runtime: Runtime, ports: KeyPorts): void {
  const { config } = runtime;
  if (runtime.keys !== null) runtime.keys.reconfigure(config);
  else if (hasKeys(config)) runtime.keys = createAuthentication(config, ports);
}

/** The configuration as it goes on the wire: a peer may have made us speak the old checksum. */
export function wireConfig({ config, oldChecksum }: Runtime): VrrpInstanceConfig {
  const { transport } = config;
  if (!oldChecksum || transport.kind !== "unicast") return config;
  return { ...config, transport: { ...transport, checksum: "old" } };
}

/** The socket that brings this instance's adverts. */
export function channelOf({ authentication, family }: VrrpInstanceConfig): AdvertChannel {
  return authentication.kind === "ah" ? "ah" : family;
}

/** All addresses an instance carries while it is MASTER. */
export function addressesOf(config: VrrpInstanceConfig): readonly VirtualAddress[] {
  return config.excluded.length === 0 ? config.advertised : [...config.advertised, ...config.excluded];
}

export function setState(runtime: Runtime, state: VrrpState): void {
  runtime.state = state;
  runtime.deadline = nextDeadline(state) ?? Number.POSITIVE_INFINITY;
}

/** The instance whose deadline comes first, if that is before an instant. */
export function firstDue(runtimes: readonly Runtime[], before: number): Runtime | null {
  let first = before;
  let found: Runtime | null = null;
  for (const runtime of runtimes) {
    if (runtime.deadline >= first) continue;
    first = runtime.deadline;
    found = runtime;
  }
  return found;
}

export function statusAnswer(id: number, runtimes: readonly Runtime[], now: Instant): FromKeeper {
  return { type: "status", id, instances: runtimes.map((runtime) => statusOf(runtime, now)) };
}

function statusOf(runtime: Runtime, now: Instant): VrrpInstanceStatus {
  const { config, state } = runtime;
  const role = state.role;
  return {
    name: config.name,
    interface: config.interface,
    virtualRouterId: config.virtualRouterId,
    version: config.version,
    state: stateName(state),
    phase: phaseName(state),
    cause: state.cause,
    since: state.since,
    basePriority: config.priority,
    priority: state.priority,
    faults: state.faults,
    syncGroup: config.syncGroup?.name ?? null,
    wantsMaster: role.kind === "backup" && role.wants,
    addresses: addressesOf(config).map((entry) => entry.address) as readonly IpAddress[],
    holding: isHolding(state) && runtime.announced,
    leaseUntil: role.kind === "master" ? role.leaseUntil : null,
    fenceUntil: runtime.fencedUntil,
    master: masterHeard(runtime, now),
    source: state.source,
    timers: timersOf(runtime),
    ahSequence: runtime.keys?.ahSequence ?? null,
    counters: runtime.counters,
  };
}

function timersOf({ config, state, deadline }: Runtime): VrrpInstanceStatus["timers"] {
  const { role } = state;
  const masterAdvertInterval = role.kind === "backup" ? role.masterAdvertInterval : config.advertInterval;
  return {
    deadline: Number.isFinite(deadline) ? deadline : null,
    masterDown: masterDownInterval(config, state.priority, masterAdvertInterval),
    masterAdvertInterval,
  };
}

/** Who serves, as far as we can hear: the master of a BACKUP, or the one that advertises while we take no part. */
function masterHeard({ state: { role }, config, heardOutside }: Runtime, now: Instant): VrrpInstanceStatus["master"] {
  if (role.kind === "backup") {
    return role.master && { source: role.master.source, priority: role.master.priority, heardAt: role.master.at };
  }
  if (role.kind === "master" || heardOutside === null) return null;
  const silence = now - heardOutside.heardAt;
  return silence > masterDownInterval(config, config.priority, config.advertInterval) ? null : heardOutside;
}
