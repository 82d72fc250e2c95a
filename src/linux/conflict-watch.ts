/**
 * Hears other hosts that use an address held here: one packet(7) socket for ARP on all interfaces. A filter in the kernel lets
 * through what is about our addresses only, so ordinary ARP traffic wakes nobody, and nothing does while nothing is held.
 *
 * It takes at most 64 frames a wake-up, sends nothing, and only tells; what follows is the engine's business.
 */
import { conflictFilter, readConflict } from "../core/arp/conflict.ts";
import { ETHERTYPE_ARP } from "../core/arp/frame.ts";
import { familyOf, type IpAddress } from "../core/lib/ip.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { AddressConflict, ConflictPort, HeldAddresses, KernelError } from "../ports/network.ts";
import type { Arena } from "./arena.ts";
import { bindSocket, recvmmsg } from "./libc.ts";
import type { Watcher } from "./reactor.ts";
import { AF_PACKET, createSockets, IOVEC, kernelError, MMSGHDR, MSG_DONTWAIT, SOCK_RAW } from "./sockets.ts";

const FRAMES_MAX = 64;
/** ARP needs 42 bytes; the padding behind it is cut off. */
const FRAME_BYTES = 64;
/** struct sockaddr_ll: family, protocol, interface index at 4. */
const SOCKADDR_LL_BYTES = 20;
const NAME_BYTES = 32;

export interface ConflictWatchOptions {
  readonly arena: Arena;
  readonly watcher: Watcher;
  readonly onConflict: (conflict: AddressConflict) => void;
}

export function openConflictWatch(
  options: ConflictWatchOptions,
): Result<ConflictPort & { close(): void }, KernelError> {
  const { arena, watcher, onConflict } = options;
  const sockets = createSockets(arena);
  const what = "open a packet socket to hear ARP for held addresses";
  // Protocol 0 hears nothing: the filter is in place before the first frame.
  const opened = sockets.open(AF_PACKET, SOCK_RAW, 0, what);
  if (!opened.ok) return opened;
  const descriptor = opened.value;
  sockets.dropIncoming(descriptor);
  const bound = bindToArp(arena, descriptor);
  if (bound < 0) {
    sockets.close(descriptor);
    return err(kernelError(bound, what));
  }

  const frames = createFrameBuffers(arena);
  const held = new Map<number, ReadonlySet<IpAddress>>();
  let own: ReadonlySet<string> = new Set();
  let filtered = "";

  const setFilter = (addresses: readonly IpAddress[]): void => {
    const key = addresses.join();
    if (key === filtered) return;
    filtered = key;
    // Refused for want of memory (net.core.optmem_max): the old filter must not hide new addresses.
    if (sockets.attachFilter(descriptor, conflictFilter(addresses)) < 0) sockets.acceptIncoming(descriptor);
  };

  const hear = (): void => {
    const count = frames.fill(descriptor);
    for (let position = 0; position < count; position++) {
      const interfaceIndex = frames.interfaceIndex(position);
      const addresses = held.get(interfaceIndex);
      const conflict = addresses === undefined ? null : readConflict(frames.frame(position), addresses, own);
      if (conflict !== null) onConflict({ interfaceIndex, ...conflict });
    }
  };

  watcher.watch(descriptor, hear);
  return ok({
    watch(wanted: readonly HeldAddresses[], ownMacs: ReadonlySet<string>) {
      own = ownMacs;
      held.clear();
      for (const { interfaceIndex, addresses } of wanted) held.set(interfaceIndex, addresses);
      const all = new Set(wanted.flatMap(({ addresses }) => [...addresses]));
      setFilter([...all].filter((address) => familyOf(address) === 4).sort());
    },
    close() {
      watcher.unwatch(descriptor);
      sockets.close(descriptor);
      frames.release();
    },
  });
}

/** To every interface: which ones matter changes with the addresses, and the filter knows those. */
function bindToArp(arena: Arena, descriptor: number): number {
  const address = arena.allocate(SOCKADDR_LL_BYTES);
  arena.view.setUint16(address, AF_PACKET, true);
  arena.view.setUint16(address + 2, ETHERTYPE_ARP);
  const bound = bindSocket(descriptor, arena.at(address), SOCKADDR_LL_BYTES);
  arena.release(address, SOCKADDR_LL_BYTES);
  return bound;
}

interface FrameBuffers {
  /** Receives up to 64 frames; how many there were, 0 for none or an error. */
  fill(descriptor: number): number;
  /** Valid until the next fill. */
  frame(position: number): Uint8Array;
  interfaceIndex(position: number): number;
  release(): void;
}

function createFrameBuffers(arena: Arena): FrameBuffers {
  const headers = arena.allocate(FRAMES_MAX * MMSGHDR.bytes);
  const vectors = arena.allocate(FRAMES_MAX * IOVEC.bytes);
  const names = arena.allocate(FRAMES_MAX * NAME_BYTES);
  const data = arena.allocate(FRAMES_MAX * FRAME_BYTES);
  for (let position = 0; position < FRAMES_MAX; position++) {
    const header = headers + position * MMSGHDR.bytes;
    const vector = vectors + position * IOVEC.bytes;
    arena.setPointer(vector + IOVEC.base, arena.at(data + position * FRAME_BYTES));
    arena.setPointer(vector + IOVEC.length, FRAME_BYTES);
    arena.setPointer(header + MMSGHDR.name, arena.at(names + position * NAME_BYTES));
    arena.setPointer(header + MMSGHDR.iov, arena.at(vector));
    arena.setPointer(header + MMSGHDR.iovCount, 1);
  }
  return {
    fill(descriptor) {
      for (let position = 0; position < FRAMES_MAX; position++) {
        // The kernel wrote the length of the last name here.
        arena.view.setUint32(headers + position * MMSGHDR.bytes + MMSGHDR.nameLength, NAME_BYTES, true);
      }
      return Math.max(0, recvmmsg(descriptor, arena.at(headers), FRAMES_MAX, MSG_DONTWAIT));
    },
    frame(position) {
      const length = arena.view.getUint32(headers + position * MMSGHDR.bytes + MMSGHDR.length, true);
      const start = data + position * FRAME_BYTES;
      return arena.bytes.subarray(start, start + Math.min(length, FRAME_BYTES));
    },
    interfaceIndex(position) {
      return arena.view.getInt32(names + position * NAME_BYTES + 4, true);
    },
    release() {
      arena.release(headers, FRAMES_MAX * MMSGHDR.bytes);
      arena.release(vectors, FRAMES_MAX * IOVEC.bytes);
      arena.release(names, FRAMES_MAX * NAME_BYTES);
      arena.release(data, FRAMES_MAX * FRAME_BYTES);
    },
  };
}
