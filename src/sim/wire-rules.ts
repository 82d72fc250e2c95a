/**
 * What is said on the wire: adverts by a MASTER only and on an absolute schedule, priority 0 after the address is off,
 * a claim neither before nor after the timer, and who yields to whom (RFC 9568 section 6.4).
 */
import { compareIp } from "../core/lib/ip.ts";
import { masterDown, SLACK, skew } from "./bounds.ts";
import { nodeAddress } from "./configs.ts";
import type { Scene } from "./scene.ts";
import { speaks, type Track, type WireAdvert } from "./tracks.ts";

/** A process that runs at all is never later than this. */
const LATE = 2_000;
const EARLY = 100;

function ranOut(track: Track, local: number): boolean {
  return track.phase === "BACKUP" && local > track.latestLocal + LATE;
}

export class Wire {
  readonly #world: Scene;

  constructor(world: Scene) {
    this.#world = world;
  }

  sent(track: Track, advert: WireAdvert, guard: boolean): void {
    const host = this.#world.host(track.node);
    if (advert.priority === 0) {
      track.resigned = true;
      if (host.kernel.has(track.address)) this.#fail("resign", track, "says priority 0 while it still has the address");
      return;
    }
    if (guard) return;
    if (!speaks(track.phase)) track.sentBeforeReport = true;
    this.#checkSchedule(track, host.now());
  }

  /** Returns what to check when the keeper has dealt with the packet. */
  heard(track: Track, advert: WireAdvert): () => void {
    const before = track.phase;
    track.beatenBy = null;
    return () => {
      if (speaks(before) && advert.priority > 0) this.#checkVerdict(track, advert);
      // A better master ends a claim that is being prepared: the timer runs anew from its advert.
      else if ((before === "BACKUP" || before === "PREPARING") && track.phase === "BACKUP")
        this.#moveTimer(track, advert);
    };
  }

  becameBackup(track: Track, cause: string): void {
    const { config } = track;
    const local = this.#world.host(track.node).now();
    // A winner's interval is learned with the advert that made us BACKUP; it may be shorter than ours.
    const heard = cause === "higher-priority-advert" || cause === "equal-priority-higher-address";
    track.masterInterval = heard ? track.masterInterval : config.advertInterval;
    const short = skew(config, config.priority, track.masterInterval);
    const long = masterDown(config, config.priority, track.masterInterval);
    // A sibling waits as long as the one that fell: nobody here knows for which reason that was.
    const least = cause === "address-removed" || cause === "sibling-left" ? short : long;
    // Interrupted between decision and report: the timer runs since the decision, which nobody has seen.
    const interrupted = this.#world.disturbances.nodeCleanSince(track.node) >= this.#world.now;
    track.earliestLocal = interrupted ? Number.NEGATIVE_INFINITY : local + least;
    track.latestLocal = local + (cause === "address-removed" ? short : long);
  }

  claimed(track: Track): void {
    const local = this.#world.host(track.node).now();
    if (local < track.earliestLocal - EARLY) {
      const early = ((track.earliestLocal - local) / 1_000).toFixed(1);
      this.#fail("timer", track, `claims ${early} ms before its timer may run out`);
    }
    track.latestLocal = Number.POSITIVE_INFINITY;
  }

  /** own: the tracks that claim together with this one, itself included. */
  checkTrack(track: Track, own: readonly Track[]): void {
    const host = this.#world.host(track.node);
    if (!host.serving) return;
    if (track.sentBeforeReport) {
      track.sentBeforeReport = false;
      if (!speaks(track.phase)) this.#fail("advert", track, `sent an advert in ${track.phase}`);
    }
    const local = host.now();
    const clean = this.#world.now - this.#world.disturbances.nodeCleanSince(track.node);
    const { advertInterval } = track.config;
    if (clean < 10 * advertInterval) return;
    if (speaks(track.phase) && track.advertLocal !== null && local - track.advertLocal > advertInterval + LATE) {
      this.#fail("advert", track, "has missed an advert");
    }
    // Members of a sync group wait for the last of them.
    if (own.every((other) => speaks(other.phase) || ranOut(other, local)) && ranOut(track, local)) {
      this.#fail("timer", track, "has not claimed although its timer has run out");
    }
  }

  #checkSchedule(track: Track, local: number): void {
    const interval = track.config.advertInterval;
    const gap = track.advertLocal === null ? 0 : local - track.advertLocal;
    track.advertLocal = local;
    const clean = this.#world.now - this.#world.disturbances.nodeCleanSince(track.node);
    if (gap < interval - LATE || clean < interval) {
      track.anchorLocal = local;
      track.anchorCount = 0;
      return;
    }
    track.anchorCount++;
    const late = local - (track.anchorLocal + track.anchorCount * interval);
    if (late > LATE)
      this.#fail(
        "advert",
        track,
        `is ${(late / 1_000).toFixed(1)} ms behind its schedule after ${track.anchorCount} adverts`,
      );
  }

  /** RFC 9568 section 6.4.3 (725): a higher priority wins, then the higher address. */
  #checkVerdict(track: Track, advert: WireAdvert): void {
    const { priority } = track.config;
    const wins =
      advert.priority > priority ||
      (advert.priority === priority && compareIp(advert.source, nodeAddress(track.node)) > 0);
    const { version } = track.config;
    if (version === 3) track.masterInterval = advert.interval;
    if (wins && !speaks(track.phase)) this.#moveTimer(track, advert);
    if (wins && speaks(track.phase)) {
      this.#fail(
        "election",
        track,
        `stays ${track.phase} though ${advert.source} with priority ${advert.priority} wins`,
      );
    }
    if (!wins && track.beatenBy === advert.source) {
      this.#fail("election", track, `yields to ${advert.source} with priority ${advert.priority}, which does not win`);
    }
  }

  #moveTimer(track: Track, advert: WireAdvert): void {
    const { config } = track;
    const local = this.#world.host(track.node).now();
    if (advert.priority === 0) {
      const until = local + skew(config, config.priority, track.masterInterval);
      track.earliestLocal = Math.min(track.earliestLocal, until);
      if (advert.source === track.masterSource) track.latestLocal = Math.max(track.latestLocal, until);
      return;
    }
    const obeyed = !config.preempt || advert.priority >= config.priority;
    if (!obeyed) return;
    track.masterSource = advert.source;
    track.masterInterval = config.version === 3 ? advert.interval : config.advertInterval;
    track.earliestLocal = local + masterDown(config, config.priority, track.masterInterval);
    track.latestLocal = track.earliestLocal + SLACK;
  }

  #fail(rule: string, track: Track, text: string): void {
    this.#world.fail({ rule, text: `node ${track.node + 1} ${track.config.name} ${text}` });
  }
}
