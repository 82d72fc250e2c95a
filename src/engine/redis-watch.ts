/** One Redis or Valkey server as its check sees it: the kept session, and what is asked over it. */
import type { Verdict } from "../core/database/verdict.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { type Instant, seconds, toMillis } from "../core/lib/units.ts";
import type { RedisConfig } from "../core/redis/config.ts";
import { troubleOfFailure } from "../core/redis/failure.ts";
import type { RedisFacts } from "../core/redis/info.ts";
import type { RedisFailure } from "../core/redis/reply.ts";
import { judgeFacts, judgeTrouble, type Surroundings } from "../core/redis/verdict.ts";
import type { RedisPort, RedisSession } from "../ports/redis.ts";
import type { Timers } from "../ports/timers.ts";
import type { WatchedServer } from "./database-watch.ts";
import { observe, surroundingsOf } from "./redis-observe.ts";

export interface RedisWatchHost {
  readonly redis: RedisPort;
  readonly timers: Timers;
}

/** The masters above a replica are asked that often: they are other hosts' servers. */
const CHAIN_EVERY = seconds(5);

export class WatchedRedis implements WatchedServer<RedisFacts, RedisFailure> {
  readonly #host: RedisWatchHost;
  readonly #config: RedisConfig;
  readonly #onLost: () => void;
  #session: RedisSession | null = null;
  #surroundings: Surroundings = { circle: null };
  #chain: { readonly source: string; readonly at: Instant } | null = null;

  constructor(host: RedisWatchHost, config: RedisConfig, onLost: () => void) {
    this.#host = host;
    this.#config = config;
    this.#onLost = onLost;
  }

  get connected(): boolean {
    return this.#session !== null;
  }

  drop(): void {
    this.#session?.close();
    this.#session = null;
  }

  judge(facts: RedisFacts): Verdict {
    return judgeFacts(facts, this.#surroundings, this.#config.rules);
  }

  judgeFailure(failure: RedisFailure, wasUp: boolean): Verdict {
    return judgeTrouble(troubleOfFailure(failure, wasUp));
  }

  async ask(): Promise<Result<RedisFacts, RedisFailure>> {
    const timeoutMillis = toMillis(this.#config.timeout);
    const opened: Result<RedisSession, RedisFailure> = this.#session === null ? await this.#open() : ok(this.#session);
    if (!opened.ok) return opened;
    const facts = await observe(opened.value, timeoutMillis);
    if (facts.ok) await this.#lookAround(facts.value);
    return facts;
  }

  /** Again when the master is another one, and now and then: what it follows itself may change. */
  async #lookAround(facts: RedisFacts): Promise<void> {
    const { source } = facts;
    const now = this.#host.timers.now();
    if (source === null) {
      this.#surroundings = { circle: null };
      this.#chain = null;
      return;
    }
    if (this.#chain?.source === source.address && now < this.#chain.at + CHAIN_EVERY) return;
    this.#chain = { source: source.address, at: now };
    const { address, credentials, tls, connectTimeout, timeout } = this.#config;
    const reach = { credentials, user: null, tls, connectTimeoutMillis: toMillis(connectTimeout) };
    this.#surroundings = await surroundingsOf(
      this.#host.redis,
      { address, facts },
      { ...reach, timeoutMillis: toMillis(timeout) },
    );
  }

  async #open(): Promise<Result<RedisSession, RedisFailure>> {
    const { address, credentials, tls, connectTimeout } = this.#config;
    const target = { address, credentials, user: null, tls, connectTimeoutMillis: toMillis(connectTimeout) };
    const state: { gone: boolean; session: RedisSession | null } = { gone: false, session: null };
    const opened = await this.#host.redis.open(target, () => {
      state.gone = true;
      // Only the session in use: one that was dropped has nothing to say any more.
      if (state.session === null || state.session !== this.#session) return;
      this.#session = null;
      this.#onLost();
    });
    if (!opened.ok) return opened;
    if (state.gone) return err({ kind: "lost", detail: "closed by the server right after AUTH" });
    state.session = opened.value;
    this.#session = opened.value;
    return opened;
  }
}
