/** Binary log and GTIDs of a model server: one domain, server_id and sequence number as MariaDB counts them. */

/** What one commit did: it stored one key. `server` and `sequence` are its GTID, 0-server-sequence. */
export interface Transaction {
  readonly server: number;
  readonly sequence: number;
  readonly key: string;
  /** Of the server that committed it, see ModelServer.epoch. */
  readonly epoch: number;
}

export const gtidOf = ({ server, sequence }: Transaction): string => `0-${server}-${sequence}`;

export class BinaryLog {
  readonly #entries: Transaction[] = [];
  /** gtid_binlog_state: the highest sequence number of each server. */
  readonly #state = new Map<number, number>();
  readonly #keys = new Set<string>();

  get length(): number {
    return this.#entries.length;
  }

  get position(): string {
    const last = this.#entries.at(-1);
    return last === undefined ? "" : gtidOf(last);
  }

  get state(): string {
    return [...this.#state].map(([server, sequence]) => `0-${server}-${sequence}`).join(",");
  }

  /** What a client's next commit gets. */
  get nextSequence(): number {
    return Math.max(0, ...this.#state.values()) + 1;
  }

  at(index: number): Transaction | undefined {
    return this.#entries[index];
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  keys(): ReadonlySet<string> {
    return this.#keys;
  }

  add(one: Transaction): void {
    this.#entries.push(one);
    this.#keys.add(one.key);
    this.#state.set(one.server, Math.max(this.#state.get(one.server) ?? 0, one.sequence));
  }

  /** Index of the first entry after that GTID; null when it is not in here: error 1236 of a receiver that asks for it. */
  after(last: Transaction | null): number | null {
    if (last === null) return 0;
    const index = this.#entries.findLastIndex(
      ({ server, sequence }) => server === last.server && sequence === last.sequence,
    );
    return index < 0 ? null : index + 1;
  }

  /** As a copy of another server's data directory. */
  copy(other: BinaryLog): void {
    this.#entries.length = 0;
    this.#keys.clear();
    this.#state.clear();
    for (let index = 0; index < other.length; index++) {
      const entry = other.at(index);
      if (entry !== undefined) this.add(entry);
    }
  }
}
