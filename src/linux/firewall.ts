/**
 * The rules of no_accept and virtual MAC on the real kernel (core/nftables/ruleset.ts): applies them, sweeps what dead processes left, and
 * hears when somebody else takes a rule out of our table. Decides nothing.
 */
import { FENCE_TABLE } from "../core/nftables/fence.ts";
import { deleteTable, type Family, newTable } from "../core/nftables/messages.ts";
import {
  changeTable,
  type FirewallNeeds,
  type FirewallSettings,
  replaceTable,
  type Table,
  tablesFor,
} from "../core/nftables/ruleset.ts";
import type { FirewallPort } from "../ports/firewall.ts";
import type { KernelError } from "../ports/network.ts";
import type { Nftables } from "./nftables.ts";
import { kernelError } from "./sockets.ts";

/** Without nfnetlink in the kernel it fails only when rules are needed. */
export function createFirewall(nftables: Nftables | KernelError): FirewallPort {
  if (!("commit" in nftables)) {
    return { apply: (settings, needs) => (tablesFor(settings, needs).length === 0 ? null : nftables), sweep: () => [] };
  }
  return new Firewall(nftables);
}

class Firewall implements FirewallPort {
  readonly #nftables: Nftables;
  #applied: readonly Table[] = [];
  #settings = "";
  #monitor: { close(): void } | null = null;

  constructor(nftables: Nftables) {
    this.#nftables = nftables;
  }

  apply(settings: FirewallSettings, needs: FirewallNeeds, afresh: boolean): KernelError | null {
    const wanted = tablesFor(settings, needs);
    const key = JSON.stringify(settings);
    const whole = afresh || key !== this.#settings;
    // Another name: what is listened to changes with it.
    if (key !== this.#settings) this.#listen(null);
    for (const table of this.#applied) {
      if (!wanted.some((other) => isSame(other, table))) this.#remove(table.family, table.name);
    }
    let failure: KernelError | null = null;
    const applied: Table[] = [];
    for (const table of wanted) {
      const before = whole ? undefined : this.#applied.find((other) => isSame(other, table));
      const error = this.#bring(table, before, settings.priority);
      if (error === null) applied.push(table);
      else failure = error;
    }
    this.#applied = applied;
    this.#settings = key;
    this.#listen(applied.length > 0 ? settings.table : null);
    return failure;
  }

  #listen(table: string | null): void {
    if (table === null) {
      this.#monitor?.close();
      this.#monitor = null;
    } else this.#monitor ??= this.#nftables.listen(table);
  }

  sweep(): readonly string[] {
    const swept = this.#nftables.sweep(({ name }) => !name.startsWith(FENCE_TABLE));
    this.#applied = [];
    return swept;
  }

  #bring(table: Table, before: Table | undefined, priority: number): KernelError | null {
    const difference = before === undefined ? null : changeTable(before, table);
    if (difference?.length === 0) return null;
    // The difference does not fit what is there: somebody changed it.
    if (difference !== null && this.#nftables.commit(difference) === 0) return null;
    const errno = this.#nftables.commit(replaceTable(table, priority, this.#nftables.comment));
    if (errno === 0) return null;
    const what = `set the nftables rules of table ${table.family} ${table.name} (needs the kernel modules nf_tables and nft_dup_ipv4 or nft_dup_ipv6)`;
    return kernelError(errno, what);
  }

  #remove(family: Family, name: string): void {
    this.#nftables.commit([newTable(family, name, this.#nftables.comment), deleteTable(family, name)]);
  }
}

const isSame = (one: Table, other: Table): boolean => one.family === other.family && one.name === other.name;
