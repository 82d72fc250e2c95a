/**
 * Two or three hosts whose managed group asks a quorum store before it claims, the store, and what goes wrong with all of it: the daemon's election and its
 * own claims and renewals, over a store in memory.
 */
import { loadConfig } from "../../core/config/load.ts";
import { memorySource } from "../../core/config/memory-source.ts";
import type { HoldfastConfig } from "../../core/config/model.ts";
import type { Policy } from "../../core/database/config.ts";
import type { QuorumConfig } from "../../core/quorum/config.ts";
import type { Reading } from "../../core/quorum/ownership.ts";
import { INTERFACE, nodeAddress, virtualAddress } from "../configs.ts";
import { FaultScheduler } from "../faults.ts";
import { drawSetup, type Setup } from "../options.ts";
import { createPrng } from "../prng.ts";
import { World } from "../world.ts";
import { equipQuorum, INSTANCE, SERVER } from "./equipment.ts";
import { quorumFaults, type StoreSide } from "./faults.ts";
import { Operator } from "./operator.ts";
import { QuorumRules } from "./rules.ts";
import { type Loss, StoreModel } from "./store.ts";
import type { StoreLine } from "./store-line.ts";
import { StoreWeather } from "./weather.ts";

export interface QuorumOptions {
  readonly seed: number;
  /** Simulated hours. */
  readonly hours: number;
  readonly policy?: Policy;
  readonly nodes?: number;
  readonly faults?: boolean;
}

/** What `check` finds long enough for adverts of 1 s, and of 2 s; with the longer ones a holder behind a cut goes on after its peers have claimed. */
const STORES = [
  { advert: 1, lines: ["ttl 4", "renew 0.5", "timeout 0.7"] },
  { advert: 1, lines: ["ttl 8", "renew 1", "timeout 1"] },
  { advert: 2, lines: ["ttl 12", "renew 1", "timeout 1"] },
] as const;

const ADDRESS = virtualAddress(0);
/** A store and the hosts around it have more to go wrong at once than hosts alone. */
const EPISODES = 9;
/** Daemons start, the last late write lands, who is refused tries again; and then waits for whoever was there, more than once. */
const SETTLES = 12_000_000;
/** Clocks of hosts run apart by less than that. */
const DRIFT = 0.001;

function configOf(node: number, setup: Setup, { policy, store }: Drawn): HoldfastConfig {
  const text = [
    "quorum_store etcd {\nendpoint http://192.0.2.9:2379",
    ...STORES[store].lines,
    "}",
    `redis ${SERVER} {\nserver 127.0.0.1\npeer ${nodeAddress((node + 1) % setup.nodes)}\npolicy ${policy}\n}`,
    `vrrp_instance ${INSTANCE} {\ninterface ${INTERFACE}\nvirtual_router_id 51\npriority ${100 + 50 * node}\nnopreempt`,
    `advert_int ${STORES[store].advert}`,
    ...(setup.fence ? ["fence strict"] : []),
    `virtual_ipaddress {\n${ADDRESS}/32\n}`,
    `manage_redis ${SERVER}\n}`,
  ].join("\n");
  return loadConfig(memorySource({ "/k.conf": text }), "/k.conf").config;
}

interface Drawn {
  readonly policy: Policy;
  readonly store: 0 | 1 | 2;
}

export class QuorumCluster {
  readonly world: World;
  readonly rules: QuorumRules;
  readonly setup: Setup;
  readonly quorum: QuorumConfig;
  readonly #hours: number;
  readonly #overrules: boolean;
  readonly #store: StoreModel;
  readonly #side: StoreSide;
  readonly #faults: FaultScheduler;
  /** Of every daemon that has run. */
  readonly #lines: StoreLine[] = [];
  readonly #operator: Operator;
  #loss: Loss | null = null;
  #mayForget = 0;

  constructor(options: QuorumOptions) {
    const { seed, policy = "consistency" } = options;
    this.#hours = options.hours;
    // To the store `balanced` is the same as `consistency`; one of the two has somebody who overrules.
    this.#overrules = policy === "balanced";
    const prng = createPrng(seed).fork("quorum");
    const nodes = prng.chance(0.6) ? 2 : 3;
    const drawn: Drawn = { policy, store: prng.pick([0, 1, 1, 2] as const) };
    this.setup = drawSetup({
      nodes,
      ...options,
      instances: 1,
      version: 2,
      intervalMillis: STORES[drawn.store].advert * 1_000,
      nopreempt: true,
      equalPriorities: false,
      gates: false,
      lease: "default",
      unicast: false,
      groups: false,
    });
    const configs = Array.from({ length: this.setup.nodes }, (_, node) => configOf(node, this.setup, drawn));
    const quorum = configs[0]?.quorum ?? null;
    if (quorum === null) throw new Error("its quorum_store is not understood");
    this.quorum = quorum;
    const weather = new StoreWeather();
    this.#side = { address: ADDRESS, ttl: quorum.ttl, weather, refuses: 0, forget: (loss) => this.#plan(loss) };
    this.#store = new StoreModel((before, now) => this.rules.swapped(before, now));
    this.world = new World(
      this.setup,
      (config, node) => configs[node]?.instances[0]?.vrrp ?? config,
      (node) => this.#equipment(node, configs[node]),
    );
    this.rules = new QuorumRules({
      world: this.world,
      address: ADDRESS,
      policy,
      times: quorum,
      hears: (node) => this.#hears(node),
      now: () => this.#store.now,
      heardAt: (node) => this.#heardAt(node),
    });
    this.#operator = new Operator(this.world, createPrng(seed).fork("operator"));
    // What the store allows has no bound that the election's rules know.
    for (const host of this.world.hosts) host.doubtful = () => true;
    this.world.onEvent = () => {
      if (this.#loss !== null) this.#forget(this.#loss);
      this.rules.check();
    };
    this.#faults = new FaultScheduler(this.world, {
      settle: SETTLES + 3 * (quorum.ttl + 2 * quorum.timeout),
      faults: quorumFaults(this.#side, this.#overrules),
      episodes: EPISODES,
      calm: () => this.rules.checkCalm(),
    });
  }

  get rounds(): number {
    return this.#faults.rounds;
  }

  get faultKinds(): readonly string[] {
    return this.#faults.kinds;
  }

  async run(): Promise<void> {
    this.world.startAll();
    if (this.setup.faults) this.#faults.begin();
    if (this.setup.faults && this.#overrules) this.#operator.begin();
    await this.world.runSettling(this.#hours * 3_600_000_000);
  }

  #equipment(node: number, config: HoldfastConfig | undefined) {
    if (config === undefined) return null;
    const prng = createPrng(this.setup.seed).fork(`store of node ${node}`);
    return equipQuorum({
      scene: () => ({
        world: this.world,
        site: { world: this.world, store: this.#store, weather: this.#side.weather, prng },
      }),
      node,
      config,
      prng: createPrng(this.setup.seed).fork(`server of node ${node}`),
      refuses: () => this.#side.refuses,
      opened: (line) => {
        this.#lines.push(line);
        this.rules.daemonStarts();
      },
      started: (overrule) => this.#operator.reaches(node, overrule),
      said: (body) => {
        if (body.kind === "quorum-store") this.rules.told(node, body.action);
      },
      server: (open) => this.rules.server(node, open),
      permitted: (until) => this.rules.permitted(node, until),
    });
  }

  /** When the store last answered the daemon of that host, by the host's clock; null: never. */
  #heardAt(node: number): number | null {
    return this.#lines.findLast((line) => line.node === node)?.heard?.at ?? null;
  }

  #hears(node: number): boolean {
    const { weather } = this.#side;
    const clear = weather.leader === "there" && weather.delay === 0 && weather.stale + weather.lostAnswers === 0;
    const host = this.world.host(node);
    const { network, gatewayEndpoint } = this.world;
    return clear && !weather.isCut(node) && host.kernel.usable && network.connected(node, gatewayEndpoint);
  }

  #plan(loss: Loss): void {
    if (this.world.now >= this.#mayForget) this.#loss = loss;
  }

  /**
   * A loss that everybody can notice (decision 99): each daemon has seen what is lost, or knows that it has not looked for long, and none follows while
   * somebody waits because of it.
   */
  #forget(loss: Loss): void {
    const { now } = this.#store;
    if (!this.#lines.every((line) => !line.alive || this.#notices(line, now))) return;
    this.#loss = null;
    this.#mayForget = this.world.now + 3 * (this.quorum.ttl + 1_100_000);
    this.world.note(`the store forgets: ${loss}`);
    this.#store.forget(loss);
    for (const { node } of this.world.hosts) this.world.disturbances.touch(node);
    this.rules.forgotten(this.#store.now);
  }

  #notices({ heard, node }: StoreLine, { revision, value }: Reading): boolean {
    // What is new here waits for whatever it finds, but for a record that was given back.
    if (heard === null) return false;
    const gap = (2 * this.quorum.renew + this.quorum.timeout) * (1 + DRIFT);
    if (this.world.host(node).now() - heard.at > gap) return true;
    return heard.reading.revision === revision && heard.reading.value === value;
  }
}
