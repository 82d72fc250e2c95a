/**
 * Hears other hosts that use an IPv6 address held here: neighbour advertisements of theirs for it, by a raw ICMPv6 socket whose filter
 * (RFC 3542 section 3.2) lets nothing else in, and nothing at all while nothing is held. conflict-watch.ts does the same for ARP.
 *
 * It takes at most 64 messages a wake-up, sends nothing, and only tells; what follows is the engine's business.
 */
import { macText } from "../core/arp/frame.ts";
import { familyOf, type IpAddress } from "../core/lib/ip.ts";
import { ok, type Result } from "../core/lib/result.ts";
import { NEIGHBOUR_ADVERTISEMENT, readNeighbourAdvertisement } from "../core/ndisc/advertisement.ts";
import type { AddressConflict, ConflictPort, HeldAddresses, KernelError } from "../ports/network.ts";
import type { ConflictWatchOptions } from "./conflict-watch.ts";
import { createPacketBuffers } from "./packet-buffers.ts";
import { AF_INET6, createSockets, IPPROTO_IPV6, SOCK_RAW } from "./sockets.ts";

const IPPROTO_ICMPV6 = 58;
const ICMP6_FILTER = 1;
/** struct icmp6_filter: one bit for each type, set when it is blocked. */
const FILTER_BYTES = 32;
const IPV6_RECVPKTINFO = 49;
const IPV6_RECVHOPLIMIT = 51;

export function openNeighbourWatch(
  options: ConflictWatchOptions,
): Result<ConflictPort & { close(): void }, KernelError> {
  const { arena, watcher, onConflict } = options;
  const sockets = createSockets(arena);
  const what = "open a raw socket to hear neighbour advertisements for held addresses";
  const opened = sockets.open(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, what);
  if (!opened.ok) return opened;
  const descriptor = opened.value;
  const held = new Map<number, ReadonlySet<IpAddress>>();
  let own: ReadonlySet<string> = new Set();

  const letIn = (advertisements: boolean): void => {
    const filter = new Uint8Array(FILTER_BYTES).fill(0xff);
    const at = NEIGHBOUR_ADVERTISEMENT >> 3;
    if (advertisements) filter[at] = 0xff & ~(1 << (NEIGHBOUR_ADVERTISEMENT & 7));
    sockets.setBytes(descriptor, IPPROTO_ICMPV6, ICMP6_FILTER, filter);
  };
  letIn(false);
  sockets.setInt(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  sockets.setInt(descriptor, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
  const buffers = createPacketBuffers(arena, 6);

  const conflictIn = (position: number): AddressConflict | null => {
    // RFC 4861 section 7.1.2: with less it has come through a router, and is nobody's on this link.
    if (buffers.header(position)?.hopLimit !== 255) return null;
    const interfaceIndex = buffers.interfaceIndex(position);
    const said = readNeighbourAdvertisement(buffers.packet(position));
    if (said === null || said.mac === null || held.get(interfaceIndex)?.has(said.target) !== true) return null;
    const mac = macText(said.mac);
    return own.has(mac) ? null : { interfaceIndex, address: said.target, mac };
  };

  watcher.watch(descriptor, () => {
    const count = buffers.fill(descriptor);
    for (let position = 0; position < count; position++) {
      const conflict = conflictIn(position);
      if (conflict !== null) onConflict(conflict);
    }
  });

  return ok({
    watch(wanted: readonly HeldAddresses[], ownMacs: ReadonlySet<string>) {
      own = ownMacs;
      held.clear();
      for (const { interfaceIndex, addresses } of wanted) {
        const ipv6 = new Set([...addresses].filter((address) => familyOf(address) === 6));
        if (ipv6.size > 0) held.set(interfaceIndex, ipv6);
      }
      letIn(held.size > 0);
    },
    close() {
      watcher.unwatch(descriptor);
      sockets.close(descriptor);
    },
  });
}
