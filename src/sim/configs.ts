/** Builds the instance configurations of a run: what the configuration language would produce for equal files on all nodes. */
import type { IpAddress } from "../core/lib/ip.ts";
import { type Micros, millis, seconds } from "../core/lib/units.ts";
import {
  DEFAULT_RECEIVE,
  type SyncGroupMembership,
  type Transport,
  unicastTransport,
  type VrrpInstanceConfig,
} from "../core/vrrp/config.ts";
import { fenceSpan } from "../core/vrrp/fence.ts";
import { defaultLeaseSeconds } from "../core/vrrp/lease.ts";
import type { Setup } from "./options.ts";

export const INTERFACE = "eth0";
export const CHECK = "check";
export const GROUP = "G1";
export const CLAIM_TIMEOUT = seconds(5);
export const RELEASE_TIMEOUT = seconds(2);

const PRIORITIES = [100, 150, 200, 50, 250, 120];

/** Far apart, but every Master_Down_Interval is longer than any advert interval. */
const SHARES = [1, 2.5, 0.9, 1.8, 1.3, 1.6];

export const nodeAddress = (node: number): IpAddress => `192.0.2.${11 + node}` as IpAddress;
export const virtualAddress = (instance: number): IpAddress => `192.0.2.${100 + instance}` as IpAddress;

/** Instance number `instance` on node number `node`; instances favour different nodes. */
export function instanceConfig(setup: Setup, node: number, instance: number): VrrpInstanceConfig {
  const advertInterval = intervalOf(setup, node);
  const priority = setup.equalPriorities
    ? 100
    : (PRIORITIES[(node + (setup.groups ? 0 : instance)) % setup.nodes] ?? 100);
  const timing = { advertInterval, downTimerAdverts: 3 };
  const leaseSeconds = setup.lease === "off" ? null : defaultLeaseSeconds(timing);
  return {
    name: `VI_${instance + 1}`,
    interface: INTERFACE,
    family: 4,
    version: setup.version,
    virtualRouterId: 51 + instance,
    priority,
    ...timing,
    highestPeerPriority: 255,
    initialState: "BACKUP",
    preempt: !setup.nopreempt,
    preemptDelay: 0 as Micros,
    authentication:
      setup.version === 2 ? { kind: "pass", password: [0x31, 0x31, 0x31, 0x31, 0, 0, 0, 0] } : { kind: "none" },
    transport: transportOf(setup, node),
    sourceAddress: null,
    requiresSource: false,
    advertised: [
      {
        address: virtualAddress(instance),
        prefixLength: 32,
        device: null,
        broadcast: null,
        label: null,
        scope: 0,
      },
    ],
    excluded: [],
    routes: [],
    rules: [],
    promoteSecondaries: false,
    trackScripts: [{ key: CHECK, weight: 0, reverse: false }],
    trackFiles: [],
    trackProcesses: [],
    trackMysql: [],
    trackRedis: [],
    trackInterfaces: [],
    dontTrackPrimary: false,
    syncGroup: groupOf(setup),
    garp: {
      delay: seconds(5),
      repeat: 5,
      refresh: 0 as Micros,
      refreshRepeat: 1,
      lowerPrioDelay: seconds(5),
      lowerPrioRepeat: 5,
      extraPeriod: 0 as Micros,
      extraAll: false,
    },
    lowerPrioNoAdvert: false,
    higherPrioSendAdvert: true,
    ownerIgnoreAdverts: false,
    v3ChecksumAsV2: false,
    authHmac: null,
    soleSuccessor: false,
    receive: DEFAULT_RECEIVE,
    claimGate: setup.gates ? { timeout: CLAIM_TIMEOUT } : null,
    releaseGate: setup.gates ? { timeout: RELEASE_TIMEOUT } : null,
    virtualInterfaces: [],
    sendsVia: null,
    hearsVia: null,
    filter: null,
    leaseSeconds,
    fenceSpan: setup.fence ? fenceSpan({ ...timing, leaseSeconds }) : null,
  };
}

/** All instances of a node; then they favour the same node. */
function groupOf(setup: Setup): SyncGroupMembership | null {
  if (!setup.groups) return null;
  return {
    name: GROUP,
    members: Array.from({ length: setup.instances }, (_, instance) => `VI_${instance + 1}`),
    waitsForChecks: true,
    claimGate: setup.gates ? { timeout: CLAIM_TIMEOUT } : null,
    releaseGate: setup.gates ? { timeout: RELEASE_TIMEOUT } : null,
  };
}

function intervalOf(setup: Setup, node: number): Micros {
  const share = setup.mixedIntervals ? (SHARES[node] ?? 1) : 1;
  // Version 3 carries centiseconds.
  return millis(Math.max(10, Math.round((setup.intervalMillis * share) / 10) * 10));
}

function transportOf(setup: Setup, node: number): Transport {
  if (!setup.unicast) return { kind: "multicast", group: "224.0.0.18" as IpAddress };
  const peers = Array.from({ length: setup.nodes }, (_, other) => other)
    .filter((other) => other !== node)
    .map(nodeAddress);
  return unicastTransport(peers);
}
