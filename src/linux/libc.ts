/**
 * The C library, and the only file that imports koffi. Buffers and integers cross the line, nothing else: no koffi
 * structures, no callbacks, no BigInt. Pointers are numbers (user space ends below 2^47, a double is exact to 2^53).
 *
 * Every call returns what the kernel would: a value from 0 upwards, or minus errno, read in the same wrapper before
 * anything else can overwrite it. Nothing here retries, allocates buffers or knows a protocol.
 *
 * Symbols are looked up in the running process, where glibc and musl are both already loaded. Functions that are variadic in C
 * (fcntl, prctl, syscall) are declared with fixed integer arguments: the Linux calling conventions of x86-64, arm64
 * and riscv64 pass those alike.
 */
import { endianness } from "node:os";
import koffi from "koffi";
import { assert } from "../core/lib/assert.ts";

assert(endianness() === "LE", "structure layouts are written for little-endian 64-bit machines");

const library = koffi.load(null);
const INT = "int";
const LONG = "int64";
const SIZE = "size_t";
const POINTER = "uintptr_t";

type Native = (...args: number[]) => number;

function bind(name: string, result: string, args: readonly string[]): Native {
  return library.func(name, result, [...args]) as unknown as Native;
}

/** Wraps a function that reports failure by -1 and errno. */
function checked(name: string, result: string, args: readonly string[]): Native {
  const call = bind(name, result, args);
  // Fixed arity keeps the arguments out of an array: these run once per wake-up or advert.
  switch (args.length) {
    case 1:
      return (a) => outcome(call(a as number));
    case 2:
      return (a, b) => outcome(call(a as number, b as number));
    case 3:
      return (a, b, c) => outcome(call(a as number, b as number, c as number));
    case 4:
      return (a, b, c, d) => outcome(call(a as number, b as number, c as number, d as number));
    default:
      return (...rest) => outcome(call(...rest));
  }
}

function outcome(result: number): number {
  return result === -1 ? -koffi.errno() : result;
}

const nativeMmap = bind("mmap", POINTER, [POINTER, SIZE, INT, INT, INT, LONG]);
const nativeExit = bind("_exit", "void", [INT]);
const nativeSignal = bind("signal", POINTER, [INT, POINTER]);

const MAP_FAILED = 2 ** 64 - 1;

/** Anonymous private memory, never moved and never freed: address, or minus errno. */
export function mapAnonymous(length: number): number {
  const PROT_READ_WRITE = 3;
  const MAP_PRIVATE_ANONYMOUS = 0x22;
  const address = Number(nativeMmap(0, length, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0));
  return address >= MAP_FAILED - 4096 || address === -1 ? -koffi.errno() : address;
}

/** JavaScript's window on mapped memory. */
export function viewMemory(address: number, length: number): ArrayBuffer {
  return koffi.view(address, length);
}

/** socket(2): domain, type, protocol. */
export const socket = checked("socket", INT, [INT, INT, INT]);
/** socketpair(2): domain, type, protocol, int[2]. */
export const socketpair = checked("socketpair", INT, [INT, INT, INT, POINTER]);
/** bind(2): descriptor, address, length. */
export const bindSocket = checked("bind", INT, [INT, POINTER, "uint32"]);
/** connect(2): descriptor, address, length. */
export const connectSocket = checked("connect", INT, [INT, POINTER, "uint32"]);
/** getsockopt(2): descriptor, level, option, value, length (in and out). */
export const getsockopt = checked("getsockopt", INT, [INT, INT, INT, POINTER, POINTER]);
/** epoll(7): flags; instance, operation, descriptor, struct epoll_event; instance, struct epoll_event[], count, milliseconds. */
export const epollCreate = checked("epoll_create1", INT, [INT]);
export const epollControl = checked("epoll_ctl", INT, [INT, INT, INT, POINTER]);
export const epollWait = checked("epoll_wait", INT, [INT, POINTER, INT, INT]);
export const getsockname = checked("getsockname", INT, [INT, POINTER, POINTER]);
/** setsockopt(2): descriptor, level, option, value, length. */
export const setsockopt = checked("setsockopt", INT, [INT, INT, INT, POINTER, "uint32"]);
/** send(2): descriptor, buffer, length, flags. */
export const send = checked("send", LONG, [INT, POINTER, SIZE, INT]);
/** recv(2): descriptor, buffer, length, flags. */
export const recv = checked("recv", LONG, [INT, POINTER, SIZE, INT]);
/** recvfrom(2): descriptor, buffer, length, flags, address, length of address (in and out). */
export const recvfrom = checked("recvfrom", LONG, [INT, POINTER, SIZE, INT, POINTER, POINTER]);
/** sendto(2): descriptor, buffer, length, flags, address, length of address. */
export const sendto = checked("sendto", LONG, [INT, POINTER, SIZE, INT, POINTER, "uint32"]);
/** sendmmsg(2): descriptor, struct mmsghdr[], count, flags. */
export const sendmmsg = checked("sendmmsg", INT, [INT, POINTER, "uint32", INT]);
const nativeRecvmmsg = checked("recvmmsg", INT, [INT, POINTER, "uint32", INT, POINTER]);
/** recvmmsg(2) without timeout: descriptor, struct mmsghdr[], count, flags. */
export function recvmmsg(descriptor: number, messages: number, count: number, flags: number): number {
  return nativeRecvmmsg(descriptor, messages, count, flags, 0);
}
/** ppoll(2): struct pollfd[], count, struct timespec (0 waits for ever), signal mask (0 keeps it). */
export const ppoll = checked("ppoll", INT, [POINTER, "uint64", POINTER, POINTER]);
/** read(2): descriptor, buffer, length. */
export const read = checked("read", LONG, [INT, POINTER, SIZE]);
/** write(2): descriptor, buffer, length. */
export const write = checked("write", LONG, [INT, POINTER, SIZE]);
export const close = checked("close", INT, [INT]);
/** clock_gettime(2): clock, struct timespec. */
export const clockGettime = checked("clock_gettime", INT, [INT, POINTER]);
/** fcntl(2): descriptor, command, argument. */
export const fcntl = checked("fcntl", INT, [INT, INT, LONG]);
/** inotify(7): flags; descriptor, path, events; descriptor, watch. */
export const inotifyInit = checked("inotify_init1", INT, [INT]);
export const inotifyAddWatch = checked("inotify_add_watch", INT, [INT, POINTER, "uint32"]);
export const inotifyRemoveWatch = checked("inotify_rm_watch", INT, [INT, INT]);

const nativePoll = library.func("poll", INT, [POINTER, "uint64", INT]);

/** poll(2) on a thread of libuv's pool: struct pollfd[], count; `done` is called in the event loop. A failure counts as 0. */
export function pollInBackground(
  wait: { readonly descriptors: number; readonly count: number; readonly millis: number },
  done: (ready: number) => void,
): void {
  nativePoll.async(wait.descriptors, wait.count, wait.millis, (error: unknown, ready: number) =>
    done(error === null && ready > 0 ? ready : 0),
  );
}

/** prctl(2): option and one argument. */
export const prctl = checked("prctl", INT, [INT, POINTER, POINTER, POINTER, POINTER]);
/** pipe2(2): int[2], flags. */
export const pipe2 = checked("pipe2", INT, [POINTER, INT]);
/** mkfifo(3): path, mode. */
export const mkfifo = checked("mkfifo", INT, [POINTER, "uint32"]);
/** ioctl(2): descriptor, request, argument. */
export const ioctl = checked("ioctl", INT, [INT, "uint64", POINTER]);
/** flock(2): descriptor, operation. */
export const flock = checked("flock", INT, [INT, INT]);
/** mlock2(2): address, length, flags. */
export const mlock2 = checked("mlock2", INT, ["uint64", "uint64", INT]);
const nativeMunlockall = bind("munlockall", INT, []);
export const munlockall = (): number => outcome(nativeMunlockall());
/** setns(2): descriptor, kind. */
export const setns = checked("setns", INT, [INT, INT]);
/** unshare(2): kinds. */
export const unshare = checked("unshare", INT, [INT]);
/** mount(2): source, target, type, flags, data. */
export const mount = checked("mount", INT, [POINTER, POINTER, POINTER, "uint64", POINTER]);
/** waitpid(2): pid, status, options. */
export const waitpid = checked("waitpid", INT, [INT, POINTER, INT]);
/** execve(2): path, arguments, environment; comes back only when it fails. */
export const execve = checked("execve", INT, [POINTER, POINTER, POINTER]);
/** setpriority(2): which, who (for PRIO_PROCESS a thread), nice value. */
export const setpriority = checked("setpriority", INT, [INT, "uint32", INT]);
/** sched_setaffinity(2): thread, length, cpu_set_t. */
export const schedSetaffinity = checked("sched_setaffinity", INT, [INT, SIZE, POINTER]);
/** sched_setscheduler(2): process, policy, struct sched_param. */
export const schedSetscheduler = checked("sched_setscheduler", INT, [INT, INT, POINTER]);
/** setrlimit(2): resource, struct rlimit. */
export const setrlimit = checked("setrlimit", INT, [INT, POINTER]);
/** syscall(2) with up to four arguments: pidfd_open and pidfd_send_signal have no wrapper in older libraries. */
export const syscall = checked("syscall", LONG, [LONG, LONG, LONG, LONG, LONG]);

const SIG_IGN = 1;
const SIG_ERR = 2 ** 64 - 1;

/** signal(2) with SIG_IGN: 0, or minus errno (the C library keeps 32 and 33 to itself: EINVAL). */
export function ignoreSignal(signal: number): number {
  const before = Number(nativeSignal(signal, SIG_IGN));
  return before >= SIG_ERR - 4096 || before === -1 ? -koffi.errno() : 0;
}

/** Ends the process without exit handlers, without V8's tear-down. */
export function exitNow(status: number): never {
  nativeExit(status);
  throw new Error("_exit(2) returned");
}

const ERRNO_NAMES = new Map<number, string>(Object.entries(koffi.os.errno).map(([name, value]) => [value, name]));

/** "EPERM" for 1 and for -1; "errno 4711" for one without a name. */
export function errnoName(errno: number): string {
  const value = Math.abs(errno);
  return MISSING_NAMES[value] ?? ERRNO_NAMES.get(value) ?? `errno ${value}`;
}

/** Numbers the code compares with; the same on every Linux architecture that Node supports. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EAGAIN: 11,
  EACCES: 13,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  EPIPE: 32,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENOPROTOOPT: 92,
  ENETDOWN: 100,
  ECONNRESET: 104,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EINPROGRESS: 115,
  ENOBUFS: 105,
} as const;

/** koffi knows POSIX names only, and Linux has two names for some numbers: these are the ones wanted. */
const MISSING_NAMES: Readonly<Record<number, string>> = {
  6: "ENXIO",
  11: "EAGAIN",
  90: "EMSGSIZE",
  95: "EOPNOTSUPP",
  99: "EADDRNOTAVAIL",
  100: "ENETDOWN",
  101: "ENETUNREACH",
  110: "ETIMEDOUT",
  111: "ECONNREFUSED",
  105: "ENOBUFS",
  113: "EHOSTUNREACH",
};
