/**
 * What an operator has said with `holdfast init-writer`: this host's server may be the first writer although no peer can be asked. Kept on the disk, so
 * that it outlives the start that it is meant for, and void as soon as the server was opened or was proved to follow another one.
 */
import { err, ok, type Result } from "../core/lib/result.ts";
import type { Notes } from "../ports/notes.ts";

export class FirstWriter {
  readonly #notes: Notes;
  readonly #note: string;
  /** Null: not read yet. */
  #named: boolean | null = null;

  constructor(notes: Notes, note: string) {
    this.#notes = notes;
    this.#note = note;
  }

  async named(): Promise<boolean> {
    this.#named ??= (await this.#notes.read(this.#note)) !== null;
    return this.#named;
  }

  async name(time: string): Promise<Result<void, string>> {
    const problem = await this.#notes.write(this.#note, `${time}\n`);
    if (problem !== null) return err(problem);
    this.#named = true;
    return ok(undefined);
  }

  /** Its time is over: who has followed another server since is no first writer any more. */
  forget(): void {
    if (this.#named === false) return;
    this.#named = false;
    void this.#notes.remove(this.#note);
  }
}
