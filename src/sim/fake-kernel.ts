/**
 * The kernel of one host: one Ethernet link, its addresses and their lifetimes. A lifetime ends on a whole second
 * after it was granted, up to 1 s late and never early, as Linux does when other addresses change. Renewing an address that is gone puts it back,
 * as RTM_NEWADDR with NLM_F_REPLACE does: keeping a lost address lost is the daemon's duty.
 */
import type { IpAddress } from "../core/lib/ip.ts";
import type { AddressChange, InterfaceAddress, KernelError, KernelPort, Link } from "../ports/network.ts";
import { INTERFACE } from "./configs.ts";
import type { EventQueue, Scheduled } from "./event-queue.ts";
import type { Prng } from "./prng.ts";

export const LINK_INDEX = 2;
/** The kernel's worst lateness in removing an expired address. */
export const EXPIRY_LATENESS = 1_000_000;

/** asked: by the keeper itself, for which it is no news. */
export type RemovalReason = "asked" | "guard" | "expired" | "foreign";

export interface KernelListener {
  linkChanged(): void;
  addressAdded(address: IpAddress, action: "add" | "renew"): void;
  addressRemoved(address: IpAddress, reason: RemovalReason): void;
}

interface Held {
  readonly entry: InterfaceAddress;
  /** When its lifetime ends, were it not for the kernel's lateness. */
  validUntil: number;
  expiry: Scheduled | null;
}

export interface KernelParts {
  readonly node: number;
  readonly own: IpAddress;
  /** The host's own queue: its times are CLOCK_MONOTONIC. */
  readonly queue: EventQueue;
  readonly now: () => number;
  readonly prng: Prng;
  readonly listener: KernelListener;
}

export class FakeKernel implements KernelPort {
  readonly #parts: KernelParts;
  readonly #held = new Map<IpAddress, Held>();
  readonly #mac: Uint8Array;
  #usable = true;
  #links: readonly Link[] = [];

  constructor(parts: KernelParts) {
    this.#parts = parts;
    this.#mac = Uint8Array.of(2, 0, 0, 0, 0, parts.node + 1);
    this.boot();
  }

  get usable(): boolean {
    return this.#usable;
  }

  has(address: IpAddress): boolean {
    return this.#held.has(address);
  }

  /** When the lifetime of that address ends, by the host's clock, lateness apart; infinity: never. Null when it is not there. */
  validUntil(address: IpAddress): number | null {
    return this.#held.get(address)?.validUntil ?? null;
  }

  links(): readonly Link[] {
    return this.#links;
  }

  addresses(): readonly InterfaceAddress[] {
    return [...this.#held.values()].map((held) => held.entry);
  }

  change(
    changes: readonly AddressChange[],
  ): readonly { readonly change: AddressChange; readonly error: KernelError }[] {
    const failures: { change: AddressChange; error: KernelError }[] = [];
    for (const change of changes) {
      if (change.interfaceIndex !== LINK_INDEX) {
        failures.push({ change, error: { errno: "ENODEV", what: `${change.action} ${change.address.address}` } });
      } else if (change.action === "remove") this.remove(change.address.address, "asked");
      else this.#grant(change);
    }
    return failures;
  }

  /** Somebody or something takes an address away. */
  remove(address: IpAddress, reason: RemovalReason): boolean {
    const held = this.#held.get(address);
    if (held === undefined) return false;
    this.#drop(held);
    this.#parts.listener.addressRemoved(address, reason);
    return true;
  }

  setLink(usable: boolean): void {
    if (this.#usable === usable) return;
    this.#usable = usable;
    this.#describeLinks();
    this.#parts.listener.linkChanged();
  }

  /** A fresh start: only the host's own address, for ever. */
  boot(): void {
    for (const held of this.#held.values()) this.#drop(held);
    this.#usable = true;
    this.#describeLinks();
    this.#held.set(this.#parts.own, newly(this.#parts.own, 24));
  }

  #grant(change: AddressChange): void {
    const { address, prefixLength } = change.address;
    const known = this.#held.get(address);
    if (known?.expiry != null) known.expiry.run = null;
    const held: Held = known ?? newly(address, prefixLength);
    held.validUntil =
      change.lifetime === null ? Number.POSITIVE_INFINITY : this.#parts.now() + change.lifetime * 1_000_000;
    held.expiry = change.lifetime === null ? null : this.#expireAfter(change.lifetime, address);
    this.#held.set(address, held);
    if (known === undefined) this.#parts.listener.addressAdded(address, change.action === "renew" ? "renew" : "add");
  }

  #expireAfter(seconds: number, address: IpAddress): Scheduled {
    const { queue, now, prng } = this.#parts;
    const at = now() + seconds * 1_000_000 + prng.between(0, EXPIRY_LATENESS);
    return queue.push(at, () => {
      this.remove(address, "expired");
    });
  }

  #drop(held: Held): void {
    if (held.expiry !== null) held.expiry.run = null;
    this.#held.delete(held.entry.address);
  }

  #describeLinks(): void {
    this.#links = [{ index: LINK_INDEX, name: INTERFACE, usable: this.#usable, mac: this.#mac, mtu: 1500 }];
  }
}

const newly = (address: IpAddress, prefixLength: number): Held => ({
  entry: entryOf(address, prefixLength),
  validUntil: Number.POSITIVE_INFINITY,
  expiry: null,
});

function entryOf(address: IpAddress, prefixLength: number): InterfaceAddress {
  return { interfaceIndex: LINK_INDEX, address, prefixLength, secondary: false, tentative: false, validSeconds: null };
}
