/**
 * What happens to packets beyond single drops: floods, storms, and, while somebody debugs, each packet and each timer decision. `packet`
 * and `timer` are told only at debug level, are printed and streamed, and are kept nowhere. describe-packets.ts has the words.
 */
import type { IpAddress } from "../lib/ip.ts";
import type { DropReason } from "../vrrp/status.ts";

/** The fields of an advert, as they were on the wire. */
export interface PacketFields {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly ttl: number;
  readonly version: number;
  readonly virtualRouterId: number;
  readonly priority: number;
  /** Microseconds. */
  readonly advertInterval: number;
  readonly addresses: readonly IpAddress[];
  readonly proof: "none" | "PASS" | "AH" | "HMAC";
}

export type PacketEventBody =
  /** Too many bad packets on one socket in a second: the kernel drops them for a while. */
  | {
      readonly kind: "advert-flood";
      readonly interface: string;
      readonly reason: DropReason;
      readonly packets: number;
      readonly source: IpAddress;
    }
  /** More adverts for one virtual router in a second than its honest hosts can send; once a minute. */
  | {
      readonly kind: "advert-storm";
      readonly instance: string;
      readonly source: IpAddress;
      readonly packets: number;
      readonly limit: number;
    }
  | {
      readonly kind: "packet";
      readonly instance: string;
      readonly action: "received" | "sent" | "dropped";
      /** Null for one that could not be read. */
      readonly fields: PacketFields | null;
      /** Why it was dropped, or what was noticed. */
      readonly reason: DropReason | null;
      readonly bytes: number;
    }
  | {
      readonly kind: "timer";
      readonly instance: string;
      /** Role and gate after the decision. */
      readonly phase: string;
      /** What made the core decide. */
      readonly because: string;
      /** Microseconds until its next deadline; null when it has none. */
      readonly due: number | null;
    };

const KINDS: ReadonlySet<string> = new Set<PacketEventBody["kind"]>([
  "advert-flood",
  "advert-storm",
  "packet",
  "timer",
]);

export function isPacketEvent(body: { readonly kind: string }): body is PacketEventBody {
  return KINDS.has(body.kind);
}

/** Told while somebody watches, and not worth a place in any record. */
export function isTransient({ kind }: { readonly kind: string }): boolean {
  return kind === "packet" || kind === "timer";
}
