/**
 * Routes and rules of the real kernel (rtnetlink(7)): batched requests, an outcome for each. Asking twice is harmless: what is there
 * already, or already gone, is told apart from what was done.
 */
import { ok, type Result } from "../core/lib/result.ts";
import { concatenate, readErrno } from "../core/netlink/message.ts";
import { type DeviceIndex, writeRoute } from "../core/netlink/routes.ts";
import { writeRule } from "../core/netlink/rules.ts";
import type { ReceiveBuffer } from "../core/routing/host.ts";
import type { KernelError } from "../ports/network.ts";
import type { RoutingChange, RoutingObject, RoutingOutcome, RoutingPort } from "../ports/routing.ts";
import type { Arena } from "./arena.ts";
import { ERRNO } from "./libc.ts";
import { NETLINK_SEND_BYTES, type NetlinkSocket, openNetlinkSocket } from "./netlink-socket.ts";
import { createSockets, kernelError } from "./sockets.ts";

/** Acknowledgements of one write must fit a receive buffer of the default size. */
const CHANGES_PER_WRITE = 64;

export interface KernelRoutingPort extends RoutingPort {
  /** Notifications of changes made here carry this port. */
  readonly port: number;
  setReceiveBuffer(buffer: ReceiveBuffer): void;
  close(): void;
}

export function openRoutingPort(arena: Arena): Result<KernelRoutingPort, KernelError> {
  const opened = openNetlinkSocket(arena, createSockets(arena), 0);
  return opened.ok ? ok(new Routing(opened.value)) : opened;
}

class Routing implements KernelRoutingPort {
  readonly #socket: NetlinkSocket;
  #sequence = 0;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  get port(): number {
    return this.#socket.port;
  }

  apply(changes: readonly RoutingChange[], deviceIndex: DeviceIndex): readonly RoutingOutcome[] {
    const outcomes: RoutingOutcome[] = [];
    for (let start = 0; start < changes.length; start += CHANGES_PER_WRITE) {
      outcomes.push(...this.#applySome(changes.slice(start, start + CHANGES_PER_WRITE), deviceIndex));
    }
    return outcomes;
  }

  setReceiveBuffer(buffer: ReceiveBuffer): void {
    this.#socket.setReceiveBuffer(buffer);
  }

  close(): void {
    this.#socket.close();
  }

  #applySome(changes: readonly RoutingChange[], deviceIndex: DeviceIndex): readonly RoutingOutcome[] {
    const first = (this.#sequence + 1) >>> 0;
    this.#sequence += changes.length;
    const messages = changes.map((change, position) => encode(change, (first + position) >>> 0, deviceIndex));
    // Null: an interface that the route names is gone, and the route with it.
    const errnos: number[] = messages.map((message) => (message === null ? ERRNO.ENODEV : ERRNO.ENOBUFS));
    const asked: readonly Asked[] = messages.flatMap((message, position) =>
      message === null ? [] : [{ message, position }],
    );
    this.#socket.discard();
    for (const batch of batches(asked)) {
      const sent = this.#socket.send(concatenate(batch.map(({ message }) => message)));
      if (sent < 0) for (const { position } of batch) errnos[position] = -sent;
      else this.#collect(first, batch, errnos);
    }
    return changes.map((change, position) => judge(change, errnos[position] ?? ERRNO.ENOBUFS));
  }

  /** Reads the answers to one write, in order; one that never comes must not count as success. */
  #collect(first: number, batch: readonly Asked[], errnos: number[]): void {
    const last = batch.at(-1)?.position;
    for (;;) {
      const messages = this.#socket.receive();
      if (typeof messages === "number") return;
      for (const message of messages) {
        const position = (message.sequence - first) >>> 0;
        const errno = readErrno(message);
        if (errno === null || position >= errnos.length) continue;
        errnos[position] = errno;
        if (position === last) return;
      }
    }
  }
}

interface Asked {
  readonly message: Uint8Array;
  readonly position: number;
}

/** Requests that fit one datagram together. */
function batches(asked: readonly Asked[]): readonly (readonly Asked[])[] {
  const all: Asked[][] = [];
  let room = 0;
  for (const one of asked) {
    if (one.message.length > room) {
      all.push([]);
      room = NETLINK_SEND_BYTES;
    }
    all.at(-1)?.push(one);
    room -= one.message.length;
  }
  return all;
}

function encode({ action, object }: RoutingChange, sequence: number, deviceIndex: DeviceIndex): Uint8Array | null {
  if (object.kind === "rule") return writeRule(object.rule, action, sequence);
  return writeRoute(object.route, action, { sequence, deviceIndex });
}

/** What the kernel says when a route, a rule, a device of theirs or its network is not there. */
const GONE: ReadonlySet<number> = new Set([ERRNO.ESRCH, ERRNO.ENOENT, ERRNO.ENODEV]);

function judge(change: RoutingChange, errno: number): RoutingOutcome {
  if (errno === 0) return { change, result: "done", error: null };
  const so = change.action === "add" ? errno === ERRNO.EEXIST : GONE.has(errno);
  if (so) return { change, result: "was-so", error: null };
  return { change, result: "failed", error: kernelError(errno, `${change.action} ${textOf(change.object)}`) };
}

export function textOf(object: RoutingObject): string {
  return object.kind === "route" ? `route ${object.route.text}` : `rule ${object.rule.text}`;
}
