/**
 * What must hold, checked after every event. This file listens and keeps the records; the rules stand in
 * holding-rules.ts (who has the address), wire-rules.ts (what is said on the wire and when) and convergence-rules.ts (where
 * everything ends up). The first violation ends the run.
 */
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import type { IpAddress } from "../core/lib/ip.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import type { VrrpReport } from "../core/vrrp/reports.ts";
import type { VrrpPhaseName } from "../core/vrrp/state.ts";
import { GROUP } from "./configs.ts";
import { Convergence } from "./convergence-rules.ts";
import type { RemovalReason } from "./fake-kernel.ts";
import { Groups } from "./group-rules.ts";
import { Holding } from "./holding-rules.ts";
import type { Observer } from "./observer.ts";
import type { Scene } from "./scene.ts";
import { createTrack, forgetKeeper, readAdvert, speaks, type Track } from "./tracks.ts";
import { Wire } from "./wire-rules.ts";

/** Causes by which a MASTER goes without saying priority 0: another has won. */
const BEATEN = new Set(["higher-priority-advert", "equal-priority-higher-address"]);

const TOLD_MAX = 100;

export class Invariants implements Observer {
  readonly #world: Scene;
  /** By node, then by instance. */
  readonly tracks: readonly (readonly Track[])[];
  readonly #wire: Wire;
  readonly #holding: Holding;
  readonly #convergence: Convergence;
  readonly #groups: Groups;
  /** What notify was told, oldest first; the last of it. */
  readonly told: { readonly node: number; readonly instance: string; readonly state: string }[] = [];
  takeovers = 0;

  constructor(world: Scene, configs: readonly (readonly VrrpInstanceConfig[])[]) {
    this.#world = world;
    this.tracks = configs.map((own, node) => own.map((config, instance) => createTrack(node, instance, config)));
    this.#wire = new Wire(world);
    this.#holding = new Holding(world, this.tracks);
    this.#convergence = new Convergence(world, this.tracks);
    this.#groups = new Groups(world, this.tracks);
  }

  get settleTime(): number {
    return this.#convergence.settleTime;
  }

  /** How often everything was looked at in a settled world. */
  get settledChecks(): number {
    return this.#convergence.checks;
  }

  check(): void {
    for (const own of this.tracks) {
      for (const track of own) {
        this.#holding.checkTrack(track);
        this.#wire.checkTrack(track, track.config.syncGroup === null ? [track] : own);
      }
    }
    this.#holding.checkOverlaps();
    this.#convergence.check();
    this.#groups.check();
  }

  keeperStarted(node: number): void {
    this.#trace(node, "keeper", "keeper starts");
    this.#groups.keeperStarted(node);
    this.#world.disturbances.touch(node);
    for (const track of this.#own(node)) forgetKeeper(track, this.#world.now);
  }

  keeperGone(node: number): void {
    this.#trace(node, "keeper", "keeper is gone");
    this.#world.disturbances.touch(node);
    for (const track of this.#own(node)) forgetKeeper(track, this.#world.now);
  }

  daemonGone(node: number): void {
    this.#groups.daemonGone(node);
    for (const track of this.#own(node)) {
      track.hookRunning = null;
      track.hooksDue = [];
    }
  }

  keeperEvent(node: number, body: HoldfastEventBody): void {
    this.#trace(node, "event", body);
    if (body.kind === "sync-group") this.#groups.entered(node, body.from, body.to);
    if (body.kind !== "vrrp") return;
    const track = this.#named(node, body.instance);
    const { report } = body;
    if (report.kind === "state") this.#enteredState(track, report);
    else if (report.kind === "phase") this.#enteredPhase(track, report);
  }

  advertSent(node: number, packet: Uint8Array, guard: boolean): void {
    const advert = readAdvert(packet);
    const track = this.#own(node).find((entry) => entry.config.virtualRouterId === advert.virtualRouterId);
    if (track === undefined) return;
    this.#trace(node, "advert", `${track.config.name} priority ${advert.priority}${guard ? " (by control)" : ""}`);
    this.#wire.sent(track, advert, guard);
  }

  advertHeard(node: number, packet: Uint8Array): () => void {
    const advert = readAdvert(packet);
    const track = this.#own(node).find((entry) => entry.config.virtualRouterId === advert.virtualRouterId);
    if (track === undefined) return () => undefined;
    this.#trace(node, "heard", `${track.config.name} priority ${advert.priority} from ${advert.source}`);
    if (advert.priority > track.config.priority) track.higherHeardAt = this.#world.now;
    return this.#wire.heard(track, advert);
  }

  addressAdded(node: number, address: IpAddress, action: "add" | "renew"): void {
    this.#trace(node, "kernel", `address ${address} is there (${action})`);
    const track = this.#own(node).find((entry) => entry.address === address);
    if (track !== undefined) this.#holding.added(track);
  }

  addressRemoved(node: number, address: IpAddress, reason: RemovalReason): void {
    this.#trace(node, "kernel", `address ${address} is gone (${reason})`);
    const track = this.#own(node).find((entry) => entry.address === address);
    if (track !== undefined && reason === "expired") track.lost = true;
  }

  gate(node: number, instance: string, what: "asked" | "opened" | "refused", gate: number): void {
    this.#trace(node, "gate", `${instance} gate ${gate} ${what}`);
    const track = this.#named(node, instance);
    if (what === "asked") {
      track.gateSerial = gate;
      track.gateOpened = false;
    } else if (what === "opened" && gate === track.gateSerial) track.gateOpened = true;
  }

  hook(node: number, instance: string, what: "started" | "ended", words: readonly string[]): void {
    const [hook = "", , , state = ""] = words;
    this.#trace(node, "hook", `${instance} ${words.join(" ")} ${what}`);
    if (words[1] === "GROUP" || instance === GROUP) {
      if (what === "started" && hook === "notify") {
        this.told.push({ node, instance, state });
        this.#groups.told(node, state);
      }
      return;
    }
    const track = this.#named(node, instance);
    if (what === "ended") {
      track.hookRunning = null;
      return;
    }
    if (track.hookRunning !== null) {
      this.#fail("I5", `node ${node + 1} ${instance}: ${hook} starts while ${track.hookRunning} still runs`);
    }
    track.hookRunning = hook;
    if (hook !== "notify") return;
    const due = track.hooksDue.shift();
    this.told.push({ node, instance, state });
    if (this.told.length > TOLD_MAX) this.told.shift();
    if (due !== state) {
      this.#fail(
        "I5",
        `node ${node + 1} ${instance}: notify says ${state}, the next state to tell is ${due ?? "none"}`,
      );
    }
  }

  #enteredState(track: Track, report: Extract<VrrpReport, { kind: "state" }>): void {
    const { from, to, cause } = report;
    const who = `node ${track.node + 1} ${track.config.name}`;
    if (track.state !== null && track.state !== from)
      this.#fail("reports", `${who}: left ${from}, but was in ${track.state}`);
    if (from === "FAULT" && to === "MASTER")
      this.#fail("fault-to-master", `${who}: from FAULT to MASTER without BACKUP`);
    this.#convergence.stateChanged(track, `${from} -> ${to} (${cause.code})`);
    if (speaks(track.phase) && to !== "MASTER") this.#leftMaster(track, cause.code);
    if (cause.code === "higher-priority-advert" || cause.code === "equal-priority-higher-address")
      track.beatenBy = cause.from;
    const phaseBefore = track.phase;
    track.state = to;
    track.hooksDue.push(to);
    this.#setPhase(track, to);
    if (to === "MASTER") {
      this.takeovers++;
      if (phaseBefore === "BACKUP") this.#wire.claimed(track);
    } else {
      track.lost = false;
      track.gateOpened = false;
    }
    if (to === "BACKUP") this.#wire.becameBackup(track, cause.code);
  }

  #enteredPhase(track: Track, report: Extract<VrrpReport, { kind: "phase" }>): void {
    const { from, to, cause } = report;
    const who = `node ${track.node + 1} ${track.config.name}`;
    if (track.phase !== null && track.phase !== from)
      this.#fail("reports", `${who}: left ${from}, but was in ${track.phase}`);
    this.#convergence.stateChanged(track, `${from} -> ${to} (${cause.code})`);
    if (speaks(track.phase) && !speaks(to)) this.#leftMaster(track, cause.code);
    this.#setPhase(track, to);
    if (from === "BACKUP" && speaks(to)) this.#wire.claimed(track);
    if (to === "BACKUP" && from === "CLAIMING") this.#wire.becameBackup(track, cause.code);
  }

  /** RFC 9568 section 6.4.3: who gives up by himself says priority 0, and the address is gone before that. */
  #leftMaster(track: Track, cause: string): void {
    const host = this.#world.host(track.node);
    const who = `node ${track.node + 1} ${track.config.name}`;
    // Beaten while it was releasing, for whatever reason.
    const beaten = BEATEN.has(cause) || (track.phase === "RELEASING" && track.higherHeardAt === this.#world.now);
    if (!beaten && !track.resigned && host.kernel.usable && host.keeper?.alive === true) {
      this.#fail("resign", `${who}: gave up (${cause}) without an advert of priority 0`);
    }
  }

  #setPhase(track: Track, phase: VrrpPhaseName): void {
    if (!speaks(track.phase) && speaks(phase)) track.resigned = false;
    if (speaks(track.phase) !== speaks(phase) && !speaks(phase)) track.advertLocal = null;
    if (speaks(phase)) track.sentBeforeReport = false;
    track.phase = phase;
    track.phaseAt = this.#world.now;
  }

  #own(node: number): readonly Track[] {
    return this.tracks[node] ?? [];
  }

  #named(node: number, name: string): Track {
    const track = this.#own(node).find((entry) => entry.config.name === name);
    if (track === undefined) throw new Error(`node ${node + 1} has no instance ${name}`);
    return track;
  }

  #trace(node: number, kind: string, detail: string | HoldfastEventBody): void {
    this.#world.trace.add(this.#world.now, `node ${node + 1}`, kind, detail);
  }

  #fail(rule: string, text: string): void {
    this.#world.fail({ rule, text });
  }
}
