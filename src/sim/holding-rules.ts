/**
 * Who has the address: only a MASTER, never longer than lease and guard allow when its processes are gone, never again
 * after the kernel took it away, and never two who hear each other (invariant I1 under `availability`).
 */
import { fenceBound, isExcluded, leaseBound, longestInterval, SLACK, silenceBound, yieldBound } from "./bounds.ts";
import { LATENCY_MAX } from "./network.ts";
import type { Scene } from "./scene.ts";
import type { Track } from "./tracks.ts";

/** Control releases for a dead keeper at once; a new daemon's keeper sweeps when it starts. */
const GUARD = 300_000;
/** A foreign hand's removal is known after the notification. */
const NEWS = 1_000;

export class Holding {
  readonly #world: Scene;
  readonly #tracks: readonly (readonly Track[])[];
  /** Since when two nodes both answer and hear each other. */
  readonly #overlaps = new Map<string, { readonly a: Track; readonly b: Track; readonly since: number }>();

  constructor(world: Scene, tracks: readonly (readonly Track[])[]) {
    this.#world = world;
    this.#tracks = tracks;
  }

  added(track: Track): void {
    if (track.lost) track.readded = true;
    if (track.config.claimGate !== null && !track.gateOpened) {
      this.#fail("gate", track, "took the address although the claim gate has not opened");
    }
  }

  checkTrack(track: Track): void {
    const host = this.#world.host(track.node);
    if (!host.powered || host.paused) return;
    const { keeper } = host;
    if (keeper?.inCall === true) return;
    const running = keeper?.alive === true && !keeper.frozen;
    const local = host.now();
    const has = host.kernel.has(track.address);
    if (track.readded) {
      track.readded = false;
      if (has) this.#fail("lease", track, "put back an address that the kernel had let go, without an election");
    }
    if (running && track.state !== null) {
      track.staleLocal = null;
      this.#checkRunning(track, has, local);
    } else if (has) this.#checkStale(track, local);
    else track.staleLocal = null;
    this.#checkControl(track, running, local);
  }

  checkOverlaps(): void {
    const first = this.#tracks[0] ?? [];
    for (let instance = 0; instance < first.length; instance++) {
      const holders = this.#holders(instance);
      if (this.#overlaps.size > 0) this.#forget(instance, holders);
      if (holders.length < 2) continue;
      for (const a of holders) for (const b of holders) if (a.node < b.node) this.#checkPair(a, b);
    }
  }

  #holders(instance: number): Track[] {
    const holders: Track[] = [];
    for (const own of this.#tracks) {
      const track = own[instance];
      if (track !== undefined && this.#world.host(track.node).answers(track.address)) holders.push(track);
    }
    return holders;
  }

  /** Pairs of which one no longer holds. */
  #forget(instance: number, holders: readonly Track[]): void {
    for (const [key, { a, b }] of this.#overlaps) {
      if (a.instance === instance && !(holders.includes(a) && holders.includes(b))) this.#overlaps.delete(key);
    }
  }

  #checkPair(a: Track, b: Track): void {
    const key = `${a.instance}:${a.node},${b.node}`;
    const world = this.#world;
    if (!world.network.connected(a.node, b.node)) {
      this.#overlaps.delete(key);
      return;
    }
    const start = this.#overlaps.get(key)?.since ?? world.now;
    this.#overlaps.set(key, { a, b, since: start });
    if (a.staleLocal === null && b.staleLocal === null) this.#checkLivePair(a, b, start);
    else if (a.staleLocal !== null && b.staleLocal === null) this.#checkStalePair(a, b);
    else if (b.staleLocal !== null && a.staleLocal === null) this.#checkStalePair(b, a);
  }

  /** Both run and hear each other: the loser goes with the winner's next advert; out of a clean sky at once. */
  #checkLivePair(a: Track, b: Track, start: number): void {
    const { disturbances, now } = this.#world;
    const clean = disturbances.pairCleanSince(a.node, b.node);
    if (clean === Number.POSITIVE_INFINITY) return;
    const configs = [a.config, b.config];
    const calm = start - clean > 10 * longestInterval(configs);
    const limit = calm ? start + 2 * LATENCY_MAX + SLACK : Math.max(start, clean) + yieldBound(configs);
    if (now > limit) {
      this.#fail("I1", a, `and node ${b.node + 1} both hold ${a.address} and hear each other for too long`);
    }
  }

  /** One was killed or frozen out of a clean sky: lease, fence or guard must have ended it before anybody may claim. */
  #checkStalePair(stale: Track, live: Track): void {
    const { disturbances } = this.#world;
    if (!stale.staleClean || !isExcluded(stale.config)) return;
    // A pause of the whole host after that stops the lease as well: every clock in there stands still.
    if (disturbances.nodeChange(stale.node) > stale.staleAt) return;
    const clean = Math.max(disturbances.linkCleanSince(stale.node, live.node), disturbances.nodeCleanSince(live.node));
    const margin = 2 * live.config.downTimerAdverts * longestInterval([stale.config, live.config]);
    if (this.#world.now - clean > margin + Math.min(leaseBound(stale.config), fenceBound(stale.config))) {
      this.#fail(
        "I1",
        live,
        `took ${live.address} while node ${stale.node + 1}, killed or frozen, still answers for it`,
      );
    }
  }

  #checkRunning(track: Track, has: boolean, local: number): void {
    if (has) {
      track.missingLocal = null;
      if (track.phase !== "MASTER" && track.phase !== "RELEASING") {
        this.#fail("holding", track, `has the address in ${track.phase}`);
      }
      this.#checkFence(track, local);
      return;
    }
    if (track.phase !== "MASTER") {
      track.missingLocal = null;
      return;
    }
    track.missingLocal ??= local;
    if (local - track.missingLocal > NEWS) this.#fail("holding", track, "is MASTER without its address");
  }

  /** While its keeper runs the fence stands; a closed one is found by the next advert, and ends the mastership. */
  #checkFence(track: Track, local: number): void {
    if (track.config.fenceSpan === null) return;
    const { fence } = this.#world.host(track.node);
    if (!fence.stands(track.address)) this.#fail("fence", track, "has the address and no fence around it");
    if (!fence.closed(track.address)) {
      track.closedLocal = null;
      return;
    }
    track.closedLocal ??= local;
    if (local - track.closedLocal > track.config.advertInterval + SLACK) {
      this.#fail("fence", track, "serves behind a fence that has closed");
    }
  }

  /** Nobody runs who could release: the lease ends it, or control as soon as it may speak. */
  #checkStale(track: Track, local: number): void {
    const host = this.#world.host(track.node);
    if (track.staleLocal === null) {
      track.staleLocal = local;
      track.staleAt = this.#world.now;
      const before = this.#world.disturbances.nodeCalmBefore(track.node);
      track.staleClean = before > 10 * track.config.downTimerAdverts * track.config.advertInterval;
    }
    if (local - track.staleLocal > fenceBound(track.config) && host.answers(track.address)) {
      this.#fail("fence", track, "still answers for the address though its keeper does not run");
    }
    const { control, keeper } = host;
    const guarded =
      control?.alive === true && this.#world.disturbances.nodeFaults(track.node).has("control frozen") === false;
    let limit = leaseBound(track.config);
    const watchedSince = Math.max(track.staleLocal, host.controlSinceLocal);
    // Control that was frozen itself counts the silence from when it runs again.
    if (guarded && keeper?.frozen === true && keeper.alive)
      limit = Math.min(limit, 2 * silenceBound(host.configs) + (watchedSince - track.staleLocal));
    const guardTime = local - Math.max(host.keeperChangeLocal, host.controlSinceLocal);
    if (guarded && keeper?.alive !== true && guardTime > GUARD) limit = 0;
    if (local - track.staleLocal > limit) {
      this.#fail(
        "stale",
        track,
        "still has the address though its keeper does not run; lease or guard should have ended it",
      );
    }
  }

  /** DESIGN 2: control silent for longer than its limit means that nothing may be served. */
  #checkControl(track: Track, running: boolean, local: number): void {
    const { control, configs } = this.#world.host(track.node);
    if (!running || (control?.alive === true && !control.frozen)) {
      track.controlBadLocal = null;
      return;
    }
    track.controlBadLocal ??= local;
    if (local - track.controlBadLocal > silenceBound(configs) && track.phase === "MASTER") {
      this.#fail("control-silence", track, "serves although control has been silent for too long");
    }
  }

  #fail(rule: string, track: Track, text: string): void {
    this.#world.fail({ rule, text: `node ${track.node + 1} ${track.config.name} ${text}` });
  }
}
