/**
 * `fence strict`: which addresses stand behind the fence, and until when it is open for them. Raised before an address appears, renewed
 * behind each advert that has left, taken away after the address. Whether an instance may serve is core/vrrp's decision: here it is only
 * told when its fence has closed.
 */
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { type Instant, type Micros, millis } from "../core/lib/units.ts";
import type { FenceEntry } from "../core/nftables/fence.ts";
import type { VirtualAddress } from "../core/vrrp/config.ts";
import type { VrrpEvent } from "../core/vrrp/events.ts";
import { fenceEnd } from "../core/vrrp/fence.ts";
import type { KernelError } from "../ports/network.ts";
import type { EnginePorts } from "./engine-ports.ts";
import type { AddressPlaces } from "./virtual-network.ts";
import type { Runtime } from "./vrrp-runtime.ts";

/** A time that reached the kernel this much later than it was computed for is written again. */
const TOLERANCE = millis(2);
const WRITES_MAX = 3;
/** Somebody who takes the tables away each time is not answered faster than this. */
const RESTORE_PAUSE = millis(1_000);

type Coming = ReadonlyMap<Runtime, readonly VirtualAddress[]>;
const NOTHING_COMING: Coming = new Map();

export interface FenceHost {
  all(): readonly Runtime[];
  event(body: HoldfastEventBody): void;
  dispatch(runtime: Runtime, event: VrrpEvent): void;
}

export class FenceCarrier {
  readonly #ports: EnginePorts;
  readonly #host: FenceHost;
  readonly #places: AddressPlaces;
  #swept = false;
  /** Some instance has a fence, or had one when we last looked. */
  #standing = false;
  #followed: { readonly runtimes: readonly Runtime[]; readonly marks: readonly unknown[] } | null = null;
  #failure: string | null = null;
  #restoredAt = Number.NEGATIVE_INFINITY;
  /** When tables that somebody took away are set again; null while they are whole. */
  #restoreAt: number | null = null;

  constructor(ports: EnginePorts, host: FenceHost, places: AddressPlaces) {
    this.#ports = ports;
    this.#host = host;
    this.#places = places;
  }

  /** What dead daemons left; only when the addresses that they left are off the interfaces. */
  sweep(): void {
    if (this.#swept) return;
    this.#swept = true;
    const swept = this.#ports.fence.sweep();
    if (swept.length > 0) this.#host.event({ kind: "firewall", action: "swept", detail: swept.join(", ") });
  }

  /** Before addresses appear. An error: they must not. */
  raise(coming: Coming): KernelError | null {
    if (![...coming.keys()].some(({ config }) => config.fenceSpan !== null)) return null;
    // What was given up since we last looked goes first: its time is that of another mastership.
    this.follow();
    return this.#set(coming, false);
  }

  /** Lets the fence follow what is held; costs a comparison per instance while nothing has changed. */
  follow(): void {
    const runtimes = this.#host.all();
    if (!this.#changed(runtimes)) return;
    const marks = runtimes.map(markOf);
    this.#followed = { runtimes, marks };
    const fenced = runtimes.some(({ config }) => config.fenceSpan !== null);
    if (!fenced && !this.#standing) return;
    this.#standing = fenced;
    this.#set(NOTHING_COMING, false);
  }

  #changed(runtimes: readonly Runtime[]): boolean {
    const before = this.#followed;
    if (before === null || before.runtimes !== runtimes) return true;
    for (let position = 0; position < runtimes.length; position++) {
      const runtime = runtimes[position];
      if (runtime !== undefined && markOf(runtime) !== before.marks[position]) return true;
    }
    return false;
  }

  /** Their adverts have left, no earlier than at `advertAt`. */
  renew(sent: readonly Runtime[], advertAt: Instant): void {
    const due = sent.filter(({ fencedUntil, held }) => fencedUntil !== null && held.length > 0);
    if (due.length === 0) return;
    const open = due.filter((runtime) => !this.#isClosed(runtime));
    const before = new Map(open.map((runtime) => [runtime, runtime.fencedUntil]));
    const moveBack = (runtime: Runtime): void => {
      runtime.fencedUntil = before.get(runtime) ?? null;
    };
    for (const runtime of open) runtime.fencedUntil = endOf(runtime, advertAt);
    const error = this.#write(open);
    // By the old time: one that had closed meanwhile is not to be opened again, or not for long.
    const now = this.#ports.clock.now();
    const late = due.filter((runtime) => now >= (before.get(runtime) ?? 0));
    if (error !== null) {
      late.forEach(moveBack);
      // Before its time it can only be gone because somebody took the tables away.
      const timely = open.filter((runtime) => !late.includes(runtime));
      if (timely.length > 0 && !this.#restore()) timely.forEach(moveBack);
    }
    for (const runtime of late) this.#host.dispatch(runtime, CLOSED);
  }

  #isClosed({ fencedUntil }: Runtime): boolean {
    return this.#ports.clock.now() >= (fencedUntil ?? 0);
  }

  #write(runtimes: readonly Runtime[]): KernelError | null {
    for (let writes = 0; writes < WRITES_MAX && runtimes.length > 0; writes++) {
      const now = this.#ports.clock.now();
      const error = this.#ports.fence.renew(runtimes.flatMap((runtime) => this.#entriesOf(runtime, runtime.held, now)));
      if (error !== null) return error;
      // A process that was stopped in between has given time that begins later than it was meant to.
      if (this.#ports.clock.now() - now <= TOLERANCE) break;
    }
    return null;
  }

  /** Somebody took something out of its tables. */
  touched(): void {
    if (this.#standing) this.#restoreAt = Math.max(this.#ports.clock.now(), this.#restoredAt + RESTORE_PAUSE);
  }

  get deadline(): number {
    return this.#restoreAt ?? Number.POSITIVE_INFINITY;
  }

  restoreIfDue(): void {
    if (this.#restoreAt !== null && this.#ports.clock.now() >= this.#restoreAt) this.#restore();
  }

  /** Everything anew; true when the fence stands. */
  #restore(): boolean {
    this.#restoreAt = null;
    this.#restoredAt = this.#ports.clock.now();
    if (this.#set(NOTHING_COMING, true) !== null) return false;
    this.#host.event({ kind: "firewall", action: "fence-restored", detail: "" });
    return true;
  }

  #set(coming: Coming, afresh: boolean): KernelError | null {
    const now = this.#ports.clock.now();
    const entries = this.#host.all().flatMap((runtime) => {
      const addresses = [...runtime.held, ...(coming.get(runtime) ?? [])];
      if (runtime.config.fenceSpan === null || addresses.length === 0) {
        runtime.fencedUntil = null;
        return [];
      }
      runtime.fencedUntil ??= endOf(runtime, lastAdvert(runtime, now));
      return this.#entriesOf(runtime, addresses, now);
    });
    const error = this.#ports.fence.set(entries, afresh);
    const failure = error === null ? null : `${error.what}: ${error.errno}`;
    if (failure !== null && failure !== this.#failure) {
      this.#host.event({ kind: "firewall", action: "fence-failed", detail: failure });
    }
    if (entries.length > 0) this.#failure = failure;
    return error;
  }

  #entriesOf(runtime: Runtime, addresses: readonly VirtualAddress[], now: number): readonly FenceEntry[] {
    const openMillis = Math.max(0, ((runtime.fencedUntil ?? 0) - now) / 1_000);
    return addresses.flatMap((entry) => {
      const interfaceIndex = this.#places.deviceIndex(runtime, entry);
      return interfaceIndex === null ? [] : [{ address: entry.address, interfaceIndex, openMillis }];
    });
  }
}

const CLOSED: VrrpEvent = { kind: "fence-closed" };

/** What the fence of an instance depends on: addresses while it has one. */
const markOf = ({ config, held }: Runtime): unknown => (config.fenceSpan === null ? null : held);

function endOf({ config, state }: Runtime, advertAt: Instant): Instant {
  return fenceEnd(config.fenceSpan ?? (0 as Micros), advertAt, state.permitUntil);
}

/** An advert interval before the next one is due: never later than it really left. */
function lastAdvert({ config, state: { role } }: Runtime, now: Instant): Instant {
  if (role.kind !== "master") return now;
  return Math.min(now, role.advertiseAt - config.advertInterval) as Instant;
}
