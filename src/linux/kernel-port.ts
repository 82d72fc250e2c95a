/**
 * Links and addresses of the real kernel (rtnetlink(7)): dumps and batched changes.
 *
 * Adding an address that is there sets its lifetime instead (IPv6: takes it off first); removing one that is gone, or whose interface is gone, has succeeded.
 * Renewing one that is gone fails (EADDRNOTAVAIL) and does not bring it back: core/netlink/addresses.ts says how.
 */
import { assert } from "../core/lib/assert.ts";
import { familyOf } from "../core/lib/ip.ts";
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
import {
  concatenate,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_DUMP_INTR,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  readErrno,
  viewOf,
} from "../core/netlink/message.ts";
import type { ReceiveBuffer } from "../core/routing/host.ts";
import type { AddressChange, InterfaceAddress, KernelError, KernelPort, Link } from "../ports/network.ts";
import type { Arena } from "./arena.ts";
import { ERRNO, errnoName } from "./libc.ts";
import { type NetlinkSocket, openNetlinkSocket } from "./netlink-socket.ts";
import { createSockets, kernelError } from "./sockets.ts";

/** Acknowledgements of one write must fit a receive buffer of the default size. */
const CHANGES_PER_WRITE = 128;
/** Messages of about 70 bytes in one datagram. */
const RENEWALS_PER_WRITE = 512;
const RENEWAL_FLAGS = NLM_F_REQUEST | NLM_F_REPLACE;
/** struct nlmsghdr: length, type, flags, sequence, port. */
const FLAGS_OFFSET = 6;
const SEQUENCE_OFFSET = 8;
/** A dump disturbed by changes is asked for again this often before it is taken as it is. */
const DUMP_ATTEMPTS = 5;

export interface ChangeFailure {
  readonly change: AddressChange;
  readonly error: KernelError;
}

export interface RtnetlinkPort extends KernelPort {
  /** Notifications of changes made here carry this port: see kernel-monitor.ts. */
  readonly port: number;
  setReceiveBuffer(buffer: ReceiveBuffer): void;
  close(): void;
}

export function openKernelPort(arena: Arena): Result<RtnetlinkPort, KernelError> {
  const opened = openNetlinkSocket(arena, createSockets(arena), 0);
  return opened.ok ? ok(new Rtnetlink(opened.value)) : opened;
}

class Rtnetlink implements RtnetlinkPort {
  readonly #socket: NetlinkSocket;
  readonly #names = new Map<number, string>();
  readonly #renewals = new WeakMap<AddressChange, Uint8Array>();
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
    const renewals = changes.filter((change) => change.action === "renew");
    const others = renewals.length === 0 ? changes : changes.filter((change) => change.action !== "renew");
    for (let start = 0; start < renewals.length; start += RENEWALS_PER_WRITE) {
      this.#renewSome(renewals.slice(start, start + RENEWALS_PER_WRITE), failures);
    }
    for (let start = 0; start < others.length; start += CHANGES_PER_WRITE) {
      this.#changeSome(others.slice(start, start + CHANGES_PER_WRITE), failures);
    }
    return failures;
  }

  setReceiveBuffer(buffer: ReceiveBuffer): void {
    this.#socket.setReceiveBuffer(buffer);
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
    const isIpv6 = (change: AddressChange): boolean => familyOf(change.address.address) === 6;
    // One that was there for ever would hand our lifetime on to the on-link route of its prefix, whoever else needs that.
    const anew = existing.filter(isIpv6);
    if (anew.length > 0) this.#write(anew, removeAddress);
    const replaced = this.#write(existing, (change, sequence) =>
      isIpv6(change) ? addAddress(change, sequence) : replaceAddress(change, sequence),
    );
    for (const [position, change] of existing.entries()) this.#judge(change, replaced[position] ?? 0, failures);
  }

  /**
   * The only regular traffic there is, so it is kept cheap: messages are made once, and only the last one asks to be
   * acknowledged. The kernel works in order and reports errors unasked (netlink(7)), so silence before that answer is success.
   */
  #renewSome(changes: readonly AddressChange[], failures: ChangeFailure[]): void {
    const first = this.#sequence + 1;
    this.#sequence += changes.length;
    const messages = changes.map((change, position) => this.#renewal(change, (first + position) >>> 0));
    const last = messages.at(-1);
    if (last !== undefined) viewOf(last).setUint16(FLAGS_OFFSET, RENEWAL_FLAGS | NLM_F_ACK, true);
    this.#socket.discard();
    const sent = this.#socket.send(concatenate(messages));
    const outcomes = sent < 0 ? changes.map(() => -sent) : this.#collect(first, changes.length, 0);
    for (const [position, change] of changes.entries()) this.#judge(change, outcomes[position] ?? 0, failures);
  }

  #renewal(change: AddressChange, sequence: number): Uint8Array {
    let message = this.#renewals.get(change);
    if (message === undefined) {
      message = renewAddress(change, sequence);
      this.#renewals.set(change, message);
    }
    const view = viewOf(message);
    view.setUint16(FLAGS_OFFSET, RENEWAL_FLAGS, true);
    view.setUint32(SEQUENCE_OFFSET, sequence, true);
    return message;
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
    // An acknowledgement that never came must not count as success.
    return this.#collect(first, changes.length, ERRNO.ENOBUFS);
  }

  /** Reads answers up to the last message's; `silence` is the outcome of those that were not answered before it. */
  #collect(first: number, count: number, silence: number): number[] {
    const outcomes = new Array<number>(count).fill(silence);
    for (;;) {
      const messages = this.#socket.receive();
      if (typeof messages === "number") return new Array<number>(count).fill(ERRNO.ENOBUFS);
      for (const message of messages) {
        const position = message.sequence - first;
        const errno = readErrno(message);
        if (errno === null || position < 0 || position >= count) continue;
        outcomes[position] = errno;
        if (position === count - 1) return outcomes;
      }
    }
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
