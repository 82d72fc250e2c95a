/**
 * Netlink framing (netlink(7)): messages, attributes, acknowledgements. Host byte order is little-endian; the kernel
 * layer asserts it.
 *
 * Reading never throws: what does not fit its own length field ends the walk, as the kernel's nlmsg_ok() does. Nothing
 * here knows what a link or an address is.
 *
 *    0               4       6       8               12              16
 *    +---------------+-------+-------+---------------+---------------+----------
 *    | length        | type  | flags | sequence      | port          | payload
 *    +---------------+-------+-------+---------------+---------------+----------
 */
export const NETLINK_HEADER_BYTES = 16;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

export const NLM_F_REQUEST = 0x01;
export const NLM_F_ACK = 0x04;
/** A dump was disturbed by a change and must be asked for again. */
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
export const NLM_F_DUMP = 0x300;

const TYPE_MASK = 0x3fff;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Who caused it: 0 is the kernel itself, otherwise the port of the requesting socket. */
  readonly port: number;
  readonly payload: Uint8Array;
}

/** The whole messages at the start of a datagram. */
export function readMessages(datagram: Uint8Array): readonly NetlinkMessage[] {
  const view = viewOf(datagram);
  const messages: NetlinkMessage[] = [];
  let offset = 0;
  while (offset + NETLINK_HEADER_BYTES <= datagram.length) {
    const length = view.getUint32(offset, true);
    if (length < NETLINK_HEADER_BYTES || offset + length > datagram.length) break;
    messages.push({
      type: view.getUint16(offset + 4, true),
      flags: view.getUint16(offset + 6, true),
      sequence: view.getUint32(offset + 8, true),
      port: view.getUint32(offset + 12, true),
      payload: datagram.subarray(offset + NETLINK_HEADER_BYTES, offset + length),
    });
    offset += align(length);
  }
  return messages;
}

/** Attributes by type, without the nested and byte-order bits; a repeated one counts with its last value. */
export function readAttributes(payload: Uint8Array, start: number): ReadonlyMap<number, Uint8Array> {
  const attributes = new Map<number, Uint8Array>();
  const view = viewOf(payload);
  let offset = start;
  while (offset + 4 <= payload.length) {
    const length = view.getUint16(offset, true);
    if (length < 4 || offset + length > payload.length) break;
    attributes.set(view.getUint16(offset + 2, true) & TYPE_MASK, payload.subarray(offset + 4, offset + length));
    offset += align(length);
  }
  return attributes;
}

/** The errno of an NLMSG_ERROR or NLMSG_DONE message as a positive number, 0 for success; null when there is none. */
export function readErrno(message: NetlinkMessage): number | null {
  if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) return null;
  // NLMSG_DONE may come without a code.
  if (message.payload.length < 4) return message.type === NLMSG_DONE ? 0 : null;
  return 0 - viewOf(message.payload).getInt32(0, true);
}

export interface MessageHead {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
}

export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array;
}

/** One message: header, fixed part, attributes, each padded to four bytes. */
export function writeMessage(head: MessageHead, fixed: Uint8Array, attributes: readonly Attribute[]): Uint8Array {
  const tail = writeAttributes(attributes);
  const total = NETLINK_HEADER_BYTES + align(fixed.length) + tail.length;
  const bytes = new Uint8Array(total);
  const view = viewOf(bytes);
  view.setUint32(0, total, true);
  view.setUint16(4, head.type, true);
  view.setUint16(6, head.flags, true);
  view.setUint32(8, head.sequence, true);
  bytes.set(fixed, NETLINK_HEADER_BYTES);
  bytes.set(tail, total - tail.length);
  return bytes;
}

/** Attributes one after another, each padded to four bytes: the value of an attribute that nests others. */
export function writeAttributes(attributes: readonly Attribute[]): Uint8Array {
  let total = 0;
  for (const { value } of attributes) total += 4 + align(value.length);
  const bytes = new Uint8Array(total);
  const view = viewOf(bytes);
  let offset = 0;
  for (const { type, value } of attributes) {
    view.setUint16(offset, 4 + value.length, true);
    view.setUint16(offset + 2, type, true);
    bytes.set(value, offset + 4);
    offset += 4 + align(value.length);
  }
  return bytes;
}

/** Messages as one datagram. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Text without its terminating zero, as attributes carry it. */
export function readText(value: Uint8Array): string {
  const end = value.indexOf(0);
  let text = "";
  for (const byte of end < 0 ? value : value.subarray(0, end)) text += String.fromCharCode(byte);
  return text;
}

export function writeText(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length + 1);
  for (let position = 0; position < text.length; position++) bytes[position] = text.charCodeAt(position);
  return bytes;
}

export function writeUint32(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = viewOf(bytes);
  for (const [position, value] of values.entries()) view.setUint32(position * 4, value, true);
  return bytes;
}

export function readUint32(value: Uint8Array, offset = 0): number | null {
  return value.length < offset + 4 ? null : viewOf(value).getUint32(offset, true);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function align(length: number): number {
  return (length + 3) & ~3;
}
