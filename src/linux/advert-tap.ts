/**
 * Listens for the doctor: to what interfaces see of VRRP in both directions (packet(7)), and beside it to what the kernel gives to a program (the
 * daemon's own kind of socket). What is only in the first was dropped on this host. It sends nothing but the membership reports of the groups.
 */
import { setTimeout } from "node:timers/promises";
import { type HeardAdvert, heardKey, type Listening } from "../core/doctor/adverts.ts";
import { readTap, tapFilter } from "../core/doctor/tap.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { Transport } from "../core/vrrp/config.ts";
import { peekVirtualRouterId } from "../core/vrrp/packet.ts";
import type { AdvertChannel, Link } from "../ports/network.ts";
import { createAdvertReceiver } from "./advert-receiver.ts";
import type { Arena } from "./arena.ts";
import { bindSocket, errnoName, recvfrom } from "./libc.ts";
import type { Watcher } from "./reactor.ts";
import { AF_PACKET, createSockets, MSG_DONTWAIT, type Sockets } from "./sockets.ts";

export interface ListenPlace {
  readonly link: Link;
  readonly channel: AdvertChannel;
  readonly transport: Transport;
}

const SOCK_DGRAM = 2;
const ETH_P_ALL = 3;
const SOCKADDR_LL_BYTES = 20;
const PKTTYPE = 10;
const PACKET_OUTGOING = 4;
const FRAME_BYTES = 4_096;
const POLL_MILLIS = 10;
/** A flood must not keep the doctor for ever in one turn. */
const FRAMES_A_TURN = 256;
/** So many are kept; a flood says nothing new after that. */
const ADVERTS_MAX = 20_000;

export interface AdvertTap {
  listen(places: readonly ListenPlace[], seconds: number): Promise<Result<Listening, string>>;
}

/** One for as long as the program runs: its buffers stay. One listening at a time. */
export function createAdvertTap(arena: Arena): AdvertTap {
  const sockets = createSockets(arena);
  const delivered = createDelivered(arena, sockets);
  return {
    async listen(places, seconds) {
      const tap = openTap(arena, sockets);
      if (!tap.ok) return tap;
      const links = new Map(places.map(({ link }) => [link.index, link]));
      const adverts: HeardAdvert[] = [];
      const keys = delivered.open(places);
      const until = performance.now() + seconds * 1_000;
      try {
        while (performance.now() < until) {
          for (const frame of takeTurn(tap.value)) {
            const advert = advertOf(frame, links);
            if (advert !== null && adverts.length < ADVERTS_MAX) adverts.push(advert);
          }
          delivered.poll();
          await setTimeout(POLL_MILLIS);
        }
      } finally {
        tap.value.close();
        delivered.close();
      }
      const interfaces = new Set([...links.values()].map(({ name }) => name));
      return ok({ seconds, adverts, delivered: keys, interfaces });
    },
  };
}

function advertOf({ interfaceIndex, outgoing, bytes }: Frame, links: ReadonlyMap<number, Link>): HeardAdvert | null {
  const link = links.get(interfaceIndex);
  const packet = link === undefined ? null : readTap(bytes);
  if (link === undefined || packet === null) return null;
  return { interface: link.name, direction: outgoing ? "out" : "in", packet };
}

function* takeTurn(tap: Tap): Generator<Frame> {
  for (let left = FRAMES_A_TURN; left > 0; left--) {
    const frame = tap.receive();
    if (frame === null) return;
    yield frame;
  }
}

interface Frame {
  readonly interfaceIndex: number;
  readonly outgoing: boolean;
  readonly bytes: Uint8Array;
}

interface Tap {
  receive(): Frame | null;
  close(): void;
}

/** One socket for all interfaces. */
function openTap(arena: Arena, sockets: Sockets): Result<Tap, string> {
  const opened = sockets.open(AF_PACKET, SOCK_DGRAM, 0, "open a packet socket");
  if (!opened.ok) return err(`cannot ${opened.error.what}: ${opened.error.errno}`);
  const descriptor = opened.value;
  const name = arena.allocate(SOCKADDR_LL_BYTES + 4);
  const data = arena.allocate(FRAME_BYTES);
  const close = (): void => {
    sockets.close(descriptor);
    arena.release(name, SOCKADDR_LL_BYTES + 4);
    arena.release(data, FRAME_BYTES);
  };
  sockets.attachFilter(descriptor, tapFilter());
  arena.bytes.fill(0, name, name + SOCKADDR_LL_BYTES);
  arena.view.setUint16(name, AF_PACKET, true);
  arena.view.setUint16(name + 2, ETH_P_ALL);
  const bound = bindSocket(descriptor, arena.at(name), SOCKADDR_LL_BYTES);
  if (bound < 0) {
    close();
    return err(`cannot bind a packet socket: ${errnoName(bound)}`);
  }
  return ok({
    receive() {
      arena.view.setUint32(name + SOCKADDR_LL_BYTES, SOCKADDR_LL_BYTES, true);
      const [at, size] = [arena.at(name), arena.at(name + SOCKADDR_LL_BYTES)];
      const length = recvfrom(descriptor, arena.at(data), FRAME_BYTES, MSG_DONTWAIT, at, size);
      if (length <= 0) return null;
      return {
        interfaceIndex: arena.view.getInt32(name + 4, true),
        outgoing: arena.view.getUint8(name + PKTTYPE) === PACKET_OUTGOING,
        bytes: arena.bytes.slice(data, data + Math.min(length, FRAME_BYTES)),
      };
    },
    close,
  });
}

/** The keeper's own receiver, asked now and then instead of woken. */
function createDelivered(arena: Arena, sockets: Sockets) {
  const ready = new Map<number, () => void>();
  const watcher: Watcher = {
    watch: (descriptor, onReady) => void ready.set(descriptor, onReady),
    unwatch: (descriptor) => void ready.delete(descriptor),
  };
  let opened: readonly ListenPlace[] = [];
  let keys = new Set<string>();
  const receiver = createAdvertReceiver({
    arena,
    sockets,
    watcher,
    onPacket: ({ interfaceIndex, packet, header }) => {
      const family = header === null ? 4 : 6;
      const virtualRouterId = peekVirtualRouterId(packet, family);
      const device = opened.find(({ link }) => link.index === interfaceIndex)?.link.name;
      if (virtualRouterId !== null && device !== undefined) keys.add(heardKey(device, family, virtualRouterId));
    },
  });
  return {
    /** What will have been delivered. Null: not every socket could be opened, so nobody can say what was kept from it. */
    open(places: readonly ListenPlace[]): ReadonlySet<string> | null {
      opened = places;
      keys = new Set();
      const all = places.map(({ link, channel, transport }) => receiver.open(link, channel, transport).ok);
      return all.every((one) => one) ? keys : null;
    },
    poll: () => {
      for (const onReady of ready.values()) onReady();
    },
    close: () => {
      for (const { link, channel } of opened) receiver.close(link.index, channel);
    },
  };
}
