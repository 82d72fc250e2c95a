/**
 * Two hosts with a managed Redis server each, writing clients, and faults: the daemon's election, its check, its claims and what it does
 * afterwards, over servers in memory.
 */
import { loadConfig } from "../../core/config/load.ts";
import { memorySource } from "../../core/config/memory-source.ts";
import type { HoldfastConfig } from "../../core/config/model.ts";
import type { Policy } from "../../core/database/config.ts";
import { ok } from "../../core/lib/result.ts";
import { INTERFACE, nodeAddress, virtualAddress } from "../configs.ts";
import type { DatabaseEquipment } from "../control-model.ts";
import { drawSetup } from "../options.ts";
import { equip } from "../pair/equipment.ts";
import { PairFaults } from "../pair/faults.ts";
import { MemoryNotes } from "../pair/notes.ts";
import { Wire } from "../pair/wire.ts";
import { Writer } from "../pair/writer.ts";
import { World } from "../world.ts";
import { answer } from "./commands.ts";
import { redisFaults } from "./faults.ts";
import { createModelRedisPort } from "./redis-port.ts";
import { RedisRules } from "./rules.ts";
import { type Persistence, RedisModel } from "./server.ts";
import { RedisWatch } from "./watching.ts";

export interface RedisPairOptions {
  readonly seed: number;
  /** Simulated hours. */
  readonly hours: number;
  readonly policy?: Policy;
  readonly faults?: boolean;
}

const WRITERS = 3;
const ADDRESS = virtualAddress(0);
const PERSISTENCE: readonly Persistence[] = ["aof", "rdb", "none"];

/** With the weight the check never leads to FAULT; it is so small that the election's order and bounds are those of the file. */
function configOf(node: number, policy: Policy, weighted: boolean): HoldfastConfig {
  const text = [
    "redis cache {",
    "server 127.0.0.1 6379",
    `peer ${nodeAddress(1 - node)} 6379`,
    `policy ${policy}`,
    "}",
    "vrrp_instance VI_1 {",
    `interface ${INTERFACE}`,
    "virtual_router_id 51",
    `priority ${100 + 50 * node}`,
    "nopreempt",
    "authentication {\nauth_type PASS\nauth_pass 1111\n}",
    `virtual_ipaddress {\n${ADDRESS}/32\n}`,
    "manage_redis cache",
    ...(weighted ? ["track_redis {\ncache weight -1\n}"] : []),
    "}",
    "",
  ].join("\n");
  return loadConfig(memorySource({ "/k.conf": text }), "/k.conf").config;
}

export class RedisPair {
  readonly world: World;
  readonly servers: readonly RedisModel[];
  readonly rules: RedisRules;
  /** How this seed's servers are set up, in words. */
  readonly setup: string;
  readonly #wire: Wire;
  readonly #watch: RedisWatch;
  readonly #faults: PairFaults<RedisModel>;
  readonly #options: RedisPairOptions;
  readonly #notes = [new MemoryNotes(), new MemoryNotes()];
  readonly #records = [new MemoryNotes(), new MemoryNotes()];

  constructor(options: RedisPairOptions) {
    this.#options = options;
    const policy = options.policy ?? "balanced";
    const setup = drawSetup({
      ...options,
      nodes: 2,
      instances: 1,
      version: 2,
      intervalMillis: 1_000,
      nopreempt: true,
      fence: false,
    });
    const weighted = options.seed % 4 === 1;
    const configs = [0, 1].map((node) => configOf(node, policy, weighted));
    this.world = new World(
      setup,
      (config, node) => configs[node]?.instances[0]?.vrrp ?? config,
      (node) => this.#equipment(node, configs[node]),
    );
    const prng = this.world.prng.fork("redis");
    const persistence = prng.pick(PERSISTENCE);
    const bootGuard = prng.chance(0.7);
    this.setup = `${persistence}, ${bootGuard ? "starts closed" : "starts open"}${weighted ? ", weight" : ""}`;
    this.#wire = new Wire(this.world);
    this.servers = this.world.hosts.map((host) => {
      const draws = prng.fork(`server ${host.node}`);
      return new RedisModel({
        node: host.node,
        answer,
        wire: this.#wire,
        now: () => host.now(),
        after: (micros, action) => host.queue.push(host.now() + micros, action),
        draw: (low, high) => draws.between(low, high),
        persistence,
        bootGuard,
        find: (address) => this.servers.find(({ node }) => address === `${nodeAddress(node)}:6379`) ?? null,
      });
    });
    this.rules = new RedisRules(this.world, this.servers, { address: ADDRESS, policy });
    const { world, servers } = this;
    const seen = { world, servers, wire: this.#wire, records: this.#records, address: ADDRESS, policy, weighted };
    this.#watch = new RedisWatch(seen);
    world.onEvent = () => this.#watch.check();
    this.#faults = new PairFaults(this, redisFaults(bootGuard), () => this.rules.checkCalm());
    this.#join();
  }

  /** The power fails, and comes back: what was in memory is gone. */
  powerOff(node: number): () => void {
    const host = this.world.host(node);
    host.powerOff();
    this.servers[node]?.crash(true);
    this.#notes[node]?.clear();
    return () => {
      host.powerOn();
      this.servers[node]?.start();
    };
  }

  get rounds(): number {
    return this.#faults.rounds;
  }

  get faultKinds(): readonly string[] {
    return this.#faults.kinds;
  }

  async run(): Promise<void> {
    const { hours, faults } = this.#options;
    for (const server of this.servers) server.start();
    this.world.startAll();
    if (faults !== false) this.#faults.begin();
    await this.world.runSettling(hours * 3_600_000_000);
  }

  #join(): void {
    const epochs = { last: 0 };
    for (const server of this.servers) {
      server.onOpened = () => {
        server.epoch = ++epochs.last;
        this.#trace(server.node, "is open for writes");
      };
      server.onExecuted = (keys) => this.rules.executed(server, keys);
      server.onLowered = () => this.#watch.lowered(server);
      server.onReplaced = (incoming, from) => {
        this.#trace(
          server.node,
          `takes over ${incoming.length} keys of node ${from.node + 1}, had ${server.data.size}`,
        );
        this.rules.replaced(server, incoming, from);
      };
      server.onJoined = () => this.rules.joined(server);
      server.onEnded = () => this.rules.ended(server);
      server.onStarted = () => {
        this.#trace(server.node, `has started with ${server.data.size} keys`);
        this.rules.started(server);
      };
      // What the servers do after a fault has no bound that the election's rules know.
      this.world.host(server.node).doubtful = () => true;
    }
    for (let number = 1; number <= WRITERS; number++) this.#writer(`w${number}`);
  }

  #writer(name: string): void {
    const { world, servers } = this;
    new Writer({
      name,
      world,
      wire: this.#wire,
      servers,
      address: ADDRESS,
      prng: world.prng.fork(name),
      acknowledged: (one) => this.rules.heard(one),
    });
  }

  #trace(node: number, text: string): void {
    this.world.trace.add(this.world.now, `node ${node + 1}`, "server", text);
  }

  #equipment(node: number, config: HoldfastConfig | undefined): DatabaseEquipment | null {
    if (config === undefined) return null;
    return equip({
      scene: () => ({ world: this.world, wire: this.#wire }),
      node,
      config,
      kind: "redis",
      ports: (line) => {
        const redis = createModelRedisPort({ ...line, wire: this.#wire, servers: this.servers });
        const records = this.#records[node] ?? new MemoryNotes();
        const keep = async (path: string) => {
          this.rules.copied(this.servers[node]?.dump ?? []);
          return ok(`${path}.holdfast-${this.world.now}`);
        };
        return {
          redis,
          redisFiles: { marks: records, copies: { keep } },
          notes: this.#notes[node] ?? new MemoryNotes(),
          records,
          closeAll: () => redis.closeAll(),
        };
      },
    });
  }
}
