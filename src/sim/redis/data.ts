/**
 * What a Redis server holds, and where it stands in the stream of changes: replication.c's ids and offsets, the backlog, and what of it a
 * replica can be given. A change is a key that was set; offsets count bytes as Redis does.
 */

/** Bytes of one SET in the stream, and of the PING that a master sends to its replicas. */
const WRITE_BYTES = 60;
export const PING_BYTES = 14;
/** repl-backlog-size; small enough that a long cut needs a full resync. */
const BACKLOG_BYTES = 20_000;
export const NO_ID = "0".repeat(40);

interface Change {
  /** Offset behind it. */
  readonly end: number;
  /** Null: a PING. */
  readonly key: string | null;
}

/** A dump file, or what a full resync brings. */
export interface Snapshot {
  readonly keys: readonly string[];
  /** Null: the server had no stream when it was written. */
  readonly stream: { readonly id: string; readonly offset: number } | null;
}

export class DataSet {
  readonly #keys = new Set<string>();
  id: string;
  offset = 0;
  formerId = NO_ID;
  /** second_repl_offset. */
  formerEnd = -1;
  /** All since the stream began: what a replica that is attached has not been sent yet is in its output buffer, however old. */
  #changes: Change[] | null = null;
  /** Where they begin. */
  #start = 0;

  constructor(id: string) {
    this.id = id;
  }

  get size(): number {
    return this.#keys.size;
  }

  get keys(): readonly string[] {
    return [...this.#keys];
  }

  /** repl_backlog_active: without it the offset stands still. */
  get counted(): boolean {
    return this.#changes !== null;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** createReplicationBacklog. */
  keepBacklog(): void {
    if (this.#changes !== null) return;
    this.#changes = [];
    this.#start = this.offset;
  }

  set(key: string): void {
    this.#keys.add(key);
    this.#feed(key, WRITE_BYTES);
  }

  ping(): void {
    this.#feed(null, PING_BYTES);
  }

  #feed(key: string | null, bytes: number): void {
    if (this.#changes === null) return;
    this.offset += bytes;
    this.#changes.push({ end: this.offset, key });
  }

  /** A replica executes what its master has sent. */
  follow({ end, key }: Change): void {
    if (key !== null) this.#keys.add(key);
    this.offset = end;
    this.#changes?.push({ end, key });
  }

  after(position: number): readonly Change[] {
    const changes = this.#changes ?? [];
    let first = changes.length;
    while (first > 0 && (changes[first - 1]?.end ?? 0) > position) first--;
    return changes.slice(first);
  }

  /** masterTryPartialResync. */
  canContinue(id: string, offset: number): boolean {
    const known = id === this.id || (id === this.formerId && offset + 1 <= this.formerEnd);
    const oldest = Math.max(this.#start, this.offset - BACKLOG_BYTES);
    return known && this.#changes !== null && offset >= oldest && offset <= this.offset;
  }

  /** A replica goes on in its master's stream, which may have a new name. */
  continueAs(id: string): void {
    if (id !== this.id) this.shift(id);
    this.keepBacklog();
  }

  /** shiftReplicationId. */
  shift(id: string): void {
    this.formerId = this.id;
    this.formerEnd = this.offset + 1;
    this.id = id;
  }

  /** For the first replica of a server without a backlog: what was is another stream. */
  beginStream(id: string): void {
    if (this.#changes !== null) return;
    this.id = id;
    this.formerId = NO_ID;
    this.formerEnd = -1;
    this.keepBacklog();
  }

  snapshot(): Snapshot {
    return { keys: this.keys, stream: this.counted ? { id: this.id, offset: this.offset } : null };
  }

  /** A full resync: what was here is gone. */
  replace({ keys, stream }: Snapshot): void {
    this.#keys.clear();
    for (const key of keys) this.#keys.add(key);
    this.id = stream?.id ?? this.id;
    this.offset = stream?.offset ?? 0;
    this.formerId = NO_ID;
    this.formerEnd = -1;
    this.#changes = [];
    this.#start = this.offset;
  }

  /** loadDataFromDisk: a replica goes on in the stream of the dump, a master keeps it as its former one. */
  load({ keys, stream }: Snapshot, asReplica: boolean): void {
    for (const key of keys) this.#keys.add(key);
    if (stream === null) return;
    this.offset = stream.offset;
    if (asReplica) this.id = stream.id;
    else {
      this.formerId = stream.id;
      this.formerEnd = stream.offset + 1;
    }
    this.keepBacklog();
  }
}
