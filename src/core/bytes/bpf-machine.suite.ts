/**
 * Runs a classic BPF program as the kernel would, for tests of filters: the instructions that bpf.ts can make, no others. A socket of
 * SOCK_RAW sees an IPv4 packet from its header on; one of IPv6 sees the payload, and the header by NETWORK_HEADER.
 */
import { type FilterStep, NETWORK_HEADER } from "./bpf.ts";

export interface SeenPacket {
  /** What the socket sees. */
  readonly data: Uint8Array;
  /** From the network header on. */
  readonly whole: Uint8Array;
}

class OutOfPacket extends Error {}

/** Bytes that are received: 0 when the packet is dropped. Throws on a program that the kernel would refuse. */
export function runFilter(program: readonly FilterStep[], packet: SeenPacket): number {
  const cells = new Map<number, number>();
  const state = { accumulator: 0, index: 0 };
  let at = 0;
  try {
    for (;;) {
      const step = program[at];
      if (step === undefined) throw new Error("the program runs past its end");
      at++;
      if (step.code === 0x06) return step.k;
      at += jump(step, state) ?? run(step, state, cells, packet);
    }
  } catch (error) {
    if (error instanceof OutOfPacket) return 0;
    throw error;
  }
}

function jump(
  { code, k, jumpTrue, jumpFalse }: FilterStep,
  state: { accumulator: number; index: number },
): number | null {
  switch (code) {
    case 0x05:
      return k;
    case 0x15:
      return state.accumulator === k ? jumpTrue : jumpFalse;
    case 0x25:
      return state.accumulator > k ? jumpTrue : jumpFalse;
    case 0x35:
      return state.accumulator >= k ? jumpTrue : jumpFalse;
    case 0x1d:
      return state.accumulator === state.index ? jumpTrue : jumpFalse;
    default:
      return null;
  }
}

function run(
  { code, k }: FilterStep,
  state: { accumulator: number; index: number },
  cells: Map<number, number>,
  packet: SeenPacket,
): number {
  switch (code) {
    case 0x20:
      state.accumulator = load(packet, k, 4);
      break;
    case 0x28:
      state.accumulator = load(packet, k, 2);
      break;
    case 0x50:
      state.accumulator = load(packet, (state.index + k) >>> 0, 1);
      break;
    case 0x80:
      state.accumulator = packet.data.length;
      break;
    case 0xb1:
      state.index = (load(packet, k, 1) & 0x0f) * 4;
      break;
    case 0x61: {
      const value = cells.get(k);
      if (value === undefined) throw new Error(`cell ${k} is read before it is written`);
      state.index = value;
      break;
    }
    case 0x02:
      cells.set(k, state.accumulator);
      break;
    case 0x04:
      state.accumulator = (state.accumulator + k) >>> 0;
      break;
    case 0x14:
      state.accumulator = (state.accumulator - k) >>> 0;
      break;
    case 0x0c:
      state.accumulator = (state.accumulator + state.index) >>> 0;
      break;
    case 0x64:
      state.accumulator = (state.accumulator << k) >>> 0;
      break;
    case 0x74:
      state.accumulator >>>= k;
      break;
    default:
      throw new Error(`instruction 0x${code.toString(16)} is not known`);
  }
  return 0;
}

function load(packet: SeenPacket, offset: number, size: 1 | 2 | 4): number {
  const fromHeader = (offset | 0) < 0;
  const bytes = fromHeader ? packet.whole : packet.data;
  const at = fromHeader ? (offset | 0) - NETWORK_HEADER : offset;
  if (at < 0 || at + size > bytes.length) throw new OutOfPacket();
  let value = 0;
  for (let byte = 0; byte < size; byte++) value = value * 256 + (bytes[at + byte] as number);
  return value;
}
