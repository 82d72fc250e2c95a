/** The record in the store, as far as it is known here: looks, writes, and for how long the store has been silent. Decides nothing. */
import { err, type Result } from "../../core/lib/result.ts";
import type { Instant } from "../../core/lib/units.ts";
import type { StoreFailure } from "../../core/quorum/failure.ts";
import {
  beginWrite,
  isHeld,
  letGo,
  type Myself,
  NOTHING_KNOWN,
  type Ownership,
  observe,
  type Reading,
  recordOf,
  releasing,
  type Write,
  written,
} from "../../core/quorum/ownership.ts";
import { encodeRecord } from "../../core/quorum/record.ts";
import { gapOf } from "../../core/quorum/timing.ts";
import type { GroupHost, GroupSettings } from "./group-host.ts";

export class StoredRecord {
  readonly me: Myself;
  readonly #host: GroupHost;
  readonly #key: string;
  #own: Ownership = NOTHING_KNOWN;
  #failure: StoreFailure | null = null;
  #silentSince: Instant | null = null;
  #unwritable = false;
  /** How often another was seen to renew since this was set to 0. */
  renewals = 0;

  constructor({ addresses, key }: GroupSettings, host: GroupHost) {
    this.#host = host;
    this.#key = key;
    const { ttl } = host.config;
    this.me = { host: host.host, life: host.life, addresses, ttl, gap: gapOf(host.config) };
  }

  get own(): Ownership {
    return this.#own;
  }

  get now(): Instant {
    return this.#host.timers.now();
  }

  get held(): boolean {
    return isHeld(this.#own, this.now);
  }

  /** Of the last answer. */
  get failure(): StoreFailure | null {
    return this.#failure;
  }

  /** Since when the store has not answered; null: it has, or was not asked yet. */
  get silentSince(): Instant | null {
    return this.#silentSince;
  }

  /** For how long the store has not answered, microseconds. */
  get silence(): number {
    return this.#silentSince === null ? 0 : this.now - this.#silentSince;
  }

  /** It answers, and the last write it could not do: a full disk, a missing permission. */
  get unwritable(): boolean {
    return this.#unwritable;
  }

  /** What the same daemon was granted under settings that are not in force any more. */
  inherit({ until, serial }: Pick<Ownership, "until" | "serial">): void {
    this.#own = { ...this.#own, until, serial };
  }

  async look(): Promise<boolean> {
    const read = await this.#host.store.read(this.#key).catch(unforeseen);
    this.#heard(read);
    if (read.ok) this.#observe(read.value);
    return read.ok;
  }

  async write(): Promise<"done" | "changed" | "failed"> {
    const { own, write } = beginWrite(this.#own, this.me, this.now);
    this.#own = own;
    return this.#swap(write);
  }

  /** Nothing counts from here on, whether or not the store hears of it. */
  async giveBack(): Promise<"done" | "changed" | "failed"> {
    const write = releasing(this.#own, this.me);
    this.#own = letGo(this.#own);
    return write === null ? "changed" : this.#swap(write);
  }

  async #swap(write: Write): Promise<"done" | "changed" | "failed"> {
    const { expected, record } = write;
    const swap = { key: this.#key, expected, value: encodeRecord(record) };
    const swapped = await this.#host.store.swap(swap).catch(unforeseen);
    this.#heard(swapped);
    this.#unwritable = !swapped.ok && swapped.error.kind === "unable";
    if (!swapped.ok) return "failed";
    if (swapped.value.done)
      this.#own = written(this.#own, { write, revision: swapped.value.revision }, this.me, this.now);
    else this.#observe(swapped.value.now);
    return swapped.value.done ? "done" : "changed";
  }

  #observe(reading: Reading): void {
    const before = this.#own.seen?.revision;
    this.#own = observe(this.#own, reading, this.me, this.now);
    const record = recordOf(this.#own);
    const others = record !== null && record.life !== null && record.life !== this.me.life;
    if (others && before !== undefined && before !== reading.revision) this.renewals += 1;
  }

  #heard(answer: Result<unknown, StoreFailure>): void {
    this.#failure = answer.ok ? null : answer.error;
    if (answer.ok) this.#silentSince = null;
    else this.#silentSince ??= this.now;
    this.#host.asked(this.#failure);
  }
}

/** A store never rejects; one that does must not end the daemon. */
const unforeseen = (error: unknown): Result<never, StoreFailure> => err({ kind: "setup", detail: String(error) });
