/**
 * Classic BPF (the kernel's Documentation/networking/filter.rst), as far as socket filters here need it: the form of a program and
 * its instructions. A load beyond the end of a packet drops the packet. It attaches nothing.
 */

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
const BPF_JEQ_K = 0x15;
const BPF_RET_K = 0x06;

const step = (code: number, k: number, jumpTrue = 0, jumpFalse = 0): FilterStep => ({ code, jumpTrue, jumpFalse, k });

/** Loads 32 bits, in network order, from a fixed offset. */
export const loadWord = (offset: number): FilterStep => step(BPF_LD_W_ABS, offset);
export const loadHalf = (offset: number): FilterStep => step(BPF_LD_H_ABS, offset);
export const loadByte = (offset: number): FilterStep => step(BPF_LD_B_ABS, offset);
/** Skips so many steps when what was loaded is `value`, or is not. */
export const jumpIfEqual = (value: number, jumpTrue: number, jumpFalse: number): FilterStep =>
  step(BPF_JEQ_K, value, jumpTrue, jumpFalse);
/** Ends the program: so many bytes of the packet are received; none means that it is dropped. */
export const take = (bytes: number): FilterStep => step(BPF_RET_K, bytes);
