/**
 * One daemon's connection to the store: questions that are slow, lost, refused, or carried out long after the daemon has given them up. It knows what the
 * store last told this daemon, so that faults can be told from what nobody could notice.
 */
import { err, ok, type Result } from "../../core/lib/result.ts";
import type { StoreFailure } from "../../core/quorum/failure.ts";
import type { Reading } from "../../core/quorum/ownership.ts";
import type { QuorumStore, Swap, Swapped } from "../../ports/quorum-store.ts";
import type { HostLine } from "../pair/equipment.ts";
import type { Prng } from "../prng.ts";
import type { World } from "../world.ts";
import type { StoreModel } from "./store.ts";
import type { StoreWeather } from "./weather.ts";

export interface StoreSite {
  readonly world: World;
  readonly store: StoreModel;
  readonly weather: StoreWeather;
  readonly prng: Prng;
}

const NEAR_MIN = 150;
const NEAR_MAX = 3_000;
/** A change is in the journals of a majority. */
const DISK = 2_000;
/** The oldest state that a member which lags behind answers with, in changes. */
const STALE_MOST = 3;
/** How long after it was given up a question may still arrive: retransmitted behind a cut, or in the queue of a member. */
const LATE_MOST = 12_000_000;
const RETRY = 400_000;

type Answer<T> = Result<T, StoreFailure>;

export class StoreLine implements QuorumStore {
  readonly #site: StoreSite;
  readonly #line: HostLine;
  readonly #timeout: number;
  /** The last answer, and when it was here by the host's clock; null: none yet. */
  heard: { readonly reading: Reading; readonly at: number } | null = null;

  constructor(site: StoreSite, line: HostLine, timeout: number) {
    this.#site = site;
    this.#line = line;
    this.#timeout = timeout;
  }

  get endpoint(): string | null {
    return this.heard === null ? null : "store";
  }

  get node(): number {
    return this.#line.node;
  }

  get alive(): boolean {
    return !this.#line.dead();
  }

  close(): void {
    // Nothing is kept open.
  }

  read(): Promise<Answer<Reading>> {
    const { store, weather, prng } = this.#site;
    return this.#ask(
      () => store.asOf(prng.chance(weather.stale) ? prng.integer(1, STALE_MOST) : 0),
      (reading) => reading,
    );
  }

  swap({ expected, value }: Swap): Promise<Answer<Swapped>> {
    return this.#ask(
      () => this.#site.store.swap(expected, value),
      (swapped) => (swapped.done ? { revision: swapped.revision, value } : swapped.now),
    );
  }

  #ask<T>(carryOut: () => T, shows: (answer: T) => Reading): Promise<Answer<T>> {
    return new Promise((resolve) => {
      let open = true;
      const end = (answer: Answer<T>): void => {
        if (open) resolve(answer);
        open = false;
      };
      this.#line.later(this.#timeout, () => end(err({ kind: "timeout", detail: "nothing came back" })));
      this.#there(() => {
        const answer = this.#site.weather.leader === "refuses" ? null : carryOut();
        this.#back(() => {
          if (!open) return;
          if (answer !== null) this.heard = { reading: shows(answer), at: this.#site.world.host(this.node).now() };
          end(answer === null ? err({ kind: "unable", detail: "no leader" }) : ok(answer));
        });
      });
    });
  }

  /** What does not get there is lost, or sent again by a kernel that does not know that nobody waits any more. */
  #there(arrive: () => void): void {
    const { world, weather, prng } = this.#site;
    const late = prng.chance(weather.late);
    const stubborn = prng.chance(0.5);
    const begun = world.now;
    const attempt = (): void => {
      if (this.#reaches && weather.leader !== "silent") arrive();
      else if (stubborn && world.now - begun < LATE_MOST) world.after(RETRY * prng.between(0.5, 2), attempt);
    };
    world.after(this.#way() + DISK + (late ? prng.logBetween(RETRY, LATE_MOST) : 0), attempt);
  }

  #back(arrive: () => void): void {
    const { world, weather, prng } = this.#site;
    if (prng.chance(weather.lostAnswers)) return;
    world.after(this.#way(), () => {
      if (this.#reaches) this.#line.act(arrive);
    });
  }

  #way(): number {
    const { weather, prng } = this.#site;
    return prng.between(NEAR_MIN, NEAR_MAX) + (weather.delay > 0 ? prng.next() ** 2 * weather.delay : 0);
  }

  get #reaches(): boolean {
    const { world, weather } = this.#site;
    const host = world.host(this.node);
    const runs = host.powered && !host.paused && host.kernel.usable;
    return runs && !weather.isCut(this.node) && world.network.connected(this.node, world.gatewayEndpoint);
  }
}
