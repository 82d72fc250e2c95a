/**
 * Writes one netlink message piece by piece into one buffer, for messages that are made by the thousand: no array per attribute. What has
 * no room grows the buffer. Everything is padded as netlink(7) says.
 */
import { type MessageHead, NETLINK_HEADER_BYTES, viewOf } from "./message.ts";

const ATTRIBUTE_HEADER_BYTES = 4;
const FIRST_BYTES = 256;
/** NLA_F_NESTED. */
const NESTED = 0x8000;

const align = (length: number): number => (length + 3) & ~3;

export interface AttributeWriter {
  uint8(type: number, value: number): void;
  uint16(type: number, value: number): void;
  /** In network order. */
  uint16be(type: number, value: number): void;
  uint32(type: number, value: number): void;
  /** In network order. */
  uint32be(type: number, value: number): void;
  bytes(type: number, value: Uint8Array): void;
  /** With its terminating zero. */
  text(type: number, value: string): void;
  nest(type: number, body: () => void): void;
}

/** A whole message: header, fixed part, then what `body` writes. */
export function composeMessage(
  head: MessageHead,
  fixed: Uint8Array,
  body: (writer: AttributeWriter) => void,
): Uint8Array {
  let buffer = new Uint8Array(FIRST_BYTES);
  let view = viewOf(buffer);
  let end = NETLINK_HEADER_BYTES;

  /** Room for an attribute; where its value starts. */
  const open = (type: number, length: number): number => {
    const start = end;
    const next = start + ATTRIBUTE_HEADER_BYTES + align(length);
    if (next > buffer.length) {
      const larger = new Uint8Array(Math.max(next, 2 * buffer.length));
      larger.set(buffer);
      buffer = larger;
      view = viewOf(buffer);
    }
    view.setUint16(start, ATTRIBUTE_HEADER_BYTES + length, true);
    view.setUint16(start + 2, type, true);
    end = next;
    return start + ATTRIBUTE_HEADER_BYTES;
  };

  buffer.set(fixed, end);
  end += align(fixed.length);
  // The place first, then the buffer: open() may have replaced it.
  body({
    uint8(type, value) {
      const at = open(type, 1);
      view.setUint8(at, value);
    },
    uint16(type, value) {
      const at = open(type, 2);
      view.setUint16(at, value, true);
    },
    uint16be(type, value) {
      const at = open(type, 2);
      view.setUint16(at, value);
    },
    uint32(type, value) {
      const at = open(type, 4);
      view.setUint32(at, value, true);
    },
    uint32be(type, value) {
      const at = open(type, 4);
      view.setUint32(at, value);
    },
    bytes(type, value) {
      const at = open(type, value.length);
      buffer.set(value, at);
    },
    text(type, value) {
      const at = open(type, value.length + 1);
      for (let position = 0; position < value.length; position++)
        view.setUint8(at + position, value.charCodeAt(position));
    },
    nest(type, write) {
      const start = open(type | NESTED, 0) - ATTRIBUTE_HEADER_BYTES;
      write();
      view.setUint16(start, end - start, true);
    },
  });
  view.setUint32(0, end, true);
  view.setUint16(4, head.type, true);
  view.setUint16(6, head.flags, true);
  view.setUint32(8, head.sequence, true);
  return buffer.subarray(0, end);
}
