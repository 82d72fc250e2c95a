/** UDP datagrams and ICMP echo of checkers. A connected socket hears the host's refusals (ICMP) as errors, and nobody else's packets. */
import { familyOf } from "../core/lib/ip.ts";
import type { CheckerConnection } from "../core/lvs/checkers.ts";
import type { Finding } from "../core/lvs/findings.ts";
import { echoReply, echoRequest } from "../core/lvs/icmp-echo.ts";
import type { DatagramEvents, EchoEvents, EchoRequest, Probe } from "../ports/probes.ts";
import { close, ERRNO, recv, send } from "./libc.ts";
import { EPOLL } from "./probe-reactor.ts";
import { connectTo, failureOf, later, openSocket, type ProbeTools, socketError } from "./probe-sockets.ts";
import { MSG_NOSIGNAL, SOCK_RAW } from "./sockets.ts";

const SOCK_DGRAM = 2;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const LONGEST = 65_536;

interface Listening {
  readonly onBytes: (bytes: Uint8Array) => void;
  readonly onFailure: (finding: Finding) => void;
}

export function openDatagram(
  tools: ProbeTools,
  target: CheckerConnection,
  { payload, events }: { readonly payload: Uint8Array; readonly events: DatagramEvents },
): Probe {
  const listening = { onBytes: events.onData, onFailure: events.onFailure };
  return exchange(tools, target, { kind: { type: SOCK_DGRAM, protocol: 0 }, payload, listening });
}

export function openEcho(
  tools: ProbeTools,
  target: CheckerConnection,
  { request, events }: { readonly request: EchoRequest; readonly events: EchoEvents },
): Probe {
  const family = familyOf(target.address);
  const listening: Listening = {
    onBytes(bytes) {
      const reply = echoReply(family, bytes);
      if (reply !== null) events.onReply(reply);
    },
    onFailure: events.onFailure,
  };
  const kind = { type: SOCK_RAW, protocol: family === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6 };
  return exchange(
    tools,
    { ...target, port: 0, bindPort: 0 },
    { kind, payload: echoRequest(family, request), listening },
  );
}

interface Exchange {
  readonly kind: { readonly type: number; readonly protocol: number };
  readonly payload: Uint8Array;
  readonly listening: Listening;
}

function exchange(tools: ProbeTools, target: CheckerConnection, { kind, payload, listening }: Exchange): Probe {
  const { arena, reactor } = tools;
  const descriptor = openSocket(tools, target, kind);
  if (descriptor < 0) return later(() => listening.onFailure(failureOf(descriptor)));
  const buffer = arena.allocate(LONGEST);
  let open = true;
  const end = (): void => {
    if (!open) return;
    open = false;
    reactor.forget(descriptor);
    close(descriptor);
    arena.release(buffer, LONGEST);
  };
  const fail = (errno: number): void => {
    if (!open) return;
    end();
    listening.onFailure(failureOf(errno));
  };
  const receive = (): void => {
    while (open) {
      const length = recv(descriptor, arena.at(buffer), LONGEST, 0);
      if (length === -ERRNO.EAGAIN) return;
      if (length < 0) fail(length);
      else listening.onBytes(arena.bytes.slice(buffer, buffer + length));
    }
  };
  const problem = begin();
  if (problem < 0) later(() => fail(problem));
  return { cancel: end };

  /** 0 or minus errno. */
  function begin(): number {
    const connected = connectTo(tools, descriptor, target);
    if (connected < 0) return connected;
    const watched = reactor.watch(descriptor, EPOLL.in, (events) => {
      const error = (events & EPOLL.error) === 0 ? 0 : socketError(tools, descriptor);
      if (error !== 0) fail(error);
      else receive();
    });
    if (!watched.ok) return -ERRNO.ENOBUFS;
    arena.bytes.set(payload.subarray(0, LONGEST), buffer);
    return Math.min(0, send(descriptor, arena.at(buffer), Math.min(payload.length, LONGEST), MSG_NOSIGNAL));
  }
}
