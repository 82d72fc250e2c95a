/**
 * What one virtual router needs to know, complete: every default is set, every name resolved. The configuration
 * language produces it (core/config), the keeper receives it over the socket pair, the simulator builds it directly.
 */

import type { Family, IpAddress } from "../lib/ip.ts";
import type { Micros } from "../lib/units.ts";
import type { FirewallSettings } from "../nftables/ruleset.ts";
import type { Route, Rule } from "../routing/model.ts";
import type { VirtualInterface } from "./virtual-interface.ts";

/** One address of virtual_ipaddress or virtual_ipaddress_excluded. */
export interface VirtualAddress {
  readonly address: IpAddress;
  /** 0 to 32 or 128; keepalived's default is the whole address. */
  readonly prefixLength: number;
  /** Interface that carries the address; null means the instance's own. */
  readonly device: string | null;
  readonly broadcast: IpAddress | null;
  readonly label: string | null;
  /** rtnetlink scope: 0 global, 200 site, 253 link, 254 host. */
  readonly scope: number;
  /** Options that few addresses have; absent means none of them. */
  readonly options?: AddressOptions;
}

export interface AddressOptions {
  /** Other end of a point-to-point link; the prefix length is then its. */
  readonly peer: IpAddress | null;
  /** IFA_F_* of linux/if_addr.h: HOMEADDRESS, MANAGETEMPADDR, NOPREFIXROUTE, MCAUTOJOIN. */
  readonly flags: number;
  /** Duplicate address detection of IPv6 is done (`-nodad`); keepalived leaves it out otherwise. */
  readonly duplicateDetection: boolean;
  /** Seconds; "forever"; null means keepalived's default: 0 for a /128, else for ever. */
  readonly preferredLifetime: number | "forever" | null;
  /** That somebody deletes it changes nothing (`no_track`). */
  readonly untracked: boolean;
}

export type Authentication =
  | { readonly kind: "none" }
  /** Exactly eight bytes, padded with zeros, sent in clear (RFC 2338 section 5.3.6.2). */
  | { readonly kind: "pass"; readonly password: readonly number[] }
  /** Authentication header (RFC 2402), keyed with eight bytes; version 2 over IPv4 only (core/vrrp/ah.ts). */
  | { readonly kind: "ah"; readonly password: readonly number[] };

/** HMAC trailer (keepalived 2.4.2, core/vrrp/hmac-trailer.ts); never together with `authentication`. */
export interface AuthHmac {
  /** 1 to 255 each, 32 to 64 bytes; several while they are being changed. */
  readonly keys: readonly { readonly id: number; readonly secret: readonly number[] }[];
  /** The key that signs. */
  readonly activeKey: number;
  /** Seconds that the wall clocks may differ, 1 to 300; null means `anti_replay monotonic`. */
  readonly timeWindow: number | null;
  /**
   * enforce: sign, believe signed adverts only. permissive: sign, believe unsigned ones too. receive-only: do not sign yet.
   * A trailer that is there must be right in every mode.
   */
  readonly mode: "enforce" | "permissive" | "receive-only";
}

/** TTLs or hop limits that a unicast peer's adverts may arrive with, 0 to 255. */
export interface PeerTtl {
  readonly peer: IpAddress;
  readonly min: number;
  readonly max: number;
}

/** What one instance adds to the receive buffer of its socket; the socket gets the sum. */
export type ReceiveBuffer =
  /** Nothing was asked for: our own default, room for a flood of one second. */
  | { readonly kind: "default" }
  | { readonly kind: "bytes"; readonly bytes: number }
  /** So many adverts, or so many packets of the interface's MTU. */
  | { readonly kind: "adverts" | "mtu"; readonly count: number };

export type Transport =
  | { readonly kind: "multicast"; readonly group: IpAddress }
  /** ttl is what we send; checkSource drops adverts from addresses that are no peer. */
  | {
      readonly kind: "unicast";
      readonly peers: readonly IpAddress[];
      readonly ttl: number;
      readonly checkSource: boolean;
      /** Only peers with min_ttl or max_ttl. */
      readonly peerTtls: readonly PeerTtl[];
      /**
       * The pseudo-header's destination in version 3 over IPv4: `new` is the peer, `old` the multicast group (keepalived before 1.3.6),
       * `auto` is new until a peer speaks old.
       */
      readonly checksum: "auto" | "old" | "new";
    };

export type UnicastTransport = Extract<Transport, { readonly kind: "unicast" }>;

/** As a file says that names the peers alone, but for `changes`. */
export function unicastTransport(
  peers: readonly IpAddress[],
  changes: Partial<Omit<UnicastTransport, "kind" | "peers">> = {},
): UnicastTransport {
  return { kind: "unicast", peers, ttl: 255, checkSource: false, peerTtls: [], checksum: "auto", ...changes };
}

/** How a tracked object acts: weight 0 means FAULT while it fails, otherwise the weight moves the priority. */
export interface Tracked {
  /** Name of the interface, file or process, or key of the script's state: `NAME`, or `NAME@INSTANCE` for one run per instance. */
  readonly key: string;
  /** -253 to 253. */
  readonly weight: number;
  readonly reverse: boolean;
}

export interface Garp {
  /** Pause before the second burst after becoming MASTER; 0 means no second burst. */
  readonly delay: Micros;
  /** Frames per address in a burst. */
  readonly repeat: number;
  /** Period of the refresh while MASTER; 0 means none. */
  readonly refresh: Micros;
  readonly refreshRepeat: number;
  /** The same two for a burst after a lower-priority master was heard. */
  readonly lowerPrioDelay: Micros;
  readonly lowerPrioRepeat: number;
  /** Period of one frame per address on interfaces other than the instance's own, while MASTER; 0 means none. */
  readonly extraPeriod: Micros;
  /** On every such interface; otherwise on virtual MAC interfaces only. */
  readonly extraAll: boolean;
}

/** An instance's membership of a sync group: it claims, holds and gives up together with the others. */
export interface SyncGroupMembership {
  readonly name: string;
  /** All members by name, this one included, in the order of the group's block. */
  readonly members: readonly string[];
  /** A member tracks a check, whose first result all of them wait for. */
  readonly waitsForChecks: boolean;
  /** The longest claim_timeout and release_timeout among the members; null when none of them has that gate. */
  readonly claimGate: { readonly timeout: Micros } | null;
  readonly releaseGate: { readonly timeout: Micros } | null;
}

/** How adverts of others are taken in. */
export interface ReceiveOptions {
  /** The address list of a master is compared once, until another one speaks. */
  readonly skipCheckAdvAddr: boolean;
  readonly buffer: ReceiveBuffer;
  /** Adverts of virtual routers that are not ours are named in the log. */
  readonly logUnknownVrids: boolean;
  /** `debug` of the instance, 0 to 4; from 1 on its packets and timers are told as debug events. */
  readonly debug: number;
}

/** As a file says that names none of them. */
export const DEFAULT_RECEIVE: ReceiveOptions = {
  skipCheckAdvAddr: false,
  buffer: { kind: "default" },
  logUnknownVrids: false,
  debug: 0,
};

/** What the packet filter does for an instance. */
export interface PacketFilter {
  readonly settings: FirewallSettings;
  /** no_accept, strict_mode: while MASTER, no traffic to or from the addresses. */
  readonly closed: boolean;
  /** Membership reports of virtual interfaces: moved to their base by a rule, or not sent at all (disable_local_igmp). */
  readonly localReports: "moved" | "silenced";
}

export interface VrrpInstanceConfig {
  readonly name: string;
  readonly interface: string;
  /** Of the adverts, their source, group and peers, and the advertised addresses; excluded ones may be of any. */
  readonly family: Family;
  readonly version: 2 | 3;
  /** 1 to 255. */
  readonly virtualRouterId: number;
  /** Base priority, 1 to 255; 255 is the address owner and ignores weights. */
  readonly priority: number;
  /** Whole seconds in version 2; 0.01 s to 40.95 s in version 3. */
  readonly advertInterval: Micros;
  /** Matters with priority 255 only: MASTER claims at once. */
  readonly initialState: "MASTER" | "BACKUP";
  readonly preempt: boolean;
  readonly preemptDelay: Micros;
  /** Advert intervals in Master_Down_Interval, 1 to 100; the RFC says 3. */
  readonly downTimerAdverts: number;
  /** Highest priority among the peers (timer_expired_backup), 1 to 255: a MASTER that slept longer than that one waits gives up. */
  readonly highestPeerPriority: number;
  readonly authentication: Authentication;
  readonly transport: Transport;
  /** unicast_src_ip or mcast_src_ip; null means the interface's first address (IPv6: first link-local address). */
  readonly sourceAddress: IpAddress | null;
  /**
   * FAULT while the host lacks that address (track_src_ip). Always so where it is needed: IPv6 cannot be sent from it, and what
   * unicast peers send to it would arrive nowhere.
   */
  readonly requiresSource: boolean;
  readonly advertised: readonly VirtualAddress[];
  readonly excluded: readonly VirtualAddress[];
  /** virtual_routes and virtual_rules: there while MASTER, beside the addresses. */
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  /** Keep other addresses of a prefix when its first one goes (sysctl promote_secondaries, restored at stop). */
  readonly promoteSecondaries: boolean;
  readonly trackScripts: readonly Tracked[];
  /** track_file; -254 to 254, and here the weight multiplies the number in the file. */
  readonly trackFiles: readonly Tracked[];
  readonly trackProcesses: readonly Tracked[];
  readonly trackMysql: readonly Tracked[];
  readonly trackRedis: readonly Tracked[];
  /** track_interface entries, without the instance's own interface. */
  readonly trackInterfaces: readonly Tracked[];
  readonly dontTrackPrimary: boolean;
  readonly syncGroup: SyncGroupMembership | null;
  readonly garp: Garp;
  /** Do not answer a lower-priority master with an advert of our own (RFC before 9568). */
  readonly lowerPrioNoAdvert: boolean;
  /** Say the own priority once more after yielding, so that the winner announces itself again. */
  readonly higherPrioSendAdvert: boolean;
  /** Priority 255 drops every advert. */
  readonly ownerIgnoreAdverts: boolean;
  readonly v3ChecksumAsV2: boolean;
  readonly authHmac: AuthHmac | null;
  /**
   * There is one other host only, and it proves its adverts: its priority 0 is a release directed to us, and Skew_Time, which orders
   * several successors, is not waited for.
   */
  readonly soleSuccessor: boolean;
  readonly receive: ReceiveOptions;
  /** Present when notify_claim is configured. */
  readonly claimGate: { readonly timeout: Micros } | null;
  /** Present when notify_release is configured. */
  readonly releaseGate: { readonly timeout: Micros } | null;
  /** Interfaces that exist for this instance (use_vmac, use_ipvlan, use_vmac_addr); addresses name theirs as `device`. */
  readonly virtualInterfaces: readonly VirtualInterface[];
  /** Virtual interfaces that adverts leave and arrive by; null means `interface`. */
  readonly sendsVia: string | null;
  readonly hearsVia: string | null;
  /** Null when no rule is ever needed. */
  readonly filter: PacketFilter | null;
  /** Kernel lifetime of the addresses in whole seconds (core/vrrp/lease.ts); null means `vip_lease off`. */
  readonly leaseSeconds: number | null;
  /** `fence strict`: how long after an advert packets of the addresses pass (core/vrrp/fence.ts); null without it. */
  readonly fenceSpan: Micros | null;
}
