/**
 * What a managed Redis pair owes at every moment, whatever its clients see of it: an open server beside a later one is closed, a writer that is alone goes on in
 * time and has written that down before, and one that is cut off from everybody lets go.
 */
import type { Policy } from "../../core/database/config.ts";
import type { IpAddress } from "../../core/lib/ip.ts";
import { markFrom } from "../../core/redis/member.ts";
import type { Host } from "../host.ts";
import type { MemoryNotes } from "../pair/notes.ts";
import type { Wire } from "../pair/wire.ts";
import type { World } from "../world.ts";
import type { RedisModel } from "./server.ts";

export interface WatchParts {
  readonly world: World;
  readonly wire: Wire;
  readonly servers: readonly RedisModel[];
  readonly records: readonly MemoryNotes[];
  readonly address: IpAddress;
  readonly policy: Policy;
  /** The check has a weight: no trouble leads to FAULT. */
  readonly weighted: boolean;
}

/** Looks once a second with their timeouts, some of them in a row, and what the keeper needs; microseconds. */
const CLOSES = 8_000_000;
const GOES_ON = 12_000_000;
const LETS_GO = 12_000_000;
const PERIOD = 200_000;
/** What a daemon has written down of its server. */
const NOTE = "redis-cache";

export class RedisWatch {
  readonly #parts: WatchParts;
  /** Since when what must not last is so, by its name. */
  readonly #since = new Map<string, number>();
  #nextAt = 0;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** After every event. */
  check(): void {
    const { world, servers } = this.#parts;
    if (world.now < this.#nextAt) return;
    this.#nextAt = world.now + PERIOD;
    for (const server of servers) {
      const host = world.host(server.node);
      this.#checkOpen(server, host);
      this.#checkAlone(server, host);
      this.#checkCutOff(server, host);
    }
  }

  /** It may take writes that no replica gets: should it be started anew, that has to be on its disk. */
  lowered({ node }: RedisModel): void {
    const text = this.#parts.records[node]?.peek(NOTE) ?? null;
    if (this.#parts.policy === "availability" || text === null || markFrom(text)?.role !== "paired") return;
    this.#fail("alone", `node ${node + 1} goes on alone, and has written down that its peer has everything`);
  }

  #checkOpen(server: RedisModel, host: Host): void {
    const other = this.#otherOf(server);
    const beside = other.isOpen && !other.hung && other.epoch < server.epoch;
    const holds = server.isOpen && !server.hung && host.serving && host.answers(this.#parts.address);
    const seen = this.#parts.wire.connected(server.node, other.node);
    if (this.#lasts(`open ${server.node}`, beside && holds && seen) <= CLOSES) return;
    this.#fail("two-open", `node ${other.node + 1} stays open beside node ${server.node + 1}, which was opened later`);
  }

  /** `balanced`: whoever reaches the gateway takes writes. */
  #checkAlone(server: RedisModel, host: Host): void {
    const { wire, world, policy, address } = this.#parts;
    const refuses = server.minReplicas > 0 && server.good < server.minReplicas;
    const holds = server.isOpen && !server.hung && host.serving && host.answers(address);
    const reaches = wire.connected(server.node, world.gatewayEndpoint);
    const stalls = policy === "balanced" && refuses && holds && reaches;
    if (this.#lasts(`alone ${server.node}`, stalls) <= GOES_ON) return;
    this.#fail("stalls", `node ${server.node + 1} is the writer, has no replica, and still refuses writes`);
  }

  #checkCutOff({ node }: RedisModel, host: Host): void {
    const { wire, world, policy, address, weighted } = this.#parts;
    const places = [world.gatewayEndpoint, ...world.hosts.map((one) => one.node)].filter((place) => place !== node);
    const cut = host.serving && host.answers(address) && places.every((place) => !wire.connected(node, place));
    const counts = policy !== "availability" && !weighted && cut;
    if (this.#lasts(`cut off ${node}`, counts) <= LETS_GO) return;
    this.#fail("cut-off", `node ${node + 1} reaches nobody and keeps the address`);
  }

  #otherOf(server: RedisModel): RedisModel {
    return this.#parts.servers.find((one) => one !== server) ?? server;
  }

  /** For how long it has been so, microseconds. */
  #lasts(what: string, is: boolean): number {
    const { now } = this.#parts.world;
    if (!is) {
      this.#since.delete(what);
      return 0;
    }
    const since = this.#since.get(what) ?? now;
    this.#since.set(what, since);
    return now - since;
  }

  #fail(rule: string, text: string): void {
    this.#parts.world.fail({ rule, text });
  }
}
