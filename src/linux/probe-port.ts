/**
 * Sockets of checkers on the real kernel: opened, bound and connected by system calls, so that mark, interface and source port are as the
 * file says. A TCP_CHECK never becomes a Node socket; what speaks a protocol does once it is connected.
 */
import { networkInterfaces } from "node:os";
import { type IpAddress, parseIp } from "../core/lib/ip.ts";
import { toMillis } from "../core/lib/units.ts";
import type { CheckerConnection } from "../core/lvs/checkers.ts";
import { type Finding, OK } from "../core/lvs/findings.ts";
import type { Probe, ProbePort } from "../ports/probes.ts";
import type { Arena } from "./arena.ts";
import type { BackgroundPoll } from "./background-poll.ts";
import { close, ERRNO } from "./libc.ts";
import { openDatagram, openEcho } from "./probe-datagrams.ts";
import { createProbeReactor, EPOLL } from "./probe-reactor.ts";
import { connectTo, failureOf, later, openSocket, type ProbeTools, socketError } from "./probe-sockets.ts";
import { openStream } from "./probe-streams.ts";
import { SOCKADDR_BYTES } from "./sockaddr.ts";
import { createSockets } from "./sockets.ts";

const SOCK_STREAM = 1;

export function createProbePort(arena: Arena, poll: BackgroundPoll): ProbePort {
  const tools: ProbeTools = {
    arena,
    sockets: createSockets(arena),
    reactor: createProbeReactor(arena, poll),
    address: arena.allocate(SOCKADDR_BYTES),
  };
  return {
    connect: (target, done) =>
      beginConnect(tools, target, (outcome) => {
        if (typeof outcome === "number") close(outcome);
        done(typeof outcome === "number" ? OK : outcome);
      }),
    stream: (target, tls, events) => openStream((done) => beginConnect(tools, target, done), tls, events),
    datagram: (target, payload, events) => openDatagram(tools, target, { payload, events }),
    echo: (target, request, events) => openEcho(tools, target, { request, events }),
    hasAddress: (address) => ownAddresses().includes(address),
    addresses: ownAddresses,
  };
}

const TIMEOUT: Finding = { kind: "connect", problem: "timeout", detail: "" };

const ownAddresses = (): readonly IpAddress[] =>
  Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .flatMap(({ address }) => parseIp(address) ?? []);

/** The connected descriptor, which is the caller's then, or why there is none. */
function beginConnect(tools: ProbeTools, target: CheckerConnection, done: (outcome: number | Finding) => void): Probe {
  const descriptor = openSocket(tools, target, { type: SOCK_STREAM, protocol: 0 });
  if (descriptor < 0) return later(() => done(failureOf(descriptor)));
  const begun = connectTo(tools, descriptor, target);
  if (begun < 0 && begun !== -ERRNO.EINPROGRESS) {
    close(descriptor);
    return later(() => done(failureOf(begun)));
  }
  return new Connecting(tools, { descriptor, timeoutMillis: toMillis(target.timeout) }, done);
}

class Connecting implements Probe {
  readonly #tools: ProbeTools;
  readonly #descriptor: number;
  readonly #done: (outcome: number | Finding) => void;
  readonly #timer: NodeJS.Timeout;
  #ended = false;

  constructor(
    tools: ProbeTools,
    { descriptor, timeoutMillis }: { readonly descriptor: number; readonly timeoutMillis: number },
    done: (outcome: number | Finding) => void,
  ) {
    this.#tools = tools;
    this.#descriptor = descriptor;
    this.#done = done;
    this.#timer = setTimeout(() => this.#fail(TIMEOUT), timeoutMillis);
    const watched = tools.reactor.watch(descriptor, EPOLL.out | EPOLL.oneShot, (events) => this.#onEvent(events));
    if (!watched.ok) setImmediate(() => this.#fail({ kind: "connect", problem: "unreachable", detail: watched.error }));
  }

  cancel(): void {
    if (this.#end()) close(this.#descriptor);
  }

  #onEvent(events: number): void {
    const failed = (events & (EPOLL.error | EPOLL.hangup)) !== 0;
    const error = failed ? socketError(this.#tools, this.#descriptor) : 0;
    if (error !== 0) this.#fail(failureOf(error));
    else if (this.#end()) this.#done(this.#descriptor);
  }

  #fail(finding: Finding): void {
    if (!this.#end()) return;
    close(this.#descriptor);
    this.#done(finding);
  }

  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#tools.reactor.forget(this.#descriptor);
    return true;
  }
}
