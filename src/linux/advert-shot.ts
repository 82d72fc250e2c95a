/**
 * One prepared advert to one destination as sendmmsg(2) wants it: a block in the arena that holds the packet, its destination, what
 * the kernel shall do with it (control messages), and a finished struct mmsghdr that points at them. Sends nothing.
 */
import { assert } from "../core/lib/assert.ts";
import { familyOf, type IpAddress, ipBytes, isMulticast } from "../core/lib/ip.ts";
import type { PreparedAdvert } from "../ports/network.ts";
import type { Arena } from "./arena.ts";
import { AF_INET, AF_INET6, IOVEC, IPPROTO_IP, IPPROTO_IPV6, MMSGHDR } from "./sockets.ts";

const IP_PKTINFO = 8;
const IPV6_PKTINFO = 50;
const IPV6_HOPLIMIT = 52;

/** Places in the block. */
const SHOT4 = { header: 0, iov: 64, name: 80, control: 96, packet: 128 } as const;
const SHOT6 = { header: 0, iov: 64, name: 80, control: 112, packet: 176 } as const;
const SOCKADDR_IN_BYTES = 16;
const SOCKADDR_IN6 = { bytes: 28, address: 8, scope: 24 } as const;
/** struct cmsghdr: length, level, type; then the data, padded to eight bytes. */
const CMSG = { level: 8, type: 12, data: 16 } as const;
const PKTINFO_SPACE = 32;
const PKTINFO6_SPACE = 40;
const HOPLIMIT_SPACE = 24;

export interface Shot {
  readonly offset: number;
  readonly size: number;
  /** Of the struct mmsghdr. */
  readonly header: number;
  /** Of the IPv4 header, whose identification is counted; null where the kernel writes the header. */
  readonly ipHeader: number | null;
  readonly multicast: boolean;
  /** The packet as it lies in the arena. */
  readonly packet: Uint8Array;
}

export function makeShot(arena: Arena, advert: PreparedAdvert, position: number): Shot {
  const packet = advert.packets[position];
  const destination = advert.destinations[position];
  assert(packet !== undefined && destination !== undefined, "an advert has one packet per destination");
  const ipv6 = familyOf(destination) === 6;
  const places = ipv6 ? SHOT6 : SHOT4;
  const size = places.packet + packet.length;
  const offset = arena.allocate(size);
  arena.bytes.set(packet, offset + places.packet);
  arena.setPointer(offset + places.iov + IOVEC.base, arena.at(offset + places.packet));
  arena.setPointer(offset + places.iov + IOVEC.length, packet.length);
  arena.setPointer(offset + MMSGHDR.name, arena.at(offset + places.name));
  arena.setPointer(offset + MMSGHDR.iov, arena.at(offset + places.iov));
  arena.setPointer(offset + MMSGHDR.iovCount, 1);
  arena.setPointer(offset + MMSGHDR.control, arena.at(offset + places.control));
  if (ipv6) addressIpv6(arena, offset, advert, destination);
  else addressIpv4(arena, offset, advert, destination);
  const multicast = isMulticast(destination);
  const lying = arena.bytes.subarray(offset + places.packet, offset + size);
  return { offset, size, header: offset, ipHeader: ipv6 ? null : offset + places.packet, multicast, packet: lying };
}

/** ip(7), IP_PKTINFO on sending: overrides IP_MULTICAST_IF, so one socket serves every interface; unicast too, as keepalived's. */
function addressIpv4(arena: Arena, offset: number, advert: PreparedAdvert, destination: IpAddress): void {
  arena.view.setUint16(offset + SHOT4.name, AF_INET, true);
  arena.bytes.set(ipBytes(destination), offset + SHOT4.name + 4);
  arena.view.setUint32(offset + MMSGHDR.nameLength, SOCKADDR_IN_BYTES, true);
  const data = writeControl(arena, offset + SHOT4.control, { level: IPPROTO_IP, type: IP_PKTINFO, length: 12 });
  arena.view.setInt32(data, advert.interfaceIndex, true);
  arena.setPointer(offset + MMSGHDR.controlLength, PKTINFO_SPACE);
}

/** RFC 3542 section 6: source address, interface and hop limit by control messages. A link-local destination needs the interface, too. */
function addressIpv6(arena: Arena, offset: number, advert: PreparedAdvert, destination: IpAddress): void {
  const name = offset + SHOT6.name;
  arena.view.setUint16(name, AF_INET6, true);
  arena.bytes.set(ipBytes(destination), name + SOCKADDR_IN6.address);
  arena.view.setUint32(name + SOCKADDR_IN6.scope, advert.interfaceIndex, true);
  arena.view.setUint32(offset + MMSGHDR.nameLength, SOCKADDR_IN6.bytes, true);
  const control = offset + SHOT6.control;
  const info = writeControl(arena, control, { level: IPPROTO_IPV6, type: IPV6_PKTINFO, length: 20 });
  arena.bytes.set(ipBytes(advert.source), info);
  arena.view.setInt32(info + 16, advert.interfaceIndex, true);
  const hops = writeControl(arena, control + PKTINFO6_SPACE, { level: IPPROTO_IPV6, type: IPV6_HOPLIMIT, length: 4 });
  arena.view.setInt32(hops, advert.hopLimit, true);
  arena.setPointer(offset + MMSGHDR.controlLength, PKTINFO6_SPACE + HOPLIMIT_SPACE);
}

/** Returns where the data goes. */
function writeControl(
  arena: Arena,
  at: number,
  { level, type, length }: { readonly level: number; readonly type: number; readonly length: number },
): number {
  arena.setPointer(at, CMSG.data + length);
  arena.view.setInt32(at + CMSG.level, level, true);
  arena.view.setInt32(at + CMSG.type, type, true);
  return at + CMSG.data;
}
