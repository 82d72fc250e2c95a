/**
 * Raw sockets for VRRP (IP protocol 112): one that only sends, one per interface that only receives.
 *
 * Sending: each prepared advert is a block in the arena that holds its packet and a finished struct mmsghdr; queueing copies 64
 * bytes into the batch, flushing is one sendmmsg(2) for multicast and one for unicast. The header is ours (IP_HDRINCL), its
 * checksum the kernel's, its identification counts from 1 for each slot, as keepalived's does.
 *
 * Receiving: the sockets are bound to their interface, so a packet's interface is known by its socket, a flood on one
 * interface cannot fill another's queue, and the limit of 20 memberships per socket never matters.
 *
 * It never looks into a VRRP message and never waits.
 */
import { assert } from "../core/lib/assert.ts";
import { type Family, ipBytes } from "../core/lib/ip.ts";
import { ok, type Result } from "../core/lib/result.ts";
import type { Transport } from "../core/vrrp/config.ts";
import type { AdvertPort, KernelError, Link, PreparedAdvert, ReceivedPacket } from "../ports/network.ts";
import { createAdvertReceiver } from "./advert-receiver.ts";
import type { Arena } from "./arena.ts";
import { createMessageBatch, type MessageBatch } from "./message-batch.ts";
import type { Watcher } from "./reactor.ts";
import {
  AF_INET,
  createSockets,
  IOVEC,
  kernelError,
  MMSGHDR,
  MSG_DONTROUTE,
  MSG_DONTWAIT,
  SOCK_RAW,
  type Sockets,
} from "./sockets.ts";

const IPPROTO_RAW = 255;
const IPPROTO_IP = 0;
const IP_PKTINFO = 8;
const IP_MULTICAST_LOOP = 34;
const SEND_BUFFER_BYTES = 4 * 1024 * 1024;

/** One block in the arena per slot and destination. */
const SHOT = { header: 0, iov: 64, name: 80, control: 96, packet: 128 } as const;
const SOCKADDR_IN_BYTES = 16;
const CMSG_BYTES = 28;
const CMSG_SPACE = 32;

interface Shot {
  readonly offset: number;
  readonly size: number;
  readonly multicast: boolean;
}

interface Slot {
  readonly advert: PreparedAdvert;
  readonly shots: readonly Shot[];
  identification: number;
}

export interface SlotFailure {
  readonly slot: number;
  readonly error: KernelError;
}

export interface AdvertPortOptions {
  readonly arena: Arena;
  readonly watcher: Watcher;
  /** The packet is valid during the call only. */
  readonly onPacket: (packet: ReceivedPacket) => void;
}

export function createAdvertPort(options: AdvertPortOptions): AdvertPort {
  const sockets = createSockets(options.arena);
  const sender = createAdvertSender(options.arena, sockets);
  const receiver = createAdvertReceiver({ ...options, sockets });
  return {
    open(link: Link, _family: Family, transport: Transport) {
      const sending = sender.open();
      return sending.ok ? receiver.open(link, transport) : sending;
    },
    close: (interfaceIndex) => receiver.close(interfaceIndex),
    prepare: (slot, advert) => sender.prepare(slot, advert),
    forget: (slot) => sender.forget(slot),
    queue: (slot) => sender.queue(slot),
    flush: () => sender.flush(),
  };
}

/** The sending half alone: enough to speak for somebody else. */
export interface AdvertSender {
  open(): Result<void, KernelError>;
  prepare(slot: number, advert: PreparedAdvert): void;
  forget(slot: number): void;
  queue(slot: number): void;
  flush(): readonly SlotFailure[];
  dispose(): void;
}

export function createAdvertSender(arena: Arena, sockets: Sockets): AdvertSender {
  return new Sender(arena, sockets);
}

class Sender implements AdvertSender {
  readonly #arena: Arena;
  readonly #sockets: Sockets;
  readonly #slots = new Map<number, Slot>();
  readonly #multicast: MessageBatch;
  readonly #unicast: MessageBatch;
  #descriptor = -1;
  #failures: SlotFailure[] = [];

  constructor(arena: Arena, sockets: Sockets) {
    this.#arena = arena;
    this.#sockets = sockets;
    const onFailure = (slot: number, errno: number): void => this.#failed(slot, errno);
    this.#multicast = createMessageBatch({ arena, flags: MSG_DONTWAIT | MSG_DONTROUTE, onFailure });
    this.#unicast = createMessageBatch({ arena, flags: MSG_DONTWAIT, onFailure });
  }

  open(): Result<void, KernelError> {
    if (this.#descriptor >= 0) return ok(undefined);
    // IPPROTO_RAW implies IP_HDRINCL and is never given a packet: nothing gathers behind a socket that only sends.
    const opened = this.#sockets.open(AF_INET, SOCK_RAW, IPPROTO_RAW, "open a raw socket to send adverts");
    if (!opened.ok) return opened;
    this.#descriptor = opened.value;
    this.#sockets.dropIncoming(this.#descriptor);
    this.#sockets.setInt(this.#descriptor, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
    this.#sockets.setBuffers(this.#descriptor, { send: SEND_BUFFER_BYTES, receive: 0 });
    this.#sockets.setControlPriority(this.#descriptor);
    return ok(undefined);
  }

  prepare(slot: number, advert: PreparedAdvert): void {
    const identification = this.#slots.get(slot)?.identification ?? 0;
    this.forget(slot);
    const shots = advert.destinations.map((_, position) => this.#makeShot(advert, position));
    this.#slots.set(slot, { advert, shots, identification });
  }

  forget(slot: number): void {
    for (const shot of this.#slots.get(slot)?.shots ?? []) this.#arena.release(shot.offset, shot.size);
    this.#slots.delete(slot);
  }

  queue(slot: number): void {
    const entry = this.#slots.get(slot);
    if (entry === undefined) return;
    const id = (entry.identification % 0xffff) + 1;
    entry.identification = id;
    const { bytes } = this.#arena;
    for (const shot of entry.shots) {
      bytes[shot.offset + SHOT.packet + 4] = id >> 8;
      bytes[shot.offset + SHOT.packet + 5] = id;
      const batch = shot.multicast ? this.#multicast : this.#unicast;
      if (batch.full) batch.flush(this.#descriptor);
      batch.add(shot.offset + SHOT.header, slot);
    }
  }

  flush(): readonly SlotFailure[] {
    this.#multicast.flush(this.#descriptor);
    this.#unicast.flush(this.#descriptor);
    if (this.#failures.length === 0) return this.#failures;
    const failures = this.#failures;
    this.#failures = [];
    return failures;
  }

  dispose(): void {
    for (const slot of [...this.#slots.keys()]) this.forget(slot);
    this.#multicast.dispose();
    this.#unicast.dispose();
    if (this.#descriptor >= 0) this.#sockets.close(this.#descriptor);
    this.#descriptor = -1;
  }

  #failed(slot: number, errno: number): void {
    const source = this.#slots.get(slot)?.advert;
    const what = `send advert from ${source?.source ?? "?"} to ${source?.destinations.join(", ") ?? "?"} on interface ${source?.interfaceIndex ?? "?"}`;
    this.#failures.push({ slot, error: kernelError(errno, what) });
  }

  #makeShot(advert: PreparedAdvert, position: number): Shot {
    const packet = advert.packets[position];
    const destination = advert.destinations[position];
    assert(packet !== undefined && destination !== undefined, "an advert has one packet per destination");
    const size = SHOT.packet + packet.length;
    const arena = this.#arena;
    const offset = arena.allocate(size);
    const target = ipBytes(destination);
    const multicast = ((target[0] ?? 0) & 0xf0) === 0xe0;

    arena.bytes.set(packet, offset + SHOT.packet);
    arena.view.setUint16(offset + SHOT.name, AF_INET, true);
    arena.bytes.set(target, offset + SHOT.name + 4);
    arena.setPointer(offset + SHOT.iov + IOVEC.base, arena.at(offset + SHOT.packet));
    arena.setPointer(offset + SHOT.iov + IOVEC.length, packet.length);
    arena.setPointer(offset + MMSGHDR.name, arena.at(offset + SHOT.name));
    arena.view.setUint32(offset + MMSGHDR.nameLength, SOCKADDR_IN_BYTES, true);
    arena.setPointer(offset + MMSGHDR.iov, arena.at(offset + SHOT.iov));
    arena.setPointer(offset + MMSGHDR.iovCount, 1);
    // Unicast too: keepalived binds its sending sockets to the instance's interface.
    this.#setOutgoingInterface(offset, advert.interfaceIndex);
    return { offset, size, multicast };
  }

  /** ip(7), IP_PKTINFO on sending: overrides IP_MULTICAST_IF, so one socket serves every interface. */
  #setOutgoingInterface(offset: number, interfaceIndex: number): void {
    const control = offset + SHOT.control;
    this.#arena.setPointer(control, CMSG_BYTES);
    this.#arena.view.setInt32(control + 8, IPPROTO_IP, true);
    this.#arena.view.setInt32(control + 12, IP_PKTINFO, true);
    this.#arena.view.setInt32(control + 16, interfaceIndex, true);
    this.#arena.setPointer(offset + MMSGHDR.control, this.#arena.at(control));
    this.#arena.setPointer(offset + MMSGHDR.controlLength, CMSG_SPACE);
  }
}
