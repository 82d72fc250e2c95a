/**
 * Servers that an operator has fenced: closed, not to be claimed, and told as a trouble that keeps the instance in FAULT, until they are given
 * back. A mark on the disk keeps that over a restart of the daemon.
 */

import type { Trouble } from "../core/database/trouble.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { FenceMarks } from "../ports/takeover.ts";

export class Fences {
  readonly #marks: FenceMarks;
  readonly #since: Map<string, string>;
  readonly #changed: (name: string) => void;

  /** `changed`: what is told of that server has to be told anew. */
  constructor(marks: FenceMarks, changed: (name: string) => void) {
    this.#marks = marks;
    this.#since = new Map(marks.list());
    this.#changed = changed;
  }

  troubleOf(name: string): Trouble | null {
    const since = this.#since.get(name);
    return since === undefined ? null : { kind: "fenced", since };
  }

  get names(): readonly string[] {
    return [...this.#since.keys()];
  }

  /** At once; `keep` puts it on the disk afterwards, because closing waits for nothing. */
  begin(name: string, since: string): void {
    this.#since.set(name, since);
    this.#changed(name);
  }

  keep(name: string): Promise<Result<void, string>> {
    return this.#marks.write(name, this.#since.get(name) ?? "");
  }

  /** Stays fenced when the mark cannot be taken away: the next daemon would fence it again. */
  async end(name: string): Promise<Result<void, string>> {
    if (!this.#since.has(name)) return err("it is not fenced");
    const removed = await this.#marks.remove(name);
    if (!removed.ok) return removed;
    this.#since.delete(name);
    this.#changed(name);
    return ok(undefined);
  }
}
