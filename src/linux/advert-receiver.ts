/**
 * The receiving half of the advert port: one raw socket per interface, joined to the groups in use there, read with recvmmsg(2),
 * at most 64 packets a wake-up so that a flood cannot keep the loop from its deadlines.
 */
import { assert } from "../core/lib/assert.ts";
import { ipBytes } from "../core/lib/ip.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { Transport } from "../core/vrrp/config.ts";
import type { KernelError, Link, ReceivedPacket } from "../ports/network.ts";
import type { Arena } from "./arena.ts";
import { ERRNO, recvmmsg } from "./libc.ts";
import type { Watcher } from "./reactor.ts";
import { AF_INET, IOVEC, kernelError, MMSGHDR, MSG_DONTWAIT, MSG_TRUNC, SOCK_RAW, type Sockets } from "./sockets.ts";

const IPPROTO_VRRP = 112;
const IPPROTO_IP = 0;
const IP_ADD_MEMBERSHIP = 35;
const IP_MULTICAST_ALL = 49;
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const SO_BINDTOIFINDEX = 62;
/** Packets a wake-up takes from one interface. */
const PACKETS_MAX = 64;
/** The longest advert is 20 + 60 + 8 + 4 * 255 + 8 bytes. */
const PACKET_BYTES = 2048;
/** Room for one advert of every virtual router id, counted with the kernel's overhead per packet. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;

export interface AdvertReceiver {
  open(link: Link, transport: Transport): Result<void, KernelError>;
  close(interfaceIndex: number): void;
}

export interface AdvertReceiverOptions {
  readonly arena: Arena;
  readonly sockets: Sockets;
  readonly watcher: Watcher;
  readonly onPacket: (packet: ReceivedPacket) => void;
}

interface Receiver {
  readonly descriptor: number;
  readonly groups: Set<string>;
}

export function createAdvertReceiver({ arena, sockets, watcher, onPacket }: AdvertReceiverOptions): AdvertReceiver {
  const receivers = new Map<number, Receiver>();
  const buffers = createPacketBuffers(arena);

  const receive = (interfaceIndex: number, descriptor: number): void => {
    const count = buffers.fill(descriptor);
    for (let position = 0; position < count; position++) {
      // A handler may have closed the interface: what it sent before no longer counts.
      if (receivers.get(interfaceIndex)?.descriptor !== descriptor) return;
      onPacket({
        interfaceIndex,
        packet: buffers.packet(position),
        header: null,
        truncated: buffers.truncated(position),
      });
    }
  };

  const bindToInterface = (descriptor: number, link: Link): number => {
    const bound = sockets.setInt(descriptor, SOL_SOCKET, SO_BINDTOIFINDEX, link.index);
    // Kernels before 5.0 know names only.
    return bound === -ERRNO.ENOPROTOOPT
      ? sockets.setBytes(descriptor, SOL_SOCKET, SO_BINDTODEVICE, new TextEncoder().encode(`${link.name}\0`))
      : bound;
  };

  const openSocket = (link: Link): Result<Receiver, KernelError> => {
    const opened = sockets.open(
      AF_INET,
      SOCK_RAW,
      IPPROTO_VRRP,
      `open a raw socket to receive adverts on ${link.name}`,
    );
    if (!opened.ok) return opened;
    const descriptor = opened.value;
    // Until it is bound the socket takes packets of every interface: let none in, and throw away what was faster.
    sockets.dropIncoming(descriptor);
    const bound = bindToInterface(descriptor, link);
    if (bound < 0) {
      sockets.close(descriptor);
      return err(kernelError(bound, `bind the socket for adverts to ${link.name}`));
    }
    while (buffers.fill(descriptor) > 0);
    sockets.setInt(descriptor, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    sockets.setBuffers(descriptor, { receive: RECEIVE_BUFFER_BYTES });
    sockets.acceptIncoming(descriptor);
    const receiver = { descriptor, groups: new Set<string>() };
    receivers.set(link.index, receiver);
    watcher.watch(descriptor, () => receive(link.index, descriptor));
    return ok(receiver);
  };

  const join = (receiver: Receiver, link: Link, group: Parameters<typeof ipBytes>[0]): Result<void, KernelError> => {
    if (receiver.groups.has(group)) return ok(undefined);
    // struct ip_mreqn: group, no local address, interface index.
    const request = new Uint8Array(12);
    request.set(ipBytes(group), 0);
    new DataView(request.buffer).setInt32(8, link.index, true);
    const joined = sockets.setBytes(receiver.descriptor, IPPROTO_IP, IP_ADD_MEMBERSHIP, request);
    if (joined < 0 && joined !== -ERRNO.EADDRINUSE) return err(kernelError(joined, `join ${group} on ${link.name}`));
    receiver.groups.add(group);
    return ok(undefined);
  };

  const close = (interfaceIndex: number): void => {
    const receiver = receivers.get(interfaceIndex);
    if (receiver === undefined) return;
    receivers.delete(interfaceIndex);
    watcher.unwatch(receiver.descriptor);
    sockets.close(receiver.descriptor);
  };

  return {
    open(link, transport) {
      const known = receivers.get(link.index);
      const opened = known === undefined ? openSocket(link) : ok(known);
      if (!opened.ok || transport.kind === "unicast") return opened.ok ? ok(undefined) : opened;
      const joined = join(opened.value, link, transport.group);
      if (!joined.ok && known === undefined) close(link.index);
      return joined;
    },
    close,
  };
}

interface PacketBuffers {
  /** Receives up to 64 packets; how many there were, 0 for none or an error. */
  fill(descriptor: number): number;
  packet(position: number): Uint8Array;
  truncated(position: number): boolean;
}

function createPacketBuffers(arena: Arena): PacketBuffers {
  const headers = arena.allocate(PACKETS_MAX * MMSGHDR.bytes);
  const vectors = arena.allocate(PACKETS_MAX * IOVEC.bytes);
  const data = arena.allocate(PACKETS_MAX * PACKET_BYTES);
  // Nearly every packet in a buffer is as long as the one before: its view is kept.
  const views: Uint8Array[] = [];
  for (let position = 0; position < PACKETS_MAX; position++) {
    const header = headers + position * MMSGHDR.bytes;
    const vector = vectors + position * IOVEC.bytes;
    arena.setPointer(vector + IOVEC.base, arena.at(data + position * PACKET_BYTES));
    arena.setPointer(vector + IOVEC.length, PACKET_BYTES);
    arena.setPointer(header + MMSGHDR.iov, arena.at(vector));
    arena.setPointer(header + MMSGHDR.iovCount, 1);
    views.push(arena.bytes.subarray(0, 0));
  }
  const word = (position: number, field: number): number =>
    arena.words[(headers + position * MMSGHDR.bytes + field) >>> 2] as number;

  return {
    fill(descriptor) {
      // An error here is the interface going down (ENETDOWN): rtnetlink tells that better.
      return Math.max(0, recvmmsg(descriptor, arena.at(headers), PACKETS_MAX, MSG_DONTWAIT));
    },
    packet(position) {
      const length = word(position, MMSGHDR.length);
      const known = views[position];
      assert(known !== undefined && length <= PACKET_BYTES, "recvmmsg stays within its buffers");
      if (known.length === length) return known;
      const start = data + position * PACKET_BYTES;
      const fresh = arena.bytes.subarray(start, start + length);
      views[position] = fresh;
      return fresh;
    },
    truncated(position) {
      return (word(position, MMSGHDR.flags) & MSG_TRUNC) !== 0;
    },
  };
}
