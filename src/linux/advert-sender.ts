/**
 * The sending half of the advert port: one raw socket per family that only sends, for every interface.
 *
 * Each prepared advert is a block in the arena (advert-shot.ts); queueing copies 64 bytes into the batch, flushing is one sendmmsg(2)
 * each for multicast and unicast. The IPv4 header is ours (IP_HDRINCL), its checksum the kernel's, its identification counts from 1
 * for each slot, as keepalived's does. The IPv6 header and the checksum in the message are the kernel's (RFC 3542 section 3.1).
 */
import { type Family, familyOf } from "../core/lib/ip.ts";
import { ok, type Result } from "../core/lib/result.ts";
import type { KernelError, PreparedAdvert } from "../ports/network.ts";
import { makeShot, type Shot } from "./advert-shot.ts";
import type { Arena } from "./arena.ts";
import { createMessageBatch, type MessageBatch } from "./message-batch.ts";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_VRRP,
  kernelError,
  MSG_DONTROUTE,
  MSG_DONTWAIT,
  SOCK_RAW,
  type Sockets,
} from "./sockets.ts";

const IPPROTO_RAW = 255;
const IP_MULTICAST_LOOP = 34;
const IPV6_CHECKSUM = 7;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_TCLASS = 67;
/** Where the checksum is in a VRRP message. */
const CHECKSUM_OFFSET = 6;
/** Internetwork control, as in our IPv4 headers. */
const TRAFFIC_CLASS = 0xc0;
const SEND_BUFFER_BYTES = 4 * 1024 * 1024;

interface Slot {
  readonly advert: PreparedAdvert;
  readonly channel: Channel;
  readonly shots: readonly Shot[];
  /** The packets as they lie in the arena, for what is written into them before each sending; null when nothing is. */
  readonly sealed: readonly Uint8Array[] | null;
  identification: number;
}

/** The socket of one family and what waits for it. */
interface Channel {
  descriptor: number;
  readonly multicast: MessageBatch;
  readonly unicast: MessageBatch;
}

export interface SlotFailure {
  readonly slot: number;
  readonly error: KernelError;
}

/** The sending half alone: enough to speak for somebody else. */
export interface AdvertSender {
  /** Idempotent. A slot of a family that is not open cannot be prepared. */
  open(family: Family): Result<void, KernelError>;
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
  readonly #channels: Channel[] = [];
  readonly #byFamily = new Map<Family, Channel>();
  #failures: SlotFailure[] = [];

  constructor(arena: Arena, sockets: Sockets) {
    this.#arena = arena;
    this.#sockets = sockets;
  }

  open(family: Family): Result<void, KernelError> {
    if (this.#byFamily.has(family)) return ok(undefined);
    const opened = family === 4 ? this.#openIpv4() : this.#openIpv6();
    if (!opened.ok) return opened;
    const descriptor = opened.value;
    this.#sockets.dropIncoming(descriptor);
    this.#sockets.setBuffers(descriptor, { send: SEND_BUFFER_BYTES, receive: 0 });
    this.#sockets.setControlPriority(descriptor);
    const arena = this.#arena;
    const onFailure = (slot: number, errno: number): void => this.#failed(slot, errno);
    const channel = {
      descriptor,
      multicast: createMessageBatch({ arena, flags: MSG_DONTWAIT | MSG_DONTROUTE, onFailure }),
      unicast: createMessageBatch({ arena, flags: MSG_DONTWAIT, onFailure }),
    };
    this.#channels.push(channel);
    this.#byFamily.set(family, channel);
    return ok(undefined);
  }

  #openIpv4(): Result<number, KernelError> {
    // IPPROTO_RAW implies IP_HDRINCL and is never given a packet: nothing gathers behind a socket that only sends.
    const opened = this.#sockets.open(AF_INET, SOCK_RAW, IPPROTO_RAW, "open a raw socket to send adverts");
    if (opened.ok) this.#sockets.setInt(opened.value, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
    return opened;
  }

  #openIpv6(): Result<number, KernelError> {
    const what = "open a raw socket to send adverts over IPv6";
    const opened = this.#sockets.open(AF_INET6, SOCK_RAW, IPPROTO_VRRP, what);
    if (!opened.ok) return opened;
    for (const [option, value] of [
      [IPV6_CHECKSUM, CHECKSUM_OFFSET],
      [IPV6_MULTICAST_LOOP, 0],
      [IPV6_TCLASS, TRAFFIC_CLASS],
    ] as const) {
      this.#sockets.setInt(opened.value, IPPROTO_IPV6, option, value);
    }
    return opened;
  }

  prepare(slot: number, advert: PreparedAdvert): void {
    const identification = this.#slots.get(slot)?.identification ?? 0;
    this.forget(slot);
    const channel = this.#byFamily.get(familyOf(advert.source));
    if (channel === undefined) return;
    const shots = advert.destinations.map((_, position) => makeShot(this.#arena, advert, position));
    const sealed = advert.seal == null ? null : shots.map(({ packet }) => packet);
    this.#slots.set(slot, { advert, channel, shots, sealed, identification });
  }

  forget(slot: number): void {
    for (const shot of this.#slots.get(slot)?.shots ?? []) this.#arena.release(shot.offset, shot.size);
    this.#slots.delete(slot);
  }

  queue(slot: number): void {
    const entry = this.#slots.get(slot);
    if (entry === undefined) return;
    const { channel } = entry;
    const id = (entry.identification % 0xffff) + 1;
    entry.identification = id;
    const { bytes } = this.#arena;
    for (const shot of entry.shots) {
      if (shot.ipHeader === null) continue;
      bytes[shot.ipHeader + 4] = id >> 8;
      bytes[shot.ipHeader + 5] = id;
    }
    if (entry.sealed !== null) entry.advert.seal?.(entry.sealed);
    for (const shot of entry.shots) {
      const batch = shot.multicast ? channel.multicast : channel.unicast;
      if (batch.full) batch.flush(channel.descriptor);
      batch.add(shot.header, slot);
    }
  }

  flush(): readonly SlotFailure[] {
    for (const { descriptor, multicast, unicast } of this.#channels) {
      if (multicast.size > 0) multicast.flush(descriptor);
      if (unicast.size > 0) unicast.flush(descriptor);
    }
    if (this.#failures.length === 0) return this.#failures;
    const failures = this.#failures;
    this.#failures = [];
    return failures;
  }

  dispose(): void {
    for (const slot of [...this.#slots.keys()]) this.forget(slot);
    for (const { descriptor, multicast, unicast } of this.#channels.splice(0)) {
      multicast.dispose();
      unicast.dispose();
      this.#sockets.close(descriptor);
    }
    this.#byFamily.clear();
  }

  #failed(slot: number, errno: number): void {
    const source = this.#slots.get(slot)?.advert;
    const what = `send advert from ${source?.source ?? "?"} to ${source?.destinations.join(", ") ?? "?"} on interface ${source?.interfaceIndex ?? "?"}`;
    this.#failures.push({ slot, error: kernelError(errno, what) });
  }
}
