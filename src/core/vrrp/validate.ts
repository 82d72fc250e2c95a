/**
 * Whether a decoded packet may be believed: the receive rules of RFC 9568 section 7.1 in keepalived's order, so that a packet with
 * several faults is counted under the same reason. As keepalived since 2.3.3 a different address list is only
 * noticed (a list that is changed host by host must not make two masters). What needs a key is asked of KeyedChecks; the state is none
 * of this file's business.
 */
import { type IpAddress, isMulticast } from "../lib/ip.ts";
import { err, ok, type Result } from "../lib/result.ts";
import { toSeconds } from "../lib/units.ts";
import { sameBytes } from "./ah.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import type { Advert } from "./events.ts";
import { AUTH_TYPES } from "./message.ts";
import type { Drop, Packet } from "./packet.ts";
import type { DropReason } from "./status.ts";

export interface Accepted {
  readonly advert: Advert;
  /** Counted and reported, although the advert is obeyed; their reasons are NOTICE_REASONS. */
  readonly notices: readonly Drop[];
}

/** What is proved with keys and numbered against replays. Both remember what they believed. */
export interface KeyedChecks {
  /** auth_hmac: judges the trailer, or that there is none. */
  trailer(packet: Packet): { readonly drop: Drop | null; readonly notice: Drop | null };
  /** auth_type AH: judges digest, SPI and sequence number of a packet that has the header. */
  authenticationHeader(packet: Packet): Drop | null;
}

export interface ReceiveContext {
  /** Our own source address; null while the interface has none. */
  readonly ownSource: IpAddress | null;
  /** Null when the instance has no keys. */
  readonly keyed: KeyedChecks | null;
  /** Who sent the last advert that was obeyed, for skip_check_adv_addr. */
  readonly lastSource: IpAddress | null;
}

type Rule = (config: VrrpInstanceConfig, packet: Packet, context: ReceiveContext) => Drop | null;

/** In keepalived's order; the trailer is judged between version and authentication. */
const BEFORE_TRAILER: readonly Rule[] = [ownPacket, headerExpected, trailerExpected, timeToLive, version];
const BEHIND_TRAILER: readonly Rule[] = [
  authentication,
  interval,
  messageType,
  checksum,
  destination,
  owner,
  unicastSource,
];

/** Judges a packet that carries this instance's virtual router id. */
export function validate(config: VrrpInstanceConfig, packet: Packet, context: ReceiveContext): Result<Accepted, Drop> {
  const early = firstOf(BEFORE_TRAILER, config, packet, context);
  if (early !== null) return err(early);
  const signature = config.authHmac === null || context.keyed === null ? UNSIGNED : context.keyed.trailer(packet);
  const drop = signature.drop ?? firstOf(BEHIND_TRAILER, config, packet, context);
  if (drop !== null) return err(drop);
  const advert: Advert = {
    source: packet.source,
    priority: packet.priority,
    advertInterval: packet.advertInterval,
  };
  return ok({ advert, notices: noticesOf(config, packet, context, signature.notice) });
}

const UNSIGNED = { drop: null, notice: null };
const NO_NOTICES: readonly Drop[] = [];

function firstOf(
  rules: readonly Rule[],
  config: VrrpInstanceConfig,
  packet: Packet,
  context: ReceiveContext,
): Drop | null {
  for (const rule of rules) {
    const drop = rule(config, packet, context);
    if (drop !== null) return drop;
  }
  return null;
}

function noticesOf(
  config: VrrpInstanceConfig,
  packet: Packet,
  context: ReceiveContext,
  signature: Drop | null,
): readonly Drop[] {
  const known = config.receive.skipCheckAdvAddr && packet.source === context.lastSource;
  const checksum = oldChecksum(config, packet);
  const interval = intervalDiffers(config, packet);
  const list = known ? null : addressList(config, packet);
  // Once per advert: nothing is built when all is well.
  if (signature === null && checksum === null && interval === null && list === null) return NO_NOTICES;
  return [signature, checksum, interval, list].filter((notice) => notice !== null);
}

function because(reason: DropReason, detail: string, numbers?: Drop["numbers"]): Drop {
  return numbers === undefined ? { reason, detail } : { reason, detail, numbers };
}

function ownPacket(_config: VrrpInstanceConfig, packet: Packet, { ownSource }: ReceiveContext): Drop | null {
  if (packet.source !== ownSource) return null;
  return because(
    "own-packet",
    `sent from our own address ${packet.source}: looped back, or the address is in use twice`,
  );
}

/** keepalived: an authentication header where there should be one, and nowhere else. */
function headerExpected(config: VrrpInstanceConfig, packet: Packet): Drop | null {
  const expected = config.authentication.kind === "ah";
  if ((packet.ah !== null) === expected) return null;
  return because(
    "auth-type",
    expected ? "no authentication header, but auth_type is AH" : "an authentication header, but auth_type is not AH",
  );
}

/** Bytes behind the message are the length error that keepalived before 2.4 makes of them, unless auth_hmac is configured. */
function trailerExpected(config: VrrpInstanceConfig, packet: Packet): Drop | null {
  if (packet.trailer === null || config.authHmac !== null) return null;
  return because(
    "length",
    `${packet.trailer.bytes.length} bytes behind the message: signed with auth_hmac, ours is not`,
  );
}

/** RFC 9568 section 5.1.1.3. Routers may stand between unicast peers, so only multicast is held to it. */
function timeToLive(config: VrrpInstanceConfig, packet: Packet): Drop | null {
  if (config.transport.kind !== "multicast" || packet.ttl === 255) return null;
  const numbers = { theirs: packet.ttl, ours: 255 };
  const field = packet.family === 4 ? "TTL" : "hop limit";
  return because("ttl", `${field} ${packet.ttl} instead of 255: the packet came through a router`, numbers);
}

function version(config: VrrpInstanceConfig, packet: Packet): Drop | null {
  if (packet.version === config.version) return null;
  return because("version", `VRRP version ${packet.version}, ours is ${config.version}: set the same vrrp_version`);
}

const PASSWORD_BYTES = 8;
const AUTH_NAMES = ["none", "PASS", "AH"];

function authentication(config: VrrpInstanceConfig, packet: Packet, { keyed }: ReceiveContext): Drop | null {
  if (config.version !== 2) return null;
  const theirs = AUTH_NAMES[packet.authType];
  if (theirs === undefined)
    return because("auth-type-unknown", `authentication type ${packet.authType} does not exist`);
  const expected = AUTH_TYPES[config.authentication.kind];
  if (packet.authType !== expected) {
    return because("auth-type", `authentication ${theirs}, ours is ${AUTH_NAMES[expected]}`);
  }
  if (config.authentication.kind === "ah") return keyed?.authenticationHeader(packet) ?? null;
  if (config.authentication.kind !== "pass") return null;
  if (sameBytes(config.authentication.password, packet.authData, PASSWORD_BYTES)) return null;
  return because("auth-fail", "the password differs from our auth_pass (only its first 8 characters count)");
}

/** RFC 3768 section 7.1: must be equal. RFC 9568: learned; zero would mean a Master_Down of no time at all. */
function interval(config: VrrpInstanceConfig, packet: Packet): Drop | null {
  if (config.version === 3) {
    return packet.advertInterval > 0 ? null : because("interval", "an advert interval of 0 is not possible");
  }
  if (packet.advertInterval === config.advertInterval) return null;
  const numbers = { theirs: toSeconds(packet.advertInterval), ours: toSeconds(config.advertInterval) };
  return because(
    "interval",
    `advert interval ${numbers.theirs} s, ours is ${numbers.ours} s: in version 2 both need the same advert_int`,
    numbers,
  );
}

function messageType(_config: VrrpInstanceConfig, packet: Packet): Drop | null {
  return packet.type === 1 ? null : because("type", `VRRP packet type ${packet.type}, only 1 (advertisement) exists`);
}

function checksum(config: VrrpInstanceConfig, packet: Packet): Drop | null {
  const plain = config.family === 4 && (config.version === 2 || config.v3ChecksumAsV2);
  if (plain ? packet.checksumPlain : packet.checksumPseudo) return null;
  if (oldChecksum(config, packet) !== null) return null;
  if (config.family === 4 && config.version === 3 && (plain ? packet.checksumPseudo : packet.checksumPlain)) {
    return because(
      "checksum",
      `right ${plain ? "with" : "without"} the pseudo-header: v3_checksum_as_v2 differs between the hosts`,
    );
  }
  return because("checksum", "wrong: the packet was damaged on the way");
}

/** keepalived before 1.3.6: the destination in the pseudo-header is the multicast group, also in unicast. */
function oldChecksum(config: VrrpInstanceConfig, packet: Packet): Drop | null {
  const { transport } = config;
  if (!packet.checksumOldUnicast || transport.kind !== "unicast" || config.v3ChecksumAsV2) return null;
  if (transport.checksum === "new") return null;
  return because(
    "old-checksum",
    "the checksum is that of keepalived before 1.3.6; ours is made so from now on (old_unicast_checksum never forbids it)",
  );
}

/** Version 3 learns the interval of the master; two hosts that mean different ones are a mistake all the same. */
function intervalDiffers(config: VrrpInstanceConfig, packet: Packet): Drop | null {
  if (config.version !== 3 || packet.advertInterval === config.advertInterval) return null;
  const numbers = { theirs: toSeconds(packet.advertInterval), ours: toSeconds(config.advertInterval) };
  return because(
    "interval-differs",
    `advert interval ${numbers.theirs} s, ours is ${numbers.ours} s: the master's counts while it serves`,
    numbers,
  );
}

function destination(config: VrrpInstanceConfig, packet: Packet): Drop | null {
  if (config.transport.kind === "multicast") {
    if (packet.destination === config.transport.group) return null;
    return because("wrong-destination", `sent to ${packet.destination}, we listen on ${config.transport.group}`);
  }
  if (!isMulticast(packet.destination)) return null;
  return because(
    "wrong-destination",
    `sent to multicast group ${packet.destination}, but unicast_peer is configured here`,
  );
}

function owner(config: VrrpInstanceConfig, packet: Packet): Drop | null {
  if (!config.ownerIgnoreAdverts || config.priority !== 255) return null;
  return because("owner-ignores", `priority 255 with owner_ignore_adverts obeys nobody (from ${packet.source})`);
}

function unicastSource(config: VrrpInstanceConfig, packet: Packet): Drop | null {
  const { transport } = config;
  if (transport.kind !== "unicast" || !transport.checkSource) return null;
  if (!transport.peers.includes(packet.source)) {
    return because("not-a-peer", `${packet.source} is not in unicast_peer`);
  }
  const range = transport.peerTtls.find(({ peer }) => peer === packet.source);
  if (range === undefined || (packet.ttl >= range.min && packet.ttl <= range.max)) return null;
  const field = packet.family === 4 ? "TTL" : "hop limit";
  return because("ttl", `${field} ${packet.ttl} of ${packet.source} is not in the range ${range.min} to ${range.max}`);
}

function addressList(config: VrrpInstanceConfig, packet: Packet): Drop | null {
  const ours = config.advertised;
  if (ours.length === packet.addresses.length && ours.every((it) => packet.addresses.includes(it.address))) return null;
  const list = ours.map((it) => it.address).join(" ") || "none";
  const foreign =
    ours.length > 0 && packet.addresses.length > 0 && !ours.some((it) => packet.addresses.includes(it.address));
  const stranger = foreign ? "; none is ours: does another virtual router use our virtual_router_id?" : "";
  return because("address-list", `advertises ${packet.addresses.join(" ") || "none"}, ours are ${list}${stranger}`);
}
