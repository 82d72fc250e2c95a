/** Reads which multicast groups programs have joined: /proc/net/igmp (IPv4) and /proc/net/igmp6. */
import { type Family, ipFromBytes } from "../lib/ip.ts";

/** "DEVICE GROUP" each. */
export function readMemberships(text: string, family: Family): ReadonlySet<string> {
  return new Set(family === 4 ? readIgmp(text) : readIgmp6(text));
}

/** A line of a device, then one of each of its groups, in the byte order of the machine: little-endian. */
function readIgmp(text: string): readonly string[] {
  let device = "";
  return text.split("\n").flatMap((line) => {
    const named = /^\d+\s+(\S+)\s*:/.exec(line);
    if (named !== null) device = named[1] ?? "";
    const group = /^\s+([0-9A-F]{8})\s/.exec(line)?.[1];
    return group === undefined ? [] : [`${device} ${ipFromBytes(4, bytesOf(group).reverse(), 0)}`];
  });
}

function readIgmp6(text: string): readonly string[] {
  return [...text.matchAll(/^\d+\s+(\S+)\s+([0-9a-f]{32})\s/gm)].map(
    ([, device = "", group = ""]) => `${device} ${ipFromBytes(6, bytesOf(group), 0)}`,
  );
}

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (part) => Number.parseInt(part, 16));
