/** Notes of a simulated host. */
import type { Notes } from "../../ports/notes.ts";

/** Of a host: what is below /run outlives a daemon and not the host, what is on the disk outlives both. */
export class MemoryNotes implements Notes {
  readonly #texts = new Map<string, string>();

  async read(name: string): Promise<string | null> {
    return this.#texts.get(name) ?? null;
  }

  /** As the disk has it now. */
  peek(name: string): string | null {
    return this.#texts.get(name) ?? null;
  }

  async write(name: string, text: string): Promise<null> {
    this.#texts.set(name, text);
    return null;
  }

  async remove(name: string): Promise<void> {
    this.#texts.delete(name);
  }

  clear(): void {
    this.#texts.clear();
  }
}
