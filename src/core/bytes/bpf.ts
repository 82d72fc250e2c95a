/**
 * Classic BPF (the kernel's Documentation/networking/filter.rst), as far as socket filters here need it: the form of a program, its
 * instructions, and an assembler that turns labels into distances. A load beyond the end of a packet drops the packet. It
 * attaches nothing.
 */
import { assert } from "../lib/assert.ts";

/** struct sock_filter. */
export interface FilterStep {
  readonly code: number;
  readonly jumpTrue: number;
  readonly jumpFalse: number;
  readonly k: number;
}

const BPF_LD_W_ABS = 0x20;
const BPF_LD_H_ABS = 0x28;
const BPF_LD_B_ABS = 0x30;
const BPF_LD_B_IND = 0x50;
const BPF_LD_W_LEN = 0x80;
const BPF_LDX_MSH = 0xb1;
const BPF_LDX_MEM = 0x61;
const BPF_ST = 0x02;
const BPF_ADD_K = 0x04;
const BPF_SUB_K = 0x14;
const BPF_LSH_K = 0x64;
const BPF_RSH_K = 0x74;
const BPF_ADD_X = 0x0c;
const BPF_JA = 0x05;
const BPF_JEQ_K = 0x15;
const BPF_JGT_K = 0x25;
const BPF_JGE_K = 0x35;
const BPF_JEQ_X = 0x1d;
const BPF_RET_K = 0x06;

/** Programs longer than this are refused by the kernel (BPF_MAXINSNS). */
export const FILTER_STEPS_MAX = 4096;
/** Loads from here on count from the network header (SKF_NET_OFF), wherever the socket's own view of a packet begins. */
export const NETWORK_HEADER = -0x10_0000;

const step = (code: number, k: number, jumpTrue = 0, jumpFalse = 0): FilterStep => ({ code, jumpTrue, jumpFalse, k });

/** Loads 32 bits, in network order, from a fixed offset. */
export const loadWord = (offset: number): FilterStep => step(BPF_LD_W_ABS, offset >>> 0);
export const loadHalf = (offset: number): FilterStep => step(BPF_LD_H_ABS, offset >>> 0);
export const loadByte = (offset: number): FilterStep => step(BPF_LD_B_ABS, offset >>> 0);
/** Loads the byte at the index register plus an offset. */
export const loadByteIndexed = (offset: number): FilterStep => step(BPF_LD_B_IND, offset >>> 0);
/** Loads the length of the packet as the socket sees it. */
export const loadLength = (): FilterStep => step(BPF_LD_W_LEN, 0);
/** Index register = length of the IPv4 header whose first byte is at this offset. */
export const indexPastIpv4Header = (offset: number): FilterStep => step(BPF_LDX_MSH, offset >>> 0);
/** Keeps the accumulator in a cell, 0 to 15. */
export const store = (cell: number): FilterStep => step(BPF_ST, cell);
/** Index register = a cell. */
export const indexFrom = (cell: number): FilterStep => step(BPF_LDX_MEM, cell);
export const add = (value: number): FilterStep => step(BPF_ADD_K, value);
export const subtract = (value: number): FilterStep => step(BPF_SUB_K, value);
export const shiftLeft = (bits: number): FilterStep => step(BPF_LSH_K, bits);
export const shiftRight = (bits: number): FilterStep => step(BPF_RSH_K, bits);
/** Adds the index register. */
export const addIndex = (): FilterStep => step(BPF_ADD_X, 0);
/** Skips so many steps when what was loaded is `value`, or is not. */
export const jumpIfEqual = (value: number, jumpTrue: number, jumpFalse: number): FilterStep =>
  step(BPF_JEQ_K, value, jumpTrue, jumpFalse);
/** Ends the program: so many bytes of the packet are received; none means that it is dropped. */
export const take = (bytes: number): FilterStep => step(BPF_RET_K, bytes);

/** A step, the name of the place that follows, or a jump to a named place further on. */
export type FilterLine =
  | FilterStep
  | { readonly label: string }
  | { readonly goto: string; readonly when: "always" | "equals-index" }
  | { readonly goto: string; readonly when: "equal" | "greater" | "not-less"; readonly value: number };

const CONDITIONS = { equal: BPF_JEQ_K, greater: BPF_JGT_K, "not-less": BPF_JGE_K, "equals-index": BPF_JEQ_X } as const;

/**
 * Resolves labels. A conditional jump reaches 255 steps, an unconditional one any distance, so each conditional one here skips over an
 * unconditional one.
 */
export function assemble(lines: readonly FilterLine[]): readonly FilterStep[] {
  const places = placesOf(lines);
  const program: FilterStep[] = [];
  for (const line of lines) {
    if ("label" in line) continue;
    if (!("goto" in line)) {
      program.push(line);
      continue;
    }
    if (line.when !== "always") program.push(step(CONDITIONS[line.when], "value" in line ? line.value : 0, 0, 1));
    const target = places.get(line.goto);
    assert(target !== undefined && target > program.length, `label ${line.goto} stands further on`);
    program.push(step(BPF_JA, target - program.length - 1));
  }
  return program;
}

function placesOf(lines: readonly FilterLine[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  let length = 0;
  for (const line of lines) {
    if ("label" in line) places.set(line.label, length);
    else length += "goto" in line && line.when !== "always" ? 2 : 1;
  }
  return places;
}
