/**
 * Buffers for recvmmsg(2) on a raw socket, filled anew with each call. For IPv6 also what the kernel says beside a packet (RFC 3542
 * sections 6.1 and 6.3): its source by the name, destination and hop limit by control messages, in places that are made once.
 */
import { assert } from "../core/lib/assert.ts";
import type { Family } from "../core/lib/ip.ts";
import type { Ipv6Header } from "../core/vrrp/packet.ts";
import type { Arena } from "./arena.ts";
import { recvmmsg } from "./libc.ts";
import { IOVEC, IPPROTO_IPV6, MMSGHDR, MSG_DONTWAIT, MSG_TRUNC } from "./sockets.ts";

/** Packets a wake-up takes from one interface. */
export const PACKETS_MAX = 64;
/** The longest advert: 20 + 60 + 8 + 4 * 255 + 8 bytes over IPv4, and 8 + 16 * 255 over IPv6 if fragments were used. */
const PACKET_BYTES = { 4: 2048, 6: 4096 + 64 } as const;

export interface PacketBuffers {
  /** Receives up to 64 packets; how many there were, 0 for none or an error. */
  fill(descriptor: number): number;
  packet(position: number): Uint8Array;
  truncated(position: number): boolean;
  /** Null for IPv4. */
  header(position: number): Ipv6Header | null;
  /** Interface that an IPv6 packet came in by; 0 for IPv4, where the socket says it. */
  interfaceIndex(position: number): number;
}

export function createPacketBuffers(arena: Arena, family: Family): PacketBuffers {
  const length = PACKET_BYTES[family];
  const headers = arena.allocate(PACKETS_MAX * MMSGHDR.bytes);
  const vectors = arena.allocate(PACKETS_MAX * IOVEC.bytes);
  const data = arena.allocate(PACKETS_MAX * length);
  // Nearly every packet in a buffer is as long as the one before: its view is kept.
  const views: Uint8Array[] = [];
  for (let position = 0; position < PACKETS_MAX; position++) {
    const header = headers + position * MMSGHDR.bytes;
    const vector = vectors + position * IOVEC.bytes;
    arena.setPointer(vector + IOVEC.base, arena.at(data + position * length));
    arena.setPointer(vector + IOVEC.length, length);
    arena.setPointer(header + MMSGHDR.iov, arena.at(vector));
    arena.setPointer(header + MMSGHDR.iovCount, 1);
    views.push(arena.bytes.subarray(0, 0));
  }
  const word = (position: number, field: number): number =>
    arena.words[(headers + position * MMSGHDR.bytes + field) >>> 2] as number;
  const beside = family === 6 ? createIpv6Headers(arena, headers) : null;

  return {
    fill(descriptor) {
      // An error here is the interface going down (ENETDOWN): rtnetlink tells that better.
      const count = Math.max(0, recvmmsg(descriptor, arena.at(headers), PACKETS_MAX, MSG_DONTWAIT));
      beside?.read(count);
      return count;
    },
    packet(position) {
      const size = word(position, MMSGHDR.length);
      const known = views[position];
      assert(known !== undefined && size <= length, "recvmmsg stays within its buffers");
      if (known.length === size) return known;
      const start = data + position * length;
      const fresh = arena.bytes.subarray(start, start + size);
      views[position] = fresh;
      return fresh;
    },
    truncated(position) {
      return (word(position, MMSGHDR.flags) & MSG_TRUNC) !== 0;
    },
    header(position) {
      return beside?.header(position) ?? null;
    },
    interfaceIndex(position) {
      return beside?.interfaceIndex(position) ?? 0;
    },
  };
}

const IPV6_PKTINFO = 50;
const IPV6_HOPLIMIT = 52;
/** struct sockaddr_in6: the address stands at 8. */
const NAME = { bytes: 32, address: 8 } as const;
/** Room for both messages, 40 and 24 bytes. */
const CONTROL_BYTES = 64;
const CMSG = { level: 8, type: 12, data: 16 } as const;
const ADDRESS = 16;

interface MutableHeader extends Ipv6Header {
  hopLimit: number;
}

interface Ipv6Headers {
  /** Takes over what came with the first `count` messages, and makes room for the next call. */
  read(count: number): void;
  header(position: number): Ipv6Header | null;
  interfaceIndex(position: number): number;
}

function createIpv6Headers(arena: Arena, headers: number): Ipv6Headers {
  const names = arena.allocate(PACKETS_MAX * NAME.bytes);
  const controls = arena.allocate(PACKETS_MAX * CONTROL_BYTES);
  const destinations = arena.allocate(PACKETS_MAX * ADDRESS);
  const made: MutableHeader[] = [];
  const interfaces = new Int32Array(PACKETS_MAX);

  const makeRoom = (position: number): void => {
    const header = headers + position * MMSGHDR.bytes;
    arena.view.setUint32(header + MMSGHDR.nameLength, NAME.bytes, true);
    arena.setPointer(header + MMSGHDR.controlLength, CONTROL_BYTES);
  };

  for (let position = 0; position < PACKETS_MAX; position++) {
    const name = names + position * NAME.bytes;
    const destination = destinations + position * ADDRESS;
    const header = headers + position * MMSGHDR.bytes;
    arena.setPointer(header + MMSGHDR.name, arena.at(name));
    arena.setPointer(header + MMSGHDR.control, arena.at(controls + position * CONTROL_BYTES));
    makeRoom(position);
    made.push({
      source: arena.bytes.subarray(name + NAME.address, name + NAME.address + ADDRESS),
      destination: arena.bytes.subarray(destination, destination + ADDRESS),
      hopLimit: 0,
    });
  }

  const take = (position: number, message: number): void => {
    const type = arena.view.getInt32(message + CMSG.type, true);
    if (arena.view.getInt32(message + CMSG.level, true) !== IPPROTO_IPV6) return;
    const data = message + CMSG.data;
    if (type === IPV6_PKTINFO) {
      arena.bytes.copyWithin(destinations + position * ADDRESS, data, data + ADDRESS);
      interfaces[position] = arena.view.getInt32(data + ADDRESS, true);
    }
    const header = made[position];
    if (type === IPV6_HOPLIMIT && header !== undefined) header.hopLimit = arena.view.getInt32(data, true);
  };

  return {
    read(count) {
      for (let position = 0; position < count; position++) {
        const length = arena.view.getUint32(headers + position * MMSGHDR.bytes + MMSGHDR.controlLength, true);
        const start = controls + position * CONTROL_BYTES;
        let at = start;
        while (at + CMSG.data <= start + length) {
          const size = arena.view.getUint32(at, true);
          if (size < CMSG.data) break;
          take(position, at);
          at += (size + 7) & ~7;
        }
        makeRoom(position);
      }
    },
    header: (position) => made[position] ?? null,
    interfaceIndex: (position) => interfaces[position] ?? 0,
  };
}
