/**
 * One nfnetlink socket for all that Holdfast has in nf_tables (no nft program): transactions, the tables that are there, and word of what
 * others take out of ours. What tables there are to be is its users' business.
 */
import { type NetlinkMessage, readErrno } from "../core/netlink/message.ts";
import { readOwnerTag, writeOwnerTag } from "../core/netlink/owner-tag.ts";
import {
  deleteTable,
  dumpTables,
  newTable,
  readTable,
  removesFrom,
  type TableOrder,
  type TableRecord,
  writeBatch,
} from "../core/nftables/messages.ts";
import type { KernelError } from "../ports/network.ts";
import type { Arena } from "./arena.ts";
import { ERRNO } from "./libc.ts";
import { createNetlinkRequests } from "./netlink-requests.ts";
import { NETLINK_NETFILTER, NETLINK_SEND_BYTES, type NetlinkSocket, openNetlinkSocket } from "./netlink-socket.ts";
import type { Watcher } from "./reactor.ts";
import { createSockets } from "./sockets.ts";

/** Thousands of addresses in one transaction. */
const SEND_BYTES = 512 * 1024;
const NFNLGRP_NFTABLES = 7;
const NFNLGRP_NFTABLES_BIT = 1 << (NFNLGRP_NFTABLES - 1);

export interface NftablesOptions {
  readonly arena: Arena;
  /** The process that the tables belong to. */
  readonly owner: number;
  readonly isAlive: (pid: number) => boolean;
  /** Present where somebody listens: called once per wake-up after somebody else removed something from a table of ours. */
  readonly watch: { readonly watcher: Watcher; readonly onRemoval: (table: string) => void } | null;
}

export interface Nftables {
  /** What the tables of this process carry as their comment. */
  readonly comment: string;
  readonly owner: number;
  /** 0, or errno as a positive number. */
  commit(orders: readonly TableOrder[]): number;
  /** Removes the tables of this process and of dead ones, as far as they are meant; the families and names. */
  sweep(isMeant: (table: TableRecord) => boolean): readonly string[];
  /** Only while there is something to guard: on some hosts rules change all the time, and each change would wake us. */
  listen(table: string): { close(): void } | null;
}

export type OpenNftables = Nftables & { close(): void };

/** The error when the kernel has no nfnetlink. */
export function openNftables(options: NftablesOptions): OpenNftables | KernelError {
  // Who only sweeps sends little.
  const sendBytes = options.watch === null ? NETLINK_SEND_BYTES : SEND_BYTES;
  const protocol = { protocol: NETLINK_NETFILTER, sendBytes };
  const opened = openNetlinkSocket(options.arena, createSockets(options.arena), 0, protocol);
  return opened.ok ? new Session(opened.value, options) : opened.error;
}

class Session implements OpenNftables {
  readonly comment: string;
  readonly owner: number;
  readonly #socket: NetlinkSocket;
  readonly #options: NftablesOptions;
  #sequence = 1_000_000;

  constructor(socket: NetlinkSocket, options: NftablesOptions) {
    this.#socket = socket;
    this.#options = options;
    this.owner = options.owner;
    this.comment = writeOwnerTag({ pid: options.owner, saved: {} });
  }

  close(): void {
    this.#socket.close();
  }

  listen(table: string): { close(): void } | null {
    const { watch, arena } = this.#options;
    return watch === null ? null : watchTable(arena, watch, { ownPort: this.#socket.port, table });
  }

  sweep(isMeant: (table: TableRecord) => boolean): readonly string[] {
    const requests = createNetlinkRequests(this.#socket);
    const tables: readonly TableRecord[] = requests.dump(dumpTables, readTable);
    const left = tables.filter((table) => this.#mayRemove(table.comment) && isMeant(table));
    for (const { family, name } of left) this.commit([newTable(family, name, this.comment), deleteTable(family, name)]);
    return left.map(({ family, name }) => `${family} ${name}`);
  }

  #mayRemove(comment: string): boolean {
    const tag = readOwnerTag(comment);
    return tag !== null && (tag.pid === this.#options.owner || !this.#options.isAlive(tag.pid));
  }

  commit(orders: readonly TableOrder[]): number {
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

/** The kernel drops what `ownPort` did; null when it has no room for one more socket: then rules are not guarded. */
function watchTable(
  arena: Arena,
  { watcher, onRemoval }: NonNullable<NftablesOptions["watch"]>,
  { ownPort, table }: { readonly ownPort: number; readonly table: string },
): { close(): void } | null {
  const sockets = createSockets(arena);
  const opened = openNetlinkSocket(arena, sockets, NFNLGRP_NFTABLES_BIT, { protocol: NETLINK_NETFILTER });
  if (!opened.ok) return null;
  const socket = opened.value;
  sockets.dropFromNetlinkPort(socket.descriptor, ownPort);
  watcher.watch(socket.descriptor, () => {
    if (heardRemoval(socket, table)) onRemoval(table);
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
