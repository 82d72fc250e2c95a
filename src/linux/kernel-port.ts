/**
 * Links and addresses of the real kernel (rtnetlink(7)): dumps and batched changes with an acknowledgement each.
 *
 * Adding an address that is there sets its lifetime instead; removing one that is gone, or whose interface is gone, has succeeded.
 * Renewing one that is gone fails (EADDRNOTAVAIL) and does not bring it back: core/netlink/addresses.ts says how.
 */
import { assert } from "../core/lib/assert.ts";
import { ok, type Result } from "../core/lib/result.ts";
import {
  type AddressRecord,
  addAddress,
  dumpAddresses,
  readAddress,
  removeAddress,
  renewAddress,
  replaceAddress,
} from "../core/netlink/addresses.ts";
import { dumpLinks, type LinkRecord, readLink } from "../core/netlink/links.ts";
import { type NetlinkMessage, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, readErrno } from "../core/netlink/message.ts";
import type { AddressChange, InterfaceAddress, KernelError, KernelPort, Link } from "../ports/network.ts";
import type { Arena } from "./arena.ts";
import { ERRNO, errnoName } from "./libc.ts";
import { type NetlinkSocket, openNetlinkSocket } from "./netlink-socket.ts";
import { createSockets, kernelError } from "./sockets.ts";

/** Acknowledgements of one write must fit a receive buffer of the default size. */
const CHANGES_PER_WRITE = 128;
/** A dump disturbed by changes is asked for again this often before it is taken as it is. */
const DUMP_ATTEMPTS = 5;

export interface ChangeFailure {
  readonly change: AddressChange;
  readonly error: KernelError;
}

export interface RtnetlinkPort extends KernelPort {
  /** Notifications of changes made here carry this port: see kernel-monitor.ts. */
  readonly port: number;
  close(): void;
}

export function openKernelPort(arena: Arena): Result<RtnetlinkPort, KernelError> {
  const opened = openNetlinkSocket(arena, createSockets(arena), 0);
  return opened.ok ? ok(new Rtnetlink(opened.value)) : opened;
}

class Rtnetlink implements RtnetlinkPort {
  readonly #socket: NetlinkSocket;
  readonly #names = new Map<number, string>();
  #sequence = 0;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  get port(): number {
    return this.#socket.port;
  }

  links(): readonly Link[] {
    const links: LinkRecord[] = this.#dump(dumpLinks, readLink);
    this.#names.clear();
    for (const link of links) this.#names.set(link.index, link.name);
    return links;
  }

  addresses(): readonly InterfaceAddress[] {
    const records: AddressRecord[] = this.#dump(dumpAddresses, readAddress);
    return records;
  }

  change(changes: readonly AddressChange[]): readonly ChangeFailure[] {
    const failures: ChangeFailure[] = [];
    for (let start = 0; start < changes.length; start += CHANGES_PER_WRITE) {
      this.#changeSome(changes.slice(start, start + CHANGES_PER_WRITE), failures);
    }
    return failures;
  }

  close(): void {
    this.#socket.close();
  }

  #changeSome(changes: readonly AddressChange[], failures: ChangeFailure[]): void {
    const outcomes = this.#write(changes, encodeChange);
    const existing: AddressChange[] = [];
    for (const [position, change] of changes.entries()) {
      const errno = outcomes[position] ?? 0;
      if (change.action === "add" && errno === ERRNO.EEXIST) existing.push(change);
      else this.#judge(change, errno, failures);
    }
    if (existing.length === 0) return;
    const replaced = this.#write(existing, replaceAddress);
    for (const [position, change] of existing.entries()) this.#judge(change, replaced[position] ?? 0, failures);
  }

  #judge(change: AddressChange, errno: number, failures: ChangeFailure[]): void {
    if (errno === 0) return;
    if (change.action === "remove" && (errno === ERRNO.EADDRNOTAVAIL || errno === ERRNO.ENODEV)) return;
    const gone = change.action === "renew" && errno === ERRNO.EINVAL;
    const { address, prefixLength } = change.address;
    const preposition = { add: "to", renew: "on", remove: "from" }[change.action];
    const device = this.#names.get(change.interfaceIndex) ?? `interface ${change.interfaceIndex}`;
    const what = `${change.action} ${address}/${prefixLength} ${preposition} ${device}${gone ? ": the kernel has dropped it" : ""}`;
    failures.push({ change, error: kernelError(gone ? ERRNO.EADDRNOTAVAIL : errno, what) });
  }

  /** One datagram with all changes; returns an errno (or 0) for each. */
  #write(changes: readonly AddressChange[], encode: (change: AddressChange, sequence: number) => Uint8Array): number[] {
    const first = this.#sequence + 1;
    const messages = changes.map((change, position) => encode(change, (first + position) >>> 0));
    this.#sequence = first + changes.length - 1;
    // Answers to a write that was cut short would otherwise be taken for those of this one.
    this.#socket.discard();
    const sent = this.#socket.send(concatenate(messages));
    if (sent < 0) return changes.map(() => -sent);
    return this.#collect(first, changes.length);
  }

  #collect(first: number, count: number): number[] {
    // An acknowledgement that never came must not count as success.
    const outcomes = new Array<number>(count).fill(ERRNO.ENOBUFS);
    let missing = count;
    while (missing > 0) {
      const messages = this.#socket.receive();
      if (typeof messages === "number") break;
      for (const message of messages) {
        const position = message.sequence - first;
        const errno = readErrno(message);
        if (errno === null || position < 0 || position >= count) continue;
        outcomes[position] = errno;
        missing--;
      }
    }
    return outcomes;
  }

  #dump<T>(encode: (sequence: number) => Uint8Array, read: (message: NetlinkMessage) => T | null): T[] {
    let records: T[] = [];
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      this.#sequence++;
      this.#socket.discard();
      const sent = this.#socket.send(encode(this.#sequence));
      assert(sent > 0, `netlink dump: ${errnoName(sent)}`);
      const dumped = this.#collectDump(this.#sequence, read);
      records = dumped.records;
      if (dumped.consistent) break;
    }
    return records;
  }

  #collectDump<T>(
    sequence: number,
    read: (message: NetlinkMessage) => T | null,
  ): { records: T[]; consistent: boolean } {
    const dump = { records: [] as T[], consistent: true, done: false };
    while (!dump.done) {
      const messages = this.#socket.receive();
      if (typeof messages === "number") return { records: dump.records, consistent: false };
      for (const message of messages) {
        if (message.sequence === sequence) addToDump(dump, message, read);
      }
    }
    return dump;
  }
}

interface Dump<T> {
  readonly records: T[];
  consistent: boolean;
  done: boolean;
}

function addToDump<T>(dump: Dump<T>, message: NetlinkMessage, read: (message: NetlinkMessage) => T | null): void {
  if ((message.flags & NLM_F_DUMP_INTR) !== 0) dump.consistent = false;
  if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) {
    dump.done = true;
    return;
  }
  const record = read(message);
  if (record !== null) dump.records.push(record);
}

function encodeChange(change: AddressChange, sequence: number): Uint8Array {
  switch (change.action) {
    case "add":
      return addAddress(change, sequence);
    case "renew":
      return renewAddress(change, sequence);
    case "remove":
      return removeAddress(change, sequence);
  }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
