/**
 * One database server of any product: when it is looked at, and what the looks add up to. The end of the kept connection is heard at once
 * and followed by one attempt to come back, so that a connection somebody killed is no dead server and a dead server needs no interval to
 * be noticed. Owns no words and no rules: the core judges, and what is asked is the product's own (mysql-watch.ts, redis-watch.ts).
 */
import {
  type DatabaseStanding,
  isUndecided,
  NEVER_SEEN,
  type RiseFall,
  recordVerdict,
} from "../core/database/standing.ts";
import { stillGone, type Verdict } from "../core/database/verdict.ts";
import type { Result } from "../core/lib/result.ts";
import { after, type Instant, type Micros, micros, millis, seconds } from "../core/lib/units.ts";
import type { Timer, Timers } from "../ports/timers.ts";

/** One server over a connection that is kept. */
export interface WatchedServer<Facts, Failure> {
  readonly connected: boolean;
  /** How it got in, where that will not last. */
  readonly remark?: string | null;
  /** Everything that a verdict needs, bounded in time; connects first where there is no connection. */
  ask(): Promise<Result<Facts, Failure>>;
  /** Ends the connection without a word. */
  drop(): void;
  judge(facts: Facts): Verdict;
  /** `wasUp`: the look before found it alive. */
  judgeFailure(failure: Failure, wasUp: boolean): Verdict;
}

export interface WatchedConfig extends RiseFall {
  readonly name: string;
  readonly interval: Micros;
}

export interface WatchHost<Config extends WatchedConfig, Facts> {
  readonly timers: Timers;
  /** After every look. */
  readonly report: (watch: DatabaseWatch<Config, Facts>, before: DatabaseStanding | null) => void;
}

/** A dying server closes its sockets one after the other: what is accepted and dropped in between is asked again. */
const DYING_TRIES = 5;
const DYING_PAUSE = millis(20);
/** A result that contradicts the standing is looked at again this part of the interval after that look began. */
const HURRY = 4;
/** The longest pause before a server without a connection is tried again. */
const RETRY = seconds(1);

export class DatabaseWatch<Config extends WatchedConfig, Facts> {
  readonly #host: WatchHost<Config, Facts>;
  readonly config: Config;
  readonly #server: WatchedServer<Facts, { readonly kind: string }>;
  #health = NEVER_SEEN;
  #verdict: Verdict | null = null;
  #facts: Facts | null = null;
  #timer: Timer | null = null;
  #looking = false;
  /** The socket ended while a look ran: it must be followed by another. */
  #lostMeanwhile = false;
  #ended = false;
  #since: Instant | null = null;
  #lookedAt: Instant | null = null;

  /** `connect` makes the server; it calls what it is given when the connection in use has ended by itself. */
  constructor(
    host: WatchHost<Config, Facts>,
    config: Config,
    connect: (onLost: () => void) => WatchedServer<Facts, { readonly kind: string }>,
  ) {
    this.#host = host;
    this.config = config;
    this.#server = connect(() => this.#lost());
    this.#arm(micros(0));
  }

  get standing(): DatabaseStanding | null {
    return this.#health.standing;
  }

  get verdict(): Verdict | null {
    return this.#verdict;
  }

  get facts(): Facts | null {
    return this.#facts;
  }

  /** When the standing was entered. */
  get since(): Instant | null {
    return this.#since;
  }

  get remark(): string | null {
    return this.#server.remark ?? null;
  }

  get lookedAt(): Instant | null {
    return this.#lookedAt;
  }

  /** Something is known to have changed: the next look is now. */
  hurry(): void {
    if (this.#ended) return;
    if (this.#looking) this.#lostMeanwhile = true;
    else void this.#look();
  }

  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
    this.#server.drop();
  }

  #arm(delay: Micros): void {
    this.#timer?.cancel();
    this.#timer = this.#host.timers.schedule(delay, () => void this.#look());
  }

  #lost(): void {
    if (this.#ended) return;
    if (this.#looking) this.#lostMeanwhile = true;
    else void this.#look();
  }

  async #look(): Promise<void> {
    if (this.#looking || this.#ended) return;
    this.#looking = true;
    this.#timer?.cancel();
    const start = this.#host.timers.now();
    const verdict = await this.#judge();
    this.#looking = false;
    // The compiler believes what was tested above; end() may have been called meanwhile.
    if (this.#ended as boolean) return this.#server.drop();
    this.#record(verdict);
    const again = this.#lostMeanwhile && !this.#server.connected && verdict.always === null;
    this.#lostMeanwhile = false;
    const due = after(start, this.#pauseAfter(verdict));
    this.#arm(again ? micros(0) : micros(Math.max(0, due - this.#host.timers.now())));
  }

  #pauseAfter(verdict: Verdict): Micros {
    const { interval } = this.config;
    if (isUndecided(this.#health, verdict)) return micros(interval / HURRY);
    // Without a connection nothing tells that it is back.
    return this.#server.connected ? interval : micros(Math.min(interval, RETRY));
  }

  #record(verdict: Verdict): void {
    const before = this.#health.standing;
    this.#health = recordVerdict(this.config, this.#health, verdict);
    this.#verdict = verdict;
    this.#lookedAt = this.#host.timers.now();
    const now = this.#health.standing;
    const turned =
      before === null ||
      (before.always === null) !== (now?.always === null) ||
      (before.standby === null) !== (now?.standby === null);
    if (turned) this.#since = this.#lookedAt;
    this.#host.report(this, before);
  }

  async #judge(): Promise<Verdict> {
    const wasUp = this.#facts !== null;
    for (let tries = 1; ; tries++) {
      const facts = await this.#server.ask();
      if (facts.ok) {
        this.#facts = facts.value;
        return this.#server.judge(facts.value);
      }
      this.#server.drop();
      if (facts.error.kind === "lost" && tries < DYING_TRIES && !this.#ended) {
        if (tries > 1) await this.#pause(DYING_PAUSE);
        continue;
      }
      this.#facts = null;
      return stillGone(this.#verdict, this.#server.judgeFailure(facts.error, wasUp));
    }
  }

  #pause(delay: Micros): Promise<void> {
    return new Promise((resolve) => {
      this.#host.timers.schedule(delay, resolve);
    });
  }
}
