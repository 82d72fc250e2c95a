/**
 * Text of IPv6 addresses: reads what inet_pton(3) reads (RFC 4291 section 2.2), writes the one canonical form of RFC 5952. No zones
 * (`%eth0`): which interface an address belongs to is said beside it, never in it. ip.ts is the door; nobody else comes here.
 */
export const IPV6_BYTES = 16;

const GROUPS = 8;
const GROUP = /^[0-9a-fA-F]{1,4}$/;
const DOTTED_TAIL = /^(.*:)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** The sixteen bytes of an address in network order; null when the text is none. */
export function readIpv6(text: string): Uint8Array | null {
  const hexadecimal = withoutDottedTail(text);
  if (hexadecimal === null) return null;
  const halves = hexadecimal.split("::");
  if (halves.length > 2) return null;
  const [head, tail] = halves.map(groupsOf) as [readonly number[] | null, (readonly number[] | null)?];
  if (head === null || tail === null) return null;
  if (tail === undefined) return head.length === GROUPS ? bytesOf(head) : null;
  // "::" stands for at least one group of zeros.
  const missing = GROUPS - head.length - tail.length;
  return missing < 1 ? null : bytesOf([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** `::ffff:192.0.2.1` as `::ffff:c000:201`; the text itself when it does not end in four numbers, null when those are too large. */
function withoutDottedTail(text: string): string | null {
  const match = DOTTED_TAIL.exec(text);
  if (match === null) return text;
  const octets = match.slice(2).map(Number);
  if (octets.some((octet) => octet > 255) || match.slice(2).some((octet) => /^0\d/.test(octet))) return null;
  const [a = 0, b = 0, c = 0, d = 0] = octets;
  return `${match[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** The groups between two colons each; none for an empty text, null when one is no group. */
function groupsOf(text: string): readonly number[] | null {
  if (text === "") return [];
  const groups = text.split(":");
  return groups.every((group) => GROUP.test(group)) ? groups.map((group) => Number.parseInt(group, 16)) : null;
}

function bytesOf(groups: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(IPV6_BYTES);
  for (const [position, group] of groups.entries()) {
    bytes[position * 2] = group >> 8;
    bytes[position * 2 + 1] = group & 0xff;
  }
  return bytes;
}

/** RFC 5952 section 4: lower case, no leading zeros, the first of the longest runs of two or more zero groups as "::". */
export function writeIpv6(bytes: Uint8Array, offset: number): string {
  const group = (position: number): number =>
    ((bytes[offset + position * 2] as number) << 8) | (bytes[offset + position * 2 + 1] as number);
  const run = longestZeroRun(group);
  // Section 5: an IPv4-mapped address shows the IPv4 address in it, as inet_ntop(3) does.
  if (run.start === 0 && run.length === 5 && group(5) === 0xffff) {
    return `::ffff:${Array.from(bytes.subarray(offset + 12, offset + IPV6_BYTES)).join(".")}`;
  }
  let text = "";
  for (let position = 0; position < GROUPS; position++) {
    if (position === run.start) {
      text += "::";
      position += run.length - 1;
      continue;
    }
    if (text !== "" && !text.endsWith(":")) text += ":";
    text += group(position).toString(16);
  }
  return text;
}

function longestZeroRun(group: (position: number) => number): { readonly start: number; readonly length: number } {
  let best = { start: -1, length: 1 };
  for (let start = 0; start < GROUPS; start++) {
    let end = start;
    while (end < GROUPS && group(end) === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
    if (end > start) start = end;
  }
  return best;
}
