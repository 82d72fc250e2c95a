/** What the checkers know of one instance on one node. Times named "At" are true time, "Local" the host's clock. */
import type { IpAddress } from "../core/lib/ip.ts";
import { ipv4FromBytes } from "../core/lib/ip.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import type { VrrpPhaseName, VrrpStateName } from "../core/vrrp/state.ts";

export interface Violation {
  /** Stable name of the invariant. */
  readonly rule: string;
  readonly text: string;
}

export interface Track {
  readonly node: number;
  readonly instance: number;
  readonly config: VrrpInstanceConfig;
  readonly address: IpAddress;
  /** Null while no keeper of this node has reported. */
  state: VrrpStateName | null;
  phase: VrrpPhaseName | null;
  phaseAt: number;
  /** The address is in the kernel although no running keeper answers for it: since when. */
  staleLocal: number | null;
  staleAt: number;
  /** Nothing had been wrong for long when that began, so the lease alone must exclude a second holder. */
  staleClean: boolean;
  missingLocal: number | null;
  /** Its fence has closed and its keeper runs: since when. */
  closedLocal: number | null;
  /** The kernel let the address go by itself and no election has been held since. */
  lost: boolean;
  readded: boolean;
  gateSerial: number;
  gateOpened: boolean;
  resigned: boolean;
  sentBeforeReport: boolean;
  advertLocal: number | null;
  anchorLocal: number;
  anchorCount: number;
  /** The oracle's Master_Down_Timer: not before, not after. */
  earliestLocal: number;
  latestLocal: number;
  masterSource: IpAddress | null;
  /** Who made us yield, during one packet. */
  beatenBy: IpAddress | null;
  /** When an advert of a higher priority was last heard, true time. */
  higherHeardAt: number;
  masterInterval: number;
  controlBadLocal: number | null;
  hookRunning: string | null;
  hooksDue: VrrpStateName[];
}

export function createTrack(node: number, instance: number, config: VrrpInstanceConfig): Track {
  const address = config.advertised[0]?.address;
  if (address === undefined) throw new Error(`${config.name} has no address`);
  return {
    node,
    instance,
    config,
    address,
    state: null,
    phase: null,
    phaseAt: 0,
    staleLocal: null,
    staleAt: 0,
    staleClean: false,
    missingLocal: null,
    closedLocal: null,
    lost: false,
    readded: false,
    gateSerial: 0,
    gateOpened: false,
    resigned: false,
    sentBeforeReport: false,
    advertLocal: null,
    anchorLocal: 0,
    anchorCount: 0,
    earliestLocal: Number.NEGATIVE_INFINITY,
    latestLocal: Number.POSITIVE_INFINITY,
    masterSource: null,
    beatenBy: null,
    higherHeardAt: Number.NEGATIVE_INFINITY,
    masterInterval: config.advertInterval,
    controlBadLocal: null,
    hookRunning: null,
    hooksDue: [],
  };
}

/** A new keeper knows nothing of the old one's life. */
export function forgetKeeper(track: Track, at: number): void {
  track.state = null;
  track.phase = null;
  track.phaseAt = at;
  track.lost = false;
  track.readded = false;
  track.gateOpened = false;
  track.resigned = false;
  track.sentBeforeReport = false;
  track.advertLocal = null;
  track.missingLocal = null;
  track.closedLocal = null;
}

export function speaks(phase: VrrpPhaseName | null): boolean {
  return phase === "MASTER" || phase === "CLAIMING" || phase === "RELEASING";
}

/** An advert as the checkers read it off the wire, without the product's decoder. */
export interface WireAdvert {
  readonly source: IpAddress;
  readonly virtualRouterId: number;
  readonly priority: number;
  /** Microseconds. */
  readonly interval: number;
}

export function readAdvert(packet: Uint8Array): WireAdvert {
  const at = ((packet[0] ?? 0) & 0x0f) * 4;
  const version = (packet[at] ?? 0) >> 4;
  const low = packet[at + 5] ?? 0;
  return {
    source: ipv4FromBytes(packet, 12),
    virtualRouterId: packet[at + 1] ?? 0,
    priority: packet[at + 2] ?? 0,
    interval: version === 2 ? low * 1_000_000 : (((packet[at + 4] ?? 0) & 0x0f) * 256 + low) * 10_000,
  };
}
