/**
 * ARP probes and neighbour solicitations from the control process: one packet(7) socket for each question, read without blocking every two
 * milliseconds, closed afterwards. A filter in the kernel lets through what can be an answer.
 */
import { networkInterfaces } from "node:os";
import { conflictFilter } from "../core/arp/conflict.ts";
import { arpProbe, ETHERTYPE_ARP, MAC_BYTES, macText, readArp } from "../core/arp/frame.ts";
import { assemble, type FilterStep, loadByte, loadHalf, loadWord, take } from "../core/bytes/bpf.ts";
import { familyOf, type IpAddress, networkOf, parseIp } from "../core/lib/ip.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { ETHERTYPE_IPV6, NEIGHBOUR_ADVERTISEMENT } from "../core/ndisc/advertisement.ts";
import { neighbourProbe, readNeighbourAnswer } from "../core/ndisc/solicitation.ts";
import type { AddressProbe, ProbeOptions } from "../ports/address-probe.ts";
import type { Arena } from "./arena.ts";
import { readInterfaces } from "./interface-facts.ts";
import { bindSocket, errnoName, recv, sendto } from "./libc.ts";
import { AF_PACKET, createSockets, MSG_DONTWAIT, SOCK_RAW, type Sockets } from "./sockets.ts";

const FRAME_BYTES = 256;
const SOCKADDR_LL_BYTES = 20;
const POLL_MILLIS = 2;
const ETHERNET = 1;
const ETH_P_ALL = 3;
const IFF_UP = 1;

interface Device {
  readonly index: number;
  readonly mac: Uint8Array;
}

export function createAddressProbe(arena: Arena): AddressProbe {
  const tools = { arena, sockets: createSockets(arena) };
  return {
    async whoAnswers(address, options) {
      const device = findDevice(tools, options.device);
      if (!device.ok) return device;
      const opened = openProbe(tools, device.value, address);
      if (!opened.ok) return opened;
      try {
        return ok(await collect(opened.value, address, options));
      } finally {
        opened.value.close();
      }
    },
    place,
  };
}

interface Tools {
  readonly arena: Arena;
  readonly sockets: Sockets;
}

function findDevice({ arena, sockets }: Tools, name: string): Result<Device, string> {
  const found = readInterfaces(arena, new Set(), sockets).find((one) => one.name === name);
  if (found === undefined) return err(`interface ${name} does not exist`);
  if ((found.flags & IFF_UP) === 0) return err(`interface ${name} is down`);
  const mac = Uint8Array.from((found.mac ?? "").split(":"), (part) => Number.parseInt(part, 16));
  if (found.hardwareType !== ETHERNET || mac.length !== MAC_BYTES) return err(`interface ${name} is no Ethernet`);
  return ok({ index: found.index, mac });
}

interface Probe {
  receive(): Uint8Array | null;
  close(): void;
}

/** Listens before it asks. */
function openProbe({ arena, sockets }: Tools, { index, mac }: Device, address: IpAddress): Result<Probe, string> {
  const four = familyOf(address) === 4;
  const opened = sockets.open(AF_PACKET, SOCK_RAW, 0, "open a packet socket");
  if (!opened.ok) return err(`cannot ${opened.error.what}: ${opened.error.errno}`);
  const descriptor = opened.value;
  const name = arena.allocate(SOCKADDR_LL_BYTES);
  const data = arena.allocate(FRAME_BYTES);
  const close = (): void => {
    sockets.close(descriptor);
    arena.release(name, SOCKADDR_LL_BYTES);
    arena.release(data, FRAME_BYTES);
  };
  sockets.attachFilter(descriptor, four ? conflictFilter([address]) : advertisements());
  arena.view.setUint16(name, AF_PACKET, true);
  // An answer to all nodes from the virtual hardware address that this host has as well is taken by its macvlan before a socket for IPv6 sees it.
  arena.view.setUint16(name + 2, four ? ETHERTYPE_ARP : ETH_P_ALL);
  arena.view.setInt32(name + 4, index, true);
  const bound = bindSocket(descriptor, arena.at(name), SOCKADDR_LL_BYTES);
  arena.view.setUint16(name + 2, four ? ETHERTYPE_ARP : ETHERTYPE_IPV6);
  const frame = four ? arpProbe(mac, address) : neighbourProbe(mac, address);
  arena.bytes.set(frame, data);
  const sent =
    bound < 0
      ? bound
      : sendto(descriptor, arena.at(data), frame.length, MSG_DONTWAIT, arena.at(name), SOCKADDR_LL_BYTES);
  if (sent < 0) {
    close();
    return err(`cannot ask for ${address}: ${errnoName(sent)}`);
  }
  return ok({
    receive() {
      const length = recv(descriptor, arena.at(data), FRAME_BYTES, MSG_DONTWAIT);
      return length <= 0 ? null : arena.bytes.slice(data, data + Math.min(length, FRAME_BYTES));
    },
    close,
  });
}

/** SKF_AD_OFF + SKF_AD_PKTTYPE and SKF_AD_VLAN_TAG_PRESENT (linux/filter.h). */
const PACKET_TYPE = -0x1000 + 4;
const VLAN_TAG_PRESENT = -0x1000 + 48;
const PACKET_OUTGOING = 4;

/** What comes, is no VLAN's, and is an advertisement: the socket is given every protocol, both ways. */
function advertisements(): readonly FilterStep[] {
  const [ETHERTYPE, TYPE] = [12, 54];
  return assemble([
    loadWord(PACKET_TYPE),
    { goto: "drop", when: "equal", value: PACKET_OUTGOING },
    loadWord(VLAN_TAG_PRESENT),
    { goto: "drop", when: "greater", value: 0 },
    loadHalf(ETHERTYPE),
    { goto: "ipv6", when: "equal", value: ETHERTYPE_IPV6 },
    { label: "drop" },
    take(0),
    { label: "ipv6" },
    loadByte(TYPE),
    { goto: "keep", when: "equal", value: NEIGHBOUR_ADVERTISEMENT },
    take(0),
    { label: "keep" },
    take(FRAME_BYTES),
  ]);
}

async function collect(probe: Probe, address: IpAddress, { millis, first }: ProbeOptions): Promise<readonly string[]> {
  const until = performance.now() + millis;
  const macs = new Set<string>();
  for (;;) {
    for (let frame = probe.receive(); frame !== null; frame = probe.receive()) {
      const mac = senderOf(frame, address);
      if (mac !== null) macs.add(macText(mac));
    }
    if ((first === true && macs.size > 0) || performance.now() >= until) return [...macs];
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS));
  }
}

function senderOf(frame: Uint8Array, address: IpAddress): Uint8Array | null {
  if (familyOf(address) === 6) return readNeighbourAnswer(frame, address);
  const arp = readArp(frame);
  return arp?.senderAddress === address ? arp.senderMac : null;
}

function place(address: IpAddress): { readonly device: string | null; readonly own: boolean } {
  let device: string | null = null;
  let longest = -1;
  for (const [name, entries = []] of Object.entries(networkInterfaces())) {
    for (const entry of entries) {
      const own = parseIp(entry.address);
      if (own === address) return { device: name, own: true };
      const prefix = Number(entry.cidr?.split("/")[1] ?? -1);
      if (own === null || familyOf(own) !== familyOf(address) || prefix <= longest) continue;
      if (networkOf(own, prefix) !== networkOf(address, prefix)) continue;
      device = name;
      longest = prefix;
    }
  }
  return { device, own: false };
}
