/**
 * One host: clock, kernel, and the two processes when they run. It carries out faults on itself and keeps the book of
 * what is wrong with it; which fault comes when is decided elsewhere.
 */
import type { IpAddress } from "../core/lib/ip.ts";
import { ok } from "../core/lib/result.ts";
import type { Instant } from "../core/lib/units.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import type { GuardOrder, GuardPort } from "../ports/guard.ts";
import type { AdvertPort, AnnouncePort, KernelError, PreparedAdvert } from "../ports/network.ts";
import { nodeAddress } from "./configs.ts";
import { ControlModel, type DatabaseEquipment, type KeeperLine } from "./control-model.ts";
import type { Disturbances } from "./disturbance.ts";
import { EventQueue } from "./event-queue.ts";
import { FakeFence } from "./fake-fence.ts";
import { FakeKernel } from "./fake-kernel.ts";
import type { GateMood } from "./hook-model.ts";
import { HostClock } from "./host-clock.ts";
import { KeeperModel } from "./keeper-model.ts";
import type { Observer } from "./observer.ts";
import type { Prng } from "./prng.ts";

export interface HostParts {
  readonly node: number;
  readonly configs: readonly VrrpInstanceConfig[];
  readonly prng: Prng;
  readonly observer: Observer;
  readonly disturbances: Disturbances;
  readonly trueNow: () => number;
  readonly transmit: (node: number, packet: Uint8Array, destination: IpAddress) => void;
  readonly broadcast: (node: number, addresses: readonly IpAddress[], repeat: number) => void;
  readonly letWorldRun: (micros: number) => void;
  readonly databases: DatabaseEquipment | null;
}

const NO_LINK: KernelError = { errno: "ENETDOWN", what: "send advert" };

export class Host {
  readonly node: number;
  readonly queue = new EventQueue();
  readonly kernel: FakeKernel;
  readonly fence: FakeFence;
  readonly configs: readonly VrrpInstanceConfig[];
  readonly #parts: HostParts;
  readonly #clock: HostClock;
  #control: ControlModel | null = null;
  /** The keeper that runs; also one whose control is dead. */
  #keeper: KeeperModel | null = null;
  #powered = true;
  #paused = false;
  #heldPackets: Uint8Array[] = [];
  #pid = 1_000;
  /** Since when control has been able to act, by the host's clock. */
  controlSinceLocal = 0;
  /** When the keeper last started or ended. */
  keeperChangeLocal = 0;
  checkPasses = true;
  gateMood: GateMood = "open";
  /** Something that no process of ours decides keeps it from serving, or may. */
  doubtful: () => boolean = () => false;

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.node = parts.node;
    this.configs = parts.configs;
    this.#clock = new HostClock(parts.prng.between(1e6, 1e12), parts.prng.between(-200, 200));
    this.fence = new FakeFence(() => this.now(), parts.prng.fork("fence"));
    this.kernel = new FakeKernel({
      node: parts.node,
      own: nodeAddress(parts.node),
      queue: this.queue,
      now: () => this.now(),
      prng: parts.prng.fork("kernel"),
      listener: {
        linkChanged: () => this.#later(() => this.#keeper?.linkNews()),
        addressAdded: (address, action) => parts.observer.addressAdded(parts.node, address, action),
        addressRemoved: (address, reason) => {
          parts.observer.addressRemoved(parts.node, address, reason);
          if (reason !== "asked") this.#later(() => this.#keeper?.addressRemoved(address));
        },
      },
    });
  }

  get keeper(): KeeperModel | null {
    return this.#keeper;
  }

  get control(): ControlModel | null {
    return this.#control;
  }

  get powered(): boolean {
    return this.#powered;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Both processes are there and running. */
  get serving(): boolean {
    return (
      this.#powered &&
      !this.#paused &&
      this.#control?.alive === true &&
      !this.#control.frozen &&
      this.#keeper?.alive === true &&
      !this.#keeper.frozen &&
      !this.#keeper.inCall
    );
  }

  now(): Instant {
    return this.#clock.local(this.#parts.trueNow());
  }

  /** True time of whatever happens next on this host by itself. */
  nextEvent(): number {
    if (!this.#powered || this.#paused) return Number.POSITIVE_INFINITY;
    return this.#clock.trueTime(this.#nextLocal());
  }

  runNext(): void {
    const wake = this.#keeper?.nextWake() ?? Number.POSITIVE_INFINITY;
    if (wake < this.queue.nextAt()) this.#keeper?.pass();
    else this.queue.take()?.();
  }

  /** Whether somebody who asks for this address gets an answer from here. */
  answers(address: IpAddress): boolean {
    const runs = this.#powered && !this.#paused && this.kernel.usable;
    return runs && this.kernel.has(address) && !this.fence.closed(address);
  }

  receive(packet: Uint8Array): void {
    if (!this.#powered || !this.kernel.usable) return;
    if (this.#paused) {
      if (this.#heldPackets.length < 50) this.#heldPackets.push(packet);
      return;
    }
    this.#keeper?.packet(packet);
  }

  startDaemon(): void {
    if (!this.#powered || this.#control?.alive === true) return;
    // A new daemon ends what an earlier one has left running.
    this.#keeper?.kill();
    this.#note("daemon", false);
    this.#parts.observer.daemonGone(this.node);
    // Until what is open without the address has been closed, only the lease ends what an earlier daemon left.
    this.controlSinceLocal = Number.POSITIVE_INFINITY;
    this.#control = this.#makeControl();
  }

  stopDaemon(): void {
    this.#note("daemon", true);
    this.#control?.stop();
  }

  killKeeper(): void {
    this.#parts.disturbances.touch(this.node);
    this.#keeper?.kill();
  }

  killControl(): void {
    this.#note("daemon", true);
    this.#control?.kill();
  }

  killBoth(): void {
    this.#note("daemon", true);
    this.#control?.kill();
    this.#keeper?.kill();
  }

  freezeKeeper(): void {
    this.#note("keeper frozen", true);
    this.#keeper?.freeze();
  }

  thawKeeper(): void {
    this.#note("keeper frozen", false);
    this.#keeper?.thaw();
  }

  freezeControl(): void {
    this.#note("control frozen", true);
    this.#control?.freeze();
  }

  thawControl(): void {
    this.#note("control frozen", false);
    if (Number.isFinite(this.controlSinceLocal)) this.controlSinceLocal = this.now();
    this.#control?.thaw();
  }

  /** The keeper is stopped within its next change of addresses. */
  stallKeeper(micros: number): void {
    this.#keeper?.stallInNextChange(micros);
  }

  /** The whole machine stands still, its clocks too. */
  pause(): void {
    this.#note("paused", true);
    this.#clock.pause(this.#parts.trueNow());
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#note("paused", false);
    this.#clock.resume(this.#parts.trueNow());
    this.#paused = false;
    const packets = this.#heldPackets;
    this.#heldPackets = [];
    for (const packet of packets) this.receive(packet);
  }

  powerOff(): void {
    this.#note("power", true);
    this.#powered = false;
    this.#heldPackets = [];
    this.#control?.kill();
    this.#keeper?.kill();
    this.#control = null;
    this.#keeper = null;
    this.queue.clear();
    this.kernel.boot();
    this.fence.sweep();
  }

  powerOn(): void {
    if (this.#powered) return;
    this.#powered = true;
    this.#note("power", false);
    this.startDaemon();
  }

  setLink(usable: boolean): void {
    this.#note("link", !usable);
    this.kernel.setLink(usable);
  }

  setCheck(passes: boolean): void {
    this.#note("check", !passes);
    this.checkPasses = passes;
  }

  setGate(mood: GateMood): void {
    this.#note("gate", mood !== "open");
    this.gateMood = mood;
  }

  removeAddress(address: IpAddress): void {
    this.#parts.disturbances.touch(this.node);
    this.kernel.remove(address, "foreign");
  }

  stepWallClock(micros: number): void {
    this.#clock.stepWall(micros);
  }

  #nextLocal(): number {
    return Math.min(this.queue.nextAt(), this.#keeper?.nextWake() ?? Number.POSITIVE_INFINITY);
  }

  #note(what: string, active: boolean): void {
    this.#parts.disturbances.node(this.node, what, active);
  }

  #after(micros: number, action: () => void): void {
    this.queue.push(this.now() + micros, action);
  }

  /** News of the kernel reaches a process after a moment. */
  #later(action: () => void): void {
    this.#after(20, action);
  }

  #makeControl(): ControlModel {
    return new ControlModel({
      node: this.node,
      configs: this.configs,
      prng: this.#parts.prng.fork(`control ${this.#pid}`),
      observer: this.#parts.observer,
      now: () => this.now(),
      after: (micros, action) => this.#after(micros, action),
      nextPid: () => ++this.#pid,
      startKeeper: (pid, line) => this.#startKeeper(pid, line),
      guard: { release: (orders) => this.#guard(orders), tidy: () => undefined },
      checkPasses: () => this.checkPasses,
      gateMood: () => this.gateMood,
      databases: this.#parts.databases,
      onBegun: () => {
        this.controlSinceLocal = this.now();
      },
    });
  }

  #startKeeper(pid: number, line: KeeperLine): KeeperModel {
    const slots = new Map<number, PreparedAdvert>();
    // Killed in the middle of a call: whatever it was about to do does not happen.
    let dead = false;
    const alive = (): boolean => !dead;
    const keeper = new KeeperModel({
      node: this.node,
      pid,
      now: () => this.now(),
      prng: this.#parts.prng.fork(`keeper ${pid}`),
      observer: this.#parts.observer,
      adverts: this.#advertPort(slots, alive),
      kernel: this.kernel,
      fence: this.fence.port(pid, alive),
      announce: this.#announcePort(alive),
      send: line.send,
      exited: (code) => {
        dead = true;
        this.keeperChangeLocal = this.now();
        line.exited(code);
      },
      stalled: (active) => this.#note("stalled", active),
      letWorldRun: this.#parts.letWorldRun,
    });
    this.#keeper = keeper;
    this.keeperChangeLocal = this.now();
    return keeper;
  }

  #advertPort(slots: Map<number, PreparedAdvert>, alive: () => boolean): AdvertPort {
    let batch: number[] = [];
    return {
      open: () => ok(undefined),
      close: () => undefined,
      listen: () => undefined,
      prepare: (slot, advert) =>
        void slots.set(slot, { ...advert, packets: advert.packets.map((packet) => packet.slice()) }),
      forget: (slot) => void slots.delete(slot),
      queue: (slot) => void batch.push(slot),
      flush: () => {
        const due = batch;
        batch = [];
        if (!alive()) return [];
        if (!this.kernel.usable) return due.map((slot) => ({ slot, error: NO_LINK }));
        for (const slot of due) {
          const advert = slots.get(slot);
          if (advert !== undefined) this.#transmit(advert.packets, advert.destinations, false);
        }
        return [];
      },
    };
  }

  #announcePort(alive: () => boolean): AnnouncePort {
    return {
      announce: (_link, addresses, repeat) => {
        if (alive() && this.kernel.usable) this.#parts.broadcast(this.node, addresses, repeat);
        return { frames: addresses.length * repeat, error: null };
      },
    };
  }

  /** Frames for all destinations are one advert. */
  #transmit(packets: readonly Uint8Array[], destinations: readonly IpAddress[], guard: boolean): void {
    const first = packets[0];
    if (first === undefined) return;
    this.#parts.observer.advertSent(this.node, first, guard);
    destinations.forEach((destination, at) => {
      this.#parts.transmit(this.node, packets[at] ?? first, destination);
    });
  }

  #guard(orders: readonly GuardOrder[]): ReturnType<GuardPort["release"]> {
    const removed: IpAddress[] = [];
    for (const order of orders) {
      for (const { address } of order.addresses) if (this.kernel.remove(address, "guard")) removed.push(address);
    }
    this.fence.sweep();
    for (const { resign } of this.kernel.usable ? orders : []) {
      if (resign === null) continue;
      const packets = resign.packets.map((entry) => entry.packet);
      const destinations = resign.packets.map((entry) => entry.destination);
      this.#transmit(packets, destinations, true);
    }
    return { removed, errors: [] };
  }
}
