/**
 * What instances need of the host beside addresses: their virtual interfaces and packet filter rules. Makes interfaces when their
 * base is there, removes them with their instance, lets the rules follow what is held, and sets them again when somebody removed
 * them. Decides nothing about elections; a virtual interface that cannot be made is a fault of its instance.
 */
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { after, type Instant, millis } from "../core/lib/units.ts";
import { DEFAULT_FIREWALL, type FirewallNeeds, type FirewallSettings } from "../core/nftables/ruleset.ts";
import type { VirtualAddress } from "../core/vrrp/config.ts";
import type { VirtualInterface } from "../core/vrrp/virtual-interface.ts";
import type { KernelError, Link } from "../ports/network.ts";
import type { EnginePorts } from "./engine-ports.ts";
import type { Runtime } from "./vrrp-runtime.ts";

/** Somebody who takes the rules away each time is not answered faster than this. */
const RESTORE_PAUSE = millis(1_000);

/**
 * One wake-up makes no more than this: creating one takes the kernel milliseconds, and adverts and heartbeats are due meanwhile. Several
 * that are removed at once cost little more than one, because the kernel waits for its readers once.
 */
const SLICE = millis(3);
const MADE_AT_ONCE = 4;
const REMOVED_AT_ONCE = 8;

export class VirtualNetwork {
  readonly #ports: EnginePorts;
  readonly #event: (body: HoldfastEventBody) => void;
  /** Names of the interfaces that were made or found, and for which instance. */
  readonly #provided = new Map<string, string>();
  #started = false;
  #wanted: ReadonlySet<string> = new Set();
  #toMake: { readonly runtime: Runtime; readonly virtual: VirtualInterface }[] = [];
  #removing = false;
  /** What could not be made in the pass that has just ended: tried again with the next change of the kernel, not at once. */
  readonly #failed = new Set<string>();
  #followed: {
    readonly runtimes: readonly Runtime[];
    readonly held: readonly Runtime["held"][];
    readonly links: readonly Link[];
  } | null = null;
  #failure: string | null = null;
  #filtering = false;
  #restoredAt = Number.NEGATIVE_INFINITY;
  /** When rules that were removed may be set again; null while they are whole. */
  #restoreAt: number | null = null;

  constructor(ports: EnginePorts, event: (body: HoldfastEventBody) => void) {
    this.#ports = ports;
    this.#event = event;
  }

  get settings(): FirewallSettings {
    return (
      this.#followed?.runtimes.find(({ config }) => config.filter !== null)?.config.filter?.settings ?? DEFAULT_FIREWALL
    );
  }

  /** Interfaces are still to be made or removed: work() does it slice by slice. */
  get busy(): boolean {
    return this.#removing || this.#toMake.length > 0;
  }

  /** An interface that is still to be made, or looked at, is not used although one of its name exists. */
  awaits(name: string): boolean {
    return this.#toMake.some(({ virtual }) => virtual.name === name);
  }

  /** Begins to make what is missing and to remove what nobody wants any more; the links as they are then. */
  provide(runtimes: readonly Runtime[], links: readonly Link[]): readonly Link[] {
    const names = new Set(links.map(({ name }) => name));
    const { busy } = this;
    this.#wanted = new Set(runtimes.flatMap(({ config }) => config.virtualInterfaces.map(({ name }) => name)));
    this.#planRemoval(names);
    this.#toMake = runtimes.flatMap((runtime) => this.#missingOf(runtime, names));
    this.#failed.clear();
    if (busy || !this.busy) return links;
    this.#ports.virtualInterfaces.look();
    if (this.work()) this.#failed.clear();
    return this.#ports.kernel.links();
  }

  /** Without its base an interface waits: that is another fault. */
  #missingOf(runtime: Runtime, names: ReadonlySet<string>) {
    const { virtualInterfaces } = runtime.config;
    const fault = runtime.virtualFault;
    if (fault?.kind === "virtual-interface" && !virtualInterfaces.some(({ name }) => name === fault.interface)) {
      runtime.virtualFault = null;
    }
    return virtualInterfaces
      .filter(({ name, base }) => !this.#isThere(name, names) && names.has(base) && !this.#failed.has(name))
      .filter(() => !runtime.retired)
      .map((virtual) => ({ runtime, virtual }));
  }

  /** One slice. True when nothing is left to do. */
  work(): boolean {
    const { clock } = this.#ports;
    const until = after(clock.now(), SLICE);
    for (let made = 0; made < MADE_AT_ONCE && this.busy && clock.now() <= until; made++) {
      // First what goes: it may have the MAC of what comes.
      if (this.#removing) made += this.#removeSome();
      else this.#makeNext();
    }
    return !this.busy;
  }

  #makeNext(): void {
    const next = this.#toMake.shift();
    if (next === undefined) return;
    const { runtime, virtual } = next;
    const error = this.#make(runtime, virtual);
    const fault = runtime.virtualFault;
    const isIts = fault === null || (fault.kind === "virtual-interface" && fault.interface === virtual.name);
    if (error !== null) this.#failed.add(virtual.name);
    if (!isIts) return;
    runtime.virtualFault =
      error === null ? null : { kind: "virtual-interface", interface: virtual.name, reason: textOf(error) };
  }

  /** Instances stopped: their interfaces and rules go with them. False when they had none. */
  leave(stopped: readonly Runtime[], left: readonly Runtime[], places: AddressPlaces): boolean {
    if (!stopped.some(({ config }) => config.virtualInterfaces.length > 0 || config.filter !== null)) return false;
    places.links = this.provide(left, this.#ports.kernel.links());
    this.follow(left, places);
    return true;
  }

  #isThere(name: string, names: ReadonlySet<string>): boolean {
    if (!names.has(name)) this.#provided.delete(name);
    return this.#provided.has(name);
  }

  #make(runtime: Runtime, virtual: VirtualInterface): KernelError | null {
    const { name: instance } = runtime.config;
    const made = this.#ports.virtualInterfaces.ensure(virtual);
    const told =
      runtime.virtualFault?.kind === "virtual-interface" &&
      !made.ok &&
      runtime.virtualFault.reason === textOf(made.error);
    if (made.ok) this.#provided.set(virtual.name, instance);
    if (made.ok && runtime.config.filter?.localReports === "silenced") {
      this.#ports.virtualInterfaces.silenceLocalReports(true);
    }
    if (!told) {
      this.#event({
        kind: "virtual-interface",
        instance,
        interface: virtual.name,
        action: made.ok ? "made" : "failed",
        detail: made.ok ? "" : textOf(made.error),
      });
    }
    return made.ok ? null : made.error;
  }

  /** At the start also what dead daemons left. */
  #planRemoval(names: ReadonlySet<string>): void {
    const gone = [...this.#provided.keys()].filter((name) => !this.#wanted.has(name));
    for (const name of gone) if (!names.has(name)) this.#provided.delete(name);
    if (this.#started && gone.length === 0) return;
    if (!this.#started) this.#sweepRules();
    this.#started = true;
    this.#removing = true;
  }

  /** How many. */
  #removeSome(): number {
    const removed = this.#ports.virtualInterfaces.removeAllBut(this.#wanted, REMOVED_AT_ONCE);
    for (const name of removed) {
      const instance = this.#provided.get(name);
      this.#provided.delete(name);
      if (instance !== undefined)
        this.#event({ kind: "virtual-interface", instance, interface: name, action: "removed", detail: "" });
    }
    if (removed.length === REMOVED_AT_ONCE) return removed.length;
    this.#removing = false;
    for (const name of this.#provided.keys()) if (!this.#wanted.has(name)) this.#provided.delete(name);
    if (this.#provided.size === 0) this.#ports.virtualInterfaces.silenceLocalReports(false);
    return removed.length;
  }

  #sweepRules(): void {
    const swept = this.#ports.firewall.sweep();
    if (swept.length > 0) this.#event({ kind: "firewall", action: "swept", detail: swept.join(", ") });
  }

  /** Lets the rules follow; costs a comparison per instance while nothing has changed. */
  follow(runtimes: readonly Runtime[], places: AddressPlaces): void {
    // Not before what goes is gone: until then the kernel may report its groups.
    if (this.#removing || !this.#changed(runtimes, places.links)) return;
    this.#followed = { runtimes, held: runtimes.map(({ held }) => held), links: places.links };
    const filtering = runtimes.some(({ config }) => config.filter !== null);
    if (!filtering && !this.#filtering) return;
    this.#filtering = filtering;
    this.#apply(runtimes, places, false);
  }

  /** Addresses that nobody may talk to are closed before they appear. */
  close(
    runtimes: readonly Runtime[],
    places: AddressPlaces,
    coming: ReadonlyMap<Runtime, readonly VirtualAddress[]>,
  ): void {
    if (![...coming.keys()].some(({ config }) => config.filter?.closed === true)) return;
    this.#apply(runtimes, places, false, coming);
  }

  /** Somebody took something out of our table. */
  touched(): void {
    if (!this.#filtering) return;
    this.#restoreAt = Math.max(this.#ports.clock.now(), this.#restoredAt + RESTORE_PAUSE);
  }

  get deadline(): Instant | null {
    if (this.busy) return this.#ports.clock.now();
    return this.#restoreAt as Instant | null;
  }

  restoreIfDue(places: AddressPlaces): void {
    const now = this.#ports.clock.now();
    if (this.#restoreAt === null || now < this.#restoreAt || this.#followed === null) return;
    this.#restoreAt = null;
    this.#restoredAt = now;
    if (this.#apply(this.#followed.runtimes, places, true)) {
      this.#event({ kind: "firewall", action: "restored", detail: "" });
    }
  }

  #changed(runtimes: readonly Runtime[], links: readonly Link[]): boolean {
    const before = this.#followed;
    if (before === null || before.links !== links || before.runtimes !== runtimes) return true;
    for (let position = 0; position < runtimes.length; position++) {
      if (runtimes[position]?.held !== before.held[position]) return true;
    }
    return false;
  }

  /** True when the rules are as needed. */
  #apply(
    runtimes: readonly Runtime[],
    places: AddressPlaces,
    afresh: boolean,
    coming: ReadonlyMap<Runtime, readonly VirtualAddress[]> = NOTHING_COMING,
  ): boolean {
    const settings = runtimes.find(({ config }) => config.filter !== null)?.config.filter?.settings ?? DEFAULT_FIREWALL;
    const error = this.#ports.firewall.apply(settings, needsOf(runtimes, places, coming), afresh);
    const failure = error === null ? null : textOf(error);
    if (failure !== null && failure !== this.#failure)
      this.#event({ kind: "firewall", action: "failed", detail: failure });
    this.#failure = failure;
    return failure === null;
  }
}

const NOTHING_COMING: ReadonlyMap<Runtime, readonly VirtualAddress[]> = new Map();

/** Which interface carries an address. */
export interface AddressPlaces {
  links: readonly Link[];
  deviceIndex(runtime: Runtime, address: VirtualAddress): number | null;
}

function needsOf(
  runtimes: readonly Runtime[],
  places: AddressPlaces,
  coming: ReadonlyMap<Runtime, readonly VirtualAddress[]>,
): FirewallNeeds {
  const indexOf = (name: string): number | null => places.links.find((link) => link.name === name)?.index ?? null;
  const closed = runtimes.flatMap((runtime) => {
    if (runtime.config.filter?.closed !== true) return [];
    return [...runtime.held, ...(coming.get(runtime) ?? [])].flatMap((entry) => {
      const interfaceIndex = places.deviceIndex(runtime, entry);
      return interfaceIndex === null ? [] : [{ address: entry.address, interfaceIndex }];
    });
  });
  const virtual = runtimes.flatMap(({ config }) => {
    if (config.filter?.localReports !== "moved") return [];
    return config.virtualInterfaces.flatMap(({ kind, name, base, ipv6 }) => {
      const index = indexOf(name);
      const under = indexOf(base);
      return kind !== "macvlan" || index === null || under === null ? [] : [{ index, base: under, ipv6 }];
    });
  });
  return { closed, virtual };
}

const textOf = (error: KernelError): string => `${error.what}: ${error.errno}`;
