/**
 * The record of one managed group: looked at while this host is a standby, claimed before the server is opened, renewed while it serves, given back when
 * the address is gone. What is allowed is decided in core/quorum; here are the store's answers, in one row, and the moments between them.
 */
import type { Result } from "../../core/lib/result.ts";
import { type Instant, type Micros, millis, seconds } from "../../core/lib/units.ts";
import { failureInWords, type StoreFailure } from "../../core/quorum/failure.ts";
import {
  beginWrite,
  claimStep,
  isHeld,
  letGo,
  type Myself,
  NOTHING_KNOWN,
  type Ownership,
  observe,
  type Reading,
  recordOf,
  releasing,
  written,
} from "../../core/quorum/ownership.ts";
import { encodeRecord } from "../../core/quorum/record.ts";
import type { Timer } from "../../ports/timers.ts";
import type { ClaimResult, GroupHost, GroupSettings } from "./group-host.ts";

interface Claim {
  failures: number;
  readonly settle: (result: ClaimResult) => void;
}

/** In a claim, and after a failure while serving. */
const SOON = millis(100);
/** A first answer may be lost; then the claim is refused, or goes on without the store. */
const MOST_FAILURES = 2;
/** Of one that does not serve: how long the store may be silent, beyond ttl, before it is FAULT. */
const PATIENCE = seconds(2);

export class GroupRecord {
  readonly settings: GroupSettings;
  readonly #host: GroupHost;
  readonly #me: Myself;
  #own: Ownership = NOTHING_KNOWN;
  /** Renewed: claimed and not given back. */
  #holding = false;
  #serving = false;
  #claim: Claim | null = null;
  /** The store has not answered since. */
  #silentSince: Instant | null = null;
  #failure: StoreFailure | null = null;
  #forbidden = false;
  /** It serves although the store has not granted it. */
  #without = false;
  /** The last claim was refused here. */
  #refused = false;
  /** How often another was seen to renew since the last claim began or was granted. */
  #renewals = 0;
  /** Number of the last claim: what a later one has taken is not given back for an earlier one. */
  #generation = 0;
  #timer: Timer | null = null;
  #busy: Promise<void> = Promise.resolve();
  #turning = false;
  #ended = false;

  constructor(settings: GroupSettings, host: GroupHost) {
    this.settings = settings;
    this.#host = host;
    const { addresses } = settings;
    this.#me = { host: host.host, life: host.life, addresses, ttl: host.config.ttl };
    this.#arm(0 as Micros);
  }

  get status() {
    const record = recordOf(this.#own);
    return {
      instance: this.settings.instance,
      group: this.settings.group,
      policy: this.settings.policy,
      holder: record === null || record.life === null ? null : record.host,
      epoch: record?.epoch ?? null,
      held: isHeld(this.#own, this.#host.timers.now()),
      until: this.#own.until,
      renewing: this.#holding,
      foreign: this.#own.seen?.content.kind === "foreign" ? this.#own.seen.content.why : null,
      without: this.#without,
      waitsUntil: this.#waitsUntil(),
    };
  }

  /** A claim waits for whoever may have had the record. */
  #waitsUntil(): Instant | null {
    if (this.#claim === null || this.#own.seen === null) return null;
    const step = claimStep(this.#own, this.#me, this.#renewals, this.#host.timers.now());
    return step.kind === "wait" ? step.until : null;
  }

  /** Resolves when the record is this daemon's, or cannot be. */
  claim(): Promise<ClaimResult> {
    this.abandon();
    this.#generation += 1;
    this.#renewals = 0;
    this.#refused = false;
    return new Promise((settle) => {
      this.#claim = { failures: 0, settle };
      this.#arm(0 as Micros);
    });
  }

  /** The claim is off; what it may have written stays until release() or lapses. */
  abandon(): void {
    if (this.#claim !== null) this.#settle(this.#claim, { granted: false, reason: "the claim was withdrawn" });
  }

  serves(): void {
    this.#serving = true;
    this.#refused = false;
  }

  /**
   * It serves already, under settings that are new: the record is claimed without a gate, or the address goes. `until`: what it was granted under the old
   * ones.
   */
  adopt(until: Instant | null): void {
    this.#own = { ...this.#own, until };
    this.#serving = true;
    this.#holding = true;
  }

  /** The addresses are gone or were never there; `closed`: nobody can write any more. Until then the record is kept. */
  release(closed: Promise<void>): Promise<void> {
    this.#serving = false;
    const generation = this.#generation;
    return closed.then(() => {
      this.#busy = this.#busy.then(() => (generation === this.#generation ? this.#giveBack() : undefined));
      return this.#busy;
    });
  }

  end(): void {
    this.abandon();
    this.#ended = true;
    this.#timer?.cancel();
    if (this.#forbidden) this.#host.forbid(null);
  }

  #arm(delay: Micros): void {
    if (this.#ended || this.#turning) return;
    this.#timer?.cancel();
    this.#timer = this.#host.timers.schedule(delay, () => {
      this.#turning = true;
      this.#busy = this.#busy.then(() => this.#turn());
    });
  }

  async #turn(): Promise<void> {
    const began = this.#host.timers.now();
    const answered = this.#ended || (await (this.#holding && this.#claim === null ? this.#renew() : this.#look()));
    this.#turning = false;
    if (this.#ended) return;
    if (this.#claim !== null && answered) await this.#step(this.#claim);
    else if (this.#claim !== null) this.#unanswered(this.#claim);
    this.#judge();
    this.#retryWhenFree();
    const { renew } = this.#host.config;
    const hurried = this.#claim !== null || (this.#holding && !answered);
    const spent = this.#host.timers.now() - began;
    this.#arm((hurried ? SOON : Math.max(0, renew - spent)) as Micros);
  }

  async #look(): Promise<boolean> {
    const read = await this.#host.store.read(this.settings.key);
    this.#heard(read);
    if (read.ok) this.#observe(read.value);
    return read.ok;
  }

  async #renew(): Promise<boolean> {
    // What was read is known to be old when the write fails, and then what stands there is the answer.
    for (let attempt = 0; attempt < 3 && this.#holding; attempt += 1) {
      if (!this.#mayWrite()) {
        if (!(await this.#look())) return false;
        if (this.#lostToAnother() || !this.#mayWrite()) return true;
      }
      const outcome = await this.#write();
      if (outcome !== "changed") return outcome === "done";
      if (this.#lostToAnother()) return true;
    }
    return true;
  }

  /** Not before a look, and not on what a store shows that has forgotten the hold that has run out here. */
  #mayWrite(): boolean {
    return claimStep(this.#own, this.#me, 0, this.#host.timers.now()).kind === "write";
  }

  async #write(): Promise<"done" | "changed" | "failed"> {
    const { timers, store } = this.#host;
    const { own, write } = beginWrite(this.#own, this.#me, timers.now());
    this.#own = own;
    const { key } = this.settings;
    const swapped = await store.swap({ key, expected: write.expected, value: encodeRecord(write.record) });
    this.#heard(swapped);
    if (!swapped.ok) return "failed";
    if (swapped.value.done) {
      this.#own = written(this.#own, { write, revision: swapped.value.revision }, this.#me, timers.now());
    } else this.#observe(swapped.value.now);
    if (this.#holding && this.settings.policy !== "availability") this.#permit();
    return swapped.value.done ? "done" : "changed";
  }

  /** Policy availability binds no address to the store. */
  #permit(): void {
    const { until } = this.#own;
    if (this.settings.policy === "availability") this.#host.permit(null);
    else if (until !== null && this.#holding) this.#host.permit(until);
  }

  #observe(reading: Reading): void {
    const before = this.#own.seen?.revision;
    this.#own = observe(this.#own, reading, this.#me, this.#host.timers.now());
    const record = recordOf(this.#own);
    const others = record !== null && record.life !== null && record.life !== this.#me.life;
    if (others && before !== undefined && before !== reading.revision) this.#renewals += 1;
  }

  /** One that serves has lost its record: another daemon has it, or a stranger has written there. */
  #lostToAnother(): boolean {
    const content = this.#own.seen?.content;
    if (content === undefined || content.kind === "absent") return false;
    if (content.kind === "record" && (content.record.life === null || content.record.life === this.#me.life))
      return false;
    const why =
      content.kind === "foreign" ? content.why : `${content.record.host} has it in epoch ${content.record.epoch}`;
    this.#yield(why);
    return true;
  }

  /** Whatever the policy: the store answers, and says that this host is not the one. */
  #yield(why: string): void {
    this.#holding = false;
    this.#without = false;
    this.#host.tell("taken", null, why);
    if (this.#serving) this.#host.permit(this.#host.timers.now());
  }

  async #step(claim: Claim): Promise<void> {
    const { timers } = this.#host;
    const step = claimStep(this.#own, this.#me, this.#renewals, timers.now());
    if (step.kind === "wait") return;
    if (step.kind === "foreign" && this.settings.policy === "availability") {
      this.#goWithout(claim, step.reason);
      return;
    }
    if (step.kind !== "write") {
      this.#settle(claim, { granted: false, reason: `quorum_store: ${step.reason}` });
      return;
    }
    const outcome = await this.#write();
    if (claim !== this.#claim) return;
    if (outcome === "failed") this.#unanswered(claim);
    else if (isHeld(this.#own, timers.now())) this.#grant(claim);
  }

  #grant(claim: Claim): void {
    this.#holding = true;
    this.#without = false;
    this.#renewals = 0;
    this.#permit();
    this.#host.tell("granted", recordOf(this.#own)?.epoch ?? null, "");
    this.#settle(claim, { granted: true });
  }

  #unanswered(claim: Claim): void {
    const failure = this.#failure;
    claim.failures += 1;
    if (failure === null || claim.failures < MOST_FAILURES) return;
    const why = failureInWords(failure);
    if (this.settings.policy === "availability") this.#goWithout(claim, why);
    else
      this.#settle(claim, {
        granted: false,
        reason: `${why}, and policy ${this.settings.policy} does not claim without it`,
      });
  }

  /** It is claimed as soon as it can be, and nothing depends on it. */
  #goWithout(claim: Claim, why: string): void {
    this.#without = true;
    this.#permit();
    this.#host.tell("without", null, why);
    this.#settle(claim, { granted: true });
  }

  #settle(claim: Claim, result: ClaimResult): void {
    if (claim !== this.#claim) return;
    this.#claim = null;
    this.#refused = !result.granted;
    claim.settle(result);
  }

  /** Nobody would say before the pause after a refusal is over that it has become free. */
  #retryWhenFree(): void {
    if (!this.#refused || this.#failure !== null || this.#claim !== null) return;
    if (claimStep(this.#own, this.#me, 0, this.#host.timers.now()).kind !== "write") return;
    this.#refused = false;
    this.#host.retry();
  }

  #heard(answer: Result<unknown, StoreFailure>): void {
    const { timers, asked } = this.#host;
    this.#failure = answer.ok ? null : answer.error;
    if (answer.ok) this.#silentSince = null;
    else this.#silentSince ??= timers.now();
    asked(this.#failure);
  }

  /** Whether the instance must not serve, or not try to. */
  #judge(): void {
    if (this.settings.policy === "availability") {
      if (this.#without && this.#serving && this.#failure === null && this.#claim === null) this.#adopt();
      return;
    }
    const reason = this.#whyForbidden(this.#host.timers.now());
    if ((reason !== null) === this.#forbidden) return;
    this.#forbidden = reason !== null;
    if (reason !== null && this.#serving) this.#host.tell("expiring", null, reason);
    this.#host.forbid(reason);
  }

  /** It serves without the record, and the store answers: nobody has it, or another one does and two serve. */
  #adopt(): void {
    const step = claimStep(this.#own, this.#me, this.#renewals, this.#host.timers.now());
    if (step.kind === "refuse") this.#yield(step.reason);
    if (step.kind !== "write") return;
    this.#holding = true;
    this.#without = false;
  }

  #whyForbidden(now: Instant): string | null {
    const foreign = this.#own.seen?.content;
    if (this.#failure === null) return foreign?.kind === "foreign" ? foreign.why : null;
    const why = failureInWords(this.#failure);
    const { until } = this.#own;
    // No lifetime that lasts until the next advert can be granted any more: time for an orderly release.
    if (this.#serving) return until !== null && until - now > this.settings.shortestLease + SOON ? null : why;
    const silent = this.#silentSince === null ? 0 : now - this.#silentSince;
    return this.#forbidden || silent > this.#host.config.ttl + PATIENCE ? why : null;
  }

  async #giveBack(): Promise<void> {
    this.#holding = false;
    this.#without = false;
    const write = releasing(this.#own, this.#me);
    this.#own = letGo(this.#own);
    if (write === null) return;
    const { timers, store, tell } = this.#host;
    const swapped = await store.swap({
      key: this.settings.key,
      expected: write.expected,
      value: encodeRecord(write.record),
    });
    this.#heard(swapped);
    if (!swapped.ok) return;
    if (swapped.value.done) {
      this.#own = written(this.#own, { write, revision: swapped.value.revision }, this.#me, timers.now());
      tell("released", null, "");
    } else this.#observe(swapped.value.now);
  }
}
