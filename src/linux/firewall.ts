/**
 * nftables on the real kernel by nfnetlink (no nft program): applies rules, sweeps what dead processes left, and hears when somebody
 * else takes a rule out of our table. Decides nothing.
 */
import { type NetlinkMessage, readErrno } from "../core/netlink/message.ts";
import { readOwnerTag, writeOwnerTag } from "../core/netlink/owner-tag.ts";
import {
  deleteTable,
  dumpTables,
  type Family,
  newTable,
  readTable,
  removesFrom,
  type TableOrder,
  type TableRecord,
  writeBatch,
} from "../core/nftables/messages.ts";
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
import type { Arena } from "./arena.ts";
import { ERRNO } from "./libc.ts";
import { createNetlinkRequests } from "./netlink-requests.ts";
import { NETLINK_NETFILTER, NETLINK_SEND_BYTES, type NetlinkSocket, openNetlinkSocket } from "./netlink-socket.ts";
import type { Watcher } from "./reactor.ts";
import { createSockets, kernelError } from "./sockets.ts";

/** Thousands of addresses in one transaction. */
const SEND_BYTES = 512 * 1024;
const NFNLGRP_NFTABLES = 7;
const NFNLGRP_NFTABLES_BIT = 1 << (NFNLGRP_NFTABLES - 1);

export interface FirewallOptions {
  readonly arena: Arena;
  /** The process that the tables belong to. */
  readonly owner: number;
  readonly isAlive: (pid: number) => boolean;
  /** Present where somebody listens: called once per wake-up after somebody else removed something from a table of ours. */
  readonly watch: { readonly watcher: Watcher; readonly onRemoval: () => void } | null;
}

export type ClosableFirewall = FirewallPort & { close(): void };

/** Without nfnetlink in the kernel it fails only when rules are needed. */
export function openFirewall(options: FirewallOptions): ClosableFirewall {
  // Who only sweeps sends little.
  const sendBytes = options.watch === null ? NETLINK_SEND_BYTES : SEND_BYTES;
  const protocol = { protocol: NETLINK_NETFILTER, sendBytes };
  const opened = openNetlinkSocket(options.arena, createSockets(options.arena), 0, protocol);
  return opened.ok ? new Nftables(opened.value, options) : withoutFirewall(opened.error);
}

function withoutFirewall(error: KernelError): ClosableFirewall {
  return {
    apply: (settings, needs) => (tablesFor(settings, needs).length === 0 ? null : error),
    sweep: () => [],
    close: () => undefined,
  };
}

class Nftables implements ClosableFirewall {
  readonly #socket: NetlinkSocket;
  readonly #options: FirewallOptions;
  #sequence = 1_000_000;
  #applied: readonly Table[] = [];
  #settings = "";
  #monitor: { close(): void } | null = null;

  constructor(socket: NetlinkSocket, options: FirewallOptions) {
    this.#socket = socket;
    this.#options = options;
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

  close(): void {
    this.#listen(null);
    this.#socket.close();
  }

  /** Only while there is something to guard: on some hosts rules change all the time, and each change would wake us. */
  #listen(table: string | null): void {
    const { watch, arena } = this.#options;
    if (table === null) {
      this.#monitor?.close();
      this.#monitor = null;
    } else if (this.#monitor === null && watch !== null) {
      this.#monitor = watchTable(arena, watch, { ownPort: this.#socket.port, table });
    }
  }

  sweep(): readonly string[] {
    const requests = createNetlinkRequests(this.#socket);
    const tables: readonly TableRecord[] = requests.dump(dumpTables, readTable);
    const left = tables.filter(({ comment }) => this.#mayRemove(comment));
    for (const { family, name } of left) this.#remove(family, name);
    this.#applied = [];
    return left.map(({ family, name }) => `${family} ${name}`);
  }

  #mayRemove(comment: string): boolean {
    const tag = readOwnerTag(comment);
    return tag !== null && (tag.pid === this.#options.owner || !this.#options.isAlive(tag.pid));
  }

  #bring(table: Table, before: Table | undefined, priority: number): KernelError | null {
    const difference = before === undefined ? null : changeTable(before, table);
    if (difference?.length === 0) return null;
    // The difference does not fit what is there: somebody changed it.
    if (difference !== null && this.#commit(difference) === 0) return null;
    const comment = writeOwnerTag({ pid: this.#options.owner, saved: {} });
    const errno = this.#commit(replaceTable(table, priority, comment));
    if (errno === 0) return null;
    const what = `set the nftables rules of table ${table.family} ${table.name} (needs the kernel modules nf_tables and nft_dup_ipv4 or nft_dup_ipv6)`;
    return kernelError(errno, what);
  }

  #remove(family: Family, name: string): void {
    const comment = writeOwnerTag({ pid: this.#options.owner, saved: {} });
    this.#commit([newTable(family, name, comment), deleteTable(family, name)]);
  }

  /** 0, or errno as a positive number. */
  #commit(orders: readonly TableOrder[]): number {
    const first = this.#sequence;
    this.#sequence += orders.length + 2;
    this.#socket.discard();
    const sent = this.#socket.send(writeBatch(orders, first));
    if (sent < 0) return -sent;
    let outcome: number | null = null;
    // The kernel has answered before send(2) returned: what does not come now never comes.
    for (;;) {
      const messages = this.#socket.receive();
      if (typeof messages === "number") return outcome ?? ERRNO.ENOBUFS;
      for (const message of messages) outcome = firstError(outcome, message);
    }
  }
}

function firstError(outcome: number | null, message: NetlinkMessage): number | null {
  const errno = readErrno(message);
  return errno === null || (outcome !== null && outcome !== 0) ? outcome : errno;
}

const isSame = (one: Table, other: Table): boolean => one.family === other.family && one.name === other.name;

/** The kernel drops what `ownPort` did; null when it has no room for one more socket: then rules are not guarded. */
function watchTable(
  arena: Arena,
  { watcher, onRemoval }: NonNullable<FirewallOptions["watch"]>,
  { ownPort, table }: { readonly ownPort: number; readonly table: string },
): { close(): void } | null {
  const sockets = createSockets(arena);
  const opened = openNetlinkSocket(arena, sockets, NFNLGRP_NFTABLES_BIT, { protocol: NETLINK_NETFILTER });
  if (!opened.ok) return null;
  const socket = opened.value;
  sockets.dropFromNetlinkPort(socket.descriptor, ownPort);
  watcher.watch(socket.descriptor, () => {
    if (heardRemoval(socket, table)) onRemoval();
  });
  return {
    close() {
      watcher.unwatch(socket.descriptor);
      socket.close();
    },
  };
}

/** Datagrams read in one wake-up. */
const DATAGRAMS_MAX = 64;

function heardRemoval(socket: NetlinkSocket, table: string): boolean {
  let heard = false;
  for (let left = DATAGRAMS_MAX; left > 0; left--) {
    const messages = socket.receive();
    if (messages === -ERRNO.ENOBUFS) {
      // Notifications were lost: perhaps that one.
      socket.discard();
      return true;
    }
    if (typeof messages === "number") return heard;
    if (messages.some((message) => removesFrom(message, table))) heard = true;
  }
  return heard;
}
