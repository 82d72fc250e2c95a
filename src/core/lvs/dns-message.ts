/** One DNS question (RFC 1035 section 4), and whether a datagram answers it. */
import type { Finding } from "./findings.ts";
import { OK } from "./findings.ts";

export const RECORD_TYPES: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  RRSIG: 46,
  DNSKEY: 48,
};

const HEADER_BYTES = 12;
const RECURSION_DESIRED = 0x0100;
const IS_RESPONSE = 0x8000;
const CLASS_IN = 1;

/** `identifier`: 0 to 65,535. */
export function dnsQuestion(
  { type, name }: { readonly type: string; readonly name: string },
  identifier: number,
): Uint8Array {
  const labels = name.split(".").filter((label) => label !== "");
  const bytes = new Uint8Array(HEADER_BYTES + labels.reduce((sum, label) => sum + label.length + 1, 1) + 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, identifier);
  view.setUint16(2, RECURSION_DESIRED);
  view.setUint16(4, 1);
  let at = HEADER_BYTES;
  for (const label of labels) {
    bytes[at++] = label.length;
    for (const char of label) bytes[at++] = char.charCodeAt(0) & 0xff;
  }
  view.setUint16(at + 1, RECORD_TYPES[type] ?? 6);
  view.setUint16(at + 3, CLASS_IN);
  return bytes;
}

/** Null when the datagram is not the answer: it is waited on. */
export function dnsAnswer(bytes: Uint8Array, identifier: number): Finding | null {
  if (bytes.length < HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if (view.getUint16(0) !== identifier || (view.getUint16(2) & IS_RESPONSE) === 0) return null;
  const code = view.getUint16(2) & 0x0f;
  return code === 0 ? OK : { kind: "rcode", code };
}
