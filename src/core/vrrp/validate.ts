/**
 * Whether a decoded packet may be believed: the receive rules of RFC 9568 section 7.1 in keepalived's order, so that a packet with
 * several faults is counted under the same reason. As keepalived since 2.3.3 a different address list is only
 * noticed (a list that is changed host by host must not make two masters). The state is none of this file's business.
 */
import { type IpAddress, isMulticast } from "../lib/ip.ts";
import { err, ok, type Result } from "../lib/result.ts";
import { toSeconds } from "../lib/units.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import type { Advert } from "./events.ts";
import type { Drop, Packet } from "./packet.ts";
import type { DropReason } from "./status.ts";

export interface Accepted {
  readonly advert: Advert;
  /** Counted and reported under "address-list", although the advert is obeyed. */
  readonly notice: Drop | null;
}

type Rule = (config: VrrpInstanceConfig, packet: Packet, ownSource: IpAddress | null) => Drop | null;

/** In keepalived's order. */
const RULES: readonly Rule[] = [
  ownPacket,
  trailer,
  timeToLive,
  version,
  authentication,
  interval,
  messageType,
  checksum,
  destination,
  owner,
  unicastSource,
];

/** Judges a packet that carries this instance's virtual router id. */
export function validate(
  config: VrrpInstanceConfig,
  packet: Packet,
  ownSource: IpAddress | null,
): Result<Accepted, Drop> {
  for (const rule of RULES) {
    const drop = rule(config, packet, ownSource);
    if (drop !== null) return err(drop);
  }
  const advert: Advert = {
    source: packet.source,
    priority: packet.priority,
    advertInterval: packet.advertInterval,
  };
  return ok({ advert, notice: addressList(config, packet) });
}

function because(reason: DropReason, detail: string, numbers?: Drop["numbers"]): Drop {
  return numbers === undefined ? { reason, detail } : { reason, detail, numbers };
}

function ownPacket(_config: VrrpInstanceConfig, packet: Packet, ownSource: IpAddress | null): Drop | null {
  if (packet.source !== ownSource) return null;
  return because(
    "own-packet",
    `sent from our own address ${packet.source}: looped back, or the address is in use twice`,
  );
}

/** Bytes behind the message are the length error that keepalived before 2.4 makes of them, unless auth_hmac is configured. */
function trailer(_config: VrrpInstanceConfig, packet: Packet): Drop | null {
  if (packet.trailer === null) return null;
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

const AUTH_NAMES = ["none", "PASS", "AH"];

function authentication(config: VrrpInstanceConfig, packet: Packet): Drop | null {
  if (config.version !== 2) return null;
  const expected = config.authentication.kind === "pass" ? 1 : 0;
  if (packet.authType !== expected) {
    const theirs = AUTH_NAMES[packet.authType] ?? `type ${packet.authType}`;
    return because("auth-type", `authentication ${theirs}, ours is ${AUTH_NAMES[expected]}`);
  }
  if (config.authentication.kind !== "pass") return null;
  if (sameBytes(config.authentication.password, packet.authData)) return null;
  return because("auth-fail", "the password differs from our auth_pass (only its first 8 characters count)");
}

/** Looks at all eight bytes whatever they are: the time taken says nothing about the password. */
function sameBytes(ours: readonly number[], theirs: readonly number[]): boolean {
  let difference = 0;
  for (let at = 0; at < 8; at++) difference |= (ours[at] ?? 0) ^ (theirs[at] ?? 0);
  return difference === 0;
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
  if (config.family === 4 && config.version === 3 && (plain ? packet.checksumPseudo : packet.checksumPlain)) {
    return because(
      "checksum",
      `right ${plain ? "with" : "without"} the pseudo-header: v3_checksum_as_v2 differs between the hosts`,
    );
  }
  return because("checksum", "wrong: the packet was damaged on the way");
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
  if (config.transport.kind !== "unicast" || !config.transport.checkSource) return null;
  if (config.transport.peers.includes(packet.source)) return null;
  return because("not-a-peer", `${packet.source} is not in unicast_peer`);
}

function addressList(config: VrrpInstanceConfig, packet: Packet): Drop | null {
  const ours = config.advertised;
  if (ours.length === packet.addresses.length && ours.every((it) => packet.addresses.includes(it.address))) return null;
  const list = ours.map((it) => it.address).join(" ") || "none";
  return because("address-list", `advertises ${packet.addresses.join(" ") || "none"}, ours are ${list}`);
}
