/**
 * Where everything ends up: when nothing has been wrong for the settling time, exactly one node that is fit holds each
 * address, the client's packets go there, every hook has run, and nothing changes any more.
 */
import { settleTime } from "./bounds.ts";
import type { Host } from "./host.ts";
import type { Scene } from "./scene.ts";
import type { Track } from "./tracks.ts";

/** A fit node can serve; a maybe node could if its gate opened; an out node cannot; a moving one is about to change. */
type Fitness = "fit" | "maybe" | "out" | "moving";

/** Bursts are on the wire before the report; this is the way to the client with room. */
const ANNOUNCE = 20_000;
/** The client asks again after 45 s. */
const CLIENT_MEMORY = 50_000_000;
/** So often the whole is looked at; the rest is checked after every event. */
const PERIOD = 250_000;

export class Convergence {
  readonly #world: Scene;
  readonly #tracks: readonly (readonly Track[])[];
  readonly #settle: number;
  /** Since when exactly one node answers, by instance. */
  readonly #single: ({ node: number; at: number } | undefined)[] = [];
  /** Since when the client has talked to somebody else than that node. */
  readonly #misled = new Map<number, number>();
  #nextAt = 0;
  #settled = false;
  checks = 0;

  constructor(world: Scene, tracks: readonly (readonly Track[])[]) {
    this.#world = world;
    this.#tracks = tracks;
    this.#settle = settleTime(tracks.flat().map((track) => track.config));
  }

  get settleTime(): number {
    return this.#settle;
  }

  stateChanged(track: Track, what: string): void {
    const { now, disturbances } = this.#world;
    if (!this.#settled || now - disturbances.lastChange() <= this.#settle) return;
    this.#fail(
      "stability",
      `node ${track.node + 1} ${track.config.name}: ${what} although nothing has been wrong for long`,
    );
  }

  check(): void {
    for (let instance = 0; instance < (this.#tracks[0]?.length ?? 0); instance++) this.#checkClient(instance);
    const { now } = this.#world;
    if (now < this.#nextAt) return;
    this.#nextAt = now + PERIOD;
    this.#checkWhole();
  }

  #checkWhole(): void {
    const { hosts, disturbances, now } = this.#world;
    const fitness = hosts.map((host) => fitnessOf(host));
    const quiet = now - disturbances.lastChange();
    const calm = this.#world.network.whole && !fitness.includes("moving");
    const settled = calm && quiet > this.#settle;
    this.#settled = settled && !fitness.includes("maybe");
    if (!settled) return;
    this.checks++;
    for (let instance = 0; instance < (this.#tracks[0]?.length ?? 0); instance++) {
      this.#checkInstance(instance, fitness, quiet);
    }
    for (const track of this.#tracks.flat()) {
      if (fitness[track.node] === "fit" && track.hooksDue.length > 0) {
        this.#fail(
          "I5",
          `node ${track.node + 1} ${track.config.name}: nobody was told of ${track.hooksDue.join(", ")}`,
        );
      }
    }
  }

  #checkInstance(instance: number, fitness: readonly Fitness[], quiet: number): void {
    const tracks = this.#tracks.map((own) => own[instance]).filter((track) => track !== undefined);
    const name = tracks[0]?.config.name ?? "";
    const holders = tracks.filter((track) => this.#world.host(track.node).answers(track.address));
    // Without a lease a host whose processes are both dead keeps its address until somebody comes.
    const orphans = holders.filter((track) => fitness[track.node] === "out" && track.config.leaseSeconds === null);
    const served = holders.filter((track) => !orphans.includes(track));
    const fit = tracks.filter((track) => fitness[track.node] === "fit");
    if (served.length > 1 || (fit.length > 0 && served.length === 0)) {
      const who = served.map((track) => track.node + 1).join(" and ") || "nobody";
      this.#fail("convergence", `${name}: ${who} holds the address long after the last fault`);
      return;
    }
    const holder = served[0];
    if (holder === undefined) return;
    if (holder.phase !== "MASTER")
      this.#fail("convergence", `${name}: node ${holder.node + 1} holds it in ${holder.phase}`);
    this.#checkRightOne(holder, fit, fitness);
    const owner = this.#world.client.owner(holder.address);
    if (orphans.length === 0 && quiet > this.#settle + CLIENT_MEMORY && owner !== holder.node) {
      this.#fail("client", `${name}: node ${holder.node + 1} holds it, the client still talks to ${nodeName(owner)}`);
    }
  }

  #checkRightOne(holder: Track, fit: readonly Track[], fitness: readonly Fitness[]): void {
    if (!holder.config.preempt || fitness.includes("maybe")) return;
    const best = Math.max(...fit.map((track) => track.config.priority));
    if (holder.config.priority < best) {
      this.#fail(
        "convergence",
        `${holder.config.name}: node ${holder.node + 1} holds it, a fit node of priority ${best} does not`,
      );
    }
  }

  /** Whoever becomes the only holder in sight of the client has told it. */
  #checkClient(instance: number): void {
    const { now, disturbances, client, network } = this.#world;
    const holder = this.#onlyHolder(instance);
    if (holder === null) {
      delete this.#single[instance];
      this.#misled.delete(instance);
      return;
    }
    const single = this.#singleSince(instance, holder);
    const owner = client.owner(holder.address);
    if (holder.phase !== "MASTER" || owner === holder.node) {
      this.#misled.delete(instance);
      return;
    }
    const misled = this.#misled.get(instance) ?? now;
    this.#misled.set(instance, misled);
    const since = this.#announcedSince(holder, single, owner);
    const excused =
      !network.whole || disturbances.networkChange() > since || disturbances.nodeCleanSince(holder.node) >= since;
    if (excused || now - Math.max(since, misled) < ANNOUNCE) return;
    const name = holder.config.name;
    this.#fail("client", `${name}: node ${holder.node + 1} alone holds it, but the client talks to ${nodeName(owner)}`);
  }

  #onlyHolder(instance: number): Track | null {
    let holder: Track | null = null;
    for (const own of this.#tracks) {
      const track = own[instance];
      if (track === undefined || !this.#world.host(track.node).answers(track.address)) continue;
      if (holder !== null) return null;
      holder = track;
    }
    return holder;
  }

  #singleSince(instance: number, holder: Track): number {
    const before = this.#single[instance];
    if (before !== undefined && before.node === holder.node) return before.at;
    this.#single[instance] = { node: holder.node, at: this.#world.now };
    this.#misled.delete(instance);
    return this.#world.now;
  }

  /**
   * Who became MASTER has announced then; who outlasted a living rival has announced again when that one yielded. A rival that
   * vanished after it had announced last is known to nobody: infinity.
   */
  #announcedSince(holder: Track, single: number, rival: number | null): number {
    if (rival === null) return holder.phaseAt;
    const changed = this.#world.disturbances.nodeChange(rival);
    if (this.#world.host(rival).serving && changed < single) return Math.max(single, holder.phaseAt);
    return changed < holder.phaseAt ? holder.phaseAt : Number.POSITIVE_INFINITY;
  }

  #fail(rule: string, text: string): void {
    this.#world.fail({ rule, text });
  }
}

function nodeName(node: number | null): string {
  return node === null ? "nobody" : `node ${node + 1}`;
}

function fitnessOf(host: Host): Fitness {
  if (!host.powered) return "out";
  if (host.paused) return "moving";
  if (!host.serving) {
    const dead = host.control?.alive !== true && host.keeper?.alive !== true;
    return dead ? "out" : "moving";
  }
  if (!host.checkPasses || !host.kernel.usable) return "out";
  return host.gateMood === "open" && !host.doubtful() ? "fit" : "maybe";
}
