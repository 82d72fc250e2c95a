/**
 * The receiving half of the advert port: one raw socket per interface and channel, joined to the groups in use there, with a filter in
 * the kernel for what nobody here is told, read with recvmmsg(2), at most 64 packets a wake-up so that a flood cannot keep the loop
 * from its deadlines.
 */
import { type IpAddress, ipBytes } from "../core/lib/ip.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { AH_HEADER, AH_PROTOCOL } from "../core/vrrp/ah.ts";
import type { Transport } from "../core/vrrp/config.ts";
import { receiveFilter } from "../core/vrrp/receive-filter.ts";
import type { AdvertChannel, KernelError, Link, ListenPlan, ReceivedPacket } from "../ports/network.ts";
import type { Arena } from "./arena.ts";
import { ERRNO } from "./libc.ts";
import { createPacketBuffers, PACKETS_MAX, type PacketBuffers } from "./packet-buffers.ts";
import type { Watcher } from "./reactor.ts";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_VRRP,
  kernelError,
  SOCK_RAW,
  type Sockets,
} from "./sockets.ts";

const IP_ADD_MEMBERSHIP = 35;
const IP_MULTICAST_ALL = 49;
const IPV6_ADD_MEMBERSHIP = 20;
const IPV6_MULTICAST_ALL = 29;
const IPV6_RECVPKTINFO = 49;
const IPV6_RECVHOPLIMIT = 51;
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const SO_BINDTOIFINDEX = 62;
/** Room for one advert of every virtual router id, counted with the kernel's overhead per packet. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;

export interface AdvertReceiver {
  open(link: Link, channel: AdvertChannel, transport: Transport): Result<void, KernelError>;
  close(interfaceIndex: number, channel: AdvertChannel): void;
  listen(plans: readonly ListenPlan[]): void;
  takeBacklog(): boolean;
}

export interface AdvertReceiverOptions {
  readonly arena: Arena;
  readonly sockets: Sockets;
  readonly watcher: Watcher;
  readonly onPacket: (packet: ReceivedPacket) => void;
  readonly onFullBatch?: () => void;
}

interface Receiver {
  readonly descriptor: number;
  readonly groups: Set<string>;
  /** What the filter was made from: most changes of the host change nothing here. */
  filtered: string;
}

export function createAdvertReceiver(options: AdvertReceiverOptions): AdvertReceiver {
  return new Receivers(options);
}

class Receivers implements AdvertReceiver {
  readonly #options: AdvertReceiverOptions;
  readonly #open = new Map<number, Receiver>();
  readonly #buffers = new Map<4 | 6, PacketBuffers>();
  #backlog = false;

  constructor(options: AdvertReceiverOptions) {
    this.#options = options;
  }

  open(link: Link, channel: AdvertChannel, transport: Transport): Result<void, KernelError> {
    const known = this.#open.get(keyOf(link.index, channel));
    const opened = known === undefined ? this.#openSocket(link, channel) : ok(known);
    if (!opened.ok || transport.kind === "unicast") return opened.ok ? ok(undefined) : opened;
    const joined = this.#join(opened.value, link, transport.group);
    if (!joined.ok && known === undefined) this.close(link.index, channel);
    return joined;
  }

  takeBacklog(): boolean {
    const backlog = this.#backlog;
    this.#backlog = false;
    return backlog;
  }

  listen(plans: readonly ListenPlan[]): void {
    const byKey = new Map(plans.map((plan) => [keyOf(plan.interfaceIndex, plan.channel), plan]));
    for (const [key, receiver] of this.#open) this.#filter(receiver, byKey.get(key) ?? null);
  }

  #filter(receiver: Receiver, plan: ListenPlan | null): void {
    const wanted = JSON.stringify(plan);
    if (receiver.filtered === wanted) return;
    receiver.filtered = wanted;
    const { sockets } = this.#options;
    if (plan === null) {
      sockets.dropIncoming(receiver.descriptor);
      return;
    }
    const tightness = plan.shut ? "shut" : "open";
    const place = { family: plan.channel === 6 ? 6 : 4, offset: plan.channel === "ah" ? AH_HEADER : 0 } as const;
    const program = receiveFilter(plan.expected, { ...place, tightness, unknownToo: plan.unknownToo });
    // Too long, or refused for want of memory (net.core.optmem_max): what the kernel lets in is judged here as well.
    if (program === null || sockets.attachFilter(receiver.descriptor, program) < 0) {
      sockets.acceptIncoming(receiver.descriptor);
    }
    if (plan.bufferBytes !== null) sockets.setBuffers(receiver.descriptor, { receive: plan.bufferBytes });
  }

  close(interfaceIndex: number, channel: AdvertChannel): void {
    const receiver = this.#open.get(keyOf(interfaceIndex, channel));
    if (receiver === undefined) return;
    this.#open.delete(keyOf(interfaceIndex, channel));
    this.#options.watcher.unwatch(receiver.descriptor);
    this.#options.sockets.close(receiver.descriptor);
  }

  #openSocket(link: Link, channel: AdvertChannel): Result<Receiver, KernelError> {
    const { sockets, watcher } = this.#options;
    const family = channel === 6 ? 6 : 4;
    const what = `open a raw socket to receive adverts${OVER[channel]} on ${link.name}`;
    const protocol = channel === "ah" ? AH_PROTOCOL : IPPROTO_VRRP;
    const opened = sockets.open(family === 6 ? AF_INET6 : AF_INET, SOCK_RAW, protocol, what);
    if (!opened.ok) return opened;
    const descriptor = opened.value;
    // Until it is bound the socket takes packets of every interface: let none in, and throw away what was faster.
    sockets.dropIncoming(descriptor);
    const bound = this.#bindToInterface(descriptor, link);
    if (bound < 0) {
      sockets.close(descriptor);
      return err(kernelError(bound, `bind the socket for adverts to ${link.name}`));
    }
    const buffers = this.#buffersOf(family);
    while (buffers.fill(descriptor) > 0);
    this.#setOptions(descriptor, family);
    sockets.setBuffers(descriptor, { receive: RECEIVE_BUFFER_BYTES });
    sockets.acceptIncoming(descriptor);
    const receiver = { descriptor, groups: new Set<string>(), filtered: "" };
    this.#open.set(keyOf(link.index, channel), receiver);
    watcher.watch(descriptor, () => this.#receive({ interfaceIndex: link.index, channel, descriptor, buffers }));
    return ok(receiver);
  }

  #bindToInterface(descriptor: number, link: Link): number {
    const { sockets } = this.#options;
    const bound = sockets.setInt(descriptor, SOL_SOCKET, SO_BINDTOIFINDEX, link.index);
    // Kernels before 5.0 know names only.
    return bound === -ERRNO.ENOPROTOOPT
      ? sockets.setBytes(descriptor, SOL_SOCKET, SO_BINDTODEVICE, new TextEncoder().encode(`${link.name}\0`))
      : bound;
  }

  /** Only groups that this socket has joined; and of IPv6 packets what their header said. */
  #setOptions(descriptor: number, family: 4 | 6): void {
    const { sockets } = this.#options;
    if (family === 4) {
      sockets.setInt(descriptor, IPPROTO_IP, IP_MULTICAST_ALL, 0);
      return;
    }
    sockets.setInt(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
    sockets.setInt(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    sockets.setInt(descriptor, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
  }

  #join(receiver: Receiver, link: Link, group: IpAddress): Result<void, KernelError> {
    if (receiver.groups.has(group)) return ok(undefined);
    const address = ipBytes(group);
    const ipv6 = address.length > 4;
    // struct ipv6_mreq: group, interface index. struct ip_mreqn: group, no local address, interface index.
    const request = new Uint8Array(ipv6 ? 20 : 12);
    request.set(address, 0);
    new DataView(request.buffer).setInt32(request.length - 4, link.index, true);
    const [level, option] = ipv6 ? [IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP] : [IPPROTO_IP, IP_ADD_MEMBERSHIP];
    const joined = this.#options.sockets.setBytes(receiver.descriptor, level, option, request);
    if (joined < 0 && joined !== -ERRNO.EADDRINUSE) return err(kernelError(joined, `join ${group} on ${link.name}`));
    receiver.groups.add(group);
    return ok(undefined);
  }

  #receive(from: {
    readonly interfaceIndex: number;
    readonly channel: AdvertChannel;
    readonly descriptor: number;
    readonly buffers: PacketBuffers;
  }): void {
    const { interfaceIndex, descriptor, buffers } = from;
    const key = keyOf(interfaceIndex, from.channel);
    const count = buffers.fill(descriptor);
    for (let position = 0; position < count; position++) {
      // A handler may have closed the interface: what it sent before no longer counts.
      if (this.#open.get(key)?.descriptor !== descriptor) return;
      this.#options.onPacket({
        interfaceIndex,
        packet: buffers.packet(position),
        header: buffers.header(position),
        truncated: buffers.truncated(position),
      });
    }
    if (count < PACKETS_MAX) return;
    this.#backlog = true;
    this.#options.onFullBatch?.();
  }

  #buffersOf(family: 4 | 6): PacketBuffers {
    const known = this.#buffers.get(family);
    if (known !== undefined) return known;
    const made = createPacketBuffers(this.#options.arena, family);
    this.#buffers.set(family, made);
    return made;
  }
}

const OVER: Readonly<Record<AdvertChannel, string>> = { 4: "", 6: " over IPv6", ah: " with authentication headers" };
const CHANNELS: Readonly<Record<AdvertChannel, number>> = { 4: 0, 6: 1, ah: 2 };

const keyOf = (interfaceIndex: number, channel: AdvertChannel): number => interfaceIndex * 3 + CHANNELS[channel];
