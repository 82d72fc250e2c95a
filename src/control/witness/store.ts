/**
 * A witness as a quorum store: one kept connection, made again as soon as it is lost. A question that comes while it is being made waits for it, within the
 * time that an answer may take.
 */
import type { z } from "zod";
import { err, ok, type Result } from "../../core/lib/result.ts";
import { toMillis } from "../../core/lib/units.ts";
import { placeInWords } from "../../core/peer-link/config.ts";
import type { PeerFailure } from "../../core/peer-link/questions.ts";
import type { WitnessStoreConfig } from "../../core/quorum/config.ts";
import type { StoreFailure } from "../../core/quorum/failure.ts";
import type { Reading as StoreReading } from "../../core/quorum/ownership.ts";
import type { Clock } from "../../ports/clock.ts";
import type { QuorumStore, Swap, Swapped } from "../../ports/quorum-store.ts";
import { Connection } from "../keyed-link/connection.ts";
import type { Myself } from "../keyed-link/protocol.ts";
import { Reading, SwapAnswer, WITNESS } from "./protocol.ts";

/** A holder has a few seconds: the witness may be back before they are over. */
const RETRY_MILLIS = 500;

export interface WitnessStoreOptions {
  readonly config: WitnessStoreConfig;
  readonly myself: Myself;
  readonly clock: Clock;
}

export class WitnessStore implements QuorumStore {
  readonly #config: WitnessStoreConfig;
  readonly #connection: Connection;
  /** Whoever waits for the connection. */
  readonly #waiting = new Set<() => void>();
  endpoint: string | null = null;

  constructor({ config, myself, clock }: WitnessStoreOptions) {
    this.#config = config;
    this.#connection = new Connection({
      protocol: WITNESS,
      myself,
      keys: config,
      place: config.place,
      from: null,
      timeout: config.timeout,
      retryMillis: RETRY_MILLIS,
      clock,
      onChange: () => {
        for (const wake of [...this.#waiting]) wake();
      },
    });
  }

  read(key: string): Promise<Result<StoreReading, StoreFailure>> {
    return this.#ask("read", { key }, Reading);
  }

  swap(swap: Swap): Promise<Result<Swapped, StoreFailure>> {
    return this.#ask("swap", swap, SwapAnswer);
  }

  close(): void {
    this.#connection.close();
    for (const wake of [...this.#waiting]) wake();
  }

  async #ask<T>(kind: string, question: unknown, answer: z.ZodType<T>): Promise<Result<T, StoreFailure>> {
    const end = performance.now() + toMillis(this.#config.timeout);
    await this.#connected(end);
    const millis = Math.max(1, end - performance.now());
    const said = await this.#connection.ask(kind, question, { answer, millis });
    if (said.ok) {
      this.endpoint = placeInWords(this.#config.place);
      return ok(said.value as T);
    }
    // A frozen host closes nothing: the next question goes to a new connection.
    if (said.error.code === "timeout") this.#connection.giveUp("it does not answer");
    return err(this.#failure(said.error));
  }

  #connected(end: number): Promise<void> {
    if (this.#connection.condition.connected) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.max(1, end - performance.now()));
      this.#waiting.add(wake);
    });
  }

  #failure({ code, detail }: PeerFailure): StoreFailure {
    const text = `${placeInWords(this.#config.place)}: ${detail}`;
    if (code === "not-connected") return { kind: "unreachable", detail: text };
    if (code === "timeout") return { kind: "timeout", detail: text };
    if (code === "unknown-question") return { kind: "other-store", detail: text };
    return { kind: "unable", detail: text };
  }
}
