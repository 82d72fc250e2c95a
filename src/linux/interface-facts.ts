/**
 * The network interfaces of our own namespace for the data dump, asked of the kernel by rtnetlink(7) when somebody wants a dump;
 * what VRRP knows of interfaces comes to the keeper as it happens. (/sys/class/net would show the namespace it was
 * mounted in.)
 */
import { networkInterfaces } from "node:os";
import type { InterfaceFacts } from "../core/dumps/input.ts";
import { dumpLinks, RTM_NEWLINK } from "../core/netlink/links.ts";
import {
  type NetlinkMessage,
  NLMSG_DONE,
  NLMSG_ERROR,
  readAttributes,
  readText,
  readUint32,
  viewOf,
} from "../core/netlink/message.ts";
import type { Arena } from "./arena.ts";
import { openNetlinkSocket } from "./netlink-socket.ts";
import { createSockets } from "./sockets.ts";

/** struct ifinfomsg: family, padding, type, index, flags, change. */
const IFINFO_BYTES = 16;
const [IFLA_ADDRESS, IFLA_BROADCAST, IFLA_IFNAME, IFLA_MTU] = [1, 2, 3, 4] as const;
const IFF_RUNNING = 0x40;
const ARPHRD_LOOPBACK = 772;

/**
 * Ordered by index; empty when the kernel does not answer, because a dump must not fail for it. Virtual addresses are not
 * an interface's own.
 */
export function readInterfaces(
  arena: Arena,
  virtual: ReadonlySet<string>,
  sockets = createSockets(arena),
): readonly InterfaceFacts[] {
  const opened = openNetlinkSocket(arena, sockets, 0);
  if (!opened.ok) return [];
  const socket = opened.value;
  const addresses = networkInterfaces();
  const found: InterfaceFacts[] = [];
  try {
    if (socket.send(dumpLinks(1)) < 0) return [];
    for (;;) {
      const messages = socket.receive();
      if (typeof messages === "number") break;
      for (const message of messages) {
        const facts = factsOf(message, addresses, virtual);
        if (facts !== null) found.push(facts);
      }
      if (messages.some(({ type }) => type === NLMSG_DONE || type === NLMSG_ERROR)) break;
    }
  } finally {
    socket.close();
  }
  return found.sort((one, other) => one.index - other.index);
}

const hex = (bytes: Uint8Array | undefined): string | null =>
  bytes === undefined || bytes.length === 0
    ? null
    : [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");

function factsOf(
  message: NetlinkMessage,
  addresses: ReturnType<typeof networkInterfaces>,
  virtual: ReadonlySet<string>,
): InterfaceFacts | null {
  if (message.type !== RTM_NEWLINK || message.payload.length < IFINFO_BYTES) return null;
  const view = viewOf(message.payload);
  const attributes = readAttributes(message.payload, IFINFO_BYTES);
  const name = readText(attributes.get(IFLA_IFNAME) ?? new Uint8Array(0));
  const own = (addresses[name] ?? []).filter(({ address }) => !virtual.has(address));
  const hardwareType = view.getUint16(2, true);
  const flags = view.getUint32(8, true);
  const isLoopback = hardwareType === ARPHRD_LOOPBACK;
  return {
    name,
    index: view.getInt32(4, true),
    ipv4: own.find(({ family }) => family === "IPv4")?.address ?? null,
    // keepalived shows the link-local address, which is what VRRP would send from.
    ipv6: own.find((one) => one.family === "IPv6" && one.scopeid > 0)?.address ?? null,
    mac: isLoopback ? null : hex(attributes.get(IFLA_ADDRESS)),
    broadcast: hex(attributes.get(IFLA_BROADCAST)),
    flags,
    running: (flags & IFF_RUNNING) !== 0,
    mtu: readUint32(attributes.get(IFLA_MTU) ?? new Uint8Array(0)) ?? 0,
    hardwareType,
  };
}
