/**
 * Gratuitous ARP and unsolicited neighbour advertisements by packet(7): Ethernet frames from a socket that sends only (protocol 0 and
 * a filter that lets nothing in). A burst of any size goes out in batches of sendmmsg(2). It decides neither when nor how often.
 */
import { readFileSync } from "node:fs";
import { ETHERTYPE_ARP, gratuitousArp, MAC_BYTES } from "../core/arp/frame.ts";
import { familyOf, type IpAddress } from "../core/lib/ip.ts";
import { ok, type Result } from "../core/lib/result.ts";
import { ETHERTYPE_IPV6, neighbourAdvertisement } from "../core/ndisc/advertisement.ts";
import type { AnnouncePort, KernelError, Link } from "../ports/network.ts";
import type { Arena } from "./arena.ts";
import { createMessageBatch } from "./message-batch.ts";
import { AF_PACKET, createSockets, IOVEC, kernelError, MMSGHDR, MSG_DONTWAIT, SOCK_RAW } from "./sockets.ts";

const FRAME = { header: 0, iov: 64, name: 80, data: 128 } as const;
const BLOCK_BYTES = 256;
const SOCKADDR_LL_BYTES = 20;
const SEND_BUFFER_BYTES = 4 * 1024 * 1024;

export function openAnnouncePort(arena: Arena): Result<AnnouncePort & { close(): void }, KernelError> {
  const sockets = createSockets(arena);
  const opened = sockets.open(
    AF_PACKET,
    SOCK_RAW,
    0,
    "open a packet socket for gratuitous ARP and neighbour advertisements",
  );
  if (!opened.ok) return opened;
  const descriptor = opened.value;
  sockets.dropIncoming(descriptor);
  sockets.setBuffers(descriptor, { send: SEND_BUFFER_BYTES, receive: 0 });
  sockets.setControlPriority(descriptor);

  let firstErrno = 0;
  const batch = createMessageBatch({
    arena,
    flags: MSG_DONTWAIT,
    onFailure: (_tag, errno) => {
      if (firstErrno === 0) firstErrno = errno;
    },
  });

  return ok({
    announce(link, addresses, repeat) {
      if (link.mac.length !== MAC_BYTES) return { frames: 0, error: null };
      firstErrno = 0;
      let frames = 0;
      const blocks = framesOf(link, addresses).map((frame) => writeFrame(arena, link, frame));
      for (let round = 0; round < repeat; round++) {
        for (const block of blocks) {
          if (batch.full) frames += batch.flush(descriptor);
          batch.add(block + FRAME.header, 0);
        }
      }
      frames += batch.flush(descriptor);
      for (const block of blocks) arena.release(block, BLOCK_BYTES);
      return {
        frames,
        error: firstErrno === 0 ? null : kernelError(firstErrno, `announce addresses on ${link.name}`),
      };
    },
    close() {
      batch.dispose();
      sockets.close(descriptor);
    },
  });
}

/** Whether the host forwards IPv6 from that interface: neighbours keep routers in a list of their own (RFC 4861 section 7.2.5). */
function isRouter(name: string): boolean {
  try {
    return readFileSync(`/proc/sys/net/ipv6/conf/${name}/forwarding`, "utf8").trim() !== "0";
  } catch {
    // Gone with the interface, or /proc is not there: an ordinary host.
    return false;
  }
}

function framesOf(link: Link, addresses: readonly IpAddress[]): readonly Frame[] {
  const router = addresses.some((address) => familyOf(address) === 6) && isRouter(link.name);
  return addresses.map((address) =>
    familyOf(address) === 4
      ? { type: ETHERTYPE_ARP, bytes: gratuitousArp(link.mac, address) }
      : { type: ETHERTYPE_IPV6, bytes: neighbourAdvertisement(link.mac, address, router) },
  );
}

interface Frame {
  readonly type: number;
  /** From the destination's hardware address on. */
  readonly bytes: Uint8Array;
}

function writeFrame(arena: Arena, link: Link, { type, bytes }: Frame): number {
  const block = arena.allocate(BLOCK_BYTES);
  arena.bytes.set(bytes, block + FRAME.data);
  // struct sockaddr_ll: family, protocol, interface, hardware type, packet type, address length, address.
  arena.view.setUint16(block + FRAME.name, AF_PACKET, true);
  arena.view.setUint16(block + FRAME.name + 2, type);
  arena.view.setInt32(block + FRAME.name + 4, link.index, true);
  arena.bytes[block + FRAME.name + 11] = MAC_BYTES;
  arena.bytes.set(bytes.subarray(0, MAC_BYTES), block + FRAME.name + 12);
  arena.setPointer(block + FRAME.iov + IOVEC.base, arena.at(block + FRAME.data));
  arena.setPointer(block + FRAME.iov + IOVEC.length, bytes.length);
  arena.setPointer(block + MMSGHDR.name, arena.at(block + FRAME.name));
  arena.view.setUint32(block + MMSGHDR.nameLength, SOCKADDR_LL_BYTES, true);
  arena.setPointer(block + MMSGHDR.iov, arena.at(block + FRAME.iov));
  arena.setPointer(block + MMSGHDR.iovCount, 1);
  return block;
}
