/**
 * The record of one managed group: looked at while this host is a standby, claimed before the server is opened, renewed while it serves, given back when
 * the address is gone. What is allowed is decided in core/quorum; here are the store's answers, in one row, and the moments between them.
 */
import { type Instant, type Micros, millis, seconds } from "../../core/lib/units.ts";
import { failureInWords } from "../../core/quorum/failure.ts";
import { outlookOf } from "../../core/quorum/outlook.ts";
import { claimStep, longestWait, type Ownership, recordOf } from "../../core/quorum/ownership.ts";
import type { StoreOutlook } from "../../core/quorum/words.ts";
import type { Timer } from "../../ports/timers.ts";
import type { ClaimResult, GroupHost, GroupSettings } from "./group-host.ts";
import { StoredRecord } from "./stored-record.ts";

type Granted = Pick<Ownership, "until" | "serial"> & { readonly without: boolean };

interface Claim {
  failures: number;
  readonly settle: (result: ClaimResult) => void;
}

/** In a claim, and after a failure while it still holds. */
const SOON = millis(100);
/** A first answer may be lost; then the claim is refused, or goes on without the store. */
const MOST_FAILURES = 2;
/** Of one that was granted nothing yet: how long the store may be silent, beyond ttl, before it is FAULT. */
const PATIENCE = seconds(2);

export class GroupRecord {
  readonly settings: GroupSettings;
  readonly #host: GroupHost;
  readonly #record: StoredRecord;
  /** Renewed: claimed and not given back. */
  #holding = false;
  #serving = false;
  #claim: Claim | null = null;
  #forbidden = false;
  /** It serves although the store has not granted it. */
  #without = false;
  /** An operator's: until then a claim goes on though the store does not answer, as long as it has not answered since `silentSince`. */
  #order: { readonly until: Instant; readonly silentSince: Instant } | null = null;
  /** The last claim was refused here. */
  #refused = false;
  /** Number of the last claim: what a later one has taken is not given back for an earlier one. */
  #generation = 0;
  #timer: Timer | null = null;
  #busy: Promise<void> = Promise.resolve();
  #turning = false;
  #ended = false;

  constructor(settings: GroupSettings, host: GroupHost) {
    this.settings = settings;
    this.#host = host;
    this.#record = new StoredRecord(settings, host);
    this.#arm(0 as Micros);
  }

  get status() {
    const { own, held } = this.#record;
    const record = recordOf(own);
    const { instance, group, policy } = this.settings;
    return {
      instance,
      group,
      policy,
      holder: record === null || record.life === null ? null : record.host,
      epoch: record?.epoch ?? null,
      held,
      until: own.until,
      foreign: own.seen?.content.kind === "foreign" ? own.seen.content.why : null,
      without: this.#without,
      waitsUntil: this.#waitsUntil(),
    };
  }

  /** For the record of the same group under other settings. `without`: it serves by an operator's order, not by a policy that may be another now. */
  get granted(): Granted {
    const { until, serial } = this.#record.own;
    return { until, serial, without: this.#without && this.settings.policy !== "availability" };
  }

  /** One answer ends it: the store that was given up is there, and may have granted the record to another since. */
  get #ordered(): boolean {
    const { now, silentSince } = this.#record;
    return this.#order !== null && now < this.#order.until && silentSince === this.#order.silentSince;
  }

  /** What a claim would hear of the store now. */
  get outlook(): StoreOutlook {
    const { own, me, failure, now } = this.#record;
    const { group, policy } = this.settings;
    const silent = failure === null ? null : failureInWords(failure);
    return outlookOf({ own, me, group, policy, silent, ordered: this.#ordered, now });
  }

  /**
   * An operator's order: the next claim goes on without a store that does not answer. Null: it is given; otherwise why not. A store that answers is never
   * overruled, and one that is silent only when whoever it may have granted has had the time to let go: by the longest times of the records known here.
   */
  overrule(until: Instant): string | null {
    const { failure, silence, silentSince, own, me } = this.#record;
    if (failure === null || silentSince === null) return "the quorum store answers, and what it says counts";
    const least = longestWait(own, me);
    if (silence < least) {
      const left = ((least - silence) / 1_000_000).toFixed(1);
      return `whoever the quorum store has granted the record may still serve without an answer of it: order it again in ${left} s`;
    }
    this.#order = { until, silentSince };
    this.#host.tell("ordered", null, failureInWords(failure));
    this.#judge();
    return null;
  }

  /** Why a gate behind the grant must not open after all; null: it may. */
  get whyNotOpen(): string | null {
    if (this.#without) return null;
    if (!this.#holding) return "the record was lost before the server was ready";
    if (this.settings.policy === "availability" || this.#record.held) return null;
    return "the record could not be renewed before the server was ready";
  }

  /** A claim waits for whoever may have had the record. */
  #waitsUntil(): Instant | null {
    if (this.#claim === null || this.#record.own.seen === null) return null;
    const step = this.#step();
    return step.kind === "wait" ? step.until : null;
  }

  #step() {
    const { own, me, renewals, now } = this.#record;
    return claimStep(own, me, renewals, now);
  }

  /** Resolves when the record is this daemon's, or cannot be. */
  claim(): Promise<ClaimResult> {
    this.abandon();
    this.#generation += 1;
    this.#record.renewals = 0;
    this.#refused = false;
    this.#without = false;
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
    // Lost in the moment between the gate and MASTER.
    if (this.whyNotOpen !== null && !this.#holding) this.#host.permit(this.#record.now);
  }

  /**
   * It serves already, under settings that are new: the record is claimed without a gate, or the address goes. `granted`: what it had under the old ones;
   * what served without the record goes on, as the store that comes back may be the new one.
   */
  adopt(granted: Granted | null): void {
    if (granted !== null) this.#record.inherit(granted);
    this.#serving = true;
    this.#without = granted?.without ?? false;
    this.#holding = !this.#without;
    if (this.#without) this.#host.permit(null);
    else this.#permit();
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
    const began = this.#record.now;
    const answered = this.#ended || (await this.#ask());
    this.#turning = false;
    if (this.#ended) return;
    if (this.#claim !== null && answered) await this.#goOn(this.#claim);
    else if (this.#claim !== null) this.#unanswered(this.#claim);
    this.#judge();
    this.#retryWhenFree();
    // A hold that has run out is not saved by asking faster.
    const hurried = this.#claim !== null || (this.#holding && !answered && this.#record.held);
    const { renew } = this.#host.config;
    const spent = this.#record.now - began;
    this.#arm((hurried ? SOON : Math.max(0, renew - spent)) as Micros);
  }

  #ask(): Promise<boolean> {
    return this.#holding && this.#claim === null ? this.#renew() : this.#record.look();
  }

  async #renew(): Promise<boolean> {
    // What was read is known to be old when the write fails, and then what stands there is the answer.
    for (let attempt = 0; attempt < 3 && this.#holding; attempt += 1) {
      if (!this.#mayWrite()) {
        if (!(await this.#record.look())) return false;
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
    const { own, me, now } = this.#record;
    return claimStep(own, me, 0, now).kind === "write";
  }

  async #write(): Promise<"done" | "changed" | "failed"> {
    const outcome = await this.#record.write();
    if (this.settings.policy !== "availability" && outcome !== "failed") this.#permit();
    return outcome;
  }

  /** Policy availability binds no address to the store. Of an ended record the next one decides. */
  #permit(): void {
    const { until } = this.#record.own;
    if (this.#ended || !this.#holding) return;
    if (this.settings.policy === "availability") this.#host.permit(null);
    else if (until !== null) this.#host.permit(until);
  }

  /** One that holds has lost its record: another daemon has it, or a stranger has written there. */
  #lostToAnother(): boolean {
    const content = this.#record.own.seen?.content;
    if (content === undefined || content.kind === "absent") return false;
    const { me } = this.#record;
    if (content.kind === "record" && (content.record.life === null || content.record.life === me.life)) return false;
    const why =
      content.kind === "foreign" ? content.why : `${content.record.host} has it in epoch ${content.record.epoch}`;
    this.#yield(why);
    return true;
  }

  /** Whatever the policy: the store answers, and says that this host is not the one. */
  #yield(why: string): void {
    if (this.#ended) return;
    this.#holding = false;
    this.#without = false;
    this.#host.tell("taken", null, why);
    if (this.#serving) this.#host.permit(this.#record.now);
    else this.#host.lost(why);
  }

  async #goOn(claim: Claim): Promise<void> {
    const step = this.#step();
    if (step.kind === "wait") return;
    if (step.kind === "foreign" && this.settings.policy === "availability") {
      this.#goWithout(step.reason);
      this.#settle(claim, { granted: true });
      return;
    }
    if (step.kind !== "write") {
      this.#settle(claim, { granted: false, reason: `quorum_store: ${step.reason}` });
      return;
    }
    const outcome = await this.#write();
    if (claim !== this.#claim) return;
    if (outcome === "failed") this.#unanswered(claim);
    else if (this.#record.held) this.#grant(claim);
  }

  #grant(claim: Claim): void {
    this.#holding = true;
    this.#without = false;
    this.#record.renewals = 0;
    this.#permit();
    this.#host.tell("granted", recordOf(this.#record.own)?.epoch ?? null, "");
    this.#settle(claim, { granted: true });
  }

  #unanswered(claim: Claim): void {
    const { failure } = this.#record;
    claim.failures += 1;
    if (failure === null || claim.failures < MOST_FAILURES) return;
    const why = failureInWords(failure);
    const { policy } = this.settings;
    const without = policy === "availability" || this.#ordered;
    if (without) this.#goWithout(why);
    const reason = `${why}, and policy ${policy} does not claim without it`;
    this.#settle(claim, without ? { granted: true } : { granted: false, reason });
  }

  /** It is claimed as soon as it can be, and nothing depends on it. */
  #goWithout(why: string): void {
    this.#holding = false;
    this.#without = true;
    this.#host.permit(null);
    this.#host.tell(this.settings.policy === "availability" ? "without" : "overridden", null, why);
  }

  #settle(claim: Claim, result: ClaimResult): void {
    if (claim !== this.#claim) return;
    this.#claim = null;
    this.#order = null;
    this.#refused = !result.granted;
    claim.settle(result);
  }

  /** Nobody would say before the pause after a refusal is over that it has become free. A store that only cannot write says nothing of it. */
  #retryWhenFree(): void {
    const { failure, unwritable, own, me, now } = this.#record;
    if (!this.#refused || failure !== null || unwritable || this.#claim !== null) return;
    if (claimStep(own, me, 0, now).kind !== "write") return;
    this.#refused = false;
    this.#host.retry();
  }

  /** Whether the instance must not serve, or not try to. */
  #judge(): void {
    this.#judgeWithout();
    if (this.settings.policy === "availability") return;
    const reason = this.#whyForbidden();
    if ((reason !== null) === this.#forbidden) return;
    this.#forbidden = reason !== null;
    if (reason !== null && this.#serving) this.#host.tell("expiring", null, reason);
    this.#host.forbid(reason);
  }

  /** What serves without the record claims it when the store is back; with availability it goes on whatever the store does, and says so. */
  #judgeWithout(): void {
    const { failure, held } = this.#record;
    if (!this.#serving || this.#claim !== null) return;
    if (failure === null) {
      if (this.#without) this.#takeUp();
    } else if (this.settings.policy === "availability" && this.#holding && !held)
      this.#goWithout(failureInWords(failure));
  }

  /** It serves without the record, and the store answers: nobody has it, or another one does and two serve. */
  #takeUp(): void {
    const step = this.#step();
    if (step.kind === "refuse") this.#yield(step.reason);
    if (step.kind !== "write") return;
    this.#holding = true;
    this.#without = false;
  }

  #whyForbidden(): string | null {
    const { own, failure, now, silence } = this.#record;
    const content = own.seen?.content;
    if (failure === null) return content?.kind === "foreign" ? content.why : null;
    if (this.#without || this.#ordered) return null;
    const why = failureInWords(failure);
    // No lifetime that lasts until the next advert can be granted any more: time for an orderly release, or for no opening.
    if (this.#holding && own.until !== null) return own.until - now > this.settings.shortestLease + SOON ? null : why;
    return this.#forbidden || silence > this.#host.config.ttl + PATIENCE ? why : null;
  }

  async #giveBack(): Promise<void> {
    this.#holding = false;
    this.#without = false;
    if ((await this.#record.giveBack()) === "done") this.#host.tell("released", null, "");
  }
}
