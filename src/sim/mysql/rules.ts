/**
 * What must hold of a managed pair: acknowledged writes stay, one server at a time takes them, and when nothing has been wrong for long one
 * server is open behind the address and the other follows it, unless that one has transactions that nobody else has.
 */

import type { Policy } from "../../core/database/config.ts";
import type { IpAddress } from "../../core/lib/ip.ts";
import type { Acknowledged as Answered } from "../pair/writer.ts";
import type { World } from "../world.ts";
import type { ModelServer } from "./server.ts";

type Acknowledged = Answered<ModelServer>;

/** Commits that a follower may just be receiving; a writer waits for each before its next. */
const UNDER_WAY = 10;

/** From a thaw until the standby has received what it lacks; microseconds. */
const CATCHES_UP = 20_000_000;

export class PairRules {
  readonly #world: World;
  readonly #servers: readonly ModelServer[];
  readonly #address: IpAddress;
  readonly #policy: Policy;
  readonly #acknowledged: Acknowledged[] = [];
  /** First acknowledgement of each opening. */
  readonly #firstOf = new Map<number, Acknowledged>();
  /** When each host last stood still as a whole. */
  readonly #paused = new Map<number, number>();
  /** Servers that an operator had to copy anew, and acknowledged writes that the policy lost. */
  restored = 0;
  lost = 0;

  constructor(
    world: World,
    servers: readonly ModelServer[],
    { address, policy }: { address: IpAddress; policy: Policy },
  ) {
    this.#world = world;
    this.#servers = servers;
    this.#address = address;
    this.#policy = policy;
  }

  get acknowledged(): number {
    return this.#acknowledged.length;
  }

  /** That host stands still, its clocks too, or goes on. */
  paused(node: number): void {
    this.#paused.set(node, this.#world.now);
  }

  heard(one: Acknowledged): void {
    if (!this.#isExcused(one)) this.#acknowledged.push(one);
    if (!this.#firstOf.has(one.epoch)) this.#firstOf.set(one.epoch, one);
    // A partition gives two writers under that policy: it says so.
    if (this.#policy === "availability") return;
    for (const [epoch, first] of this.#firstOf) {
      if (epoch <= one.epoch || first.committedAt >= one.committedAt || first.server === one.server) continue;
      this.#fail(
        "I2",
        `node ${one.server.node + 1} acknowledged ${one.key} although node ${first.server.node + 1} was opened later and has acknowledged ${first.key}`,
      );
    }
  }

  /**
   * A standby whose machine stood still does not know that the writer went on without it; should the writer vanish before it has caught up,
   * what was committed alone is on the old writer only. docs/mysql.md says so.
   */
  #isExcused({ alone, server, committedAt }: Acknowledged): boolean {
    return (
      alone &&
      [...this.#paused].some(
        ([node, at]) => node !== server.node && (this.#world.host(node).paused || committedAt - at < CATCHES_UP),
      )
    );
  }

  /** Conflicting rows would be overwritten with older ones. */
  stale(server: ModelServer, key: string): void {
    this.#fail(
      "I3",
      `node ${server.node + 1} is open and executes ${key}, which an earlier writer had committed alone`,
    );
  }

  /** Everything is mended and has been for long. */
  checkCalm(): void {
    const open = this.#servers.filter(({ up, readOnly }) => up && !readOnly);
    const holders = this.#world.hosts.filter((host) => host.answers(this.#address)).map(({ node }) => node);
    const names = (nodes: readonly number[]): string =>
      nodes.map((node) => `node ${node + 1}`).join(" and ") || "nobody";
    const [writer, other] = open;
    if (writer === undefined && this.#policy === "availability" && this.#settleDivergence()) return;
    if (writer === undefined || other !== undefined) {
      this.#fail("one-writer", `long after the last fault ${names(open.map(({ node }) => node))} is open for writes`);
      return;
    }
    if (holders.length !== 1 || holders[0] !== writer.node) {
      this.#fail("one-writer", `node ${writer.node + 1} is open, the address is on ${names(holders)}`);
      return;
    }
    this.#checkAcknowledged(writer);
    for (const server of this.#servers) if (server !== writer) this.#checkFollower(writer, server);
  }

  /** Both have what the other lacks, so neither may pass the other over: an operator keeps one of them. */
  #settleDivergence(): boolean {
    const [kept, other] = this.#servers;
    if (kept === undefined || other === undefined) return false;
    const extra = [...other.log.keys()].filter((key) => !kept.log.has(key));
    if (extra.length === 0 || [...kept.log.keys()].every((key) => other.log.has(key))) return false;
    this.#copyAnew(kept, other, `node ${other.node + 1} and node ${kept.node + 1} have diverged`);
    return true;
  }

  #copyAnew(from: ModelServer, server: ModelServer, why: string): void {
    this.restored++;
    this.#world.note(`${why}: node ${server.node + 1} is copied anew`);
    server.crash();
    server.restoreFrom(from);
    server.start();
  }

  #checkAcknowledged(writer: ModelServer): void {
    const missing = this.#acknowledged.filter(({ key }) => !writer.log.has(key));
    if (missing.length === 0) return;
    const [first] = missing;
    if (this.#policy === "availability") {
      this.lost += missing.length;
      for (const one of missing) this.#acknowledged.splice(this.#acknowledged.indexOf(one), 1);
      return;
    }
    this.#fail(
      "I2-lost",
      `${missing.length} acknowledged writes are not on the writer, node ${writer.node + 1}: the first is ${first?.key}, acknowledged by node ${(first?.server.node ?? 0) + 1} at ${((first?.committedAt ?? 0) / 1e6).toFixed(3)} s`,
    );
  }

  #checkFollower(writer: ModelServer, server: ModelServer): void {
    const extra = [...server.log.keys()].filter((key) => !writer.log.has(key));
    if (extra.length > 0) {
      this.#checkDiverged(writer, server, extra);
      return;
    }
    const { receiver } = server;
    // The last ones may be under way.
    const behind = [...writer.log.keys()].slice(0, -UNDER_WAY).some((key) => !server.log.has(key));
    const follows = receiver.running && receiver.sql && !(behind && receiver.drained);
    if (follows && writer.receiver.running) return;
    this.#fail("ring", `long after the last fault replication is not whole: ${inWords(writer)}; ${inWords(server)}`);
  }

  /** The writer must not receive what nobody else has; an operator looks at it and copies the server anew. */
  #checkDiverged(writer: ModelServer, server: ModelServer, extra: readonly string[]): void {
    const what = `node ${server.node + 1} has ${extra.length} transactions that nobody else has (${extra[0]})`;
    if (writer.receiver.running) {
      this.#fail("I3", `${what}, and the writer receives from it`);
      return;
    }
    this.#copyAnew(writer, server, what);
  }

  #fail(rule: string, text: string): void {
    this.#world.fail({ rule, text });
  }
}

function inWords({ node, receiver }: ModelServer): string {
  const io = receiver.running ? "running" : receiver.io ? "connecting" : "stopped";
  const error = receiver.ioError ?? receiver.sqlError;
  return `node ${node + 1}: I/O ${io}, SQL ${receiver.sql ? "running" : "stopped"}${error === null ? "" : `, ${error.text}`}`;
}
