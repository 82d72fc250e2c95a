/**
 * One mapping for everything the kernel reads or writes on our behalf: frames, iovecs, message headers, poll
 * descriptors, receive buffers. Addresses are stable for the life of the process, so structures are filled once and
 * garbage collection never touches them.
 *
 * Blocks come in powers of two with a free list each. Callers speak of offsets; `at()` turns one into an address.
 * Untouched pages cost nothing, so the mapping is generous; running out is a programming error and ends the process.
 */
import { assert } from "../core/lib/assert.ts";
import { errnoName, mapAnonymous, viewMemory } from "./libc.ts";

const SMALLEST = 64;
const DEFAULT_BYTES = 16 * 1024 * 1024;

export interface Arena {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Little-endian words: `words[offset >> 2]` is cheaper than a DataView in the loop. */
  readonly words: Uint32Array;
  /** A zeroed block of at least `size` bytes, aligned to 64; returns its offset. */
  allocate(size: number): number;
  /** Gives a block back; `size` as it was asked for. */
  release(offset: number, size: number): void;
  /** The address of an offset, for the kernel. */
  at(offset: number): number;
  /** Writes an address (below 2^53) as a 64-bit word. */
  setPointer(offset: number, address: number): void;
}

export function createArena(size: number = DEFAULT_BYTES): Arena {
  const base = mapAnonymous(size);
  assert(base > 0, `mmap of ${size} bytes: ${errnoName(base)}; give the process more memory`);
  const memory = viewMemory(base, size);
  const bytes = new Uint8Array(memory);
  const view = new DataView(memory);
  const words = new Uint32Array(memory);
  const free = new Map<number, number[]>();
  let used = 0;

  return {
    bytes,
    view,
    words,
    allocate(wanted) {
      const block = blockSize(wanted);
      const reused = free.get(block)?.pop();
      if (reused !== undefined) {
        bytes.fill(0, reused, reused + block);
        return reused;
      }
      const offset = used;
      used += block;
      assert(used <= size, `arena of ${size} bytes is full`);
      return offset;
    },
    release(offset, wanted) {
      const block = blockSize(wanted);
      const list = free.get(block);
      if (list === undefined) free.set(block, [offset]);
      else list.push(offset);
    },
    at(offset) {
      return base + offset;
    },
    setPointer(offset, address) {
      words[offset >>> 2] = address % 0x1_0000_0000;
      words[(offset >>> 2) + 1] = Math.floor(address / 0x1_0000_0000);
    },
  };
}

function blockSize(wanted: number): number {
  let block = SMALLEST;
  while (block < wanted) block *= 2;
  return block;
}
