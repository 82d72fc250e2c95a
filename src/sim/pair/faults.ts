/** What goes wrong with two hosts that manage a database each: in rounds of a few faults that may overlap, all mended, then a calm in which all must be whole. */
import { FAULTS } from "../faults.ts";
import type { Prng } from "../prng.ts";
import type { World } from "../world.ts";

/** Begins a fault on that node and returns how it ends; null when it is over at once. */
export type PairFault<S extends FaultyServer> = (pair: FaultyPair<S>, node: number, prng: Prng) => (() => void) | null;
export type PairFaultTable<S extends FaultyServer> = Readonly<Record<string, PairFault<S>>>;

export interface FaultyServer {
  start(): void;
  crash(): void;
  hang(): void;
  resume(): void;
}

export interface FaultyPair<S extends FaultyServer> {
  readonly world: World;
  readonly servers: readonly S[];
  /** A host stands still as a whole, or goes on. */
  readonly onPause?: (node: number) => void;
  powerOff(node: number): () => void;
}

/** Of the plain simulator, as they are. */
const OF_HOSTS = [
  "kill keeper",
  "kill control",
  "kill both",
  "stop daemon",
  "freeze keeper",
  "freeze control",
  "client cut",
];

export const serverOf = <S extends FaultyServer>({ servers }: FaultyPair<S>, node: number): S => {
  const server = servers[node];
  if (server === undefined) throw new Error(`no server ${node + 1}`);
  return server;
};

/** Of the daemon and its client, whatever the database. */
export const DAEMON_FAULTS: PairFaultTable<FaultyServer> = Object.fromEntries(
  OF_HOSTS.map((kind): [string, PairFault<FaultyServer>] => [
    kind,
    ({ world }, node, prng) => FAULTS[kind]?.(world, world.host(node), prng) ?? null,
  ]),
);

/** Of the machine and its cables. */
export const MACHINE_FAULTS: PairFaultTable<FaultyServer> = {
  "power off": (pair, node) => pair.powerOff(node),
  "pause host": ({ world, onPause }, node) => {
    world.host(node).pause();
    onPause?.(node);
    return () => {
      world.host(node).resume();
      onPause?.(node);
    };
  },
  "link down": ({ world }, node) => {
    world.host(node).setLink(false);
    return () => world.host(node).setLink(true);
  },
  "cut off from everybody": ({ world }, node) => world.network.partition([node]),
  "cut off with its clients": ({ world }, node) => world.network.partition([node, world.clientEndpoint]),
};

/** Without a third who sees both, nobody can tell this from a death: what it costs is written at the policies. */
export const CUT_FROM_PEER: PairFaultTable<FaultyServer> = {
  "cut off from the peer": ({ world }, node) =>
    world.network.cutAll([
      [node, 1 - node],
      [1 - node, node],
    ]),
};

const EPISODE_MIN = 50_000;
const EPISODE_MAX = 30_000_000;
const WINDOW_MIN = 1_000_000;
const WINDOW_MAX = 40_000_000;
/** Servers start, drain, are compared and follow again. */
const CALM = 45_000_000;

export class PairFaults<S extends FaultyServer> {
  readonly #pair: FaultyPair<S>;
  readonly #prng: Prng;
  readonly #kinds: readonly string[];
  readonly #faults: PairFaultTable<S>;
  readonly #calm: () => void;
  readonly #open = new Map<string, () => void>();
  rounds = 0;

  constructor(pair: FaultyPair<S>, faults: PairFaultTable<S>, calm: () => void) {
    this.#pair = pair;
    this.#calm = calm;
    this.#prng = pair.world.prng.fork("pair faults");
    this.#faults = faults;
    const possible = Object.keys(this.#faults);
    const some = possible.filter(() => this.#prng.chance(0.5));
    this.#kinds = some.length === 0 ? possible : some;
  }

  get kinds(): readonly string[] {
    return this.#kinds;
  }

  begin(): void {
    this.#after(CALM, () => this.#endCalm());
  }

  #after(micros: number, action: () => void): void {
    this.#pair.world.after(micros, action);
  }

  #endCalm(): void {
    this.#calm();
    // Whoever was copied anew starts and follows.
    this.#after(this.#prng.between(5_000_000, 20_000_000), () => this.#round());
  }

  #round(): void {
    this.rounds++;
    const window = this.#prng.logBetween(WINDOW_MIN, WINDOW_MAX);
    const episodes = this.#prng.integer(1, 4);
    for (let episode = 0; episode < episodes; episode++) {
      this.#after(this.#prng.between(0, window), () => this.#episode());
    }
    this.#after(window + EPISODE_MAX, () => this.#mendAll());
    this.#after(window + EPISODE_MAX + CALM, () => this.#endCalm());
  }

  #episode(): void {
    const kind = this.#prng.pick(this.#kinds);
    const node = this.#prng.integer(0, this.#pair.servers.length - 1);
    const length = this.#prng.logBetween(EPISODE_MIN, EPISODE_MAX);
    const key = `${kind} on node ${node + 1}`;
    if (this.#open.has(key)) return;
    this.#pair.world.note(`${key} begins`);
    const mend = this.#faults[kind]?.(this.#pair, node, this.#prng) ?? null;
    if (mend === null) return;
    this.#open.set(key, mend);
    this.#pair.world.disturbances.node(node, key, true);
    this.#after(length, () => this.#mend(key));
  }

  #mend(key: string): void {
    const mend = this.#open.get(key);
    if (mend === undefined) return;
    this.#open.delete(key);
    this.#pair.world.note(`${key} ends`);
    mend();
    this.#pair.world.disturbances.node(Number(key.at(-1)) - 1, key, false);
  }

  #mendAll(): void {
    for (const key of [...this.#open.keys()]) this.#mend(key);
    for (const host of this.#pair.world.hosts) {
      host.powerOn();
      host.resume();
      host.thawKeeper();
      host.thawControl();
      host.startDaemon();
    }
    for (const server of this.#pair.servers) {
      server.resume();
      server.start();
    }
  }
}
