/**
 * Carries out the core's effects. Work of one kind is gathered over all instances and done in the order that
 * effects.ts promises: renewals, adverts, removals, resignations, additions, announcements, reports.
 */
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import type { IpAddress } from "../core/lib/ip.ts";
import type { FromKeeper } from "../core/link/messages.ts";
import type { VirtualAddress, VrrpInstanceConfig } from "../core/vrrp/config.ts";
import type { VrrpEffect } from "../core/vrrp/effects.ts";
import type { VrrpEvent } from "../core/vrrp/events.ts";
import { reconfigure, step } from "../core/vrrp/machine.ts";
import type { VrrpReport } from "../core/vrrp/reports.ts";
import type { VrrpState } from "../core/vrrp/state.ts";
import { shortestPeerMasterDown } from "../core/vrrp/timers.ts";
import type { AddressChange, InterfaceAddress, Link } from "../ports/network.ts";
import { byRuntime, change, type PendingChange, sameAddress } from "./address-changes.ts";
import type { EnginePorts } from "./engine-ports.ts";
import { addressesOf, type Runtime, setState } from "./vrrp-runtime.ts";

/** leaseUntil before the renewal: if the clock has passed it when the kernel answers, the renewal came too late. */
interface PendingRenewal {
  readonly runtime: Runtime;
  readonly validUntil: number;
}

export class EffectRunner {
  readonly ports: EnginePorts;
  readonly #all: () => readonly Runtime[];
  #links: readonly Link[] = [];
  #renewals: PendingRenewal[] = [];
  #adverts: Runtime[] = [];
  #removals: PendingChange[] = [];
  #resigns: Runtime[] = [];
  #additions: PendingChange[] = [];
  #announcements: { readonly runtime: Runtime; readonly repeat: number }[] = [];
  #toConfirm: { readonly runtime: Runtime; readonly report: VrrpReport }[] = [];
  #messages: FromKeeper[] = [];
  /** Questions to the gates follow the reports that say why they are asked. */
  #gates: FromKeeper[] = [];
  /** Something waits for flush(). */
  pending = false;

  constructor(ports: EnginePorts, all: () => readonly Runtime[]) {
    this.ports = ports;
    this.#all = all;
  }

  get links(): readonly Link[] {
    return this.#links;
  }

  setLinks(links: readonly Link[]): void {
    this.#links = links;
  }

  /** Gives the event to the core and gathers what it asks for. */
  dispatch(runtime: Runtime, event: VrrpEvent): void {
    const before = runtime.state;
    const { state, effects } = step(runtime.config, before, event, this.ports.clock.now());
    this.#apply(runtime, before, state, effects);
  }

  /** A reload changed the instance: state is kept, only differences reach the kernel. */
  reconfigure(runtime: Runtime, config: VrrpInstanceConfig): void {
    const old = runtime.config;
    const before = runtime.state;
    const { state, effects } = reconfigure(old, config, before, this.ports.clock.now());
    runtime.config = config;
    runtime.preparedFor = null;
    this.#apply(runtime, before, state, effects);
    if (runtime.held.length > 0) this.#changeHeld(runtime);
  }

  event(body: HoldfastEventBody): void {
    this.#message({ type: "event", at: this.ports.clock.now(), body });
  }

  /**
   * The kernel is the truth. What we hold must be there, or the instance has lost it; what an instance does not hold must not be
   * there: an earlier life left it behind (the start-up sweep), or somebody put it there beside us.
   */
  reconcile(present: readonly InterfaceAddress[]): void {
    const found = new Map(present.map((entry) => [`${entry.interfaceIndex} ${entry.address}`, entry.prefixLength]));
    const held = new Set<IpAddress>();
    for (const runtime of this.#all()) {
      for (const address of runtime.held) {
        held.add(address.address);
        if (found.has(this.#place(runtime, address))) continue;
        runtime.held = runtime.held.filter((entry) => entry !== address);
        this.dispatch(runtime, { kind: "address-removed", address: address.address });
      }
    }
    for (const runtime of this.#all()) {
      for (const address of addressesOf(runtime.config)) {
        const prefixLength = found.get(this.#place(runtime, address));
        if (prefixLength !== undefined && !held.has(address.address))
          this.#sweep(runtime, { ...address, prefixLength });
      }
    }
    this.flush();
  }

  #sweep(runtime: Runtime, leftover: VirtualAddress): void {
    const index = this.deviceIndex(runtime, leftover);
    if (index === null) return;
    this.#removals.push(this.#pend(runtime, change("remove", index, leftover, null)));
    const on = leftover.device ?? runtime.config.interface;
    const { address } = leftover;
    this.event({ kind: "leftover-removed", instance: runtime.config.name, address, interface: on });
  }

  #pend(runtime: Runtime, wanted: AddressChange): PendingChange {
    return { runtime, change: wanted, decidedAt: this.ports.clock.now() };
  }

  #place(runtime: Runtime, address: VirtualAddress): string {
    return `${this.deviceIndex(runtime, address)} ${address.address}`;
  }

  /** Index of the interface that carries an address; null while that interface does not exist. */
  deviceIndex(runtime: Runtime, address: VirtualAddress): number | null {
    if (address.device === null || address.device === runtime.config.interface) return runtime.link?.index ?? null;
    return this.#links.find((link) => link.name === address.device)?.index ?? null;
  }

  flush(): void {
    while (this.pending) {
      this.pending = false;
      this.#flushRenewals();
      this.#flushAdverts();
      this.#flushRemovals();
      this.#flushResigns();
      this.#flushAdditions();
      this.#flushAnnouncements();
      this.#flushMessages();
    }
  }

  #apply(runtime: Runtime, before: VrrpState, state: VrrpState, effects: readonly VrrpEffect[]): void {
    setState(runtime, state);
    for (const effect of effects) this.#gather(runtime, before, effect);
  }

  #gather(runtime: Runtime, before: VrrpState, effect: VrrpEffect): void {
    this.pending = true;
    switch (effect.kind) {
      case "renew-lease":
        this.#renewals.push({ runtime, validUntil: leaseUntil(before) });
        return;
      case "send-advert":
        this.#adverts.push(runtime);
        return;
      case "add-addresses":
        this.#gatherAdditions(runtime, addressesOf(runtime.config));
        return;
      case "remove-addresses":
        this.#gatherRemovals(runtime, runtime.held);
        return;
      case "send-resign":
        this.#resigns.push(runtime);
        return;
      case "announce":
        this.#announcements.push({ runtime, repeat: effect.repeat });
        return;
      case "ask-gate":
        this.#gates.push({
          type: "ask-gate",
          instance: runtime.config.name,
          which: effect.which,
          gate: effect.gate,
          priority: runtime.state.priority,
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
      if (report.to === "MASTER") runtime.counters.becameMaster++;
      if (report.from === "MASTER") runtime.counters.releasedMaster++;
    }
    // Said when it is so: the addresses and announcements it speaks of are still to be flushed, and may fail.
    if (report.kind === "announced") this.#toConfirm.push({ runtime, report });
    else this.event({ kind: "vrrp", instance: runtime.config.name, report });
  }

  #gatherAdditions(runtime: Runtime, addresses: readonly VirtualAddress[]): void {
    for (const address of addresses) {
      const index = this.deviceIndex(runtime, address);
      if (index === null) continue;
      this.#additions.push(this.#pend(runtime, change("add", index, address, runtime.config.leaseSeconds)));
    }
  }

  #gatherRemovals(runtime: Runtime, addresses: readonly VirtualAddress[]): void {
    this.#additions = this.#additions.filter((entry) => entry.runtime !== runtime);
    this.#announcements = this.#announcements.filter((entry) => entry.runtime !== runtime);
    for (const address of addresses) {
      const index = this.deviceIndex(runtime, address);
      if (index === null) continue;
      this.#removals.push(this.#pend(runtime, change("remove", index, address, null)));
    }
  }

  /** The address list of a holding instance changed: remove and add only the difference, then announce everything. */
  #changeHeld(runtime: Runtime): void {
    const wanted = addressesOf(runtime.config);
    const gone = runtime.held.filter((held) => !wanted.some((address) => sameAddress(held, address)));
    const fresh = wanted.filter((address) => !runtime.held.some((held) => sameAddress(held, address)));
    if (gone.length > 0) this.#gatherRemovals(runtime, gone);
    if (fresh.length > 0) {
      this.#gatherAdditions(runtime, fresh);
      this.#announcements.push({ runtime, repeat: runtime.config.garp.repeat });
    }
    this.pending = true;
  }

  #flushRenewals(): void {
    if (this.#renewals.length === 0) return;
    const renewals = this.#renewals;
    this.#renewals = [];
    const changes: AddressChange[] = [];
    for (const { runtime } of renewals) {
      for (const entry of this.#renewalsOf(runtime)) changes.push(entry);
    }
    this.ports.kernel.change(changes);
    // A process stopped between the decision and the write would have put an expired address back.
    const now = this.ports.clock.now();
    for (const { runtime, validUntil } of renewals) {
      if (now >= validUntil) this.dispatch(runtime, { kind: "lease-lost" });
    }
  }

  /** The same objects from renewal to renewal, so that the port can keep their encoded form. */
  #renewalsOf(runtime: Runtime): readonly AddressChange[] {
    const { held, config } = runtime;
    const kept = runtime.renewals;
    if (kept !== null && kept.held === held && kept.config === config && kept.links === this.#links) {
      return kept.changes;
    }
    const changes: AddressChange[] = [];
    for (const address of held) {
      const index = this.deviceIndex(runtime, address);
      if (index !== null) changes.push(change("renew", index, address, config.leaseSeconds));
    }
    runtime.renewals = { held, config, links: this.#links, changes };
    return changes;
  }

  #flushAdverts(): void {
    if (this.#adverts.length === 0) return;
    const runtimes = this.#adverts;
    this.#adverts = [];
    for (const runtime of runtimes) {
      if (runtime.preparedFor === null) continue;
      this.ports.adverts.queue(runtime.slot);
      runtime.counters.advertsSent++;
    }
    this.#sendBatch(runtimes);
  }

  #flushResigns(): void {
    if (this.#resigns.length === 0) return;
    const runtimes = this.#resigns;
    this.#resigns = [];
    for (const runtime of runtimes) {
      if (runtime.preparedFor === null) continue;
      this.ports.adverts.queue(runtime.slot + 1);
      runtime.counters.priorityZeroSent++;
    }
    this.#sendBatch(runtimes);
  }

  #sendBatch(runtimes: readonly Runtime[]): void {
    for (const { slot, error } of this.ports.adverts.flush()) {
      const runtime = runtimes.find((candidate) => candidate.slot === slot || candidate.slot + 1 === slot);
      if (runtime === undefined) continue;
      runtime.counters.sendErrors++;
      // Once per run of errors: a link that is down fails every interval.
      if (runtime.counters.sendErrors === 1) {
        const detail = `${error.what}: ${error.errno}`;
        this.event({ kind: "socket", interface: runtime.config.interface, action: "failed", detail });
      }
    }
  }

  #flushRemovals(): void {
    const removals = this.#removals;
    if (removals.length === 0) return;
    this.#removals = [];
    this.ports.kernel.change(removals.map((entry) => entry.change));
    for (const [runtime, entries] of byRuntime(removals)) {
      runtime.announced = false;
      const removed = entries.filter((entry) => runtime.held.some((held) => sameAddress(held, entry.change.address)));
      runtime.held = runtime.held.filter((held) => !entries.some((entry) => sameAddress(held, entry.change.address)));
      if (runtime.held.length > 0) runtime.announced = true;
      if (removed.length > 0) this.#addressEvent(runtime, "removed", removed);
    }
  }

  #flushAdditions(): void {
    if (this.#additions.length === 0) return;
    const additions = this.#stillTimely(this.#additions);
    this.#additions = [];
    if (additions.length === 0) return;
    const failures = this.ports.kernel.change(additions.map((entry) => entry.change));
    for (const [runtime, entries] of byRuntime(additions)) {
      const failed = failures.find((failure) => entries.some((entry) => entry.change === failure.change));
      const added = entries.filter((entry) => !failures.some((failure) => failure.change === entry.change));
      runtime.held = [...runtime.held, ...added.map((entry) => entry.change.address)];
      if (added.length > 0) this.#addressEvent(runtime, "added", added);
      if (failed === undefined) continue;
      const reason = `${failed.error.what}: ${failed.error.errno}`;
      this.dispatch(runtime, { kind: "address-refused", address: failed.change.address.address, reason });
    }
  }

  /** A process stopped between its advert and its addresses comes back into a world where another may hold them. */
  #stillTimely(additions: readonly PendingChange[]): readonly PendingChange[] {
    const now = this.ports.clock.now();
    const late = new Set<Runtime>();
    for (const { runtime, decidedAt } of additions) {
      if (now - decidedAt > shortestPeerMasterDown(runtime.config)) late.add(runtime);
    }
    if (late.size === 0) return additions;
    for (const runtime of late) this.dispatch(runtime, { kind: "lease-lost" });
    return additions.filter(({ runtime }) => !late.has(runtime));
  }

  #addressEvent(runtime: Runtime, action: "added" | "removed", entries: readonly PendingChange[]): void {
    const addresses = entries.map((entry) => entry.change.address.address);
    this.event({ kind: "addresses", instance: runtime.config.name, action, addresses });
  }

  #flushAnnouncements(): void {
    const announcements = this.#announcements;
    if (announcements.length === 0) return;
    this.#announcements = [];
    for (const { runtime, repeat } of announcements) {
      for (const [index, addresses] of this.#heldByDevice(runtime)) {
        const link = this.#links.find((candidate) => candidate.index === index);
        if (link === undefined) continue;
        const { frames, error } = this.ports.announce.announce(link, addresses, repeat);
        runtime.counters.garpSent += frames;
        const instance = runtime.config.name;
        this.event({ kind: "announcement", instance, interface: link.name, addresses, frames });
        if (error !== null) {
          const detail = `${error.what}: ${error.errno}`;
          this.event({ kind: "socket", interface: link.name, action: "failed", detail });
        }
      }
      runtime.announced = true;
    }
  }

  #heldByDevice(runtime: Runtime): Map<number, IpAddress[]> {
    const devices = new Map<number, IpAddress[]>();
    for (const address of runtime.held) {
      const index = this.deviceIndex(runtime, address);
      if (index === null) continue;
      const list = devices.get(index);
      if (list === undefined) devices.set(index, [address.address]);
      else list.push(address.address);
    }
    return devices;
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

  /** Every address that some instance may carry, for telling our own from the host's. */
  virtualAddresses(): Set<IpAddress> {
    const all = new Set<IpAddress>();
    for (const runtime of this.#all()) for (const entry of addressesOf(runtime.config)) all.add(entry.address);
    return all;
  }
}

function leaseUntil(state: VrrpState): number {
  return state.role.kind === "master" ? (state.role.leaseUntil ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
}
