/**
 * One takeover of one Redis server: asks, lets core/redis/takeover.ts choose, carries out, and asks again, until the server is promoted or
 * something stands against it. Each step is told before and after; nothing is promoted before journal and epoch are on the disk.
 */
import { err, ok, type Result } from "../core/lib/result.ts";
import { after, type Instant, millis, toSeconds } from "../core/lib/units.ts";
import type { RedisConfig } from "../core/redis/config.ts";
import type { Mark } from "../core/redis/member.ts";
import type { Peer } from "../core/redis/peer.ts";
import {
  type Decision,
  decideTakeover,
  expectedAfter,
  NOTHING_DONE,
  planTakeover,
  type Step,
  stepInWords,
  type TakeoverFacts,
  type TakeoverPlan,
  type TakeoverProgress,
} from "../core/redis/takeover.ts";
import type { Notes } from "../ports/notes.ts";
import type { DataCopies, RedisPort } from "../ports/redis.ts";
import type { GatewayProbe } from "../ports/takeover.ts";
import type { Timers } from "../ports/timers.ts";
import { closeCommands, failureInWords, RedisServers, sessionsEnded } from "./redis-group.ts";

export interface RedisTools {
  readonly redis: RedisPort;
  readonly copies: DataCopies;
  readonly timers: Timers;
  readonly gateway: GatewayProbe;
  /** Durable. */
  readonly marks: Notes;
  /** Everything told so far is on the disk; false when it is not. */
  readonly flush: () => Promise<boolean>;
}

export interface TakeoverContext {
  readonly knownRun: string | null;
  /** An operator has named this host the first writer. */
  readonly named: () => Promise<boolean>;
  readonly consented: boolean;
  /** What this daemon has written down, as far as it is true of that run of the server. */
  readonly markOf: (run: string) => Mark | null;
  readonly virtualHosts: readonly string[];
  /** Peers that were silent a moment ago. */
  readonly silent: readonly Peer[];
  readonly cancelled: () => boolean;
  readonly tell: (step: string, outcome: "begun" | "done" | "failed", detail: string) => void;
  readonly write: (mark: Mark, run: string) => Promise<Result<void, string>>;
  /** Before the order is sent: from here on it may be open. */
  readonly onPromoting: (runId: string) => void;
}

const PAUSE = millis(10);
const GATEWAY_MILLIS = 1_000;
/** A host that lives answers in a round trip. */
const SILENT_AGAIN = millis(50);
/** A step that is chosen again and again does not do what it says. */
const MOST_TRIES = 3;
/** Steps of which the answer says all there is to know. */
const PROVED: ReadonlySet<Step["kind"]> = new Set(["close-own", "record", "min-replicas", "promote"]);

/** Closing comes first; nothing is written down, waited for or refused before the silent were asked again. */
const mustBeCertain = (decision: Decision): boolean =>
  decision.kind !== "step" || decision.step.kind === "record" || decision.step.kind === "promote";

export class RedisTakeover {
  readonly #tools: RedisTools;
  readonly #config: RedisConfig;
  readonly #context: TakeoverContext;
  readonly #servers: RedisServers;
  readonly #tries = new Map<string, number>();
  #progress: TakeoverProgress = NOTHING_DONE;
  #proved: TakeoverFacts | null = null;
  #gateway: TakeoverFacts["gateway"] | "unasked" = "unasked";
  /** Not waited for: silent a moment ago, and not heard since. */
  #silent: readonly Peer[];
  /** Ends when they have answered, or soon. */
  #askedAgain: Promise<unknown> | null = null;

  constructor(tools: RedisTools, config: RedisConfig, context: TakeoverContext) {
    this.#tools = tools;
    this.#config = config;
    this.#context = context;
    this.#servers = new RedisServers(tools.redis, config);
    this.#silent = context.silent;
  }

  /** The error is the reason of the refusal. */
  async run(): Promise<Result<void, string>> {
    try {
      const deadline = after(this.#tools.timers.now(), this.#config.group.takeoverDeadline);
      if (this.#silent.length > 0) this.#askedAgain = Promise.race([this.#askSilentAgain(), this.#pause(SILENT_AGAIN)]);
      for (;;) {
        if (this.#context.cancelled()) return err("it is not wanted any more");
        const ended = await this.#turn(deadline);
        if (ended !== null) return ended;
      }
    } finally {
      this.#servers.close();
    }
  }

  async #hearAgain(): Promise<null> {
    await this.#askedAgain;
    this.#askedAgain = null;
    return null;
  }

  /** Beside everything else: nobody waits long for a dead host, but one that has come back is seen before anything is promoted. */
  async #askSilentAgain(): Promise<void> {
    const peers = await this.#servers.askPeers();
    const heard = new Set(peers.flatMap(({ address, state }) => (state.kind === "silent" ? [] : [address])));
    if (!this.#silent.some(({ address }) => heard.has(address))) return;
    this.#silent = this.#silent.filter(({ address }) => !heard.has(address));
    this.#proved = null;
  }

  /** What run() would do now; nothing is changed. */
  async plan(): Promise<TakeoverPlan> {
    try {
      this.#silent = [];
      const facts = await this.#ask();
      return facts.ok ? planTakeover(facts.value) : { steps: [], end: facts.error };
    } finally {
      this.#servers.close();
    }
  }

  /** One look and what follows from it; null when another is needed. */
  async #turn(deadline: Instant): Promise<Result<void, string> | null> {
    const facts = this.#proved === null ? await this.#ask() : ok(this.#proved);
    this.#proved = null;
    if (!facts.ok) return facts;
    const decision = decideTakeover(facts.value);
    if (this.#askedAgain !== null && mustBeCertain(decision)) return await this.#hearAgain();
    const late = this.#tools.timers.now() >= deadline;
    const limit = `takeover_deadline (${toSeconds(this.#config.group.takeoverDeadline)} s) is over`;
    switch (decision.kind) {
      case "ready":
        return ok(undefined);
      case "refuse":
        return err(decision.consentHelps ? this.#withConsent(decision.reason) : decision.reason);
      case "wait":
        if (late) return err(`${limit}: it was waited until ${decision.what}`);
        await this.#pause();
        return null;
      case "step": {
        if (late) return err(`${limit}: ${stepInWords(decision.step)} was not begun`);
        const done = await this.#do(decision.step, facts.value);
        return done.ok ? null : done;
      }
    }
  }

  #withConsent(reason: string): string {
    return `${reason}; if you know that this server is to be the writer: holdfast takeover ${this.#config.name} --accept-loss`;
  }

  async #do(step: Step, facts: TakeoverFacts): Promise<Result<void, string>> {
    const words = stepInWords(step);
    const tries = (this.#tries.get(words) ?? 0) + 1;
    this.#tries.set(words, tries);
    if (tries > MOST_TRIES) return err(`${words}: it was done ${MOST_TRIES} times and has not helped`);
    this.#context.tell(words, "begun", "");
    const done = await this.#carryOut(step, facts);
    this.#context.tell(words, done.ok ? "done" : "failed", done.ok ? done.value : done.error);
    if (!done.ok) return err(`${words}: ${done.error}`);
    const expected = expectedAfter(facts, step);
    this.#progress = expected.progress;
    if (PROVED.has(step.kind)) this.#proved = expected;
    return ok(undefined);
  }

  /** In words what it has done beyond the step's own. */
  async #carryOut(step: Step, { own }: TakeoverFacts): Promise<Result<string, string>> {
    switch (step.kind) {
      case "close-own":
        return await this.#close(this.#servers.own);
      case "close-peer":
        return await this.#close(this.#servers.other(step.peer));
      case "record": {
        const written = await this.#context.write(step.mark, own.runId);
        return written.ok ? ok("") : written;
      }
      case "min-replicas":
        return await this.#order([["CONFIG", "SET", "min-replicas-to-write", String(step.wanted)]]);
      case "promote":
        if (!(await this.#tools.flush())) return err("the journal cannot be written");
        this.#context.onPromoting(own.runId);
        return await this.#order([
          ["REPLICAOF", "NO", "ONE"],
          ["CLIENT", "UNPAUSE"],
        ]);
    }
  }

  async #close(member: RedisServers["own"] | null): Promise<Result<string, string>> {
    if (member === null) return err("it cannot be asked any more");
    const closed = await member.order(closeCommands({ address: member.address }, this.#context.virtualHosts));
    if (!closed.ok) return err(failureInWords(closed.error));
    const ended = sessionsEnded(closed.value);
    return ok(ended === 0 ? "" : `${ended} sessions ended`);
  }

  async #order(commands: Parameters<RedisServers["own"]["order"]>[0]): Promise<Result<string, string>> {
    const done = await this.#servers.own.order(commands);
    return done.ok ? ok("") : err(failureInWords(done.error));
  }

  async #ask(): Promise<Result<TakeoverFacts, string>> {
    const { own, peers } = await this.#servers.ask(this.#silent);
    if (!own.ok) return err(`the own server cannot be asked: ${failureInWords(own.error)}`);
    const { knownRun, consented, markOf } = this.#context;
    const { policy } = this.#config.group;
    const absent = peers.some(({ state }) => state.kind === "silent");
    if (absent && this.#gateway === "unasked" && policy !== "availability") {
      this.#gateway = await this.#tools.gateway.ask(GATEWAY_MILLIS);
    }
    const known = knownRun !== null && knownRun === own.value.runId;
    return ok({
      own: own.value,
      peers,
      policy,
      gateway: this.#gateway === "unasked" ? null : this.#gateway,
      known,
      named: await this.#context.named(),
      consented,
      mark: markOf(own.value.runId),
      progress: this.#progress,
    });
  }

  #pause(delay = PAUSE): Promise<void> {
    return new Promise((resolve) => {
      this.#tools.timers.schedule(delay, () => resolve());
    });
  }
}
