/**
 * What must hold of a managed Redis pair, whose replication is asynchronous: what both servers have had stays, unless disks lost it; what
 * one server alone has is copied before a resync throws it away; and long after the last fault one server takes writes behind the address
 * and the other follows it.
 */
import type { Policy } from "../../core/database/config.ts";
import type { IpAddress } from "../../core/lib/ip.ts";
import type { Acknowledged as Answered } from "../pair/writer.ts";
import type { World } from "../world.ts";
import type { RedisModel } from "./server.ts";

type Acknowledged = Answered<RedisModel>;

/** Of one write: who has it now, in memory or on a disk. */
interface Fate {
  readonly holders: Set<RedisModel>;
  /** Its client was told; null: not yet, or never. */
  one: Acknowledged | null;
  /** Both had it at the same time. */
  shared: boolean;
  /** In a copy that was kept. */
  copied: boolean;
  /** Whose process has ended since. */
  readonly restarted: Set<RedisModel>;
}

export class RedisRules {
  readonly #world: World;
  readonly #servers: readonly RedisModel[];
  readonly #address: IpAddress;
  readonly #policy: Policy;
  readonly #fates = new Map<string, Fate>();
  /** When each last came into step. */
  readonly #joined = new Map<RedisModel, number>();
  /** First and last acknowledgement of each opening. */
  readonly #openings = new Map<number, { readonly server: RedisModel; readonly first: number; last: number }>();
  /** When the two did not see each other last. */
  #cutAt = 0;
  acknowledged = 0;
  /** Acknowledged writes that are on no writer any more: a server died, or was cut off, before it had sent them. */
  lost = 0;
  /** Of those, the ones that are in a copy. */
  saved = 0;

  constructor(
    world: World,
    servers: readonly RedisModel[],
    { address, policy }: { address: IpAddress; policy: Policy },
  ) {
    this.#world = world;
    this.#servers = servers;
    this.#address = address;
    this.#policy = policy;
  }

  heard(one: Acknowledged): void {
    this.acknowledged++;
    this.#checkAlone(one);
    const fate = this.#fates.get(one.key);
    if (fate !== undefined) fate.one = one;
  }

  /** While the two see each other one of them takes writes, but for the time that it takes to see and to close the other. */
  #checkAlone({ key, server, epoch }: Acknowledged): void {
    const { now } = this.#world;
    if (!this.#servers.every(({ node, wire }) => wire.connected(server.node, node))) this.#cutAt = now;
    const opening = this.#openings.get(epoch) ?? { server, first: now, last: now };
    this.#openings.set(epoch, opening);
    opening.last = now;
    for (const [later, other] of this.#openings) {
      const both = now - Math.max(other.first, this.#cutAt);
      if (later <= epoch || other.server === server || both < CLOSES || now - other.last > PAUSED) continue;
      this.#fail(
        "two-writers",
        `node ${server.node + 1} acknowledged ${key} although node ${other.server.node + 1} was opened later and takes writes as well, for ${(both / 1_000_000).toFixed(1)} s`,
      );
    }
  }

  executed(server: RedisModel, keys: readonly string[]): void {
    for (const key of keys) {
      const fate = this.#fates.get(key) ?? {
        holders: new Set(),
        one: null,
        shared: false,
        copied: false,
        restarted: new Set(),
      };
      this.#fates.set(key, fate);
      fate.holders.add(server);
      fate.restarted.delete(server);
      fate.shared ||= fate.holders.size === this.#servers.length;
    }
  }

  copied(keys: readonly string[]): void {
    for (const key of keys) {
      const fate = this.#fates.get(key);
      if (fate !== undefined) fate.copied = true;
    }
  }

  /** A full resync throws away what the server has: somebody has decided that. */
  replaced(server: RedisModel, incoming: readonly string[], from: { readonly node: number }): void {
    const kept = new Set(incoming);
    const what = `node ${server.node + 1} takes over the data of node ${from.node + 1}`;
    for (const key of server.data.keys) {
      const fate = this.#fates.get(key);
      if (kept.has(key) || fate === undefined) continue;
      fate.holders.delete(server);
      if (fate.one === null) continue;
      if (!fate.copied) {
        this.#fail("wiped", `${what} and loses ${key}, which was acknowledged, without a copy`);
        return;
      }
      if (fate.shared && fate.holders.size === 0 && this.#policy !== "availability") {
        this.#fail("lost-shared", `${what}, and with it ${key} goes, which was acknowledged and on both servers`);
        return;
      }
    }
  }

  joined(server: RedisModel): void {
    this.#joined.set(server, this.#world.now);
  }

  /** Its daemon looks once a second whether a peer is in step: one that has just come into step need not have been seen so. */
  ended(server: RedisModel): void {
    for (const [other, at] of this.#joined) {
      if (other === server || this.#world.now - at > NOTICED) continue;
      for (const fate of this.#fates.values()) fate.shared = false;
    }
  }

  /**
   * It has read its disk: what is missing there was lost by nobody's decision. When both have done so nobody knows which disk has more, but where
   * the dumps are of one stream.
   */
  started(server: RedisModel): void {
    for (const [key, fate] of this.#fates) {
      if (!server.data.has(key)) fate.holders.delete(server);
      fate.restarted.add(server);
      if (fate.restarted.size === this.#servers.length) fate.shared = false;
    }
  }

  /** Everything is mended and has been for long. */
  checkCalm(): void {
    const open = this.#servers.filter(({ isOpen }) => isOpen);
    const holders = this.#world.hosts.filter((host) => host.answers(this.#address)).map(({ node }) => node);
    const names = (nodes: readonly number[]): string =>
      nodes.map((node) => `node ${node + 1}`).join(" and ") || "nobody";
    const [writer, other] = open;
    if (writer === undefined || other !== undefined) {
      this.#fail("one-writer", `long after the last fault ${names(open.map(({ node }) => node))} takes writes`);
      return;
    }
    if (holders.length !== 1 || holders[0] !== writer.node) {
      this.#fail("one-writer", `node ${writer.node + 1} takes writes, the address is on ${names(holders)}`);
      return;
    }
    this.#checkAcknowledged(writer);
    for (const server of this.#servers) if (server !== writer) this.#checkFollower(writer, server);
  }

  /** Nobody has it any more: its server died, or was cut off, before it had sent it, or its disk has forgotten it. */
  #checkAcknowledged(writer: RedisModel): void {
    for (const [key, { one, copied }] of this.#fates) {
      if (writer.data.has(key)) continue;
      this.#fates.delete(key);
      if (one === null) continue;
      this.lost++;
      if (copied) this.saved++;
    }
  }

  #checkFollower(writer: RedisModel, { node, link, data }: RedisModel): void {
    const follows = link?.state === "up" && link.master === writer && data.id === writer.data.id;
    if (follows && writer.data.offset - data.offset < UNDER_WAY_BYTES) return;
    const what = link === null ? "follows nobody" : `${link.address} ${link.state}`;
    this.#fail(
      "follows",
      `long after the last fault node ${node + 1} does not follow node ${writer.node + 1}: ${what}`,
    );
  }

  #fail(rule: string, text: string): void {
    this.#world.fail({ rule, text });
  }
}

/** A look and its timeouts; microseconds. */
const NOTICED = 2_000_000;
/** A second's look, its timeouts, and an address that the kernel of a frozen daemon keeps; microseconds. */
const CLOSES = 6_000_000;
/** Who has acknowledged nothing for so long takes no writes any more. */
const PAUSED = 2_000_000;
/** Some writes that a follower may just be receiving. */
const UNDER_WAY_BYTES = 1_000;
