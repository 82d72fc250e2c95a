/**
 * Two hosts with a managed MariaDB each, writing clients, and faults: the daemon's election, its check, its claims and what it does
 * afterwards, over servers in memory.
 */
import { loadConfig } from "../../core/config/load.ts";
import { memorySource } from "../../core/config/memory-source.ts";
import type { HoldfastConfig } from "../../core/config/model.ts";
import type { Policy } from "../../core/database/config.ts";
import { INTERFACE, nodeAddress, virtualAddress } from "../configs.ts";
import type { DatabaseEquipment } from "../control-model.ts";
import { drawSetup } from "../options.ts";
import { equip } from "../pair/equipment.ts";
import { PairFaults } from "../pair/faults.ts";
import { MemoryNotes } from "../pair/notes.ts";
import { Wire } from "../pair/wire.ts";
import { Writer } from "../pair/writer.ts";
import { World } from "../world.ts";
import { mysqlFaults } from "./faults.ts";
import { PairRules } from "./rules.ts";
import { ModelServer } from "./server.ts";
import { createModelSqlPort } from "./sql-port.ts";
import { answer } from "./statements.ts";

export interface PairOptions {
  readonly seed: number;
  /** Simulated hours. */
  readonly hours: number;
  readonly policy?: Policy;
  readonly faults?: boolean;
}

const WRITERS = 3;
const ADDRESS = virtualAddress(0);
function configOf(node: number, policy: Policy): HoldfastConfig {
  const text = [
    "mysql orders {",
    "server 127.0.0.1 3306",
    `peer ${nodeAddress(1 - node)} 3306`,
    `policy ${policy}`,
    "}",
    "vrrp_instance VI_1 {",
    `interface ${INTERFACE}`,
    "virtual_router_id 51",
    `priority ${100 + 50 * node}`,
    "nopreempt",
    "authentication {\nauth_type PASS\nauth_pass 1111\n}",
    `virtual_ipaddress {\n${ADDRESS}/32\n}`,
    "manage_mysql orders",
    "}",
    "",
  ].join("\n");
  return loadConfig(memorySource({ "/k.conf": text }), "/k.conf").config;
}

export class Pair {
  readonly world: World;
  readonly servers: readonly ModelServer[];
  readonly rules: PairRules;
  readonly onPause = (node: number): void => this.rules.paused(node);
  readonly #wire: Wire;
  readonly #faults: PairFaults<ModelServer>;
  readonly #options: PairOptions;
  readonly #notes = [new MemoryNotes(), new MemoryNotes()];
  readonly #records = [new MemoryNotes(), new MemoryNotes()];

  constructor(options: PairOptions) {
    this.#options = options;
    const policy = options.policy ?? "balanced";
    const configs = [0, 1].map((node) => configOf(node, policy));
    const setup = drawSetup({
      ...options,
      nodes: 2,
      instances: 1,
      version: 2,
      intervalMillis: 1_000,
      nopreempt: true,
      fence: false,
    });
    this.world = new World(
      setup,
      (config, node) => configs[node]?.instances[0]?.vrrp ?? config,
      (node) => this.#equipment(node, configs[node]),
    );
    this.#wire = new Wire(this.world);
    this.servers = this.world.hosts.map(
      (host) =>
        new ModelServer({
          node: host.node,
          answer,
          wire: this.#wire,
          now: () => host.now(),
          after: (micros, action) => host.queue.push(host.now() + micros, action),
        }),
    );
    this.rules = new PairRules(this.world, this.servers, { address: ADDRESS, policy });
    this.#faults = new PairFaults(this, mysqlFaults(policy), () => this.rules.checkCalm());
    this.#join();
  }

  /** The power fails, and comes back: what was in memory is gone. */
  powerOff(node: number): () => void {
    const host = this.world.host(node);
    host.powerOff();
    this.servers[node]?.crash();
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
    const [one, other] = this.servers;
    if (one === undefined || other === undefined) return;
    one.receiver.source = other;
    other.receiver.source = one;
    const epochs = { last: 0 };
    for (const server of this.servers) {
      server.onOpened = () => {
        server.epoch = ++epochs.last;
        this.#trace(server.node, "is open for writes");
      };
      server.onStale = ({ key }) => this.rules.stale(server, key);
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
    this.world.trace.add(this.world.now, `node ${node + 1}`, "mysqld", text);
  }

  #equipment(node: number, config: HoldfastConfig | undefined): DatabaseEquipment | null {
    if (config === undefined) return null;
    return equip({
      scene: () => ({ world: this.world, wire: this.#wire }),
      node,
      config,
      kind: "mysql",
      ports: (line) => {
        const sql = createModelSqlPort({ ...line, wire: this.#wire, servers: this.servers });
        const databases = { freeMib: async () => null, serverStarts: () => this.servers[node]?.starting === true };
        const notes = this.#notes[node] ?? new MemoryNotes();
        return { sql, databases, notes, records: this.#records[node] ?? new MemoryNotes(), closeAll: sql.closeAll };
      },
    });
  }
}
