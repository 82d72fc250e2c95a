/**
 * The records of a witness: one file for each key, on the disk before it is answered, changed by compare and swap alone. One change of a key after the
 * other. A file that cannot be read as it was written answers nothing: what it says of who holds is not known. Nothing is kept in memory, so a file
 * that was removed is a record that is not there.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { Reading } from "../../core/quorum/ownership.ts";
import type { Swap, Swapped } from "../../ports/quorum-store.ts";
import type { RecordFiles } from "../../ports/record-files.ts";

const Note = z.object({ key: z.string(), revision: z.string().regex(/^\d{1,20}$/), value: z.string() });

/** Groups of all pairs that ask one witness; more is somebody who makes up names. */
const KEYS_MAX = 1_000;
const ABSENT: Reading = { revision: "0", value: null };

export class WitnessRecords {
  readonly #files: RecordFiles;
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(files: RecordFiles) {
    this.#files = files;
  }

  /** Rejects when the record on the disk is damaged. */
  read(key: string): Promise<Reading> {
    return this.#inTurn(key, () => this.#look(key));
  }

  /** Rejects when it cannot be written, or not surely: the next look says which. */
  swap({ key, expected, value }: Swap): Promise<Swapped> {
    return this.#inTurn(key, async (): Promise<Swapped> => {
      const now = await this.#look(key);
      if (now.revision !== expected.revision || now.value !== expected.value) return { done: false, now };
      if (now.value === null && (await this.#files.count()) >= KEYS_MAX)
        throw new Error(`the witness has ${KEYS_MAX} records already: remove those of pairs that are no more`);
      const revision = String(BigInt(now.revision) + 1n);
      await this.#files.write(nameOf(key), `${JSON.stringify({ key, revision, value })}\n`);
      return { done: true, revision };
    });
  }

  async #look(key: string): Promise<Reading> {
    const text = await this.#files.read(nameOf(key));
    if (text === null) return ABSENT;
    const note = Note.safeParse(parsed(text));
    if (note.success && note.data.key === key) return { revision: note.data.revision, value: note.data.value };
    const remedy = "remove that file; the next claim then waits until whoever may have had the record has let go";
    throw new Error(`the record of ${key} is damaged (on the witness, ${this.#files.pathOf(nameOf(key))}): ${remedy}`);
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

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
