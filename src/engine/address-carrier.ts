/**
 * The addresses of all instances in the kernel: added, renewed, removed in batches, and compared with what the kernel really
 * has. It carries out; whether an instance may have its addresses is core/vrrp's decision.
 */
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { familyOf, type IpAddress } from "../core/lib/ip.ts";
import type { VirtualAddress } from "../core/vrrp/config.ts";
import type { VrrpEvent } from "../core/vrrp/events.ts";
import { lifetimeOf } from "../core/vrrp/lease.ts";
import { shortestPeerMasterDown } from "../core/vrrp/timers.ts";
import type { AddressChange, InterfaceAddress, KernelError, Link } from "../ports/network.ts";
import {
  byRuntime,
  change,
  grant,
  type PassingPrefixes,
  type PendingChange,
  passingPrefixes,
  sameAddress,
} from "./address-changes.ts";
import type { EnginePorts } from "./engine-ports.ts";
import { addressesOf, type Runtime } from "./vrrp-runtime.ts";

/** leaseUntil before the renewal: if the clock has passed it when the kernel answers, the renewal came too late. */
interface PendingRenewal {
  readonly runtime: Runtime;
  readonly validUntil: number;
}

export interface AddressHost {
  all(): readonly Runtime[];
  event(body: HoldfastEventBody): void;
  dispatch(runtime: Runtime, event: VrrpEvent): void;
}

/** Pause before a refused removal is tried again. */
const RETRY_MICROS = 400_000;

export class AddressCarrier {
  readonly #ports: EnginePorts;
  readonly #host: AddressHost;
  /** As last read from the kernel. */
  links: readonly Link[] = [];
  #renewals: PendingRenewal[] = [];
  #removals: PendingChange[] = [];
  #additions: PendingChange[] = [];
  #stuck: PendingChange[] = [];
  readonly #swept = new Set<IpAddress>();
  #passing: PassingPrefixes = new Set();

  constructor(ports: EnginePorts, host: AddressHost) {
    this.#ports = ports;
    this.#host = host;
  }

  renew(runtime: Runtime, validUntil: number): void {
    this.#renewals.push({ runtime, validUntil });
  }

  add(runtime: Runtime, addresses: readonly VirtualAddress[]): void {
    this.#stuck = this.#stuck.filter((entry) => entry.runtime !== runtime);
    for (const address of addresses) {
      const index = this.deviceIndex(runtime, address);
      if (index === null) continue;
      const place = { interfaceIndex: index, passing: this.#passing };
      this.#additions.push(this.#pend(runtime, grant("add", place, address, lifetimeNow(runtime))));
    }
  }

  remove(runtime: Runtime, addresses: readonly VirtualAddress[]): void {
    this.#additions = this.#additions.filter((entry) => entry.runtime !== runtime);
    for (const address of addresses) {
      const index = this.deviceIndex(runtime, address);
      if (index === null) continue;
      this.#removals.push(this.#pend(runtime, change("remove", index, address, null)));
    }
  }

  /** The address list of a holding instance changed: removes and adds only the difference; true when some were added. */
  change(runtime: Runtime): boolean {
    const wanted = addressesOf(runtime.config);
    const gone = runtime.held.filter((held) => !wanted.some((address) => sameAddress(held, address)));
    const fresh = wanted.filter((address) => !runtime.held.some((held) => sameAddress(held, address)));
    if (gone.length > 0) this.remove(runtime, gone);
    if (fresh.length > 0) this.add(runtime, fresh);
    return fresh.length > 0;
  }

  /**
   * The kernel is the truth. What we hold must be there, or the instance has lost it; what an instance does not hold must not be
   * there: an earlier life left it behind (the start-up sweep), or somebody put it there beside us.
   */
  reconcile(present: readonly InterfaceAddress[]): void {
    this.#passing = passingPrefixes(present, this.virtualAddresses());
    const found = new Map(present.map((entry) => [`${entry.interfaceIndex} ${entry.address}`, entry.prefixLength]));
    const runtimes = this.#host.all();
    const held = new Set(runtimes.flatMap((runtime) => runtime.held.map((entry) => entry.address)));
    for (const runtime of runtimes) {
      const lost = runtime.held.filter((address) => !found.has(this.#place(runtime, address)));
      for (const address of lost) this.#lose(runtime, address);
      // `no_track`: while we hold, it is the administrator's whether such an address is there.
      const idle = addressesOf(runtime.config).filter(
        ({ address, options }) => !held.has(address) && !(runtime.routed && options?.untracked === true),
      );
      for (const address of idle) {
        const prefixLength = found.get(this.#place(runtime, address));
        if (prefixLength === undefined || this.#isLastOf(present, runtime, address)) continue;
        this.#sweep(runtime, { ...address, prefixLength });
      }
    }
  }

  #lose(runtime: Runtime, address: VirtualAddress): void {
    runtime.held = runtime.held.filter((entry) => entry !== address);
    if (address.options?.untracked === true) return;
    this.#host.dispatch(runtime, { kind: "address-removed", address: address.address });
  }

  /** Somebody deleted a held address; true when that is the instance's business. */
  deletedByHand(runtime: Runtime, address: VirtualAddress): boolean {
    if (address.options?.untracked !== true) return true;
    runtime.held = runtime.held.filter((entry) => entry !== address);
    return false;
  }

  #sweep(runtime: Runtime, leftover: VirtualAddress): void {
    const index = this.deviceIndex(runtime, leftover);
    if (index === null) return;
    this.#removals.push(this.#pend(runtime, change("remove", index, leftover, null)));
    const on = leftover.device ?? runtime.config.interface;
    const { address } = leftover;
    const again = this.#swept.has(address);
    this.#swept.add(address);
    this.#host.event({ kind: "leftover-removed", instance: runtime.config.name, address, interface: on, again });
  }

  /** An interface's only address of its family is the host's own (RFC 9568's address owner): without it the host would be off the net. */
  #isLastOf(present: readonly InterfaceAddress[], runtime: Runtime, address: VirtualAddress): boolean {
    const index = this.deviceIndex(runtime, address);
    if (runtime.config.virtualInterfaces.some(({ name }) => name === address.device)) return false;
    const family = familyOf(address.address);
    return present.every(
      (entry) =>
        entry.interfaceIndex !== index || familyOf(entry.address) !== family || entry.address === address.address,
    );
  }

  #pend(runtime: Runtime, wanted: AddressChange): PendingChange {
    return { runtime, change: wanted, decidedAt: this.#ports.clock.now() };
  }

  #place(runtime: Runtime, address: VirtualAddress): string {
    return `${this.deviceIndex(runtime, address)} ${address.address}`;
  }

  /** Index of the interface that carries an address; null while that interface does not exist. */
  deviceIndex(runtime: Runtime, address: VirtualAddress): number | null {
    if (address.device === null || address.device === runtime.config.interface) return runtime.link?.index ?? null;
    return this.links.find((link) => link.name === address.device)?.index ?? null;
  }

  flushRenewals(): void {
    if (this.#renewals.length === 0) return;
    const renewals = this.#renewals;
    this.#renewals = [];
    const changes: AddressChange[] = [];
    for (const { runtime } of renewals) {
      for (const entry of this.#renewalsOf(runtime)) changes.push(entry);
    }
    const failures = this.#ports.kernel.change(changes);
    // A process stopped between the decision and the write comes too late, whether the kernel says so or not.
    const now = this.#ports.clock.now();
    for (const { runtime, validUntil } of renewals) {
      const failed = failures.find((failure) => runtime.renewals?.changes.includes(failure.change));
      if (now >= validUntil || failed?.error.errno === "EADDRNOTAVAIL") {
        this.#host.dispatch(runtime, { kind: "lease-lost" });
      } else if (failed !== undefined) this.#complain(runtime, failed.error);
    }
  }

  /** The same objects from renewal to renewal, so that the port can keep their encoded form. */
  #renewalsOf(runtime: Runtime): readonly AddressChange[] {
    const { held, config } = runtime;
    const kept = runtime.renewals;
    const lifetime = lifetimeNow(runtime);
    const same = kept !== null && kept.held === held && kept.config === config && kept.links === this.links;
    if (same && kept.lifetime === lifetime) {
      return kept.changes;
    }
    const changes: AddressChange[] = [];
    for (const address of held) {
      const index = this.deviceIndex(runtime, address);
      if (index === null) continue;
      const place = { interfaceIndex: index, passing: this.#passing };
      changes.push(grant("renew", place, address, lifetime));
    }
    runtime.renewals = { held, config, links: this.links, lifetime, changes };
    return changes;
  }

  flushRemovals(): void {
    const removals = this.#removals;
    if (removals.length === 0) return;
    this.#removals = [];
    const failures = this.#ports.kernel.change(removals.map((entry) => entry.change));
    for (const [runtime, all] of byRuntime(removals)) {
      const refused = all.filter((entry) => failures.some((failure) => failure.change === entry.change));
      this.#keepTrying(runtime, refused, failures[0]?.error);
      const entries = all.filter((entry) => !refused.includes(entry));
      runtime.announced = false;
      const removed = entries.filter((entry) => runtime.held.some((held) => sameAddress(held, entry.change.address)));
      runtime.held = runtime.held.filter((held) => !entries.some((entry) => sameAddress(held, entry.change.address)));
      if (runtime.held.length > 0) runtime.announced = true;
      if (removed.length > 0) this.#addressEvent(runtime, "removed", removed);
    }
  }

  /** An address that cannot be removed is still there: it stays on the books, and is tried again with every wake-up. */
  #keepTrying(runtime: Runtime, refused: readonly PendingChange[], error: KernelError | undefined): void {
    if (refused.length === 0 || error === undefined) return;
    if (!this.#stuck.some((entry) => entry.runtime === runtime)) this.#complain(runtime, error);
    this.#stuck.push(...refused);
  }

  #complain(runtime: Runtime, error: KernelError): void {
    const detail = `${error.what}: ${error.errno}`;
    this.#host.event({ kind: "socket", interface: runtime.config.interface, action: "failed", detail });
  }

  /** True when there is something to try again. */
  retry(): boolean {
    const due = this.#stuck.filter((entry) => this.#ports.clock.now() - entry.decidedAt >= RETRY_MICROS);
    this.#stuck = this.#stuck.filter((entry) => !due.includes(entry));
    for (const { runtime, change: wanted } of due) this.#removals.push(this.#pend(runtime, wanted));
    return due.length > 0;
  }

  /** What is about to be added, by instance; null when nothing is. */
  coming(): ReadonlyMap<Runtime, readonly VirtualAddress[]> | null {
    if (this.#additions.length === 0) return null;
    const groups = byRuntime(this.#additions);
    return new Map([...groups].map(([runtime, entries]) => [runtime, entries.map((entry) => entry.change.address)]));
  }

  /** What is about to be added does not come. */
  refuse(runtime: Runtime, error: KernelError): void {
    const first = this.#additions.find((entry) => entry.runtime === runtime)?.change.address.address;
    this.#additions = this.#additions.filter((entry) => entry.runtime !== runtime);
    if (first === undefined) return;
    const reason = `${error.what}: ${error.errno}`;
    this.#host.dispatch(runtime, { kind: "address-refused", address: first, reason });
  }

  flushAdditions(): void {
    if (this.#additions.length === 0) return;
    const additions = this.#stillTimely(this.#additions);
    this.#additions = [];
    if (additions.length === 0) return;
    const failures = this.#ports.kernel.change(additions.map((entry) => entry.change));
    for (const [runtime, entries] of byRuntime(additions)) {
      const failed = failures.find((failure) => entries.some((entry) => entry.change === failure.change));
      const added = entries.filter((entry) => !failures.some((failure) => failure.change === entry.change));
      runtime.held = [...runtime.held, ...added.map((entry) => entry.change.address)];
      if (added.length > 0) this.#addressEvent(runtime, "added", added);
      if (failed === undefined) continue;
      const reason = `${failed.error.what}: ${failed.error.errno}`;
      this.#host.dispatch(runtime, { kind: "address-refused", address: failed.change.address.address, reason });
    }
  }

  /** A process stopped between its advert and its addresses comes back into a world where another may hold them. */
  #stillTimely(additions: readonly PendingChange[]): readonly PendingChange[] {
    const now = this.#ports.clock.now();
    const late = new Set<Runtime>();
    for (const { runtime, change: wanted, decidedAt } of additions) {
      // The quorum store's grant is used up: no lifetime is left to give.
      const over = wanted.lifetime !== null && wanted.lifetime < 1;
      if (over || now - decidedAt > shortestPeerMasterDown(runtime.config)) late.add(runtime);
    }
    if (late.size === 0) return additions;
    for (const runtime of late) this.#host.dispatch(runtime, { kind: "lease-lost" });
    return additions.filter(({ runtime }) => !late.has(runtime));
  }

  #addressEvent(runtime: Runtime, action: "added" | "removed", entries: readonly PendingChange[]): void {
    const addresses = entries.map((entry) => entry.change.address.address);
    const silent = new Set(runtime.config.excluded.map(({ address }) => address));
    const excluded = addresses.filter((address) => silent.has(address));
    const some = excluded.length === 0 ? {} : { excluded };
    this.#host.event({ kind: "addresses", instance: runtime.config.name, action, addresses, ...some });
  }

  heldByDevice(runtime: Runtime): Map<number, IpAddress[]> {
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

  /** Every address that some instance may carry, for telling our own from the host's. */
  virtualAddresses(): Set<IpAddress> {
    const all = new Set<IpAddress>();
    for (const runtime of this.#host.all()) for (const entry of addressesOf(runtime.config)) all.add(entry.address);
    return all;
  }
}

/** As the core has granted it; without a role that serves, what the configuration says. */
function lifetimeNow({ state: { role }, config }: Runtime): number | null {
  return role.kind === "master" ? lifetimeOf(role) : config.leaseSeconds;
}
