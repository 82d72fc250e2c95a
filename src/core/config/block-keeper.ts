/** Which virtual_server blocks of this reading the next one need not read (kept-blocks.ts), and which of the last one's are used again. */
import type { VirtualServerConfig } from "../lvs/config.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { KeptBlock, KeptBlocks } from "./kept-blocks.ts";
import { sameSettings } from "./same-settings.ts";
import type { Node } from "./tree.ts";

/** A definition, a loop, a condition, an include, or a line that goes on in the next. */
const UNSTEADY = /[$\\]|^\s*(?:[@~]|include)/;
const HEAD = /^\s*virtual_server\s[^{}"#!]*\{\s*$/;
const END = /^\s*\}\s*$/;

type Sources = ReadonlyMap<string, readonly string[]>;

/** Gathers the blocks of one reading for the next. */
export class BlockKeeper {
  readonly #before: KeptBlocks;
  readonly #sources: Sources;
  readonly #files = new Map<string, { lines: readonly string[]; blocks: Map<number, KeptBlock> }>();
  #surroundings: unknown = null;
  #fits = false;
  /** Places with diagnostics; null when not all of them are known. */
  #told: ReadonlySet<string> | null = null;
  /** Blocks that were not read and whose objects are used again. */
  reused = 0;

  constructor(before: KeptBlocks, sources: Sources) {
    this.#before = before;
    this.#sources = sources;
  }

  /** Before the first block, when the rest of the file has been read: what all blocks are compiled with. */
  begin(surroundings: unknown, { list }: Pick<DiagnosticSink, "list">): void {
    this.#surroundings = surroundings;
    this.#fits = sameSettings(surroundings, this.#before.surroundings);
    const complete = list.every(({ code }) => code !== "too-many");
    this.#told = complete ? new Set(list.flatMap(({ span }) => (span === null ? [] : place(span)))) : null;
  }

  /** What the block that was not read is; null when it was read, or must be. */
  take({ kept, file }: Node): VirtualServerConfig | null {
    if (kept === null || !this.#fits) return null;
    this.reused++;
    this.#note(file, kept);
    return kept.server;
  }

  /** A block that was read, compiled without a word, and has nothing in it that another part of the file or the host decides. */
  keep({ file, line: from, end: to }: Node, server: VirtualServerConfig): void {
    const lines = this.#sources.get(file);
    if (lines === undefined || to <= from || !dependsOnItselfAlone(server)) return;
    if (!HEAD.test(lines[from - 1] ?? "") || !END.test(lines[to - 1] ?? "")) return;
    for (let line = from; line <= to; line++) {
      if (UNSTEADY.test(lines[line - 1] ?? "") || this.#told?.has(place({ file, line })) !== false) return;
    }
    this.#note(file, { from, to, server });
  }

  get kept(): KeptBlocks {
    return { surroundings: this.#surroundings, files: this.#files };
  }

  #note(file: string, block: KeptBlock): void {
    const known = this.#files.get(file) ?? { lines: this.#sources.get(file) ?? [], blocks: new Map() };
    known.blocks.set(block.from, block);
    this.#files.set(file, known);
  }
}

const place = ({ file, line }: { readonly file: string; readonly line: number }): string => `${line} ${file}`;

/** A group stands elsewhere in the file; credentials of a database checker are a file of the host. */
const dependsOnItselfAlone = ({ target, realServers }: VirtualServerConfig): boolean =>
  target.kind === "address" &&
  realServers.every(({ checkers }) => checkers.every(({ kind }) => kind !== "mysql" && kind !== "redis"));
