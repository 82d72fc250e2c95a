/** Lightweight tunnels of a route (linux/lwtunnel.h, mpls_iptunnel.h, ila.h): RTA_ENCAP_TYPE and what RTA_ENCAP nests. */
import { ipBytes } from "../lib/ip.ts";
import type { Encapsulation } from "../routing/model.ts";
import { type Attribute, writeAttributes } from "./message.ts";

const RTA_ENCAP_TYPE = 21;
const RTA_ENCAP = 22;
const NLA_F_NESTED = 0x8000;

const TYPES = { mpls: 1, ip: 2, ila: 3, ip6: 4 } as const;

/** LWTUNNEL_IP_* and LWTUNNEL_IP6_* number their members alike. */
const TUNNEL = { id: 1, destination: 2, source: 3, ttl: 4, tos: 5, flags: 6 } as const;
const MPLS_IPTUNNEL_DST = 1;
const ILA_ATTR_LOCATOR = 1;
/** Bottom of the label stack (RFC 3032 section 2.1). */
const LABEL_BOTTOM = 0x100;

export function encapsulationAttributes(encapsulation: Encapsulation | null): readonly Attribute[] {
  if (encapsulation === null) return [];
  return [
    { type: RTA_ENCAP | NLA_F_NESTED, value: writeAttributes(innerOf(encapsulation)) },
    { type: RTA_ENCAP_TYPE, value: Uint8Array.of(TYPES[encapsulation.kind], 0) },
  ];
}

function innerOf(encapsulation: Encapsulation): readonly Attribute[] {
  switch (encapsulation.kind) {
    case "mpls":
      return [{ type: MPLS_IPTUNNEL_DST, value: labelStack(encapsulation.labels) }];
    case "ila":
      return [{ type: ILA_ATTR_LOCATOR, value: locatorBytes(encapsulation.locator) }];
    default:
      return tunnelAttributes(encapsulation);
  }
}

function tunnelAttributes(tunnel: Extract<Encapsulation, { kind: "ip" | "ip6" }>): readonly Attribute[] {
  const attributes: Attribute[] = [];
  if (tunnel.id !== null) attributes.push({ type: TUNNEL.id, value: unsigned64Bytes(tunnel.id) });
  if (tunnel.destination !== null) attributes.push({ type: TUNNEL.destination, value: ipBytes(tunnel.destination) });
  if (tunnel.source !== null) attributes.push({ type: TUNNEL.source, value: ipBytes(tunnel.source) });
  if (tunnel.tos !== null) attributes.push({ type: TUNNEL.tos, value: Uint8Array.of(tunnel.tos) });
  if (tunnel.ttl !== null) attributes.push({ type: TUNNEL.ttl, value: Uint8Array.of(tunnel.ttl) });
  if (tunnel.flags !== null) {
    attributes.push({ type: TUNNEL.flags, value: Uint8Array.of(tunnel.flags >> 8, tunnel.flags & 0xff) });
  }
  return attributes;
}

/** A decimal number as eight bytes in network order. */
export function unsigned64Bytes(decimal: string): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(decimal), false);
  return bytes;
}

function labelStack(labels: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(labels.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [position, label] of labels.entries()) {
    const bottom = position === labels.length - 1 ? LABEL_BOTTOM : 0;
    view.setUint32(position * 4, label * 0x1000 + bottom, false);
  }
  return bytes;
}

/** Eight bytes as written, first byte first: the kernel keeps a locator in network order. */
function locatorBytes(locator: string): Uint8Array {
  return unsigned64Bytes(BigInt(`0x${locator}`).toString());
}
