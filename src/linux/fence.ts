/** The fence of `fence strict` on the real kernel (core/nftables/fence.ts): sets it, renews it, sweeps what dead processes left. */
import {
  buildFence,
  changeFence,
  FENCE_TABLE,
  type FenceEntry,
  removeFence,
  renewFence,
} from "../core/nftables/fence.ts";
import type { FencePort } from "../ports/fence.ts";
import type { KernelError } from "../ports/network.ts";
import { ERRNO } from "./libc.ts";
import type { Nftables } from "./nftables.ts";
import { kernelError } from "./sockets.ts";

/** Without nfnetlink in the kernel it fails only when a fence is needed. */
export function createFence(nftables: Nftables | KernelError): FencePort {
  if (!("commit" in nftables)) {
    const fail = (entries: readonly FenceEntry[]) => (entries.length === 0 ? null : nftables);
    return { set: fail, renew: fail, sweep: () => [] };
  }
  return new Fence(nftables);
}

class Fence implements FencePort {
  readonly #nftables: Nftables;
  readonly #name: string;
  /** Addresses behind the fence as last set; none means there are no tables. */
  #standing = new Map<string, FenceEntry>();
  /** Some kernels are built without the family: what answers ARP then is the address itself. */
  #arp = true;
  #monitor: { close(): void } | null = null;

  constructor(nftables: Nftables) {
    this.#nftables = nftables;
    this.#name = `${FENCE_TABLE}${nftables.owner}`;
  }

  set(entries: readonly FenceEntry[], afresh: boolean): KernelError | null {
    const wanted = new Map(entries.map((entry) => [keyOf(entry), entry]));
    const before = this.#standing;
    if (wanted.size === 0) {
      if (before.size > 0 || afresh) this.#remove();
      return null;
    }
    const gone = [...before].filter(([key]) => !wanted.has(key)).map(([, entry]) => entry);
    const come = [...wanted].filter(([key]) => !before.has(key)).map(([, entry]) => entry);
    if (!afresh && gone.length === 0 && come.length === 0) return null;
    const changed = !afresh && before.size > 0 && this.#change("remove", gone) === 0 && this.#change("add", come) === 0;
    const errno = changed ? 0 : this.#build(entries);
    if (errno !== 0) return failure(errno, "set");
    this.#standing = wanted;
    this.#monitor ??= this.#nftables.listen(this.#name);
    return null;
  }

  renew(entries: readonly FenceEntry[]): KernelError | null {
    for (const some of portions(entries)) {
      const orders = renewFence(this.#place(), some);
      const errno = orders.length === 0 ? 0 : this.#nftables.commit(orders);
      if (errno !== 0) return failure(errno, "renew");
    }
    return null;
  }

  sweep(): readonly string[] {
    return this.#nftables.sweep(({ name }) => name.startsWith(FENCE_TABLE));
  }

  #place(): { readonly name: string; readonly arp: boolean } {
    return { name: this.#name, arp: this.#arp };
  }

  #change(action: "add" | "remove", entries: readonly FenceEntry[]): number {
    for (const some of portions(entries)) {
      const errno = this.#nftables.commit(changeFence(this.#place(), action, some));
      if (errno !== 0) return errno;
    }
    return 0;
  }

  #build(entries: readonly FenceEntry[]): number {
    const { comment } = this.#nftables;
    const [first = [], ...others] = portions(entries);
    const build = (): number =>
      this.#nftables.commit(buildFence({ ...this.#place(), comment }, first)) || this.#change("add", others.flat());
    const errno = build();
    if (!this.#arp || !WITHOUT_FAMILY.has(errno)) return errno;
    this.#arp = false;
    const alone = build();
    this.#arp = alone !== 0;
    return alone;
  }

  #remove(): void {
    this.#nftables.commit(removeFence({ ...this.#place(), comment: this.#nftables.comment }));
    this.#standing = new Map();
    this.#monitor?.close();
    this.#monitor = null;
  }
}

/** What a kernel without the family arp says, depending on its age. */
const WITHOUT_FAMILY: ReadonlySet<number> = new Set([ERRNO.EAFNOSUPPORT, ERRNO.EOPNOTSUPP, ERRNO.ENOENT]);

/** A transaction is one datagram, and an address takes up to a hundred bytes of it. */
const PORTION = 2_000;

function portions(entries: readonly FenceEntry[]): readonly (readonly FenceEntry[])[] {
  if (entries.length <= PORTION) return entries.length === 0 ? [] : [entries];
  const count = Math.ceil(entries.length / PORTION);
  return Array.from({ length: count }, (_, at) => entries.slice(at * PORTION, (at + 1) * PORTION));
}

const keyOf = ({ address, interfaceIndex }: FenceEntry): string => `${address} ${interfaceIndex}`;

const failure = (errno: number, action: "set" | "renew"): KernelError =>
  kernelError(errno, `${action} the fence of fence strict (needs the kernel module nf_tables with the family inet)`);
