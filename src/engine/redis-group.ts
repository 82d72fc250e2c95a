/**
 * The servers of one `redis` block: a kept session to each, asked all at once. The end of any session is heard at once: a writer that has
 * died must be let go before it comes back empty.
 */
import { addressInWords, type ServerAddress } from "../core/database/config.ts";
import { troubleInWords } from "../core/database/trouble.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { toMillis } from "../core/lib/units.ts";
import { NOBODY, type RedisConfig } from "../core/redis/config.ts";
import { isNobody, troubleOfFailure } from "../core/redis/failure.ts";
import { type MemberFacts, memberCommands, memberOf } from "../core/redis/member.ts";
import type { Peer, PeerState } from "../core/redis/peer.ts";
import { type Command, failureOf, type RedisFailure, type Reply } from "../core/redis/reply.ts";
import type { RedisPort, RedisSession } from "../ports/redis.ts";

/** A host that lives answers the first packet of a connection in a round trip, and a lost one is sent again after a second. Milliseconds. */
const PEER_REACH = 400;

export const failureInWords = (failure: RedisFailure): string => troubleInWords(troubleOfFailure(failure, false));

export class RedisMember {
  readonly address: ServerAddress;
  readonly #port: RedisPort;
  readonly #config: RedisConfig;
  readonly #onLost: () => void;
  readonly #own: boolean;
  #session: RedisSession | null = null;
  /** One call at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(port: RedisPort, config: RedisConfig, address: ServerAddress, onLost: () => void) {
    this.#port = port;
    this.#config = config;
    this.address = address;
    this.#onLost = onLost;
    this.#own = address === config.address;
  }

  get name(): string {
    return addressInWords(this.address);
  }

  /** How this server sees the own host; null while it is not connected, or over a Unix socket. */
  get seenAs(): string | null {
    return this.#session?.localAddress ?? null;
  }

  close(): void {
    this.#session?.close();
    this.#session = null;
  }

  async facts(): Promise<Result<MemberFacts, RedisFailure>> {
    const replies = await this.#call(memberCommands(this.#config.name));
    if (!replies.ok) return replies;
    const [info] = replies.value;
    if (info?.kind === "error") return err(failureOf(info.error));
    const facts = memberOf(replies.value);
    return facts === null ? err({ kind: "setup", detail: "what answers is not Redis or Valkey" }) : ok(facts);
  }

  /** In one go; the first that is refused is the failure, and the others were carried out all the same. */
  async order(commands: readonly Command[]): Promise<Result<readonly Reply[], RedisFailure>> {
    const replies = await this.#call(commands);
    if (!replies.ok) return replies;
    const refused = replies.value.find(({ kind }) => kind === "error");
    return refused?.kind === "error" ? err(failureOf(refused.error)) : replies;
  }

  #call(commands: readonly Command[]): Promise<Result<readonly Reply[], RedisFailure>> {
    const turn = this.#turn.then(() => this.#callNow(commands));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #callNow(commands: readonly Command[]): Promise<Result<readonly Reply[], RedisFailure>> {
    if (this.#session === null) {
      const opened = await this.#open();
      if (!opened.ok) return opened;
      this.#session = opened.value;
    }
    const session: RedisSession | null = this.#session;
    const replies = await session.call(commands, toMillis(this.#config.timeout));
    if (!replies.ok) this.close();
    return replies;
  }

  #open(): Promise<Result<RedisSession, RedisFailure>> {
    const { credentials, tls, connectTimeout } = this.#config;
    const reach = this.#own ? {} : { reachTimeoutMillis: PEER_REACH };
    const target = {
      address: this.address,
      credentials,
      user: null,
      tls,
      connectTimeoutMillis: toMillis(connectTimeout),
    };
    return this.#port.open({ ...target, ...reach }, () => {
      this.#session = null;
      this.#onLost();
    });
  }
}

export interface GroupFacts {
  readonly own: Result<MemberFacts, RedisFailure>;
  readonly peers: readonly Peer[];
}

export class RedisServers {
  readonly own: RedisMember;
  readonly #peers: readonly RedisMember[];
  readonly #replicas: readonly RedisMember[];

  constructor(port: RedisPort, config: RedisConfig, onLost: () => void = () => undefined) {
    const member = (address: ServerAddress) => new RedisMember(port, config, address, onLost);
    this.own = member(config.address);
    this.#peers = config.group.peers.map(member);
    this.#replicas = config.group.replicas.map(member);
  }

  /** A peer or a replica, by its address as in the file. */
  other(name: string): RedisMember | null {
    return [...this.#peers, ...this.#replicas].find((one) => one.name === name) ?? null;
  }

  close(): void {
    for (const member of [this.own, ...this.#peers, ...this.#replicas]) member.close();
  }

  /** All at once, but for peers that were silent a moment ago. */
  async ask(silent: readonly Peer[] = []): Promise<GroupFacts> {
    const [own, peers] = await Promise.all([this.own.facts(), this.askPeers(silent)]);
    return { own, peers };
  }

  askPeers(silent: readonly Peer[] = []): Promise<readonly Peer[]> {
    return Promise.all(
      this.#peers.map((member) => silent.find(({ address }) => address === member.name) ?? stateOf(member)),
    );
  }

  askReplicas(): Promise<readonly Peer[]> {
    return Promise.all(this.#replicas.map(stateOf));
  }
}

async function stateOf(member: RedisMember): Promise<Peer> {
  const facts = await member.facts();
  const state: PeerState = !facts.ok
    ? stateOfFailure(facts.error)
    : facts.value.loading === null
      ? { kind: "up", facts: facts.value }
      : { kind: "down", detail: "it loads its data" };
  return { address: member.name, state };
}

function stateOfFailure(failure: RedisFailure): PeerState {
  const detail = failureInWords(failure);
  if (failure.kind === "network") return { kind: isNobody(failure) ? "down" : "silent", detail };
  if (failure.kind === "server" && failure.code === "LOADING") return { kind: "down", detail };
  return { kind: failure.kind === "timeout" || failure.kind === "lost" ? "silent" : "unusable", detail };
}

/** Closed for writes: a replica of nobody that exists, without the sessions that came by the moving addresses, and nobody paused. */
export const closeCommands = (
  config: Pick<RedisConfig, "address">,
  virtualHosts: readonly string[],
): readonly Command[] => [
  ["CONFIG", "SET", "replica-read-only", "yes"],
  ["REPLICAOF", NOBODY.host, String(NOBODY.port)],
  ...virtualHosts.map((host) => [
    "CLIENT",
    "KILL",
    "LADDR",
    `${host.includes(":") ? `[${host}]` : host}:${config.address.port}`,
  ]),
  ["CLIENT", "UNPAUSE"],
];

/** How many sessions the answers to closeCommands say were ended. */
export const sessionsEnded = (replies: readonly Reply[]): number =>
  replies.reduce((sum, reply) => sum + (reply.kind === "number" ? reply.value : 0), 0);
