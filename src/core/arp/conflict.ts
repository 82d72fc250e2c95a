/**
 * Recognises that another host uses an address of ours: it sends ARP, a request or a reply, in which our address is the sender's
 * (RFC 5227 section 2.4). Makes the filter that lets such frames through, and reads them.
 *
 * A probe (sender 0.0.0.0) only asks and is no use. It decides nothing: an address in use is told, never defended.
 */
import { type FilterStep, jumpIfEqual, loadHalf, loadWord, take } from "../bytes/bpf.ts";
import { type IpAddress, ipv4Number } from "../lib/ip.ts";
import { ARP_FRAME_BYTES, macText, readArp } from "./frame.ts";

/** Offsets in an Ethernet frame, see frame.ts. */
const HARDWARE_AND_PROTOCOL = 14;
const LENGTHS = 18;
const SENDER_ADDRESS = 28;
const ETHERNET_AND_IPV4 = 0x0001_0800;
const SIX_AND_FOUR = 0x0604;
/** With more, every ARP frame comes through and is judged here: jumps in a filter are bytes. */
export const FILTERED_ADDRESSES_MAX = 200;

export interface Conflict {
  readonly address: IpAddress;
  /** Hardware address of the other one, "02:42:ac:11:00:02". */
  readonly mac: string;
}

/** Lets Ethernet frames with ARP for IPv4 through whose sender's protocol address is one of these; without any, nothing. */
export function conflictFilter(addresses: readonly IpAddress[]): readonly FilterStep[] {
  if (addresses.length === 0) return [take(0)];
  return addresses.length > FILTERED_ADDRESSES_MAX ? anyArp() : arpFrom(addresses);
}

function anyArp(): readonly FilterStep[] {
  return [
    loadWord(HARDWARE_AND_PROTOCOL),
    jumpIfEqual(ETHERNET_AND_IPV4, 0, 2),
    loadHalf(LENGTHS),
    jumpIfEqual(SIX_AND_FOUR, 1, 0),
    take(0),
    take(ARP_FRAME_BYTES),
  ];
}

/** The comparisons stand in a row; the first that fits jumps over the rest and over the drop behind them. */
function arpFrom(addresses: readonly IpAddress[]): readonly FilterStep[] {
  const count = addresses.length;
  return [
    loadWord(HARDWARE_AND_PROTOCOL),
    jumpIfEqual(ETHERNET_AND_IPV4, 0, count + 3),
    loadHalf(LENGTHS),
    jumpIfEqual(SIX_AND_FOUR, 0, count + 1),
    loadWord(SENDER_ADDRESS),
    ...addresses.map((address, position) => jumpIfEqual(ipv4Number(address), count - position, 0)),
    take(0),
    take(ARP_FRAME_BYTES),
  ];
}

/** The other host that this frame is from and the held address it uses; null when the frame says nothing of the kind. */
export function readConflict(
  frame: Uint8Array,
  held: ReadonlySet<IpAddress>,
  ownMacs: ReadonlySet<string>,
): Conflict | null {
  const arp = readArp(frame);
  if (arp === null || !held.has(arp.senderAddress)) return null;
  const mac = macText(arp.senderMac);
  // Our own announcements come back through bridges and bonds, and from a second card on the same segment.
  return ownMacs.has(mac) ? null : { address: arp.senderAddress, mac };
}
