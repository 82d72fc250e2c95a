/**
 * The server's side of the MySQL protocol, as far as a receiver of replication (I/O thread) needs it: greeting, login, rows of text, events. MySQL's
 * "Client/Server Protocol" and MariaDB's "Replication Protocol".
 */

const HEADER = 4;
/** A payload of this length or more is split. */
const LARGEST = 0xff_ffff;

/** One payload as packets; `sequence` counts them, modulo 256. */
export function packetsOf(payload: Uint8Array, sequence: number): readonly Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let at = 0, number = sequence; ; number++) {
    const piece = payload.subarray(at, at + LARGEST);
    const header = Uint8Array.of(piece.length & 0xff, (piece.length >> 8) & 0xff, piece.length >> 16, number & 0xff);
    packets.push(header, piece);
    at += piece.length;
    // A last piece that is full is followed by an empty one.
    if (piece.length < LARGEST) return packets;
  }
}

export interface Heard {
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Puts a stream together into payloads. Null when one is longer than `most` bytes. */
export class PacketReader {
  readonly #most: number;
  #bytes: Uint8Array = new Uint8Array();

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  push(chunk: Uint8Array): readonly Heard[] | null {
    this.#bytes = concat([this.#bytes, chunk]);
    const heard: Heard[] = [];
    for (;;) {
      if (this.#bytes.length < HEADER) return heard;
      const [low = 0, middle = 0, high = 0, sequence = 0] = this.#bytes;
      const length = low | (middle << 8) | (high << 16);
      if (length > this.#most) return null;
      if (this.#bytes.length < HEADER + length) return heard;
      heard.push({ sequence, payload: this.#bytes.slice(HEADER, HEADER + length) });
      this.#bytes = this.#bytes.subarray(HEADER + length);
    }
  }
}

export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

export const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (one) => one.charCodeAt(0) & 0xff);
export const textOf = (bytes: Uint8Array): string => {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
};
const u16 = (value: number): Uint8Array => Uint8Array.of(value & 0xff, (value >> 8) & 0xff);
export const u32 = (value: number): Uint8Array =>
  Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);

/** LONG_PASSWORD, FOUND_ROWS, LONG_FLAG, CONNECT_WITH_DB, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH: neither TLS nor compression. */
const CAPABILITIES = 0x1 | 0x2 | 0x4 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x8_0000;
const UTF8 = 33;
const AUTOCOMMIT = 2;

/** `scramble`: 20 bytes without 0. */
export function greeting(version: string, method: string, scramble: Uint8Array): Uint8Array {
  return concat([
    Uint8Array.of(10),
    latin1(`${version}\0`),
    u32(1),
    scramble.subarray(0, 8),
    Uint8Array.of(0),
    u16(CAPABILITIES & 0xffff),
    Uint8Array.of(UTF8),
    u16(AUTOCOMMIT),
    u16(CAPABILITIES >>> 16),
    Uint8Array.of(21),
    new Uint8Array(10),
    scramble.subarray(8, 20),
    Uint8Array.of(0),
    latin1(`${method}\0`),
  ]);
}

export const okPacket: Uint8Array = Uint8Array.of(0, 0, 0, AUTOCOMMIT, 0, 0, 0);
const endPacket: Uint8Array = Uint8Array.of(0xfe, 0, 0, AUTOCOMMIT, 0);

export function errorPacket(number: number, state: string, text: string): Uint8Array {
  return concat([Uint8Array.of(0xff), u16(number), latin1(`#${state}${text}`)]);
}

/** Of texts shorter than 251 bytes. */
const lengthText = (text: string): Uint8Array => concat([Uint8Array.of(text.length), latin1(text)]);

const VAR_STRING = 253;

const columnPacket = (name: string): Uint8Array =>
  concat([
    ...["def", "", "", "", name, ""].map(lengthText),
    Uint8Array.of(12),
    u16(UTF8),
    u32(1_024),
    Uint8Array.of(VAR_STRING),
    u16(0),
    Uint8Array.of(0, 0, 0),
  ]);

/** The payloads of one row, or of none. */
export function rowPackets(names: readonly string[], row: readonly string[] | null): readonly Uint8Array[] {
  return [
    Uint8Array.of(names.length),
    ...names.map(columnPacket),
    endPacket,
    ...(row === null ? [] : [concat(row.map(lengthText))]),
    endPacket,
  ];
}
