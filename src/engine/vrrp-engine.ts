/**
 * Runs every virtual router of one keeper: feeds the pure core (core/vrrp) with packets, links, trackers and time, and
 * carries out its effects in the order effects.ts promises, those due in one wake-up in one netlink write and one sendmmsg.
 *
 * It owns no descriptor and no clock, waits for nothing and decides nothing: elections are core/vrrp's, waiting is
 * main/keeper.ts's. The simulator runs this same file.
 */
import type { IpAddress } from "../core/lib/ip.ts";
import { after, type Instant, millis } from "../core/lib/units.ts";
import type { Standings, ToKeeper } from "../core/link/messages.ts";
import { LINK_VERSION } from "../core/link/messages.ts";
import type { RouteRecord } from "../core/netlink/routes.ts";
import type { RuleRecord } from "../core/netlink/rules.ts";
import type { HostConfig } from "../core/routing/host.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { emptyCounters } from "../core/vrrp/status.ts";
import type { Link, ReceivedPacket } from "../ports/network.ts";
import type { VrrpEngine } from "./engine-interface.ts";
import type { EnginePorts } from "./engine-ports.ts";
import { type Interest, interestOf } from "./interest.ts";
import { PacketDesk } from "./packet-desk.ts";
import { RateLimit } from "./rate-limit.ts";
import { ConflictDesk, tellConflict } from "./vrrp-conflicts.ts";
import { EffectRunner } from "./vrrp-effects.ts";
import { assessFitness, emptyStandings, refreshNetwork, type TrackerStandings, takeStandings } from "./vrrp-fitness.ts";
import { carryOut } from "./vrrp-orders.ts";
import { isGone, matchInstances, readyToBegin } from "./vrrp-roster.ts";
import { channelOf, createRuntime, firstDue, type Runtime, renewKeys, setState, statusAnswer } from "./vrrp-runtime.ts";

export type { VrrpEngine } from "./engine-interface.ts";
export type { EnginePorts } from "./engine-ports.ts";

/** Rounds of immediately due deadlines in one wake-up; more means the core does not advance. */
const ROUNDS_MAX = 8;

export function createVrrpEngine(ports: EnginePorts): VrrpEngine {
  return new Engine(ports);
}

class Engine implements VrrpEngine {
  readonly #ports: EnginePorts;
  readonly #effects: EffectRunner;
  readonly #conflicts: ConflictDesk;
  readonly #standings: TrackerStandings = emptyStandings();
  #runtimes: Runtime[] = [];
  readonly #desk: PacketDesk;
  /** Whose deadline comes first, as last looked for. */
  #next: Runtime | null = null;
  /** The next free slot; two an instance: the ordinary advert and the one of priority 0. */
  #slots = 0;
  #silent = false;
  #stopping = false;
  #saidStopped = false;
  #interest: Interest | null = null;
  #interestIn: readonly Link[] | null = null;
  readonly #rate = new RateLimit({ most: REREADS_AT_ONCE, within: REREAD_PAUSE });
  /** When the kernel is to be read again, after too many changes at once. */
  #rereadAt: Instant | null = null;

  constructor(ports: EnginePorts) {
    this.#ports = ports;
    this.#effects = new EffectRunner(ports, () => this.#runtimes);
    this.#desk = new PacketDesk(this.#effects);
    this.#conflicts = new ConflictDesk(ports.conflicts);
  }

  get finished(): boolean {
    return this.#stopping && this.#runtimes.length === 0 && !this.#effects.virtual.busy;
  }

  handleControl(message: ToKeeper): void {
    switch (message.type) {
      case "hello":
        this.#ports.send({ type: "hello", version: LINK_VERSION, pid: this.#ports.pid });
        return;
      case "heartbeat":
      case "settings":
      case "pause":
        return;
      case "configure":
        this.#configure(message.serial, message.instances, message.host);
        break;
      case "standings":
        this.#standing(message.standings, message.succeeded);
        break;
      case "gate":
        this.#gate(message);
        break;
      case "hand-over":
      case "permit":
      case "retry-claim":
        carryOut(message, this.#runtimes, (runtime, event) => this.#effects.dispatch(runtime, event));
        break;
      case "status":
        this.#ports.send(statusAnswer(message.id, this.#runtimes, this.#ports.clock.now()));
        if (message.clear) for (const { counters } of this.#runtimes) Object.assign(counters, emptyCounters());
        return;
      case "log-level":
        this.#effects.debugging = message.level === "debug";
        return;
      case "stop":
        this.#stop(false);
        break;
    }
    this.#settle();
  }

  handlePacket(packet: ReceivedPacket): void {
    this.#desk.receive(packet);
    // No deadline of a BACKUP before every advert that came with this one has been read: wake() runs them.
    if (!this.#effects.pending) return;
    this.#effects.flush();
    this.#conflicts.follow(this.#runtimes, this.#effects.addresses);
  }

  handleKernelChange(): void {
    const now = this.#ports.clock.now();
    if (this.#rate.allows(now)) this.#readKernel();
    else this.#rereadAt ??= after(now, REREAD_PAUSE);
  }

  #readKernel(): void {
    this.#rereadAt = null;
    const addresses = refreshNetwork(this.#ports, this.#runtimes, this.#effects);
    this.#desk.follow(this.#runtimes, this.#ports.clock.now());
    // First the faults: an interface that went takes its addresses along, and that is FAULT, not a lost address.
    this.#assessAll();
    this.#effects.addresses.reconcile(addresses);
    this.#effects.pending = true;
    this.#effects.flush();
    this.#settle();
  }

  concerns(interfaceIndex: number, name: string | null, address: string | null): boolean {
    const { addresses, host } = this.#effects;
    if (this.#interestIn !== addresses.links || this.#interest === null) {
      this.#interestIn = addresses.links;
      this.#interest = interestOf(this.#runtimes, addresses.links, host.devices);
    }
    return this.#interest.concerns(interfaceIndex, name, address);
  }

  handleRoutingLost(record: RouteRecord | RuleRecord): void {
    this.#effects.host.statics.routingLost(record);
    this.#effects.routing.lost(record);
    this.#assessAll();
    this.#settle();
  }

  handleRoutingOverrun(): void {
    this.#effects.host.statics.verify(null);
    this.#effects.routing.verify();
    this.#assessAll();
    this.#settle();
  }

  handleAddressRemoved(interfaceIndex: number, address: string): void {
    const restored = this.#effects.host.statics.addressLost(interfaceIndex, address);
    const ours = this.#runtimes.some(({ held }) => held.some((entry) => entry.address === address));
    if (!restored && !ours) return;
    // The kernel tells of an interface's addresses before it tells that the interface is gone.
    refreshNetwork(this.#ports, this.#runtimes, this.#effects);
    this.#assessAll();
    for (const runtime of this.#runtimes) {
      const held = runtime.held.find((entry) => entry.address === address);
      if (held === undefined || this.#effects.addresses.deviceIndex(runtime, held) !== interfaceIndex) continue;
      if (!this.#effects.addresses.deletedByHand(runtime, held)) continue;
      // `held` stays whole: removing one can take secondaries along, and a renewal under way may have put this one back. The core
      // removes all of them, and one that is not there costs nothing.
      this.#effects.dispatch(runtime, { kind: "address-removed", address: held.address });
    }
    this.#settle();
  }

  handleConflict(interfaceIndex: number, address: IpAddress, mac: string): void {
    tellConflict({ interfaceIndex, address, mac }, this.#runtimes, this.#effects.addresses, this.#effects);
    if (this.#effects.pending) this.#settle();
  }

  handleFirewallTouched(what: "rules" | "fence"): void {
    this.#effects[what === "fence" ? "fences" : "virtual"].touched();
    this.wake();
  }

  controlSilent(silentMillis: number): void {
    if (this.#silent) return;
    this.#silent = true;
    this.#effects.event({ kind: "control-silent", silentMillis });
    this.#assessAll();
    this.#settle();
  }

  controlBack(): void {
    if (!this.#silent) return;
    this.#silent = false;
    this.#effects.event({ kind: "control-back" });
    this.#assessAll();
    this.#settle();
  }

  abandon(): void {
    this.#stop(true);
    this.#settle();
    // Nothing else is due any more.
    while (this.#effects.virtual.busy) this.#effects.virtual.work();
    this.#settle();
  }

  wake(): void {
    this.#effects.retry();
    const now = this.#ports.clock.now();
    if (this.#rereadAt !== null && now >= this.#rereadAt) this.#readKernel();
    this.#effects.announcements.run();
    const { nextDeadline } = this.#effects.host;
    if (nextDeadline !== null && now >= nextDeadline) this.#recount();
    this.#desk.tick(now);
    this.#settle();
    // After what was due, and no more than the next can wait.
    if (this.#effects.virtual.busy && this.#effects.virtual.work()) this.#readKernel();
  }

  sendDue(): void {
    const now = this.#ports.clock.now();
    for (const runtime of this.#runtimes) {
      if (runtime.deadline <= now && runtime.state.role.kind === "master") this.#effects.dispatch(runtime, DEADLINE);
    }
    if (this.#effects.pending) this.#effects.flush();
  }

  overslept(now: Instant): boolean {
    return this.#runtimes.some(({ deadline, state }) => state.role.kind === "backup" && now - deadline > OVERSLEPT);
  }

  /** A link has kept its new state for long enough. */
  #recount(): void {
    this.#effects.countedLinks = this.#effects.host.countedLinks(this.#effects.addresses.links);
    this.#assessAll();
  }

  nextDeadline(): Instant | null {
    const never = Number.POSITIVE_INFINITY;
    const first = Math.min(this.#rereadAt ?? never, this.#effects.deadline, this.#desk.nextDeadline ?? never);
    this.#next = firstDue(this.#runtimes, first);
    const at = this.#next?.deadline ?? first;
    return at === never ? null : (at as Instant);
  }

  longestInterval(): number {
    return this.#runtimes.reduce((longest, runtime) => Math.max(longest, runtime.config.advertInterval), 0);
  }

  claimIsNext(): boolean {
    return this.#next?.state.role.kind === "backup";
  }

  /** Runs due deadlines and flushes until nothing is due; each round gives every instance at most one step. */
  #settle(): void {
    this.#effects.flush();
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const now = this.#ports.clock.now();
      let due = false;
      for (const runtime of this.#runtimes) {
        if (runtime.deadline > now) continue;
        due = true;
        this.#effects.dispatch(runtime, DEADLINE);
      }
      if (!due) break;
      this.#effects.flush();
    }
    this.#bury();
    this.#conflicts.follow(this.#runtimes, this.#effects.addresses);
    this.#effects.followHeld(this.#runtimes);
    if (this.finished && !this.#saidStopped) this.#finish();
  }

  /** Stopped instances leave, and their interfaces with them. */
  #bury(): void {
    if (!this.#runtimes.some(isGone)) return;
    const stopped = this.#runtimes.filter(isGone);
    this.#runtimes = this.#runtimes.filter((runtime) => !stopped.includes(runtime));
    this.#desk.follow(this.#runtimes, this.#ports.clock.now());
    for (const runtime of stopped) {
      this.#ports.adverts.forget(runtime.slot);
      this.#ports.adverts.forget(runtime.slot + 1);
      this.#closeUnused(runtime);
    }
    if (this.#effects.virtual.leave(stopped, this.#runtimes, this.#effects.addresses)) this.#effects.flush();
    if (this.finished || !this.#begin()) return;
    this.#assessAll();
    this.#effects.flush();
  }

  /** Static objects go last: they may be what the farewell travels by. */
  #finish(): void {
    this.#saidStopped = true;
    this.#effects.host.stop();
    this.#effects.flush();
    this.#ports.send({ type: "stopped" });
  }

  #closeUnused(runtime: Runtime): void {
    const index = runtime.hearLink?.index;
    const channel = channelOf(runtime.config);
    if (index === undefined) return;
    if (this.#runtimes.some((other) => other.hearLink?.index === index && channelOf(other.config) === channel)) return;
    this.#ports.adverts.close(index, channel);
  }

  #configure(serial: number, configs: readonly VrrpInstanceConfig[], host: HostConfig): void {
    this.#effects.announcements.configure(host.spacing);
    const { kept, gone, added } = matchInstances(this.#runtimes, configs);
    for (const runtime of gone) this.#retire(runtime, false);
    for (const [runtime, config] of kept) this.#effects.reconfigure(runtime, config);
    for (const config of added) {
      const runtime = createRuntime(config, this.#slots, this.#ports.clock.now());
      this.#slots += 2;
      renewKeys(runtime, this.#ports.keys);
      this.#runtimes.push(runtime);
    }
    this.#interest = null;
    if (this.#effects.addresses.links.length === 0) this.#effects.addresses.links = this.#ports.kernel.links();
    this.#effects.host.configure(host, this.#runtimes);
    this.#refresh();
    this.#effects.host.promote(this.#runtimes);
    this.#begin();
    this.#assessAll();
    this.#effects.groups.forgetUnused();
    this.#ports.send({ type: "configured", serial, error: null });
  }

  #refresh(): void {
    const addresses = refreshNetwork(this.#ports, this.#runtimes, this.#effects);
    this.#desk.follow(this.#runtimes, this.#ports.clock.now());
    this.#effects.addresses.reconcile(addresses);
    this.#effects.pending = true;
    this.#effects.flush();
    this.#effects.fences.sweep();
  }

  /** Those that wait for nobody: what a namesake still holds is not swept, and its gate not overtaken. */
  #begin(): boolean {
    const ready = readyToBegin(this.#runtimes);
    for (const runtime of ready) {
      runtime.begun = true;
      this.#effects.routing.sweep(runtime);
      this.#effects.dispatch(runtime, { kind: "start" });
    }
    return ready.length > 0;
  }

  #standing(standings: Standings, succeeded: readonly string[]): void {
    takeStandings(this.#standings, standings);
    this.#assessAll();
    for (const runtime of this.#runtimes) {
      if (runtime.config.trackScripts.some((tracked) => succeeded.includes(tracked.key))) {
        this.#effects.dispatch(runtime, { kind: "check-succeeded" });
      }
    }
  }

  #gate(message: Extract<ToKeeper, { type: "gate" }>): void {
    // By number, which no two of them share: a name may be that of two instances, and may change while the gate runs.
    const runtime = this.#runtimes.find(({ state }) => state.gateSerial === message.gate);
    if (runtime === undefined) return;
    this.#effects.dispatch(
      runtime,
      message.opened
        ? { kind: "gate-opened", gate: message.gate }
        : { kind: "gate-refused", gate: message.gate, reason: message.reason },
    );
  }

  #stop(skipGates: boolean): void {
    this.#stopping = true;
    for (const runtime of this.#runtimes) this.#retire(runtime, skipGates);
  }

  #retire(runtime: Runtime, skipGates: boolean): void {
    runtime.retired = true;
    // Its siblings go on without it, unless all stop together.
    if (!this.#stopping) runtime.config = { ...runtime.config, syncGroup: null };
    if (runtime.begun) this.#effects.dispatch(runtime, { kind: "stop", skipGates });
    // Nobody was told of it, so nobody is told of its end.
    else setState(runtime, { ...runtime.state, role: { kind: "stopped" } });
  }

  #assessAll(): void {
    for (const runtime of this.#runtimes) {
      if (runtime.begun && !runtime.retired) assessFitness(runtime, this.#standings, this.#silent, this.#effects);
    }
  }
}

/** A process that runs is not this late, whatever the load. */
const OVERSLEPT = millis(20);
/** In a storm of changes the kernel is read this often at once, then once in REREAD_PAUSE: no advert waits for it. */
const REREADS_AT_ONCE = 8;
const REREAD_PAUSE = millis(50);

const DEADLINE = { kind: "deadline" } as const;
