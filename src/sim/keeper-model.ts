/**
 * One keeper process: the production engine and the production loop, given packets, kernel news and messages in
 * virtual time. A frozen process keeps its descriptors: what arrives meanwhile waits in bounded buffers and is read
 * in the order in which the real loop reads. It can be frozen from outside or in the middle of a system call.
 */
import { err } from "../core/lib/result.ts";

import type { Instant } from "../core/lib/units.ts";
import type { FromKeeper, ToKeeper } from "../core/link/messages.ts";
import { IDLE_ROUTING, IDLE_SETTINGS } from "../engine/idle-ports.ts";
import { createKeeperLoop, type KeeperLoop } from "../engine/keeper-loop.ts";
import { createVrrpEngine, type VrrpEngine } from "../engine/vrrp-engine.ts";
import type { FencePort } from "../ports/fence.ts";
import type { AdvertPort, AnnouncePort, KernelPort } from "../ports/network.ts";
import { LINK_INDEX } from "./fake-kernel.ts";
import type { Observer } from "./observer.ts";
import type { Prng } from "./prng.ts";

/** A raw socket's receive buffer holds about this many adverts; what comes later is lost. */
const PACKETS_MAX = 200;
/** How late a process runs after its deadline, microseconds. */
const LATENESS_MIN = 20;
const LATENESS_MAX = 250;

export interface KeeperParts {
  readonly node: number;
  readonly pid: number;
  readonly now: () => Instant;
  readonly prng: Prng;
  readonly observer: Observer;
  readonly adverts: AdvertPort;
  readonly kernel: KernelPort;
  readonly fence: FencePort;
  readonly announce: AnnouncePort;
  /** To control, in order. */
  readonly send: (message: FromKeeper) => void;
  readonly exited: (code: number | null) => void;
  /** Stands still within a system call, or goes on. */
  readonly stalled: (active: boolean) => void;
  /** Lets the rest of the world go on for so many microseconds while this process stands still. */
  readonly letWorldRun: (micros: number) => void;
}

export class KeeperModel {
  readonly pid: number;
  readonly #parts: KeeperParts;
  readonly #engine: VrrpEngine;
  readonly #loop: KeeperLoop;
  #alive = true;
  #frozen = false;
  #inCall = false;
  #stallMicros = 0;
  /** What arrived during a stop within a call wakes the loop as soon as it waits again; infinity when nothing can have. */
  #arrivedBy = Number.POSITIVE_INFINITY;
  #orphaned = false;
  #messages: ToKeeper[] = [];
  #removed: string[] = [];
  #linkNews = false;
  #packets: Uint8Array[] = [];
  #dueFor = Number.NaN;
  #wakeAt = 0;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.pid = parts.pid;
    this.#engine = createVrrpEngine({
      pid: parts.pid,
      clock: { now: parts.now },
      // Clusters of the simulator have no keys: digests are the platform's, and proved by wire vectors.
      keys: { digests: { hmac: () => new Uint8Array(32) }, wallClock: { micros: () => parts.now() } },
      adverts: parts.adverts,
      kernel: this.#stallingKernel(parts.kernel),
      announce: parts.announce,
      // Only the model's clients read ARP: nodes do not hear each other's announcements.
      conflicts: { watch: () => undefined },
      routing: IDLE_ROUTING,
      settings: IDLE_SETTINGS,
      virtualInterfaces: {
        look: () => undefined,
        ensure: ({ name }) => err({ errno: "EOPNOTSUPP", what: `create ${name}` }),
        removeAllBut: () => [],
        silenceLocalReports: () => undefined,
      },
      firewall: { apply: () => null, sweep: () => [] },
      fence: this.#stallingFence(parts.fence),
      send: (message) => this.#send(message),
    });
    this.#loop = createKeeperLoop(this.#engine, {
      send: (message) => this.#send(message),
      onSettings: () => undefined,
    });
    parts.observer.keeperStarted(parts.node);
  }

  get alive(): boolean {
    return this.#alive;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** In the middle of a system call that has been interrupted by a stop. */
  get inCall(): boolean {
    return this.#inCall;
  }

  kill(): void {
    if (this.#alive) this.#exit(null);
  }

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    if (!this.#inCall) this.pass();
  }

  /** The next change of addresses, or renewal of a fence, is interrupted between decision and system call for so long. */
  stallInNextChange(micros: number): void {
    this.#stallMicros = micros;
  }

  message(message: ToKeeper): void {
    this.#messages.push(message);
    this.pass();
  }

  /** Control's end of the socket pair has closed. */
  controlGone(): void {
    this.#orphaned = true;
    this.pass();
  }

  linkNews(): void {
    this.#linkNews = true;
    this.pass();
  }

  addressRemoved(address: string): void {
    this.#removed.push(address);
    this.pass();
  }

  packet(packet: Uint8Array): void {
    if (this.#packets.length < PACKETS_MAX) this.#packets.push(packet);
    this.pass();
  }

  /** Local time of the next wake-up; infinity while nothing runs. */
  nextWake(): number {
    if (!this.#alive || this.#frozen || this.#inCall) return Number.POSITIVE_INFINITY;
    const due = Math.min(
      this.#arrivedBy,
      this.#engine.nextDeadline() ?? Number.POSITIVE_INFINITY,
      this.#loop.nextDeadline() ?? Number.POSITIVE_INFINITY,
    );
    if (due !== this.#dueFor) {
      this.#dueFor = due;
      this.#wakeAt = Math.max(due, this.#parts.now()) + this.#parts.prng.between(LATENESS_MIN, LATENESS_MAX);
    }
    return this.#wakeAt;
  }

  /** One turn of the loop: everything that can be read, then what is due. */
  pass(): void {
    if (!this.#alive || this.#frozen || this.#inCall) return;
    this.#arrivedBy = Number.POSITIVE_INFINITY;
    this.#readMessages();
    if (!this.#alive) return;
    this.#readKernel();
    this.#readPackets();
    const now = this.#parts.now();
    if ((this.#engine.nextDeadline() ?? Number.POSITIVE_INFINITY) <= now) this.#engine.wake();
    this.#loop.tick(this.#parts.now());
    this.#dueFor = Number.NaN;
    // Killed from inside the pass, in the middle of a call.
    if (this.#alive && this.#loop.exitCode !== null) this.#exit(this.#loop.exitCode);
  }

  #readMessages(): void {
    const messages = this.#messages;
    if (messages.length > 0) {
      this.#messages = [];
      for (const message of messages) this.#loop.handleMessage(message, this.#parts.now());
    }
    if (!this.#orphaned || !this.#alive) return;
    this.#orphaned = false;
    this.#engine.abandon();
    this.#exit(0);
  }

  #readKernel(): void {
    const removed = this.#removed;
    if (removed.length > 0) {
      this.#removed = [];
      for (const address of removed) this.#engine.handleAddressRemoved(LINK_INDEX, address);
      this.#linkNews = true;
    }
    if (!this.#linkNews) return;
    this.#linkNews = false;
    this.#engine.handleKernelChange();
  }

  #readPackets(): void {
    const packets = this.#packets;
    if (packets.length === 0) return;
    this.#packets = [];
    for (const packet of packets) {
      if (!this.#alive) return;
      const handled = this.#parts.observer.advertHeard(this.#parts.node, packet);
      this.#engine.handlePacket({ interfaceIndex: LINK_INDEX, packet, header: null, truncated: false });
      handled();
    }
  }

  #send(message: FromKeeper): void {
    if (!this.#alive) return;
    if (message.type === "event") this.#parts.observer.keeperEvent(this.#parts.node, message.body);
    this.#parts.send(message);
  }

  #exit(code: number | null): void {
    this.#alive = false;
    this.#parts.observer.keeperGone(this.#parts.node);
    this.#parts.exited(code);
  }

  #stallingKernel(kernel: KernelPort): KernelPort {
    return {
      links: () => kernel.links(),
      addresses: () => kernel.addresses(),
      change: (changes) => {
        if (this.#stallMicros > 0 && !this.#inCall) this.#stall();
        // Killed while it stood still: the call is never made.
        return this.#alive ? kernel.change(changes) : [];
      },
    };
  }

  #stallingFence(fence: FencePort): FencePort {
    return {
      ...fence,
      renew: (entries) => {
        if (this.#stallMicros > 0 && !this.#inCall) this.#stall();
        return fence.renew(entries);
      },
    };
  }

  #stall(): void {
    const micros = this.#stallMicros;
    this.#stallMicros = 0;
    this.#inCall = true;
    this.#parts.stalled(true);
    this.#parts.letWorldRun(micros);
    this.#parts.stalled(false);
    this.#inCall = false;
    this.#arrivedBy = this.#parts.now();
  }
}
