/**
 * Adverts as a packet(7) socket of type SOCK_DGRAM sees them: from the network header on, in front of the packet filter when they come and behind
 * it when they go. Which of them the kernel lets through, and how one is read.
 */
import { assemble, type FilterStep, loadByte, loadWord, shiftRight, take } from "../bytes/bpf.ts";
import { AH_PROTOCOL } from "../vrrp/ah.ts";
import { decode, type Packet, VRRP_PROTOCOL } from "../vrrp/packet.ts";

const IPV4_PROTOCOL = 9;
const IPV6_NEXT_HEADER = 6;
const IPV6_HEADER = 40;
const EVERYTHING = 0xffff_ffff;
/** SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT (linux/filter.h): a tagged packet is its VLAN interface's. */
const VLAN_TAG_PRESENT = -0x1000 + 48;

/** VRRP over IPv4 and IPv6, and authentication headers over IPv4. */
export function tapFilter(): readonly FilterStep[] {
  return assemble([
    loadWord(VLAN_TAG_PRESENT),
    { goto: "drop", when: "greater", value: 0 },
    loadByte(0),
    shiftRight(4),
    { goto: "ipv4", when: "equal", value: 4 },
    { goto: "ipv6", when: "equal", value: 6 },
    { goto: "drop", when: "always" },
    { label: "ipv4" },
    loadByte(IPV4_PROTOCOL),
    { goto: "keep", when: "equal", value: VRRP_PROTOCOL },
    { goto: "keep", when: "equal", value: AH_PROTOCOL },
    { goto: "drop", when: "always" },
    { label: "ipv6" },
    loadByte(IPV6_NEXT_HEADER),
    { goto: "keep", when: "equal", value: VRRP_PROTOCOL },
    { label: "drop" },
    take(0),
    { label: "keep" },
    take(EVERYTHING),
  ]);
}

/** Null for what is no advert at all, or damaged. The packet keeps nothing of `bytes` but what it copies. */
export function readTap(bytes: Uint8Array): Packet | null {
  const [first = 0] = bytes;
  if (first >> 4 === 4) return settled(decode(bytes.slice(0, totalLength(bytes)), null));
  if (first >> 4 !== 6 || bytes.length < IPV6_HEADER) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const payload = bytes.slice(IPV6_HEADER, IPV6_HEADER + view.getUint16(4));
  const header = { source: bytes.slice(8, 24), destination: bytes.slice(24, 40), hopLimit: bytes[7] ?? 0 };
  return settled(decode(payload, header));
}

const settled = (decoded: ReturnType<typeof decode>): Packet | null => (decoded.ok ? decoded.value : null);

/** Short frames are padded by the device. */
function totalLength(bytes: Uint8Array): number {
  return bytes.length < 4 ? 0 : ((bytes[2] as number) << 8) | (bytes[3] as number);
}
