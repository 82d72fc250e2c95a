/**
 * The Internet checksum (RFC 1071): one's complement sum of 16-bit words, network order. A sum can be carried from one
 * piece to the next as long as every piece but the last has an even length; pseudo-headers are summed that way.
 */

/** Adds the words of `bytes[start, end)` to a running sum; an odd last byte counts as the high half of a word. */
export function addWords(sum: number, bytes: Uint8Array, start: number, end: number): number {
  let total = sum;
  let at = start;
  for (; at + 1 < end; at += 2) total += ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  if (at < end) total += (bytes[at] as number) << 8;
  return total;
}

/** Folds the carries and complements: the value for the checksum field, or 0 when a received packet is intact. */
export function finish(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

export function internetChecksum(bytes: Uint8Array): number {
  return finish(addWords(0, bytes, 0, bytes.length));
}
