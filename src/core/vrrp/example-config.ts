/**
 * A plain virtual router: keepalived's defaults, one address, multicast, version 2, no lease. Tests, wire vectors and the
 * keeper's warm-up start from it; real ones come from the configuration language.
 */
import type { IpAddress } from "../lib/ip.ts";
import { micros, seconds } from "../lib/units.ts";
import { type Authentication, DEFAULT_RECEIVE, type VirtualAddress, type VrrpInstanceConfig } from "./config.ts";
import type { ReceiveContext } from "./validate.ts";

export const ip = (text: string): IpAddress => text as IpAddress;

export function virtualAddress(text: string): VirtualAddress {
  return { address: ip(text), prefixLength: 32, device: null, broadcast: null, label: null, scope: 0 };
}

/** Eight bytes of a password, cut or padded as on the wire. */
export function password(text: string): Authentication {
  const bytes = Array.from({ length: 8 }, (_, at) => (at < text.length ? text.charCodeAt(at) : 0));
  return { kind: "pass", password: bytes };
}

export function configWith(changes: Partial<VrrpInstanceConfig> = {}): VrrpInstanceConfig {
  return { ...DEFAULTS, ...changes };
}

/** A router with this address, without keys, that has heard nobody yet. */
export function hearingAt(ownSource: IpAddress): ReceiveContext {
  return { ownSource, keyed: null, lastSource: null };
}

const DEFAULTS: VrrpInstanceConfig = {
  name: "VI_82",
  interface: "eth0",
  family: 4,
  version: 2,
  virtualRouterId: 82,
  priority: 100,
  advertInterval: seconds(1),
  initialState: "BACKUP",
  preempt: true,
  preemptDelay: micros(0),
  downTimerAdverts: 3,
  highestPeerPriority: 255,
  authentication: { kind: "none" },
  transport: { kind: "multicast", group: ip("224.0.0.18") },
  sourceAddress: null,
  requiresSource: false,
  advertised: [virtualAddress("192.0.2.100")],
  excluded: [],
  routes: [],
  rules: [],
  promoteSecondaries: false,
  trackScripts: [],
  trackFiles: [],
  trackProcesses: [],
  trackMysql: [],
  trackRedis: [],
  trackInterfaces: [],
  dontTrackPrimary: false,
  syncGroup: null,
  garp: {
    delay: seconds(5),
    repeat: 5,
    refresh: micros(0),
    refreshRepeat: 1,
    lowerPrioDelay: seconds(5),
    lowerPrioRepeat: 5,
    extraPeriod: micros(0),
    extraAll: false,
  },
  lowerPrioNoAdvert: false,
  higherPrioSendAdvert: false,
  ownerIgnoreAdverts: false,
  v3ChecksumAsV2: false,
  authHmac: null,
  soleSuccessor: false,
  receive: DEFAULT_RECEIVE,
  claimGate: null,
  releaseGate: null,
  virtualInterfaces: [],
  sendsVia: null,
  hearsVia: null,
  filter: null,
  leaseSeconds: null,
  fenceSpan: null,
};
