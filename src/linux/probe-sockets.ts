/** Opening the sockets of checkers as the file says, and what went wrong with them, as findings. */
import { familyOf, parseIp } from "../core/lib/ip.ts";
import type { CheckerConnection } from "../core/lvs/checkers.ts";
import type { Finding } from "../core/lvs/findings.ts";
import type { Probe } from "../ports/probes.ts";
import type { Arena } from "./arena.ts";
import { interfaceIndex } from "./interface-index.ts";
import { bindSocket, close, connectSocket, ERRNO, errnoName, getsockopt, socket } from "./libc.ts";
import type { ProbeReactor } from "./probe-reactor.ts";
import { writeSocketAddress } from "./sockaddr.ts";
import { AF_INET, AF_INET6, SOCK_NONBLOCK_CLOEXEC, type Sockets } from "./sockets.ts";

const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_BINDTODEVICE = 25;
const SO_MARK = 36;

export interface ProbeTools {
  readonly arena: Arena;
  readonly sockets: Sockets;
  readonly reactor: ProbeReactor;
  /** Room for one socket address. */
  readonly address: number;
}

/** A socket as the checker wants it; a number below 0 is minus errno. */
export function openSocket(
  { arena, sockets, address }: ProbeTools,
  target: CheckerConnection,
  { type, protocol }: { readonly type: number; readonly protocol: number },
): number {
  const domain = familyOf(target.address) === 4 ? AF_INET : AF_INET6;
  const descriptor = socket(domain, type | SOCK_NONBLOCK_CLOEXEC, protocol);
  if (descriptor < 0) return descriptor;
  const failed = (outcome: number): number => {
    if (outcome < 0) close(descriptor);
    return outcome;
  };
  if (target.bindInterface !== null) {
    const name = new TextEncoder().encode(`${target.bindInterface}\0`);
    const bound = failed(sockets.setBytes(descriptor, SOL_SOCKET, SO_BINDTODEVICE, name));
    if (bound < 0) return bound;
  }
  if (target.mark !== 0) {
    const marked = failed(sockets.setInt(descriptor, SOL_SOCKET, SO_MARK, target.mark | 0));
    if (marked < 0) return marked;
  }
  if (target.bindAddress !== null || target.bindPort !== 0) {
    sockets.setInt(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    const any = domain === AF_INET ? ANY4 : ANY6;
    const from = { address: target.bindAddress ?? any, port: target.bindPort, scope: scopeOf(target) };
    const bound = failed(bindSocket(descriptor, arena.at(address), writeSocketAddress(arena, address, from)));
    if (bound < 0) return bound;
  }
  return descriptor;
}

const ANY4 = parseIp("0.0.0.0") as NonNullable<ReturnType<typeof parseIp>>;
const ANY6 = parseIp("::") as NonNullable<ReturnType<typeof parseIp>>;

const scopeOf = ({ bindInterface }: CheckerConnection): number =>
  bindInterface === null ? 0 : interfaceIndex(bindInterface);

/** 0 or minus errno. */
export function connectTo({ arena, address }: ProbeTools, descriptor: number, target: CheckerConnection): number {
  const to = { address: target.address, port: target.port, scope: scopeOf(target) };
  return connectSocket(descriptor, arena.at(address), writeSocketAddress(arena, address, to));
}

/** The error that a socket holds, and takes it away. */
export function socketError({ arena, address }: ProbeTools, descriptor: number): number {
  arena.view.setInt32(address, 0, true);
  arena.view.setUint32(address + 8, 4, true);
  const asked = getsockopt(descriptor, SOL_SOCKET, SO_ERROR, arena.at(address), arena.at(address + 8));
  return asked < 0 ? -asked : arena.view.getInt32(address, true);
}

export function failureOf(errno: number): Finding {
  const value = Math.abs(errno);
  const problem =
    value === ERRNO.ECONNREFUSED || value === ERRNO.ECONNRESET
      ? "refused"
      : value === ERRNO.ETIMEDOUT
        ? "timeout"
        : "unreachable";
  return { kind: "connect", problem, detail: errnoName(value) };
}

/** Never before the caller has its probe. */
export function later(action: () => void): Probe {
  const handle = setImmediate(action);
  return { cancel: () => clearImmediate(handle) };
}
