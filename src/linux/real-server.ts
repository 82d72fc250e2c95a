/**
 * This host as a real server of LVS: puts the virtual address on lo or on the tunnel, sets what keeps it quiet, and reads what is there. What
 * is needed is core/lvs/real-server-side.ts. Settings go first: an address must never be answered for, not even for a moment.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { familyOf, HOST_PREFIX, type IpAddress, parseIp } from "../core/lib/ip.ts";
import { holderOf, type ServerFacts, type ServerMethod, settingsFor } from "../core/lvs/real-server-side.ts";
import { type AddressOrder, addAddress, dumpAddresses, readAddress, removeAddress } from "../core/netlink/addresses.ts";
import { dumpLinks, readLink } from "../core/netlink/links.ts";
import { setUp } from "../core/netlink/virtual-links.ts";
import type { Arena } from "./arena.ts";
import { defaultGateway } from "./gateway.ts";
import { ERRNO, errnoName } from "./libc.ts";
import { readSetting, writeSetting } from "./net-settings.ts";
import { createNetlinkRequests, type NetlinkRequests } from "./netlink-requests.ts";
import { openNetlinkSocket } from "./netlink-socket.ts";
import { createSockets } from "./sockets.ts";

export interface Membership {
  readonly method: ServerMethod;
  readonly address: IpAddress;
}

export interface RealServerHost {
  /** What was done, a line each; throws an Error that says what could not be done and why. */
  up(of: Membership): readonly string[];
  down(of: Membership): readonly string[];
  facts(of: Membership, director: IpAddress | null): ServerFacts;
  close(): void;
}

const MODULES: Readonly<Record<string, string>> = { tunl0: "ipip", ip6tnl0: "ip6_tunnel" };

export function openRealServerHost(arena: Arena): RealServerHost {
  const opened = openNetlinkSocket(arena, createSockets(arena), 0);
  if (!opened.ok) throw new Error(`cannot ${opened.error.what}: ${opened.error.errno}`);
  const socket = opened.value;
  return { ...createHost(createNetlinkRequests(socket)), close: () => socket.close() };
}

function createHost(requests: NetlinkRequests): Omit<RealServerHost, "close"> {
  const links = () => requests.dump(dumpLinks, readLink);
  const holders = (address: IpAddress): readonly string[] => {
    const found = requests.dump(dumpAddresses, readAddress).filter((one) => one.address === address);
    return found.flatMap(({ interfaceIndex }) => links().find(({ index }) => index === interfaceIndex)?.name ?? []);
  };
  return {
    up: ({ method, address }) => {
      if (method === "nat") return ["with NAT a real server needs no virtual address"];
      const device = holderOf(method, familyOf(address));
      const index = indexOf(device, links) ?? loadDevice(device, links);
      const done = settings(method, address);
      demand(
        requests.ask((sequence) => setUp(index, sequence)),
        `bring ${device} up`,
      );
      const order = orderFor(address, index);
      const errno = requests.ask((sequence) => addAddress(order, sequence));
      if (errno !== ERRNO.EEXIST) demand(errno, `add ${address} to ${device}`);
      return [...done, `${address} is on ${device}${errno === 0 ? "" : ", as before"}`];
    },
    down: ({ method, address }) => {
      if (method === "nat") return ["with NAT a real server has no virtual address"];
      const device = holderOf(method, familyOf(address));
      const index = indexOf(device, links);
      const errno =
        index === null ? ERRNO.ENODEV : requests.ask((sequence) => removeAddress(orderFor(address, index), sequence));
      const gone = errno === ERRNO.EADDRNOTAVAIL || errno === ERRNO.ENODEV;
      if (!gone) demand(errno, `remove ${address} from ${device}`);
      return [
        `${address} is ${gone ? "not" : "no longer"} on ${device}`,
        "arp_ignore and arp_announce stay as they are: other virtual addresses may need them",
      ];
    },
    facts: ({ method, address }, director) => {
      const names = holders(address);
      const wanted = method === "nat" ? "" : holderOf(method, familyOf(address));
      // Another interface with the address is the news.
      const heldBy = names.find((name) => name !== wanted) ?? names[0] ?? null;
      return { method, address, heldBy, setting: readSetting, gateway: gatewayOf(), director };
    },
  };
}

function settings(method: ServerMethod, address: IpAddress): readonly string[] {
  return settingsFor(method, address).map(({ path, value }) => {
    const now = readSetting(path) ?? 0;
    if (now < value) {
      const written = writeSetting(path, value);
      if (!written.ok) throw new Error(`cannot ${written.error.what}: ${written.error.errno}`);
    }
    return `net.${path.replaceAll("/", ".")} is ${Math.max(now, value)}`;
  });
}

type Links = () => readonly { readonly name: string; readonly index: number }[];

function indexOf(device: string, links: Links): number | null {
  return links().find(({ name }) => name === device)?.index ?? null;
}

/** The kernel makes tunl0 and ip6tnl0 with their module. */
function loadDevice(device: string, links: Links): number {
  const module = MODULES[device] ?? "";
  try {
    execFileSync("modprobe", [module], { stdio: "ignore" });
  } catch {
    // The interface that is not there says it.
  }
  const index = indexOf(device, links);
  if (index === null) throw new Error(`this host has no interface ${device}; modprobe ${module} makes it`);
  return index;
}

function orderFor(address: IpAddress, interfaceIndex: number): AddressOrder {
  const prefixLength = HOST_PREFIX[familyOf(address)];
  return {
    interfaceIndex,
    address: { address, prefixLength, device: null, broadcast: null, label: null, scope: 0 },
    lifetime: null,
  };
}

function gatewayOf(): IpAddress | null {
  try {
    return parseIp(defaultGateway(readFileSync("/proc/net/route", "utf8")) ?? "");
  } catch {
    return null;
  }
}

function demand(errno: number, what: string): void {
  if (errno === 0) return;
  const remedy = errno === ERRNO.EPERM ? "; run it as root" : "";
  throw new Error(`cannot ${what}: ${errnoName(errno)}${remedy}`);
}
