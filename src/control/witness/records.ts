/**
 * The records of a witness: one note for each key, on the disk before it is answered, changed by compare and swap alone. One change of a key after the
 * other. A note that cannot be read as it was written answers nothing: what it says of who holds is not known.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { Reading } from "../../core/quorum/ownership.ts";
import type { Notes } from "../../ports/notes.ts";
import type { Swap, Swapped } from "../../ports/quorum-store.ts";

const Note = z.object({ key: z.string(), revision: z.string().regex(/^\d{1,20}$/), value: z.string() });

/** Groups of all pairs that ask one witness; more is somebody who makes up names. */
const KEYS_MAX = 1_000;
const ABSENT: Reading = { revision: "0", value: null };

export class WitnessRecords {
  readonly #notes: Notes;
  readonly #known = new Map<string, Reading>();
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  /** Rejects when the record on the disk is damaged. */
  read(key: string): Promise<Reading> {
    return this.#inTurn(key, () => this.#look(key));
  }

  /** Rejects when it cannot be written; nothing has changed then. */
  swap({ key, expected, value }: Swap): Promise<Swapped> {
    return this.#inTurn(key, async (): Promise<Swapped> => {
      const now = await this.#look(key);
      if (now.revision !== expected.revision || now.value !== expected.value) return { done: false, now };
      if (now.value === null && this.#count() >= KEYS_MAX) throw new Error(`${KEYS_MAX} records are here already`);
      const revision = String(BigInt(now.revision) + 1n);
      const failed = await this.#notes.write(nameOf(key), `${JSON.stringify({ key, revision, value })}\n`);
      if (failed !== null) {
        // Whether it is there after all is found out by the next look.
        this.#known.delete(key);
        throw new Error(failed);
      }
      this.#known.set(key, { revision, value });
      return { done: true, revision };
    });
  }

  async #look(key: string): Promise<Reading> {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const text = await this.#notes.read(nameOf(key));
    const reading = text === null ? ABSENT : readNote(key, text);
    if (reading.value !== null) this.#known.set(key, reading);
    return reading;
  }

  #count(): number {
    return this.#known.size;
  }

  #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#busy.set(key, turn);
    const over = (): void => {
      if (this.#busy.get(key) === turn) this.#busy.delete(key);
    };
    turn.then(over, over);
    return turn;
  }
}

/** Keys are paths, and two of them must not be one file. */
const nameOf = (key: string): string => `record-${createHash("sha256").update(key).digest("hex").slice(0, 32)}`;

function readNote(key: string, text: string): Reading {
  const note = Note.safeParse(parsed(text));
  if (note.success && note.data.key === key) return { revision: note.data.revision, value: note.data.value };
  const remedy = "remove that file; the next claim then waits until whoever may have had the record has let go";
  throw new Error(`the record of ${key} is damaged on the witness's disk (${nameOf(key)}.note): ${remedy}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
