/**
 * IPVS of the real kernel by generic netlink. The family's number is looked up by name and looked up again when the kernel no longer
 * knows it: whoever unloads and loads ip_vs changes it. Orders go many to a datagram; of those only the last is acknowledged, the others
 * speak up when they fail. No decision about the table is made here.
 */

import { err, ok, type Result } from "../core/lib/result.ts";
import {
  askInfo,
  askTimeouts,
  dumpDaemons,
  dumpDestinations,
  dumpServices,
  lookUpFamily,
  type RequestHead,
  writeOrder,
} from "../core/lvs/ipvs/messages.ts";
import type { IpvsOrder } from "../core/lvs/ipvs/model.ts";
import {
  readDaemon,
  readDestination,
  readFamilyId,
  readInfo,
  readService,
  readTimeouts,
} from "../core/lvs/ipvs/records.ts";
import { orderText } from "../core/lvs/ipvs/words.ts";
import { concatenate, type NetlinkMessage, NLM_F_DUMP_INTR, readErrno } from "../core/netlink/message.ts";
import type { IpvsPort } from "../ports/ipvs.ts";
import type { KernelError } from "../ports/network.ts";
import type { Arena } from "./arena.ts";
import { ERRNO } from "./libc.ts";
import { NETLINK_SEND_BYTES, type NetlinkSocket, openNetlinkSocket } from "./netlink-socket.ts";
import { createSockets, kernelError } from "./sockets.ts";

const NETLINK_GENERIC = 16;
/** Every one of them may fail, and the answers must fit the receive buffer together. */
const ORDERS_PER_WRITE = 256;
/** A dump that another change has disturbed is asked for again so often. */
const DUMP_TRIES = 5;

export interface ClosableIpvsPort extends IpvsPort {
  close(): void;
}

export function openIpvsPort(arena: Arena): Result<ClosableIpvsPort, KernelError> {
  const opened = openNetlinkSocket(arena, createSockets(arena), 0, { protocol: NETLINK_GENERIC });
  return opened.ok ? ok(new Ipvs(opened.value)) : opened;
}

type Encode = (head: RequestHead) => Uint8Array;

class Ipvs implements ClosableIpvsPort {
  readonly #socket: NetlinkSocket;
  #sequence = 0;
  #family: number | null = null;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  info() {
    return this.#single(askInfo, readInfo, "ask for the version of IPVS");
  }

  timeouts() {
    return this.#single(askTimeouts, readTimeouts, "read the timeouts of IPVS");
  }

  services() {
    return this.#read(dumpServices, readService, "list the virtual services");
  }

  daemons() {
    return this.#read(dumpDaemons, readDaemon, "list the sync daemons");
  }

  destinations(key: Parameters<IpvsPort["destinations"]>[0]) {
    return this.#read(
      (head) => dumpDestinations(key, head),
      (message) => readDestination(message, key.family),
      "list the servers of a virtual service",
    );
  }

  apply(orders: readonly IpvsOrder[]): readonly (KernelError | null)[] {
    const errnos: number[] = [];
    for (let start = 0; start < orders.length; ) {
      const family = this.#familyId();
      if (family === null) {
        errnos.push(...orders.slice(start).map(() => ERRNO.ENOENT));
        break;
      }
      const batch = this.#write(orders, start, family);
      // Numbers of families that nobody has answer ENOENT, as a missing scheduler does: only then is it worth a look.
      if (batch.includes(ERRNO.ENOENT) && this.#familyHasChanged(family)) continue;
      errnos.push(...batch);
      start += batch.length;
    }
    return orders.map((order, position) => {
      const errno = errnos[position] ?? ERRNO.ENOBUFS;
      return errno === 0 ? null : kernelError(errno, orderText(order));
    });
  }

  close(): void {
    this.#socket.close();
  }

  /** As many orders as fit one datagram, from `start` on; their errnos. */
  #write(orders: readonly IpvsOrder[], start: number, familyId: number): readonly number[] {
    const first = this.#sequence + 1;
    const messages: Uint8Array[] = [];
    let room = NETLINK_SEND_BYTES;
    for (let at = start; at < orders.length && messages.length < ORDERS_PER_WRITE; at++) {
      const sequence = first + messages.length;
      const message = writeOrder(orders[at] as IpvsOrder, { familyId, sequence }, false);
      if (message.length > room) break;
      messages.push(message);
      room -= message.length;
    }
    const last = messages.length - 1;
    const lastOrder = orders[start + last] as IpvsOrder;
    messages[last] = writeOrder(lastOrder, { familyId, sequence: first + last }, true);
    this.#sequence += messages.length;
    this.#socket.discard();
    const sent = this.#socket.send(concatenate(messages));
    if (sent < 0) return messages.map(() => -sent);
    return this.#collect(first, messages.length);
  }

  #collect(first: number, count: number): readonly number[] {
    const errnos = new Array<number>(count).fill(0);
    for (;;) {
      const messages = this.#socket.receive();
      // Without the last answer nobody knows what became of any of them.
      if (typeof messages === "number") return errnos.map((errno) => (errno === 0 ? ERRNO.ENOBUFS : errno));
      for (const message of messages) {
        const position = message.sequence - first;
        const errno = readErrno(message);
        if (errno === null || position < 0 || position >= count) continue;
        errnos[position] = errno;
        if (position === count - 1) return errnos;
      }
    }
  }

  #single<T>(encode: Encode, read: (message: NetlinkMessage) => T | null, what: string): Result<T, KernelError> {
    const all = this.#read(encode, read, what);
    if (!all.ok) return all;
    const [one] = all.value;
    return one === undefined ? err(kernelError(ERRNO.ENOBUFS, what)) : ok(one);
  }

  #read<T>(
    encode: Encode,
    read: (message: NetlinkMessage) => T | null,
    what: string,
  ): Result<readonly T[], KernelError> {
    for (let tries = DUMP_TRIES; ; tries--) {
      const familyId = this.#familyId();
      if (familyId === null) return err(kernelError(ERRNO.ENOENT, `${what}: the kernel has no IPVS`));
      const records: T[] = [];
      const errno = this.#exchange(encode({ familyId, sequence: ++this.#sequence }), (message) => {
        const record = read(message);
        if (record !== null) records.push(record);
      });
      if (errno === 0) return ok(records);
      const again = errno === ERRNO.EAGAIN || (errno === ERRNO.ENOENT && this.#familyHasChanged(familyId));
      if (!again || tries === 0) return err(kernelError(errno, what));
    }
  }

  /** One request whose answer has an end mark; what comes before it goes to `take`. 0 or errno. */
  #exchange(request: Uint8Array, take: (message: NetlinkMessage) => void): number {
    const sequence = this.#sequence;
    this.#socket.discard();
    const sent = this.#socket.send(request);
    if (sent < 0) return -sent;
    let disturbed = false;
    for (;;) {
      const messages = this.#socket.receive();
      if (typeof messages === "number") return ERRNO.ENOBUFS;
      for (const message of messages.filter((one) => one.sequence === sequence)) {
        disturbed ||= (message.flags & NLM_F_DUMP_INTR) !== 0;
        const errno = readErrno(message);
        if (errno === null) take(message);
        else return disturbed ? ERRNO.EAGAIN : errno;
      }
    }
  }

  #familyId(): number | null {
    this.#family ??= this.#lookUp();
    return this.#family;
  }

  #familyHasChanged(before: number): boolean {
    this.#family = this.#lookUp();
    return this.#family !== before;
  }

  #lookUp(): number | null {
    let found: number | null = null;
    this.#exchange(lookUpFamily(++this.#sequence), (message) => {
      found ??= readFamilyId(message);
    });
    return found;
  }
}
