/**
 * Brings a server that has returned back into its group: compares it with the writer, and starts replication both ways when it has nothing
 * that the writer lacks. What it has too many is exported and counted per table, and the choices are named; nothing is decided here that
 * could lose data. Each step is chosen anew from what both say (core/mysql/rejoin.ts), so being cut off anywhere is harmless.
 */

import { addressInWords } from "../core/database/config.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { after, type Instant, millis, seconds } from "../core/lib/units.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import { isRunningReplica } from "../core/mysql/failure.ts";
import { startOrders } from "../core/mysql/orders.ts";
import { positionsOf, type ServerPositions } from "../core/mysql/positions.ts";
import {
  type Choice,
  choicesOf,
  decideRejoin,
  planRejoin,
  type RejoinFacts,
  type RejoinStep,
  rejoinStepInWords,
} from "../core/mysql/rejoin.ts";
import type { Peer } from "../core/mysql/takeover.ts";
import { countAsDone } from "./mysql-accept.ts";
import { compareForExport, compareTwo, type Looked, type Two } from "./mysql-compare.ts";
import { type ExtraReport, exportExtra } from "./mysql-export.ts";
import { failureInWords, MysqlServers } from "./mysql-group.ts";
import { renewBackEdge } from "./mysql-renew.ts";
import { Reseed } from "./mysql-reseed.ts";
import type { TakeoverTools } from "./mysql-takeover.ts";

export interface RejoinHost {
  readonly tools: Pick<TakeoverTools, "sql" | "timers" | "wallMillis" | "exporter" | "copies" | "logins">;
  readonly tell: (step: string, outcome: "begun" | "done" | "failed" | "refused", detail: string) => void;
  /** A claim of the own server runs or waits: nothing is begun beside it. */
  readonly claims: () => boolean;
  /** Why the own server may not be taken down now; null when it may. */
  readonly needed: () => string | null;
}

export interface RejoinRequest {
  /** As in the file, or its host alone; null: the peer of the writer, or the own server where another is the writer. */
  readonly server: string | null;
  readonly dryRun: boolean;
  /** What the server has too many, as it was shown: the operator says that the data are equal without it. */
  readonly accept: string | null;
  /** The own server is made anew from the writer first. */
  readonly reseed: boolean;
}

export interface RejoinOutcome {
  readonly writer: string | null;
  readonly server: string | null;
  /** Both, as far as they are known. */
  readonly compared: readonly ServerPositions[];
  readonly steps: readonly string[];
  /** "whole", with dryRun "ready", or why not. */
  readonly end: string;
  readonly extra: ExtraReport | null;
  readonly choices: readonly Choice[];
}

const PAUSE = millis(100);
/** How long the server may take to catch up before the command ends; it goes on following. */
const CATCH_UP = seconds(60);
const ORDER_MILLIS = 10_000;
const MOST_TRIES = 3;
/**
 * A receiver says that it runs before its source has looked whether it still has what is asked for; error 1236 comes a moment later. So a ring
 * counts as whole when nothing has been ordered for this long.
 */
const STANDS = seconds(1);

export class Rejoin {
  readonly #host: RejoinHost;
  readonly #config: MysqlConfig;
  readonly #request: RejoinRequest;
  readonly #servers: MysqlServers;
  readonly #done: string[] = [];
  readonly #tries = new Map<string, number>();
  #standsFrom: Instant;

  constructor(host: RejoinHost, config: MysqlConfig, request: RejoinRequest) {
    this.#host = host;
    this.#config = config;
    this.#request = request;
    this.#servers = new MysqlServers(host.tools.sql, config);
    this.#standsFrom = host.tools.timers.now();
  }

  async run(): Promise<RejoinOutcome> {
    try {
      const two = await this.#two();
      if (!two.ok) return { ...NOBODY, end: two.error };
      const asked = await this.#askInOrder(two.value);
      if (!asked.ok) return { ...NOBODY, end: asked.error };
      return this.#request.reseed ? await this.#reseed(asked.value) : await this.#with(asked.value);
    } finally {
      this.#servers.close();
    }
  }

  async #compare(two: Two): Promise<Looked> {
    const { peers, ring } = this.#config.group;
    const looked = await compareTwo(two, peers.length === 1);
    return { ...looked, facts: { ...looked.facts, ring } };
  }

  async #with(two: Two): Promise<RejoinOutcome> {
    const looked = await this.#compare(two);
    const plan = planRejoin(looked.facts);
    const ready = plan.end === "ready";
    if (plan.cause === "extra" && this.#request.accept !== null) return await this.#accepted(two, looked);
    if (!ready) return await this.#refused(two, looked, plan);
    if (this.#request.dryRun) return { ...heads(two), steps: plan.steps, end: "ready", extra: null, choices: [] };
    const end = await this.#carryOut(two, looked);
    return { ...heads(two), steps: this.#done, end: end ?? "whole", extra: null, choices: [] };
  }

  async #two(): Promise<Result<Two, string>> {
    const { own, peers } = await this.#servers.ask({ end: true, ownLast: false });
    const name = addressInWords(this.#config.address);
    const ownPeer: Peer = own.ok
      ? { address: name, state: { kind: "up", facts: own.value } }
      : { address: name, state: { kind: "down", detail: failureInWords(own.error) } };
    const all = [ownPeer, ...peers];
    const open = all.filter(({ state }) => state.kind === "up" && state.facts.closedBy === null);
    const server = serverOf(all, open, this.#request.server);
    if (!server.ok) return server;
    const writer = open.find((one) => one !== server.value);
    if (writer === undefined)
      return err(`no other server of ${this.#config.name} is open for writes: nobody to compare with`);
    if (open.length > 2 || (open.length === 2 && !open.includes(server.value))) {
      return err(`more than one server takes writes: ${open.map(({ address }) => address).join(", ")}`);
    }
    const two = { writer: this.#up(writer), server: this.#up(server.value) };
    if (two.writer === null || two.server === null)
      return err(`${server.value.address} cannot be asked: ${detailOf(server.value)}`);
    return ok({ writer: two.writer, server: two.server });
  }

  /** The server first: what it has then must be with the writer when that is asked, or it is too many. */
  async #askInOrder({ writer, server }: Two): Promise<Result<Two, string>> {
    const theirs = await server.member.facts();
    if (!theirs.ok) return err(`${server.address} cannot be asked: ${failureInWords(theirs.error)}`);
    const ours = await writer.member.facts();
    if (!ours.ok) return err(`${writer.address} cannot be asked: ${failureInWords(ours.error)}`);
    return ok({ writer: { ...writer, facts: ours.value }, server: { ...server, facts: theirs.value } });
  }

  #up({ address, state }: Peer): Two["writer"] | null {
    const own = address === addressInWords(this.#config.address);
    const member = own ? this.#servers.own : this.#servers.peer(address);
    return state.kind === "up" && member !== null ? { address, facts: state.facts, member } : null;
  }

  async #carryOut(two: Two, first: Looked): Promise<string | null> {
    const deadline = after(this.#host.tools.timers.now(), CATCH_UP);
    this.#orderedNow();
    let { facts } = first;
    for (;;) {
      const ended = await this.#turn(two, facts, deadline);
      if (ended !== "again") return ended;
      const again = await this.#again(two, facts);
      if (!again.ok) return again.error;
      facts = again.value;
    }
  }

  /** One step, or one wait; null: the ring is whole. */
  async #turn(two: Two, facts: RejoinFacts, deadline: Instant): Promise<string | null | "again"> {
    if (this.#host.claims()) return "a claim of this host's server runs: ask again when it is over";
    const decision = decideRejoin(facts);
    switch (decision.kind) {
      case "whole":
        if (this.#host.tools.timers.now() >= this.#standsFrom) return null;
        await this.#pause();
        return "again";
      case "refuse":
        return decision.reason;
      case "step":
        return (await this.#take(decision.step, two, facts)) ?? "again";
      case "wait":
        if (this.#host.tools.timers.now() >= deadline) {
          return `it was waited for 60 s until ${decision.what}: ask again later, what has been started goes on`;
        }
        await this.#pause();
        return "again";
    }
  }

  #orderedNow(): void {
    this.#standsFrom = after(this.#host.tools.timers.now(), STANDS);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#host.tools.timers.schedule(PAUSE, resolve);
    });
  }

  async #take(step: RejoinStep, two: Two, facts: RejoinFacts): Promise<string | null> {
    const words = rejoinStepInWords(step, facts);
    const tries = (this.#tries.get(words) ?? 0) + 1;
    this.#tries.set(words, tries);
    if (tries > MOST_TRIES) return `${words}: done ${MOST_TRIES} times without effect`;
    this.#host.tell(words, "begun", "");
    const done = await this.#carry(step, two, facts);
    this.#orderedNow();
    this.#host.tell(words, done.ok ? "done" : "failed", done.ok ? "" : done.error);
    if (!done.ok) return `${words}: ${done.error}`;
    if (tries === 1) this.#done.push(words);
    return null;
  }

  async #carry(step: RejoinStep, two: Two, { writer, server }: RejoinFacts): Promise<Result<void, string>> {
    if (step.kind === "renew") {
      const channel = writer.facts.channels.find((one) => one.channel === step.channel);
      return channel === undefined ? err("its channel is gone") : await renewBackEdge(two, channel);
    }
    const { facts } = step.kind === "follow" ? server : writer;
    const { member } = step.kind === "follow" ? two.server : two.writer;
    const seen = facts.channels.find(({ channel }) => channel === step.channel) ?? step;
    const done = await member.orderAll(startOrders(facts.version, seen), ORDER_MILLIS);
    // The daemon of the other host looks after it as well and may have started it in between: the next look tells.
    return done.ok || isRunningReplica(done.error) ? ok(undefined) : err(failureInWords(done.error));
  }

  /** What only the old one has is exported as well, if it can be; and its data directory is kept. */
  async #reseed(two: Two): Promise<RejoinOutcome> {
    const looked = await compareForExport(two, this.#config.group.peers.length === 1);
    const exported = looked.facts.extra.kind === "none" ? null : await this.#export(two, looked);
    const outcome = (steps: readonly string[], end: string): RejoinOutcome => ({
      ...heads(two),
      steps,
      end,
      extra: exported,
      choices: [],
    });
    if (two.server.facts.closedBy === null) return outcome([], `${two.server.address} is open for writes`);
    const reseed = new Reseed({ ...this.#host, needed: this.#host.needed }, this.#config, two);
    const plan = await reseed.plan();
    if (!plan.ok) return outcome([], plan.error);
    if (this.#request.dryRun) return outcome(plan.value.steps, "ready");
    const needed = this.#host.needed();
    if (needed !== null) return outcome([], needed);
    const failed = await reseed.run(plan.value);
    if (failed !== null) return outcome([], failed);
    const again = await this.#askInOrder(two);
    if (!again.ok) return outcome(plan.value.steps, again.error);
    const after = await this.#compare(again.value);
    const rest = planRejoin(after.facts);
    const end = rest.end === "ready" ? await this.#carryOut(again.value, after) : rest.end;
    return outcome([...plan.value.steps, ...this.#done], end ?? "whole");
  }

  /** The writer first: what the server has later must hold what the writer had then. */
  async #again(two: Two, facts: RejoinFacts): Promise<Result<RejoinFacts, string>> {
    const writer = await two.writer.member.facts();
    if (!writer.ok) return err(`${two.writer.address} cannot be asked any more: ${failureInWords(writer.error)}`);
    const server = await two.server.member.facts();
    if (!server.ok) return err(`${two.server.address} cannot be asked any more: ${failureInWords(server.error)}`);
    return ok({
      ...facts,
      writer: { ...facts.writer, facts: writer.value },
      server: { ...facts.server, facts: server.value },
    });
  }

  /** The transactions are exported first, so that they can be looked at later as well. */
  async #accepted(two: Two, looked: Looked): Promise<RejoinOutcome> {
    const { extra } = looked.facts;
    const what = extra.kind === "some" ? extra.what : null;
    const exported = await this.#export(two, looked);
    const refused = (end: string): RejoinOutcome => ({
      ...heads(two),
      steps: this.#done,
      end,
      extra: exported,
      choices: [],
    });
    if (what === null || what !== this.#request.accept) {
      return refused(`what is to be accepted is not what ${two.server.address} has too many now: ${what ?? "unknown"}`);
    }
    if (exported.file === null) return refused(`what is accepted has to be exported first: ${exported.missing ?? ""}`);
    const words = `count as done on ${two.writer.address}, by the operator's order: ${what}`;
    this.#host.tell(words, "begun", "");
    const done = await countAsDone(two, looked);
    this.#host.tell(words, done.ok ? "done" : "failed", done.ok ? "" : done.error);
    if (!done.ok) return refused(done.error);
    this.#done.push(words);
    const again = await this.#askInOrder(two);
    if (!again.ok) return refused(again.error);
    const after = await this.#compare(again.value);
    const plan = planRejoin(after.facts);
    if (plan.end !== "ready") return refused(plan.end);
    const end = await this.#carryOut(again.value, after);
    return { ...heads(again.value), steps: this.#done, end: end ?? "whole", extra: exported, choices: [] };
  }

  #export(two: Two, looked: Looked): Promise<ExtraReport> {
    return exportExtra(this.#host, this.#config, { two, looked, dryRun: this.#request.dryRun });
  }

  async #refused(two: Two, looked: Looked, plan: ReturnType<typeof planRejoin>): Promise<RejoinOutcome> {
    const { facts } = looked;
    const exported = plan.cause === "extra" ? await this.#export(two, looked) : null;
    const file = exported?.file ?? null;
    if (!this.#request.dryRun) this.#host.tell(`${two.server.address} is left out`, "refused", plan.end);
    const choices =
      plan.cause === null
        ? []
        : choicesOf(plan.cause, {
            name: this.#config.name,
            writer: facts.writer,
            server: facts.server,
            extra: facts.extra,
            file,
          });
    return { ...heads(two), steps: [], end: plan.end, extra: exported, choices };
  }
}

const NOBODY: RejoinOutcome = {
  writer: null,
  server: null,
  compared: [],
  steps: [],
  end: "",
  extra: null,
  choices: [],
};

const heads = ({ writer, server }: Two): Pick<RejoinOutcome, "writer" | "server" | "compared"> => ({
  writer: writer.address,
  server: server.address,
  compared: [writer, server].map(({ address, facts }) => positionsOf(address, false, facts)),
});

const detailOf = ({ state }: Peer): string => ("detail" in state ? state.detail : "");

/** The one that is named, or the only one that is meant. */
function serverOf(all: readonly Peer[], open: readonly Peer[], wanted: string | null): Result<Peer, string> {
  if (wanted !== null) {
    const named = all.filter(({ address }) => address === wanted || address.replace(/:\d+$/, "") === wanted);
    const [server] = named;
    if (server !== undefined && named.length === 1) return ok(server);
    return err(`${wanted} is not one server of this group: ${all.map(({ address }) => address).join(", ")}`);
  }
  const [own, ...peers] = all;
  if (own === undefined) return err("no server is configured");
  if (!open.includes(own)) return ok(own);
  const [peer] = peers;
  if (peer !== undefined && peers.length === 1) return ok(peer);
  return err(`say which: ${peers.map(({ address }) => address).join(", ")}`);
}
