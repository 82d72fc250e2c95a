/** Attaches servers that have returned to a writer of a group without a ring; what to do with each is core/mysql/attach.ts's. */

import { addressInWords } from "../core/database/config.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { after, type Instant, seconds } from "../core/lib/units.ts";
import { type AttachDecision, attachInWords, decideAttach } from "../core/mysql/attach.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import { coordinatesInWords } from "../core/mysql/coordinates.ts";
import type { MemberFacts } from "../core/mysql/member.ts";
import { attachOrder, demoteOrder, replicaOrder, semiSyncOrder, startOrders } from "../core/mysql/orders.ts";
import type { TendingFacts } from "../core/mysql/tending.ts";
import { atLeast } from "../core/mysql/version.ts";
import type { Notes } from "../ports/notes.ts";
import type { LoginReader } from "../ports/server-copy.ts";
import { compareTwo, type Two } from "./mysql-compare.ts";
import { failureInWords, type MysqlServers } from "./mysql-group.ts";
import type { ReplicaContext } from "./mysql-replicas.ts";

/** A comparison reads binary logs: not each second. */
const AGAIN = seconds(10);
const ORDER_MILLIS = 5_000;
const NOT_NOTED = "that it is attached cannot be noted";

export interface AttachContext extends Pick<ReplicaContext, "tell" | "opening"> {
  readonly logins: LoginReader;
  /** What must outlive a start of the host. */
  readonly records: Notes;
  readonly now: () => Instant;
}

export class Attaching {
  readonly #servers: MysqlServers;
  readonly #config: MysqlConfig;
  readonly #context: AttachContext;
  readonly #told = new Map<string, string>();
  readonly #restUntil = new Map<string, Instant>();
  /** Who has received from which noted position on; null: not read yet. */
  #attached: Map<string, string> | null = null;

  constructor(servers: MysqlServers, config: MysqlConfig, context: AttachContext) {
    this.#servers = servers;
    this.#config = config;
    this.#context = context;
  }

  get troubles(): readonly string[] {
    return [...this.#told].map(([address, detail]) => `${address} is not attached: ${detail}`);
  }

  async look({ own, peers }: TendingFacts): Promise<void> {
    for (const { address, state } of peers) {
      if (state.kind !== "up" || state.facts.closedBy === null) continue;
      await this.#release(address, state.facts);
      const follows = state.facts.channels.some(
        ({ sourceId, io, sql }) => sourceId === own.serverId && io !== "stopped" && sql === "running",
      );
      const rest = this.#restUntil.get(address);
      if (follows) await this.#followsNow(address);
      else if (rest === undefined || this.#context.now() >= rest) await this.#attach(address);
    }
  }

  async #followsNow(address: string): Promise<void> {
    this.#trouble(address, null);
    await this.#note(address);
  }

  get #noteName(): string {
    return `attached-${this.#config.name}`;
  }

  async #before(address: string): Promise<boolean> {
    this.#attached ??= parseAttached(await this.#context.records.read(this.#noteName));
    const origin = this.#context.opening?.get(address);
    return origin !== undefined && this.#attached.get(address) === coordinatesInWords(origin.position);
  }

  /** The error says why it is not on the disk. */
  async #note(address: string): Promise<string | null> {
    const origin = this.#context.opening?.get(address);
    if (origin === undefined || (await this.#before(address))) return null;
    const attached = new Map(this.#attached).set(address, coordinatesInWords(origin.position));
    const problem = await this.#context.records.write(this.#noteName, JSON.stringify([...attached]));
    if (problem === null) this.#attached = attached;
    return problem;
  }

  /** Nobody receives from it who could acknowledge: what it executes as a standby would wait for ever. */
  async #release(address: string, { semiSync }: MemberFacts): Promise<void> {
    if (semiSync?.enabled !== true) return;
    const done = await this.#servers.peer(address)?.order(semiSyncOrder(semiSync.word, false), ORDER_MILLIS);
    const step = `${address} waits for no acknowledgement: as a standby it has nobody who gives one (semi-sync off)`;
    if (done?.ok === true) this.#context.tell(step, "done", "");
  }

  async #attach(address: string): Promise<void> {
    this.#restUntil.set(address, after(this.#context.now(), AGAIN));
    const done = await this.#tryTo(address);
    this.#trouble(address, done.ok ? null : done.error);
    if (done.ok && done.value !== null) this.#context.tell(done.value, "done", "");
  }

  /** What was done, in words; null: nothing had to be. */
  async #tryTo(address: string): Promise<Result<string | null, string>> {
    const member = this.#servers.peer(address);
    if (member === null) return err("it is not in the group any more");
    // The server first: what it has then must be with the writer when that is asked, or it is too many.
    const theirs = await member.facts();
    if (!theirs.ok) return err(failureInWords(theirs.error));
    const ours = await this.#servers.own.facts();
    if (!ours.ok) return err(failureInWords(ours.error));
    const two: Two = {
      writer: { address: addressInWords(this.#config.address), facts: ours.value, member: this.#servers.own },
      server: { address, facts: theirs.value, member },
    };
    const { facts } = await compareTwo(two, this.#config.group.peers.length === 1);
    const { opening } = this.#context;
    const takesBackOwn = await takesBack(two.server);
    const { replication } = this.#config.group;
    const attachedBefore = await this.#before(address);
    const decision = decideAttach({ facts, opening, replication, takesBackOwn, attachedBefore });
    if (decision.kind === "fine") return ok(null);
    if (decision.kind === "refuse") return err(`${decision.reason}; \`holdfast rejoin\` says more`);
    const done = await this.#carryOut(two, decision);
    return done.ok ? ok(attachInWords(address, decision)) : done;
  }

  async #carryOut(
    { server }: Two,
    decision: Extract<AttachDecision, { kind: "start" | "create" }>,
  ): Promise<Result<void, string>> {
    const { version } = server.facts;
    if (decision.kind === "start") {
      // Before it executes anything: should its channel be removed, nothing else says that it has.
      const unnoted = await this.#note(server.address);
      if (unnoted !== null) return err(`${NOT_NOTED}: ${unnoted}`);
      const seen = server.facts.channels.find(({ channel }) => channel === decision.channel) ?? decision;
      const started = await server.member.orderAll(startOrders(version, seen), ORDER_MILLIS);
      return started.ok ? started : err(`START: ${failureInWords(started.error)}`);
    }
    const { group, address } = this.#config;
    const host = group.knownAs ?? { host: server.member.seenAs, port: address.port };
    if (host.host === null) return err("this host's own address is not known: write known_as HOST [PORT]");
    if (group.replicationCredentials === null) {
      return err("it has no channel to this server, and replication_credentials FILE is not written");
    }
    const login = await this.#context.logins.read(group.replicationCredentials);
    if (!login.ok) return login;
    const to = { host: host.host, port: host.port, at: decision.at, ...login.value };
    const created = await this.#order(server, attachOrder(version, to));
    if (!created.ok) return created;
    const unnoted = await this.#note(server.address);
    if (unnoted !== null) return err(`${NOT_NOTED}: ${unnoted}`);
    const mariadb = version.product === "mariadb" && decision.at === null && atLeast(version, 10, 10, 0);
    const demoted = mariadb ? await this.#order(server, demoteOrder("")) : ok(undefined);
    if (!demoted.ok) return demoted;
    return await this.#order(server, replicaOrder(version, "START", { channel: "", thread: null }));
  }

  /** Only the verb is told: the statement may hold a password. */
  async #order({ member }: Two["server"], statement: string): Promise<Result<void, string>> {
    const done = await member.order(statement, ORDER_MILLIS);
    return done.ok ? ok(undefined) : err(`${statement.split(" TO ")[0]}: ${failureInWords(done.error)}`);
  }

  #trouble(address: string, detail: string | null): void {
    const before = this.#told.get(address);
    if (detail === null) this.#told.delete(address);
    else if (detail !== before) {
      this.#told.set(address, detail);
      this.#context.tell(`${address} is not attached`, "trouble", detail);
    }
  }
}

/** Nothing for a text that is none. */
function parseAttached(text: string | null): Map<string, string> {
  try {
    return new Map(JSON.parse(text ?? "[]") as readonly (readonly [string, string])[]);
  } catch {
    return new Map();
  }
}

async function takesBack({ facts, member }: Two["server"]): Promise<boolean> {
  if (facts.version.product !== "mariadb" || facts.semiSync?.acknowledges !== true) return false;
  const strict = await member.order("SELECT @@global.gtid_strict_mode AS value", ORDER_MILLIS);
  return strict.ok && strict.value[0]?.value === "1";
}
