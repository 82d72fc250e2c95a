/**
 * Decides what goes wrong and when. Time passes in rounds: a few faults that may overlap, all mended, then a calm in which
 * everything must settle. Every seed has a random half of the kinds, so that combinations are deep and not only broad.
 */
import { DELAY_MAX } from "./disturbance.ts";
import type { Host } from "./host.ts";
import type { Prng } from "./prng.ts";
import type { World } from "./world.ts";

/** Begins a fault and returns how it ends; null when it is over at once or cannot be done now. */
export type Fault = (world: World, host: Host, prng: Prng) => (() => void) | null;
export type FaultTable = Readonly<Record<string, Fault>>;

const MINUTE = 60_000_000;
const EPISODE_MIN = 50_000;
const EPISODE_MAX = 30_000_000;
const WINDOW_MIN = 2_000_000;
const WINDOW_MAX = 40_000_000;

export const FAULTS: FaultTable = {
  "kill keeper": (_world, host) => instantly(() => host.killKeeper()),
  "kill control": (_world, host) =>
    until(
      () => host.killControl(),
      () => host.startDaemon(),
    ),
  "kill both": (_world, host) =>
    until(
      () => host.killBoth(),
      () => host.startDaemon(),
    ),
  "stop daemon": (_world, host) =>
    until(
      () => host.stopDaemon(),
      () => host.startDaemon(),
    ),
  "freeze keeper": (_world, host) =>
    until(
      () => host.freezeKeeper(),
      () => host.thawKeeper(),
    ),
  "freeze control": (_world, host) =>
    until(
      () => host.freezeControl(),
      () => host.thawControl(),
    ),
  "freeze both": (_world, host, prng) =>
    until(
      () => {
        host.freezeControl();
        host.freezeKeeper();
      },
      () => {
        const first = prng.chance(0.5);
        if (first) host.thawKeeper();
        host.thawControl();
        host.thawKeeper();
      },
    ),
  "stall in a system call": (_world, host, prng) =>
    instantly(() => host.stallKeeper(prng.logBetween(10_000, 5_000_000))),
  "pause host": (_world, host) =>
    until(
      () => host.pause(),
      () => host.resume(),
    ),
  "power off": (_world, host) =>
    until(
      () => host.powerOff(),
      () => host.powerOn(),
    ),
  "link down": (_world, host) =>
    until(
      () => host.setLink(false),
      () => host.setLink(true),
    ),
  "link flaps": (world, host, prng) => flap(world, host, prng),
  "check fails": (_world, host) =>
    until(
      () => host.setCheck(false),
      () => host.setCheck(true),
    ),
  "gate refuses": (_world, host) =>
    until(
      () => host.setGate("refuse"),
      () => host.setGate("open"),
    ),
  "gate hangs": (_world, host) =>
    until(
      () => host.setGate("hang"),
      () => host.setGate("open"),
    ),
  "address removed": (_world, host, prng) =>
    instantly(() => host.removeAddress(prng.pick(host.configs).advertised[0]?.address ?? ("" as never))),
  "wall clock step": (_world, host, prng) => instantly(() => host.stepWallClock(prng.between(-3600e6, 3600e6))),
  partition: (world, host, prng) => partition(world, host, prng),
  "one-way cut": (world, host, prng) => oneWay(world, host, prng),
  "client cut": (world, host) => {
    const client = world.clientEndpoint;
    return world.network.cutAll([
      [client, host.node],
      [host.node, client],
    ]);
  },
  "bad weather": (world, _host, prng) => {
    world.network.impair({
      loss: prng.chance(0.7) ? prng.between(0.01, 0.6) : 0,
      delay: prng.chance(0.6) ? prng.logBetween(1_000, DELAY_MAX) : 0,
      duplication: prng.chance(0.5) ? prng.between(0.01, 0.5) : 0,
    });
    return () => world.network.clear();
  },
};

/** Faults that need gates to mean anything. */
const GATED = new Set(["gate refuses", "gate hangs"]);

export interface FaultPlan {
  /** Microseconds until all must be whole. */
  readonly settle: number;
  readonly faults: FaultTable;
  /** At most so many in a round. */
  readonly episodes: number;
  /** At the end of each calm. */
  readonly calm: () => void;
}

export class FaultScheduler {
  readonly #world: World;
  readonly #prng: Prng;
  readonly #kinds: readonly string[];
  readonly #plan: FaultPlan;
  readonly #open = new Map<string, () => void>();
  rounds = 0;

  constructor(world: World, plan: Partial<FaultPlan> & Pick<FaultPlan, "settle">) {
    this.#world = world;
    this.#prng = world.prng.fork("faults");
    this.#plan = { faults: FAULTS, episodes: 4, calm: () => undefined, ...plan };
    const possible = Object.keys(this.#plan.faults).filter((kind) => world.setup.gates || !GATED.has(kind));
    const some = possible.filter(() => this.#prng.chance(0.5));
    this.#kinds = some.length === 0 ? possible : some;
  }

  get kinds(): readonly string[] {
    return this.#kinds;
  }

  begin(): void {
    this.#world.after(this.#plan.settle + this.#prng.between(0, MINUTE / 6), () => this.#round());
  }

  #round(): void {
    this.#plan.calm();
    this.rounds++;
    const window = this.#prng.logBetween(WINDOW_MIN, WINDOW_MAX);
    const episodes = this.#prng.integer(1, this.#plan.episodes);
    for (let episode = 0; episode < episodes; episode++) {
      this.#world.after(this.#prng.between(0, window), () => this.#episode());
    }
    this.#world.after(window + EPISODE_MAX, () => this.#mendAll());
    const calm = this.#plan.settle + this.#prng.between(1_000_000, MINUTE / 3);
    this.#world.after(window + EPISODE_MAX + calm, () => this.#round());
  }

  #episode(): void {
    const kind = this.#prng.pick(this.#kinds);
    const host = this.#world.host(this.#prng.integer(0, this.#world.hosts.length - 1));
    const length = this.#prng.logBetween(EPISODE_MIN, EPISODE_MAX);
    const key = `${kind} on node ${host.node + 1}`;
    // One of a kind at a time: mending twice would mend another's.
    if (this.#open.has(key)) return;
    this.#world.note(`${key} begins`);
    const mend = this.#plan.faults[kind]?.(this.#world, host, this.#prng) ?? null;
    if (mend === null) return;
    this.#open.set(key, mend);
    this.#world.after(length, () => this.#mend(key));
  }

  #mend(key: string): void {
    const mend = this.#open.get(key);
    if (mend === undefined) return;
    this.#open.delete(key);
    this.#world.note(`${key} ends`);
    mend();
  }

  /** Whatever combination came about, in the end every host is up and serves. */
  #mendAll(): void {
    for (const key of [...this.#open.keys()]) this.#mend(key);
    for (const host of this.#world.hosts) {
      host.powerOn();
      host.resume();
      host.thawKeeper();
      host.thawControl();
      host.startDaemon();
    }
  }
}

function instantly(action: () => void): null {
  action();
  return null;
}

function until(begin: () => void, end: () => void): () => void {
  begin();
  return end;
}

function flap(world: World, host: Host, prng: Prng): () => void {
  let flapping = true;
  let up = false;
  const next = (): void => {
    if (!flapping) return;
    host.setLink(up);
    up = !up;
    world.after(prng.logBetween(5_000, 3_000_000), next);
  };
  next();
  return () => {
    flapping = false;
    host.setLink(true);
  };
}

function partition(world: World, host: Host, prng: Prng): () => void {
  const side = [host.node];
  for (const other of world.hosts) if (other !== host && prng.chance(0.3)) side.push(other.node);
  if (prng.chance(0.5)) side.push(world.clientEndpoint);
  if (prng.chance(0.5)) side.push(world.gatewayEndpoint);
  return world.network.partition(side);
}

function oneWay(world: World, host: Host, prng: Prng): (() => void) | null {
  const others = world.hosts.filter((other) => other !== host);
  if (others.length === 0) return null;
  const other = prng.pick(others);
  return prng.chance(0.5) ? world.network.cut(host.node, other.node) : world.network.cut(other.node, host.node);
}
