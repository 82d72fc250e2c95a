/**
 * Processes for the tracked-process engine: /proc, and the kernel's news of them by the process connector (cn_proc,
 * CONFIG_PROC_EVENTS). The connector serves the first network, pid and user namespace only: elsewhere watch() says so.
 */
import { readdirSync, readFileSync } from "node:fs";
import type { ProcessFacts } from "../core/health/tracked-process.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { ProcessListener, ProcessWatchPort, Watch } from "../ports/watches.ts";
import type { Arena } from "./arena.ts";
import type { BackgroundPoll } from "./background-poll.ts";
import { bindSocket, close, ERRNO, errnoName, recv, send, setsockopt, socket } from "./libc.ts";
import { AF_NETLINK, MSG_DONTWAIT, SOCK_NONBLOCK_CLOEXEC } from "./sockets.ts";

const SOCK_DGRAM = 2;
const NETLINK_CONNECTOR = 11;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const CN_IDX_PROC = 1;
const CN_VAL_PROC = 1;
const NLMSG_DONE = 3;
const NLMSGHDR = 16;
const CN_MSG = 20;
/** Offset of struct proc_event, and of its data. */
const EVENT = NLMSGHDR + CN_MSG;
const DATA = EVENT + 16;
const LISTEN = 1;
const WHAT = { ack: 0, fork: 1, exec: 2, comm: 0x200, exit: 0x80000000 } as const;
const BUFFER = 8 * 1024;
/** Some ten thousand events: a host that starts them faster is looked at as a whole. */
const RECEIVE_BYTES = 1024 * 1024;
/** Events told in one wake-up, so that a host that starts thousands of processes keeps control from nothing else. */
const EVENTS_MAX = 500;

export function createProcessWatch(arena: Arena, poll: BackgroundPoll): ProcessWatchPort {
  return { list: listProcesses, facts: readFacts, watch: (listener) => watch(arena, poll, listener) };
}

function listProcesses(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function readFacts(pid: number): ProcessFacts | null {
  try {
    const comm = readFileSync(`/proc/${pid}/comm`, "utf8").replace(/\n$/, "");
    const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replace(/\0$/, "");
    return { comm, argv: line === "" ? [] : line.split("\0") };
  } catch {
    return null;
  }
}

function watch(arena: Arena, poll: BackgroundPoll, listener: ProcessListener): Result<Watch, string> {
  const descriptor = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK_CLOEXEC, NETLINK_CONNECTOR);
  if (descriptor < 0) return err(`the kernel has no process connector (${errnoName(descriptor)})`);
  const buffer = arena.allocate(BUFFER);
  const problem = listen(arena, descriptor, buffer);
  if (problem !== null) {
    arena.release(buffer, BUFFER);
    close(descriptor);
    return err(problem);
  }
  poll.add(descriptor, () => readEvents(arena, { descriptor, buffer }, listener));
  return ok({
    close: () => {
      poll.remove(descriptor);
      close(descriptor);
      arena.release(buffer, BUFFER);
    },
  });
}

/** Subscribes and waits for the acknowledgement, which comes before send(2) returns, or never. */
function listen(arena: Arena, descriptor: number, buffer: number): string | null {
  const { view } = arena;
  view.setUint16(buffer, AF_NETLINK, true);
  view.setUint32(buffer + 8, CN_IDX_PROC, true);
  const bound = bindSocket(descriptor, arena.at(buffer), 12);
  if (bound < 0) return `the process connector refuses (${errnoName(bound)})`;
  view.setUint32(buffer, RECEIVE_BYTES, true);
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, arena.at(buffer), 4);
  arena.bytes.fill(0, buffer, buffer + EVENT + 4);
  view.setUint32(buffer, EVENT + 4, true);
  view.setUint16(buffer + 4, NLMSG_DONE, true);
  view.setUint32(buffer + NLMSGHDR, CN_IDX_PROC, true);
  view.setUint32(buffer + NLMSGHDR + 4, CN_VAL_PROC, true);
  view.setUint16(buffer + NLMSGHDR + 16, 4, true);
  view.setUint32(buffer + EVENT, LISTEN, true);
  const sent = send(descriptor, arena.at(buffer), EVENT + 4, 0);
  if (sent < 0) return `the process connector is not reached from this network namespace (${errnoName(sent)})`;
  const length = recv(descriptor, arena.at(buffer), BUFFER, MSG_DONTWAIT);
  if (length < DATA) return "the process connector does not answer in this pid or user namespace";
  // Another process's event may come first: then the subscription stands.
  const refused = view.getUint32(buffer + EVENT, true) === WHAT.ack ? view.getUint32(buffer + DATA, true) : 0;
  return refused === 0 ? null : `the process connector refuses (${errnoName(refused)})`;
}

interface Source {
  readonly descriptor: number;
  readonly buffer: number;
}

/** What is left is told at the next wake-up, which comes at once: heartbeats to the keeper go between. */
function readEvents(arena: Arena, { descriptor, buffer }: Source, listener: ProcessListener): void {
  let lost = false;
  for (let left = EVENTS_MAX; left > 0; left--) {
    const length = recv(descriptor, arena.at(buffer), BUFFER, MSG_DONTWAIT);
    if (length === -ERRNO.ENOBUFS) lost = true;
    else if (length < 0 && length !== -ERRNO.EINTR) break;
    else if (length >= DATA + 8) tell(arena, buffer, listener);
  }
  // However often it overran meanwhile, one look at everything is enough, and it comes last.
  if (lost) listener.missed();
}

/** Processes only: the kernel tells of threads as well. */
function tell({ view }: Arena, buffer: number, listener: ProcessListener): void {
  const what = view.getUint32(buffer + EVENT, true);
  const at = buffer + DATA + (what === WHAT.fork ? 8 : 0);
  const pid = view.getInt32(at, true);
  if (pid !== view.getInt32(at + 4, true)) return;
  if (what === WHAT.exit) listener.ended(pid);
  else if (what === WHAT.fork || what === WHAT.exec || what === WHAT.comm) listener.changed(pid);
}
