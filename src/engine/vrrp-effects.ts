/**
 * Carries out the core's effects. Work of one kind is gathered over all instances and done in the order that
 * effects.ts promises: renewals, adverts, removals, resignations, additions, announcements, reports.
 */
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import type { IpAddress } from "../core/lib/ip.ts";
import type { FromKeeper } from "../core/link/messages.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import type { VrrpEffect } from "../core/vrrp/effects.ts";
import type { VrrpEvent } from "../core/vrrp/events.ts";
import { reconfigure, step } from "../core/vrrp/machine.ts";
import type { Packet } from "../core/vrrp/packet.ts";
import type { VrrpReport } from "../core/vrrp/reports.ts";
import type { VrrpState } from "../core/vrrp/state.ts";
import type { DropReason } from "../core/vrrp/status.ts";
import type { Link } from "../ports/network.ts";
import { AddressCarrier } from "./address-carrier.ts";
import { AnnouncementQueue } from "./announcement-queue.ts";
import { debugsInstance, packetEvent, sentEvent, timerEvent } from "./debug-teller.ts";
import type { EnginePorts } from "./engine-ports.ts";
import { FenceCarrier } from "./fence-carrier.ts";
import { HostObjects } from "./host-objects.ts";
import { RoutingCarrier } from "./routing-carrier.ts";
import { SyncGroups } from "./sync-groups.ts";
import { VirtualNetwork } from "./virtual-network.ts";
import { addressesOf, type Runtime, renewKeys, setState } from "./vrrp-runtime.ts";

interface Burst {
  readonly runtime: Runtime;
  readonly link: Link;
  readonly addresses: readonly IpAddress[];
  readonly repeat: number;
}

export class EffectRunner {
  readonly ports: EnginePorts;
  readonly addresses: AddressCarrier;
  readonly fences: FenceCarrier;
  readonly groups: SyncGroups;
  readonly routing: RoutingCarrier;
  readonly host: HostObjects;
  readonly announcements: AnnouncementQueue;
  /** The links in the state that counts (interface_up_down_delays). */
  countedLinks: readonly Link[] = [];
  readonly virtual: VirtualNetwork;
  readonly #all: () => readonly Runtime[];
  #adverts: Runtime[] = [];
  #resigns: Runtime[] = [];
  #yielded: Runtime[] = [];
  #echoes: Runtime[] = [];
  #announcements: { readonly runtime: Runtime; readonly repeat: number; readonly elsewhere: boolean }[] = [];
  #toConfirm: { readonly runtime: Runtime; readonly report: VrrpReport }[] = [];
  #messages: FromKeeper[] = [];
  /** Questions to the gates follow the reports that say why they are asked. */
  #gates: FromKeeper[] = [];
  /** Something waits for flush(). */
  pending = false;
  /** Each packet and each timer of every instance is told. */
  debugging = false;

  constructor(ports: EnginePorts, all: () => readonly Runtime[]) {
    this.#all = all;
    this.ports = ports;
    this.virtual = new VirtualNetwork(ports, (body) => this.event(body));
    const host = {
      all,
      event: (body: HoldfastEventBody) => this.event(body),
      dispatch: (runtime: Runtime, event: VrrpEvent) => this.dispatch(runtime, event),
      deviceIndex: (name: string) => this.addresses.links.find((link) => link.name === name)?.index ?? null,
    };
    this.addresses = new AddressCarrier(ports, host);
    this.fences = new FenceCarrier(ports, host, this.addresses);
    this.routing = new RoutingCarrier(ports, host);
    this.host = new HostObjects(ports, host);
    this.announcements = new AnnouncementQueue({
      now: () => ports.clock.now(),
      announce: (runtime, link, addresses, repeat) => this.#announce({ runtime, link, addresses, repeat }),
    });
    this.groups = new SyncGroups({ ...host, all: () => [...all()] });
  }

  /** Gives the event to the core and gathers what it asks for. */
  dispatch(runtime: Runtime, event: VrrpEvent): void {
    const before = runtime.state;
    const now = this.ports.clock.now();
    const { state, effects } = step(runtime.config, before, event, now);
    this.#apply(runtime, before, state, effects);
    if (this.debugs(runtime)) this.event(timerEvent(runtime, event.kind, now));
  }

  /** A reload changed the instance: state is kept, only differences reach the kernel. */
  reconfigure(runtime: Runtime, config: VrrpInstanceConfig): void {
    const old = runtime.config;
    const before = runtime.state;
    const { state, effects } = reconfigure(old, config, before, this.ports.clock.now());
    runtime.config = config;
    runtime.preparedFor = null;
    renewKeys(runtime, this.ports.keys);
    this.#apply(runtime, before, state, effects);
    this.groups.touch(runtime);
    this.routing.change(runtime, old);
    this.pending = true;
    if (runtime.held.length === 0) return;
    const grew = this.addresses.change(runtime);
    if (grew) this.#announcements.push({ runtime, repeat: config.garp.repeat, elsewhere: false });
  }

  debugs(runtime: Runtime): boolean {
    return this.debugging || debugsInstance(runtime);
  }

  debugPacket(runtime: Runtime, action: "received" | "dropped", packet: Packet, reason: DropReason | null): void {
    this.event(packetEvent(runtime, action, packet, reason));
  }

  #debugSent(runtime: Runtime, resigns: boolean): void {
    const sent = sentEvent(runtime, resigns);
    if (sent !== null) this.event(sent);
  }

  /** When something that is carried out over time goes on; infinity when nothing does. */
  get deadline(): number {
    const never = Number.POSITIVE_INFINITY;
    const { host, virtual, announcements, fences } = this;
    return Math.min(host.nextDeadline ?? never, virtual.deadline ?? never, announcements.deadline, fences.deadline);
  }

  event(body: HoldfastEventBody): void {
    this.#message({ type: "event", at: this.ports.clock.now(), body });
  }

  /** Removals that the kernel refused are asked for again, and rules that somebody took away are set again. */
  retry(): void {
    if (this.addresses.retry()) this.pending = true;
    this.virtual.restoreIfDue(this.addresses);
    this.fences.restoreIfDue();
  }

  /** What stands on the addresses that are held. */
  followHeld(runtimes: readonly Runtime[]): void {
    this.virtual.follow(runtimes, this.addresses);
    this.fences.follow();
  }

  flush(): void {
    while (this.pending) {
      this.pending = false;
      // Before anything is carried out: what one member brings about for the others goes in the same batch.
      this.groups.settle();
      this.addresses.flushRenewals();
      this.#flushAdverts();
      // Down: rules, routes, addresses. Up: the other way round. As keepalived.
      this.routing.flushRemovals();
      this.addresses.flushRemovals();
      this.#flushResigns();
      this.#sendAdverts(this.#yielded.splice(0));
      this.#closeComing();
      this.addresses.flushAdditions();
      this.routing.flushAdditions();
      this.#flushAnnouncements();
      this.#flushEchoes();
      this.#flushMessages();
    }
  }

  #apply(runtime: Runtime, before: VrrpState, state: VrrpState, effects: readonly VrrpEffect[]): void {
    setState(runtime, state);
    this.groups.stepped(runtime, before, state);
    if (runtime.config.syncGroup !== null) this.pending = true;
    for (const effect of effects) this.#gather(runtime, before, effect);
  }

  #gather(runtime: Runtime, before: VrrpState, effect: VrrpEffect): void {
    this.pending = true;
    switch (effect.kind) {
      case "renew-lease":
        this.addresses.renew(runtime, leaseUntil(before));
        return;
      case "send-advert":
        this.#adverts.push(runtime);
        return;
      case "add-addresses":
        this.addresses.add(runtime, addressesOf(runtime.config));
        this.routing.add(runtime);
        return;
      case "remove-addresses":
        this.#announcements = this.#announcements.filter((entry) => entry.runtime !== runtime);
        this.#echoes = this.#echoes.filter((entry) => entry !== runtime);
        this.announcements.forget(runtime);
        this.routing.remove(runtime);
        this.addresses.remove(runtime, runtime.held);
        return;
      case "send-resign":
        this.#resigns.push(runtime);
        return;
      case "send-yielded":
        this.#yielded.push(runtime);
        return;
      case "echo":
        this.#echoes.push(runtime);
        return;
      case "announce":
        this.#announcements.push({ runtime, repeat: effect.repeat, elsewhere: false });
        return;
      case "announce-source":
        this.#announceSource(runtime);
        return;
      case "announce-elsewhere":
        this.#announcements.push({ runtime, repeat: 1, elsewhere: true });
        return;
      case "ask-gate":
        this.#gates.push({
          type: "ask-gate",
          instance: runtime.config.name,
          which: effect.which,
          gate: effect.gate,
          priority: runtime.state.priority,
          ...preempted(runtime),
        });
        return;
      case "cancel-gate":
        this.#gates.push({ type: "cancel-gate", instance: runtime.config.name, gate: effect.gate });
        return;
      case "report":
        this.#report(runtime, effect);
    }
  }

  #report(runtime: Runtime, effect: Extract<VrrpEffect, { kind: "report" }>): void {
    const { report } = effect;
    if (report.kind === "state") {
      runtime.dropsReported.clear();
      if (report.to === "MASTER") {
        runtime.counters.becameMaster++;
        runtime.keys?.becameMaster();
      }
      if (report.from === "MASTER") runtime.counters.releasedMaster++;
    }
    // Said when it is so: the addresses and announcements it speaks of are still to be flushed, and may fail.
    if (report.kind === "announced") this.#toConfirm.push({ runtime, report });
    else this.event({ kind: "vrrp", instance: runtime.config.name, report });
  }

  #flushAdverts(): void {
    const runtimes = this.#adverts;
    this.#adverts = [];
    if (runtimes.length === 0) return;
    const { clock } = this.ports;
    const now = clock.now();
    const failed = this.#sendAdverts(runtimes);
    this.fences.renew(failed.size === 0 ? runtimes : runtimes.filter((runtime) => !failed.has(runtime)), now);
  }

  /** Those that could not send. */
  #sendAdverts(runtimes: readonly Runtime[]): ReadonlySet<Runtime> {
    if (runtimes.length === 0) return NONE;
    for (const runtime of runtimes) {
      if (runtime.preparedFor === null) continue;
      this.ports.adverts.queue(runtime.slot);
      runtime.counters.advertsSent++;
      if (this.debugs(runtime)) this.#debugSent(runtime, false);
    }
    return this.#sendBatch(runtimes);
  }

  #flushResigns(): void {
    if (this.#resigns.length === 0) return;
    const runtimes = this.#resigns;
    this.#resigns = [];
    for (const runtime of runtimes) {
      if (runtime.preparedFor === null) continue;
      this.ports.adverts.queue(runtime.slot + 1);
      runtime.counters.priorityZeroSent++;
      if (this.debugs(runtime)) this.#debugSent(runtime, true);
    }
    this.#sendBatch(runtimes);
  }

  #sendBatch(runtimes: readonly Runtime[]): ReadonlySet<Runtime> {
    const failures = this.ports.adverts.flush();
    if (failures.length === 0) return NONE;
    const failed = new Set<Runtime>();
    for (const { slot, error } of failures) {
      const runtime = runtimes.find((candidate) => candidate.slot === slot || candidate.slot + 1 === slot);
      if (runtime === undefined) continue;
      failed.add(runtime);
      runtime.counters.sendErrors++;
      // Once per run of errors: a link that is down fails every interval.
      if (runtime.counters.sendErrors === 1) {
        const detail = `${error.what}: ${error.errno}`;
        this.event({ kind: "socket", interface: runtime.config.interface, action: "failed", detail });
      }
    }
    return failed;
  }

  /** Addresses that nobody may talk to are closed before they appear, and fences stand. Without its fence an address does not come. */
  #closeComing(): void {
    const coming = this.addresses.coming();
    if (coming === null) return;
    this.virtual.close(this.#all(), this.addresses, coming);
    const error = this.fences.raise(coming);
    if (error === null) return;
    for (const runtime of coming.keys()) if (runtime.config.fenceSpan !== null) this.addresses.refuse(runtime, error);
  }

  /** Neither logged nor spaced: they are part of the announcement before them. */
  #flushEchoes(): void {
    if (this.#echoes.length === 0) return;
    for (const runtime of this.#echoes.splice(0)) {
      for (const [index, addresses] of this.addresses.heldByDevice(runtime)) {
        const link = this.addresses.links.find((candidate) => candidate.index === index);
        if (link === undefined) continue;
        runtime.counters.garpSent += this.ports.announce.announce(link, addresses, 1).frames;
      }
    }
  }

  #flushAnnouncements(): void {
    const announcements = this.#announcements;
    if (announcements.length === 0) return;
    this.#announcements = [];
    for (const { runtime, repeat, elsewhere } of announcements) {
      for (const [index, addresses] of this.addresses.heldByDevice(runtime)) {
        const link = this.addresses.links.find((candidate) => candidate.index === index);
        if (link === undefined || (elsewhere && !this.#isElsewhere(runtime, link))) continue;
        this.announcements.send(runtime, link, addresses, repeat);
      }
      runtime.announced = true;
    }
  }

  /** Interfaces that no advert leaves by, whose MAC a switch would forget; without `all` only the virtual ones (keepalived.conf(5)). */
  #isElsewhere({ config, sendLink }: Runtime, { index, name }: Link): boolean {
    if (index === sendLink?.index) return false;
    return config.garp.extraAll || config.virtualInterfaces.some((virtual) => virtual.name === name);
  }

  #announceSource({ link, observedSource }: Runtime): void {
    if (link !== null && observedSource !== null) this.ports.announce.announce(link, [observedSource], 1);
  }

  #announce({ runtime, link, addresses, repeat }: Burst): void {
    const { frames, error } = this.ports.announce.announce(link, addresses, repeat);
    runtime.counters.garpSent += frames;
    const instance = runtime.config.name;
    this.event({ kind: "announcement", instance, interface: link.name, addresses, frames });
    if (error === null) return;
    this.event({ kind: "socket", interface: link.name, action: "failed", detail: `${error.what}: ${error.errno}` });
  }

  #flushMessages(): void {
    for (const { runtime, report } of this.#toConfirm.splice(0)) {
      if (runtime.announced) this.event({ kind: "vrrp", instance: runtime.config.name, report });
    }
    const messages = [...this.#messages, ...this.#gates];
    this.#messages = [];
    this.#gates = [];
    for (const message of messages) this.ports.send(message);
  }

  #message(message: FromKeeper): void {
    this.#messages.push(message);
    this.pending = true;
  }
}

const NONE: ReadonlySet<Runtime> = new Set();

function leaseUntil(state: VrrpState): number {
  return state.role.kind === "master" ? (state.role.leaseUntil ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
}

/** A master that is heard while a claim is prepared (preemption). */
function preempted({ state: { role } }: Runtime): { readonly preempts?: IpAddress } {
  return role.kind === "backup" && role.preparing !== null && role.master !== null && !role.resigned
    ? { preempts: role.master.source }
    : {};
}
