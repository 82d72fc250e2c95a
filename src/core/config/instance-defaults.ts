/** What an instance takes over from global_defs where it says nothing itself. Made by compile-globals.ts. */
import type { Family, IpAddress } from "../lib/ip.ts";
import type { FirewallSettings } from "../nftables/ruleset.ts";
import type { Garp, PacketFilter, ReceiveBuffer } from "../vrrp/config.ts";

/** Virtual interfaces and the packet filter. */
export interface VirtualDefaults {
  /** vmac_prefix and vmac_addr_prefix. */
  readonly prefix: string;
  readonly addressPrefix: string;
  readonly firewall: FirewallSettings;
  readonly localReports: PacketFilter["localReports"];
}

/** What global_defs says of taking adverts in. */
export interface ReceiveDefaults {
  readonly skipCheckAdvAddr: boolean;
  readonly logUnknownVrids: boolean;
  readonly receiveBuffer: ReceiveBuffer;
}

export interface NoticeDefaults {
  readonly mail: boolean;
  readonly priorityChanges: boolean;
  /** smtp_alert and smtp_alert_vrrp; null without them. */
  readonly mailGiven: boolean | null;
  readonly mailGivenForVrrp: boolean | null;
}

export interface InstanceDefaults extends ReceiveDefaults {
  readonly version: 2 | 3;
  /** Multicast groups of the adverts. */
  readonly groups: Readonly<Record<Family, IpAddress>>;
  readonly garp: Garp;
  /** Not given: the instance's own master delay and repeat count. */
  readonly lowerPrioGiven: { readonly delay: boolean; readonly repeat: boolean };
  readonly lowerPrioNoAdvert: boolean;
  readonly higherPrioSendAdvert: boolean;
  readonly checkUnicastSource: boolean;
  readonly downTimerAdverts: number;
  readonly ownerIgnoreAdverts: boolean;
  readonly v3ChecksumAsV2: boolean;
  readonly notices: NoticeDefaults;
  /** vrrp_strict */
  readonly strict: boolean;
  readonly virtual: VirtualDefaults;
}
