/**
 * Looks after one managed Redis server all the time: as the writer it has its replicas and min-replicas-to-write minded, otherwise it is made
 * to stand closed or to follow. It hears the end of any session at once, because a dead writer must be let go before it is back. While a
 * claim or a planned move is under way it only watches.
 */
import { err, ok, type Result } from "../core/lib/result.ts";
import { elapsed, type Instant, micros, millis, seconds } from "../core/lib/units.ts";
import { decideFollow, type FollowDecision, followInWords } from "../core/redis/follow.ts";
import { isWriter, type MemberFacts } from "../core/redis/member.ts";
import { isOpen, type Peer } from "../core/redis/peer.ts";
import type { Command } from "../core/redis/reply.ts";
import {
  ALONE_MILLIS,
  decideTending,
  hasGoodReplica,
  isOutrun,
  type Tending,
  type TendingFacts,
  tendingInWords,
  tendingTroubles,
  writerRole,
} from "../core/redis/tending.ts";
import { isParked } from "../core/redis/verdict.ts";
import type { Timer } from "../ports/timers.ts";
import { closeCommands, failureInWords, RedisServers } from "./redis-group.ts";
import type { ManagedRedis } from "./redis-managed.ts";
import { placeOf } from "./redis-observe.ts";
import { saveCopy } from "./redis-saving.ts";
import type { RedisTools } from "./redis-takeover.ts";

export interface KeepingHost {
  readonly tools: RedisTools;
  readonly tell: (
    what: "guard" | "tending",
    step: string,
    outcome: "done" | "failed" | "trouble",
    detail: string,
  ) => void;
  /** Nothing else opens, closes or points the server elsewhere while the action runs. */
  readonly alone: (action: () => Promise<void>) => void;
  readonly close: (what: "guard" | "release") => Promise<void>;
  /** Its address goes to another host, for that reason. */
  readonly letGo: (why: string) => void;
  /** The writer is cut off, so that it must not serve; null when that is over. */
  readonly isolate: (millis: number | null) => void;
}

const EVERY = seconds(1);
/** While a server comes into step: a writer that dies before that was seen leaves a standby that may not take over. */
const SOON = millis(100);
const AT_ONCE = millis(20);
const GATEWAY_MILLIS = 1_000;
/** Cut off for this long before it lets go: a switch that learns anew takes less. */
const ISOLATED_MILLIS = 2_000;
/** Beyond takeover_deadline: other members of a sync group may still prepare. */
const UNWANTED = seconds(5);

export class RedisKeeping {
  readonly #host: KeepingHost;
  readonly #managed: ManagedRedis;
  readonly #servers: RedisServers;
  #timer: Timer | null = null;
  #looking = false;
  #again = false;
  /** It follows, and has not been seen in step. */
  #joining = false;
  /** The writer cannot be asked: should it come back, nobody may write to it before it is known what it has. */
  #gone = false;
  #ended = false;
  #aloneSince: Instant | null = null;
  #cutOffSince: Instant | null = null;
  #isolated = false;
  /** The run of the own server whose data set was saved as it is. */
  #savedRun: string | null = null;
  /** What was decided waits for its turn or is being done: looks go on meanwhile, and must not order it again. */
  #acting = false;
  /** Actions that are over: a look that began before one knows nothing of it. */
  #acted = 0;
  #lastStep = "";
  #troubles: readonly string[] = [];

  constructor(host: KeepingHost, managed: ManagedRedis) {
    this.#host = host;
    this.#managed = managed;
    this.#servers = new RedisServers(host.tools.redis, managed.config, () => this.#hurry());
    this.#arm(micros(0));
  }

  get troubles(): readonly string[] {
    return this.#troubles;
  }

  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
    this.#servers.close();
  }

  #arm(delay = EVERY): void {
    this.#timer?.cancel();
    if (!this.#ended) this.#timer = this.#host.tools.timers.schedule(delay, () => void this.#look());
  }

  #hurry(): void {
    if (this.#looking) this.#again = true;
    else this.#arm(micros(0));
  }

  async #look(): Promise<void> {
    if (this.#looking || this.#ended) return;
    this.#looking = true;
    try {
      await this.#lookOnce();
    } finally {
      this.#looking = false;
      if (this.#ended) this.#servers.close();
      this.#arm(this.#again ? millis(1) : this.#gone ? AT_ONCE : this.#joining ? SOON : EVERY);
      this.#again = false;
    }
  }

  async #lookOnce(): Promise<void> {
    const managed = this.#managed;
    await managed.mark.load();
    const asked = this.#host.tools.timers.now();
    const acted = this.#acted;
    const { own, peers } = await this.#servers.ask();
    if (this.#ended) return;
    const { timers } = this.#host.tools;
    managed.silent = { peers: peers.filter(({ state }) => state.kind === "silent"), at: timers.now() };
    this.#gone = managed.open && !own.ok;
    await this.#watchIsolation(peers);
    if (!own.ok || this.#ended) return;
    await managed.mark.tell(own.value.runId);
    if (managed.runs.size > 0 || managed.moving) return;
    // What was asked before it was promoted says nothing about the writer that it is now.
    if (managed.openedAt !== null && managed.openedAt >= asked) return;
    if (acted !== this.#acted) {
      this.#again = true;
      return;
    }
    if (managed.open) await this.#tend(own.value, peers);
    else this.#follow(own.value, peers);
  }

  /** Under availability only the own server counts: such a writer goes on alone. */
  async #watchIsolation(peers: readonly Peer[]): Promise<void> {
    const { open, config } = this.#managed;
    if ((!open && !this.#isolated) || config.group.policy === "availability") return;
    const silent = peers.length > 0 && peers.every(({ state }) => state.kind === "silent");
    const { gateway, timers } = this.#host.tools;
    const cutOff = silent && (await gateway.ask(GATEWAY_MILLIS)) === "unreachable";
    if (!cutOff) {
      this.#cutOffSince = null;
      if (this.#isolated) this.#host.isolate(null);
      this.#isolated = false;
      return;
    }
    this.#cutOffSince ??= timers.now();
    const length = elapsed(this.#cutOffSince, timers.now()) / 1_000;
    if (this.#isolated || length < ISOLATED_MILLIS) return;
    this.#isolated = true;
    this.#host.isolate(Math.round(length));
  }

  /** Waits for its turn and looks whether it is still wanted: a claim may have begun meanwhile. */
  #act(what: "guard" | "tending", step: string, action: () => Promise<Result<string, string>>): void {
    const { open } = this.#managed;
    if (this.#acting) return;
    this.#acting = true;
    let again = false;
    this.#host.alone(async () => {
      try {
        const { runs, moving } = this.#managed;
        if (this.#ended || runs.size > 0 || moving || this.#managed.open !== open) return;
        const done = await action();
        this.#host.tell(what, step, done.ok ? "done" : "failed", done.ok ? done.value : done.error);
        again = this.#lastStep === step;
        this.#lastStep = step;
      } finally {
        this.#acting = false;
        this.#acted += 1;
      }
      // What has not shown yet, a link that is being made, is given time.
      if (again) this.#arm(SOON);
      else this.#hurry();
    });
  }

  #follow(own: MemberFacts, peers: readonly Peer[]): void {
    const { state, mark, config } = this.#managed;
    if (isOpen(own)) {
      if (own.sentinel) this.#trouble(["a Sentinel manages this server: nothing is changed here"]);
      else if (state !== "MASTER") this.#host.alone(() => this.#closeFound());
      return;
    }
    const decision = decideFollow({
      own,
      peers,
      mark: mark.mark,
      onDivergence: config.group.onDivergence,
      saved: this.#savedRun === own.runId,
    });
    this.#trouble(decision.kind === "trouble" ? [decision.detail] : []);
    this.#joining = decision.kind === "fine" && decision.epoch === null && !isParked(own.source?.address ?? ":1");
    if (decision.kind === "fine") void this.#inStep(own, decision.epoch);
    else if (decision.kind !== "trouble")
      this.#act("tending", followInWords(decision), () => this.#carryOut(decision, own));
  }

  async #closeFound(): Promise<void> {
    const { open, state, runs } = this.#managed;
    if (!open && state !== "MASTER" && runs.size === 0) await this.#host.close("guard");
  }

  async #inStep(own: MemberFacts, epoch: number | null): Promise<void> {
    if (epoch === null) return;
    const written = await this.#managed.mark.write({ epoch, role: "replica" }, own.runId);
    if (!written.ok) {
      this.#trouble([written.error]);
      return;
    }
    this.#savedRun = null;
    this.#managed.knownRun = own.runId;
    this.#managed.first.forget();
  }

  async #carryOut(
    decision: Exclude<FollowDecision, { readonly kind: "fine" | "trouble" }>,
    own: MemberFacts,
  ): Promise<Result<string, string>> {
    const server = this.#servers.own;
    if (decision.kind === "save") {
      const saved = await saveCopy(this.#host.tools, server);
      if (saved.ok) this.#savedRun = own.runId;
      return saved;
    }
    if (decision.kind === "park") return await this.#order(server, [["REPLICAOF", "127.0.0.1", "1"]]);
    const commands = await this.#followCommands(decision.peer);
    if (!commands.ok) return commands;
    // The copy counts until it is in step: while the link is made its data set is still the one that was saved.
    return await this.#order(server, commands.value);
  }

  async #followCommands(peer: string): Promise<Result<readonly Command[], string>> {
    const { host, port } = placeOf(peer.replace(/^\[(.*)\]/, "$1"));
    const follow: Command = ["REPLICAOF", host, String(port)];
    const path = this.#managed.config.group.replicationCredentials;
    if (path === null) return ok([follow]);
    const login = await this.#host.tools.redis.login(path);
    if (!login.ok) return login;
    const { user, password } = login.value;
    return ok([["CONFIG", "SET", "masteruser", user ?? ""], ["CONFIG", "SET", "masterauth", password], follow]);
  }

  async #order(member: RedisServers["own"], commands: readonly Command[]): Promise<Result<string, string>> {
    const done = await member.order(commands);
    return done.ok ? ok("") : err(failureInWords(done.error));
  }

  async #tend(own: MemberFacts, peers: readonly Peer[]): Promise<void> {
    const managed = this.#managed;
    // A writer's data set goes on: what was saved of it before is no copy of it any more.
    this.#savedRun = null;
    const { group } = managed.config;
    const now = this.#host.tools.timers.now();
    if (this.#isUnwanted(now)) {
      this.#host.alone(() =>
        managed.open && managed.state !== "MASTER" ? this.#host.close("release") : Promise.resolve(),
      );
      return;
    }
    if (this.#isStray(own, peers) || own.runId !== managed.knownRun) return;
    const role = writerRole({ own, peers, mark: managed.mark.mark, maxLag: group.minReplicasMaxLag });
    if (!(await this.#writeDown(role, own.runId))) return;
    this.#aloneSince = hasGoodReplica(own, group.minReplicasMaxLag) ? null : (this.#aloneSince ?? now);
    const aloneMillis = this.#aloneSince === null ? 0 : elapsed(this.#aloneSince, now) / 1_000;
    const asks = aloneMillis >= ALONE_MILLIS && own.minReplicas === 1 && group.policy === "balanced";
    const facts: TendingFacts = {
      own,
      peers,
      replicas: await this.#servers.askReplicas(),
      policy: group.policy,
      mark: managed.mark.mark,
      maxLag: group.minReplicasMaxLag,
      gateway: asks ? await this.#host.tools.gateway.ask(GATEWAY_MILLIS) : null,
      aloneMillis,
      virtualHosts: managed.virtualHosts,
    };
    const alone =
      own.minReplicas === 0 && group.policy !== "availability" && !hasGoodReplica(own, group.minReplicasMaxLag);
    this.#trouble([...tendingTroubles(facts), ...(alone ? [ALONE] : [])]);
    const what = decideTending(facts);
    if (what !== null) this.#act("tending", tendingInWords(what), () => this.#mind(what));
  }

  /** Before it may write alone: should it be started anew, it is to be known whether a peer has what it had. */
  async #writeDown(role: "paired" | "writer", run: string): Promise<boolean> {
    const { mark } = this.#managed;
    if (!isWriter(mark.mark)) return true;
    const written = await mark.write({ epoch: mark.mark.epoch, role }, run);
    if (!written.ok) this.#trouble([written.error]);
    else await mark.tell(run);
    return written.ok;
  }

  /**
   * A writer that was restarted may have older data or none, which its replicas would copy; one that somebody has closed serves nobody; one beside which
   * another became the writer has not what that one took. A check with a weight, or one that was answered in time, says none of it.
   */
  #isStray(own: MemberFacts, peers: readonly Peer[]): boolean {
    const managed = this.#managed;
    const why = strayed({ own, peers, mark: managed.mark.mark }, managed.knownRun);
    if (managed.state !== "MASTER" || why === null) return false;
    this.#host.alone(async () => {
      if (this.#ended || !managed.open || managed.state !== "MASTER" || managed.moving) return;
      // Who closed it may have pointed it elsewhere: nothing of that is changed.
      if (why !== CLOSED) await this.#host.close("guard");
      managed.open = false;
      this.#host.letGo(why);
    });
    return true;
  }

  /** The gate was opened and nobody went through it: its claim was given up in that very moment. */
  #isUnwanted(now: Instant): boolean {
    const { state, openedAt, config } = this.#managed;
    return state !== "MASTER" && openedAt !== null && elapsed(openedAt, now) > config.group.takeoverDeadline + UNWANTED;
  }

  async #mind(what: Tending): Promise<Result<string, string>> {
    const { config, virtualHosts } = this.#managed;
    if (what.kind === "min-replicas") {
      if (what.wanted === 0 && !(await this.#writeDown("writer", this.#managed.knownRun ?? "")))
        return err("it cannot be written down that it goes on alone");
      return await this.#order(this.#servers.own, [
        ["CONFIG", "SET", "min-replicas-max-lag", String(config.group.minReplicasMaxLag)],
        ["CONFIG", "SET", "min-replicas-to-write", String(what.wanted)],
      ]);
    }
    const member = this.#servers.other(what.kind === "close-peer" ? what.peer : what.replica);
    if (member === null) return err("it cannot be asked any more");
    if (what.kind === "close-peer")
      return await this.#order(member, closeCommands({ address: member.address }, virtualHosts));
    const host =
      config.group.knownAs ?? (member.seenAs === null ? null : { host: member.seenAs, port: config.address.port });
    if (host === null) return err("this host's own address is not known: write known_as HOST [PORT]");
    return await this.#order(member, [["REPLICAOF", host.host, String(host.port)]]);
  }

  #trouble(now: readonly string[]): void {
    for (const one of now) if (!this.#troubles.includes(one)) this.#host.tell("tending", one, "trouble", "");
    this.#troubles = now;
  }
}

const RESTARTED = "the server was restarted under its address, and its data may be older than those of its replicas";
const CLOSED = "somebody else has closed the server";
const OUTRUN = "another host has become the writer since, and has what this server lacks";

function strayed(facts: Pick<TendingFacts, "own" | "peers" | "mark">, knownRun: string | null): string | null {
  if (facts.own.runId !== knownRun) return RESTARTED;
  if (!isOpen(facts.own)) return CLOSED;
  return isOutrun(facts) ? OUTRUN : null;
}

const ALONE = "degraded: no replica is in step, writes are on this server alone";
