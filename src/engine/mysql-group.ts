/**
 * The servers of one `mysql` block during one takeover, release or look afterwards: asks all of them at once and says what each of them is.
 * A peer that was silent is not asked again in the same run: it would cost connect_timeout each time.
 */

import { addressInWords } from "../core/database/config.ts";
import { troubleInWords } from "../core/database/trouble.ts";
import type { Result } from "../core/lib/result.ts";
import type { MysqlAddress, MysqlConfig } from "../core/mysql/config.ts";
import { isEnding, isNobody, type SqlFailure, troubleOfFailure } from "../core/mysql/failure.ts";
import type { MemberFacts } from "../core/mysql/member.ts";
import { positionsOf, type ServerPositions, unreachablePositions } from "../core/mysql/positions.ts";
import type { ServerSettings } from "../core/mysql/settings.ts";
import type { Peer, PeerState } from "../core/mysql/takeover.ts";
import type { SqlPort } from "../ports/sql.ts";
import { MysqlMember } from "./mysql-member.ts";

export const failureInWords = (failure: SqlFailure): string =>
  troubleInWords(troubleOfFailure(failure, { wasUp: false, processStarts: null }));

export interface GroupFacts {
  readonly own: Result<MemberFacts, SqlFailure>;
  readonly peers: readonly Peer[];
  /** A peer that ends just now, and will soon be down. */
  readonly ending: string | null;
}

/**
 * A host that lives answers the first packet of a connection in a round trip, and a lost one is sent again after a second: waiting for
 * connect_timeout would tell no more. Milliseconds.
 */
const PEER_REACH = 400;

export interface AskOptions {
  /** Also where the binary logs end. */
  readonly end: boolean;
  readonly ownLast: boolean;
}

export class MysqlServers {
  readonly own: MysqlMember;
  readonly #peers: readonly MysqlMember[];
  readonly #replicas: readonly MysqlMember[];
  readonly #silent = new Map<string, PeerState>();

  constructor(sql: SqlPort, config: MysqlConfig) {
    const { peers, replicas } = config.group;
    const other = (address: MysqlAddress) => new MysqlMember(sql, address, { ...config, reachMillis: PEER_REACH });
    this.own = new MysqlMember(sql, config.address, config);
    this.#peers = peers.map(other);
    this.#replicas = replicas.map(other);
  }

  peer(name: string): MysqlMember | null {
    return this.#peers.find((one) => one.name === name) ?? null;
  }

  /** Everybody with their role, the own server first. */
  get members(): readonly { readonly member: MysqlMember; readonly role: ServerSettings["role"] }[] {
    const as = (role: ServerSettings["role"]) => (member: MysqlMember) => ({ member, role });
    return [as("own")(this.own), ...this.#peers.map(as("peer")), ...this.#replicas.map(as("replica"))];
  }

  replica(name: string): MysqlMember | null {
    return this.#replicas.find((one) => one.name === name) ?? null;
  }

  close(): void {
    for (const member of [this.own, ...this.#peers, ...this.#replicas]) member.close();
  }

  askSilentAgain(): void {
    this.#silent.clear();
  }

  /**
   * All at once; `ownLast` where a writer is compared with those that follow it: a follower asked later may have what the writer's answer does
   * not have yet.
   */
  async ask({ end, ownLast }: AskOptions = { end: true, ownLast: false }): Promise<GroupFacts> {
    const ending: string[] = [];
    const asked = this.#askAll(this.#peers, ending, { end });
    if (ownLast) await asked;
    const [own, peers] = await Promise.all([this.own.facts({ end }), asked]);
    return { own, peers, ending: ending[0] ?? null };
  }

  /** Whether nobody listens at that peer now. */
  async isDown(name: string): Promise<boolean> {
    return (await this.askPeers()).some(({ address, state }) => address === name && state.kind === "down");
  }

  askPeers(): Promise<readonly Peer[]> {
    return this.#askAll(this.#peers, [], { end: false });
  }

  askReplicas(what = { end: false }): Promise<readonly Peer[]> {
    return this.#askAll(this.#replicas, [], what);
  }

  #askAll(
    members: readonly MysqlMember[],
    ending: string[],
    what: { readonly end: boolean },
  ): Promise<readonly Peer[]> {
    return Promise.all(
      members.map(async (member): Promise<Peer> => {
        const known = this.#silent.get(member.name);
        if (known !== undefined) return { address: member.name, state: known };
        const facts = await member.facts(what);
        if (!facts.ok && isEnding(facts.error)) ending.push(member.name);
        const state = facts.ok ? ({ kind: "up", facts: facts.value } as const) : stateOf(facts.error);
        if (state.kind === "silent") this.#silent.set(member.name, state);
        return { address: member.name, state };
      }),
    );
  }
}

function stateOf(failure: SqlFailure): PeerState {
  const detail = failureInWords(failure);
  if (failure.kind === "network") return { kind: isNobody(failure) ? "down" : "silent", detail };
  return { kind: failure.kind === "timeout" || failure.kind === "lost" ? "silent" : "unusable", detail };
}

/** Asks every server once. */
export async function askPositions(sql: SqlPort, config: MysqlConfig): Promise<readonly ServerPositions[]> {
  const servers = new MysqlServers(sql, config);
  const [{ own, peers }, replicas] = await Promise.all([servers.ask(), servers.askReplicas({ end: true })]);
  servers.close();
  const name = addressInWords(config.address);
  return [
    own.ok ? positionsOf(name, true, own.value) : unreachablePositions(name, true, failureInWords(own.error)),
    ...[...peers, ...replicas].map(({ address, state }) =>
      state.kind === "up"
        ? positionsOf(address, false, state.facts)
        : unreachablePositions(address, false, state.detail),
    ),
  ];
}
