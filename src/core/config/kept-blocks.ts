/**
 * What of a file need not be read again at a reload: virtual_server blocks whose lines stand unchanged where they stood, and which depend
 * on nothing but those lines. They keep the object that was made of them, so that nobody compares it either; a table of ten thousand
 * real servers is then as quick to reload as the part of it that was edited. Everything else is read as at the start.
 */
import type { VirtualServerConfig } from "../lvs/config.ts";

export interface KeptBlock {
  /** The lines of its head and of its closing brace, counted from 1. */
  readonly from: number;
  readonly to: number;
  readonly server: VirtualServerConfig;
}

interface KeptFile {
  readonly lines: readonly string[];
  /** By the line of its head. */
  readonly blocks: ReadonlyMap<number, KeptBlock>;
}

export interface KeptBlocks {
  /** What the blocks were compiled with besides their own lines. */
  readonly surroundings: unknown;
  readonly files: ReadonlyMap<string, KeptFile>;
}

export const NOTHING_KEPT: KeptBlocks = { surroundings: null, files: new Map() };

/** The block whose head is at an index of these lines, if all of its lines are as they were. */
export function keptAt(kept: KeptFile | undefined, lines: readonly string[], index: number): KeptBlock | null {
  const block = kept?.blocks.get(index + 1);
  if (kept === undefined || block === undefined || block.to > lines.length) return null;
  for (let at = index; at < block.to; at++) if (lines[at] !== kept.lines[at]) return null;
  return block;
}
