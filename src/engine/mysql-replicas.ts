/**
 * Points the replicas of a group at the writer once what they followed is gone. What to do with each is core/mysql/replicas.ts's; here it is
 * asked, carried out and told, a trouble once until it is over or another.
 */
import { err, ok, type Result } from "../core/lib/result.ts";
import { after, type Instant, seconds } from "../core/lib/units.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import { type Coordinates, coordinatesInWords, reaches } from "../core/mysql/coordinates.ts";
import type { MemberFacts } from "../core/mysql/member.ts";
import type { Opening } from "../core/mysql/opening.ts";
import { replicaOrder, sourceOrder } from "../core/mysql/orders.ts";
import { decideReplica, type ReplicaDecision, repointInWords } from "../core/mysql/replicas.ts";
import type { Peer } from "../core/mysql/takeover.ts";
import type { TendingFacts } from "../core/mysql/tending.ts";
import type { BinlogExporter } from "../ports/binlog-export.ts";
import { failureInWords, type MysqlServers } from "./mysql-group.ts";
import { mapReplica } from "./mysql-mapping.ts";
import type { MysqlMember } from "./mysql-member.ts";

export interface ReplicaContext {
  readonly tell: (step: string, outcome: "done" | "failed" | "trouble", detail: string) => void;
  /** Of the last opening of this server; null when it is not known. */
  readonly opening: Opening | null;
  readonly virtualHosts: readonly string[];
  readonly exporter: BinlogExporter;
}

/** After a try that failed its threads are left in peace for that long. */
const AGAIN = seconds(30);
/** A receiver that stops says farewell to a source that is gone. */
const ORDER_MILLIS = 5_000;

type Mapping = Extract<ReplicaDecision, { readonly kind: "map" }>;
type Repoint = Extract<ReplicaDecision, { readonly kind: "repoint" }> | Mapping;

export class ReplicaWatch {
  readonly #servers: MysqlServers;
  readonly #config: MysqlConfig;
  readonly #context: ReplicaContext;
  readonly #now: () => Instant;
  readonly #told = new Map<string, string>();
  readonly #restUntil = new Map<string, Instant>();

  constructor(servers: MysqlServers, config: MysqlConfig, context: ReplicaContext & { readonly now: () => Instant }) {
    this.#now = context.now;
    this.#servers = servers;
    this.#config = config;
    this.#context = context;
  }

  /** What has been told and is not over. */
  get troubles(): readonly string[] {
    return [...this.#told].map(([address, detail]) => `replica ${address}: ${detail}`);
  }

  async look(facts: TendingFacts): Promise<void> {
    const replicas = await this.#servers.askReplicas();
    await Promise.all([
      ...replicas.map((replica) => this.#lookAt(facts, replica)),
      ...this.#peersThatFollow(facts).map((peer) => this.#lookAt(facts, peer)),
    ]);
  }

  /** In a group of three and more another peer may have followed the one that is gone, and is no use for the next takeover as it is. */
  #peersThatFollow({ peers }: TendingFacts): readonly Peer[] {
    return peers.length < 2 ? [] : peers.filter(({ state }) => state.kind === "up" && state.facts.closedBy !== null);
  }

  async #lookAt(facts: TendingFacts, { address, state }: Peer): Promise<void> {
    if (state.kind !== "up") {
      this.#trouble(address, state.detail);
      return;
    }
    const decision = this.#decide(facts, state.facts, address);
    if (decision.kind === "fine" || decision.kind === "trouble") {
      this.#trouble(address, decision.kind === "trouble" ? decision.detail : null);
      return;
    }
    const rest = this.#restUntil.get(address);
    if (rest !== undefined && this.#now() < rest) return;
    const done = await this.#repoint(facts, address, decision);
    if (!done.ok) this.#restUntil.set(address, after(this.#now(), AGAIN));
    this.#trouble(address, done.ok ? null : done.error);
    if (done.ok) this.#context.tell(repointInWords(address, { from: decision.from, at: done.value }), "done", "");
  }

  #decide(facts: TendingFacts, replica: MemberFacts, address: string): ReplicaDecision {
    const { opening, virtualHosts } = this.#context;
    const isPeer = facts.peers.some((one) => one.address === address);
    const peers = facts.peers.filter((one) => one.address !== address);
    return decideReplica({ ...facts, peers, opening, virtualHosts, mayAcknowledge: isPeer }, replica);
  }

  #trouble(address: string, detail: string | null): void {
    const before = this.#told.get(address);
    if (detail === null) this.#told.delete(address);
    else if (detail !== before) {
      this.#told.set(address, detail);
      this.#context.tell(`replica ${address}`, "trouble", detail);
    }
  }

  /**
   * Looked at once more when both threads stand, since until then it could move; whatever fails, they run again afterwards. The answer is where
   * it goes on.
   */
  async #repoint(facts: TendingFacts, address: string, wanted: Repoint): Promise<Result<Coordinates | null, string>> {
    const member = this.#servers.replica(address) ?? this.#servers.peer(address);
    if (!member?.version) return err("it cannot be asked any more");
    const threads = { channel: wanted.channel, thread: null };
    const stopped = await this.#order(member, replicaOrder(member.version, "STOP", threads));
    const changed = stopped.ok ? await this.#change(facts, member, { ...wanted, address }) : stopped;
    const started = await this.#order(member, replicaOrder(member.version, "START", threads));
    if (!changed.ok) return changed;
    return started.ok ? changed : started;
  }

  async #change(
    facts: TendingFacts,
    member: MysqlMember,
    wanted: Repoint & { readonly address: string },
  ): Promise<Result<Coordinates | null, string>> {
    const now = await member.facts();
    if (!now.ok) return err(failureInWords(now.error));
    const still = this.#decide(facts, now.value, wanted.address);
    if (still.kind === "trouble") return err(still.detail);
    if (still.kind === "fine") return err("it has moved meanwhile");
    const to = this.#ownAddress(member);
    if (to === null) return err("this host's own address is not known: write known_as HOST [PORT]");
    const at = still.kind === "map" ? await this.#map(still, member, now.value) : ok(still.at);
    if (!at.ok) return at;
    const seen = now.value.channels.find(({ channel }) => channel === wanted.channel) ?? wanted;
    const order = sourceOrder(now.value.version, seen, { ...to, at: at.value });
    const done = await this.#order(member, order);
    return done.ok ? at : done;
  }

  async #map(wanted: Mapping, replica: MysqlMember, facts: MemberFacts): Promise<Result<Coordinates, string>> {
    const { exporter } = this.#context;
    const scene = { exporter, config: this.#config, writer: this.#servers.own, replica, facts };
    const mapped = await mapReplica(scene);
    const refuse = (why: string) => err(`${wanted.why}; classic mode, left as it is: ${why}`);
    if (!mapped.ok) return refuse(mapped.error);
    const { notBehind } = wanted;
    if (notBehind === null || reaches(notBehind, mapped.value) === true) return mapped;
    const found = `${coordinatesInWords(mapped.value)} is behind the first write at ${coordinatesInWords(notBehind)}`;
    return refuse(`its last transaction was found where it cannot be: ${found}`);
  }

  #ownAddress(member: MysqlMember): { readonly host: string; readonly port: number } | null {
    const { group, address } = this.#config;
    if (group.knownAs !== null) return group.knownAs;
    return member.seenAs === null ? null : { host: member.seenAs, port: address.port };
  }

  async #order(member: MysqlMember, statement: string): Promise<Result<void, string>> {
    const done = await member.order(statement, ORDER_MILLIS);
    return done.ok ? ok(undefined) : err(`${statement.split(" TO ")[0]}: ${failureInWords(done.error)}`);
  }
}
