/**
 * Opening sockets and setting their options, with errors that name what was tried. Shared by the ports of this layer;
 * holds one scratch block and no descriptor.
 */
import { type FilterStep, jumpIfEqual, loadWord, take } from "../core/bytes/bpf.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { KernelError } from "../ports/network.ts";
import type { Arena } from "./arena.ts";
import { close, errnoName, setsockopt, socket } from "./libc.ts";

export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const SOCK_RAW = 3;
export const IPPROTO_IP = 0;
export const IPPROTO_IPV6 = 41;
export const IPPROTO_VRRP = 112;
export const SOCK_NONBLOCK_CLOEXEC = 0o2004000;
export const MSG_DONTROUTE = 0x4;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;

const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_PRIORITY = 12;
const SO_ATTACH_FILTER = 26;
const SO_DETACH_FILTER = 27;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SCRATCH_BYTES = 256;
const SOCK_FPROG_BYTES = 16;
const SOCK_FILTER_BYTES = 8;
/** Offset of nlmsg_pid in struct nlmsghdr. */
const NLMSGHDR_PORT = 12;

/** Layout of struct mmsghdr and struct iovec on 64-bit Linux; musl pads its narrower fields to the same places. */
export const MMSGHDR = {
  bytes: 64,
  name: 0,
  nameLength: 8,
  iov: 16,
  iovCount: 24,
  control: 32,
  controlLength: 40,
  flags: 48,
  length: 56,
} as const;
export const IOVEC = { bytes: 16, base: 0, length: 8 } as const;

/** Most messages one sendmmsg(2) or recvmmsg(2) takes (UIO_MAXIOV). */
export const MESSAGES_MAX = 1024;

export const kernelError = (errno: number, what: string): KernelError => ({ errno: errnoName(errno), what });

export interface Sockets {
  open(domain: number, type: number, protocol: number, what: string): Result<number, KernelError>;
  /** 0, or minus errno. */
  setInt(descriptor: number, level: number, option: number, value: number): number;
  setBytes(descriptor: number, level: number, option: number, value: Uint8Array): number;
  /** Buffer sizes beyond the system's limit where we may, up to it where not. */
  setBuffers(descriptor: number, sizes: { readonly send?: number; readonly receive?: number }): void;
  /** A receive buffer as the administrator says: beyond the system's limit only with `force`. 0, or minus errno. */
  setReceiveBuffer(descriptor: number, bytes: number, force: boolean): number;
  /** Adverts and announcements leave in the control band of the queue (TC_PRIO_CONTROL), as keepalived's do. */
  setControlPriority(descriptor: number): void;
  /** Replaces the socket's filter; 0, or minus errno. */
  attachFilter(descriptor: number, program: readonly FilterStep[]): number;
  /** Drops netlink notifications of changes that this port made itself. */
  dropFromNetlinkPort(descriptor: number, port: number): number;
  /** Lets nothing in: for sockets that only send. */
  dropIncoming(descriptor: number): number;
  acceptIncoming(descriptor: number): number;
  close(descriptor: number): void;
}

export function createSockets(arena: Arena): Sockets {
  const scratch = arena.allocate(SCRATCH_BYTES);

  const setBytes = (descriptor: number, level: number, option: number, value: Uint8Array): number => {
    arena.bytes.set(value, scratch);
    return setsockopt(descriptor, level, option, arena.at(scratch), value.length);
  };

  const setInt = (descriptor: number, level: number, option: number, value: number): number => {
    arena.view.setInt32(scratch, value, true);
    return setsockopt(descriptor, level, option, arena.at(scratch), 4);
  };

  /** struct sock_filter { code, jt, jf, k } behind struct sock_fprog { len, filter } (socket(7), SO_ATTACH_FILTER). */
  const attachFilter = (descriptor: number, program: readonly FilterStep[]): number => {
    const size = SOCK_FPROG_BYTES + program.length * SOCK_FILTER_BYTES;
    const block = arena.allocate(size);
    const filter = block + SOCK_FPROG_BYTES;
    for (const [position, step] of program.entries()) {
      const at = filter + position * SOCK_FILTER_BYTES;
      arena.view.setUint16(at, step.code, true);
      arena.view.setUint8(at + 2, step.jumpTrue);
      arena.view.setUint8(at + 3, step.jumpFalse);
      arena.view.setUint32(at + 4, step.k, true);
    }
    arena.view.setBigUint64(block, BigInt(program.length), true);
    arena.setPointer(block + 8, arena.at(filter));
    const attached = setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, arena.at(block), SOCK_FPROG_BYTES);
    arena.release(block, size);
    return attached;
  };

  const setBuffer = (descriptor: number, size: number, options: { readonly force: number; readonly plain: number }) => {
    if (setInt(descriptor, SOL_SOCKET, options.force, size) < 0) setInt(descriptor, SOL_SOCKET, options.plain, size);
  };

  return {
    open(domain, type, protocol, what) {
      const descriptor = socket(domain, type | SOCK_NONBLOCK_CLOEXEC, protocol);
      return descriptor < 0 ? err(kernelError(descriptor, what)) : ok(descriptor);
    },
    setInt,
    setBytes,
    setBuffers(descriptor, { send, receive }) {
      if (send !== undefined) setBuffer(descriptor, send, { force: SO_SNDBUFFORCE, plain: SO_SNDBUF });
      if (receive !== undefined) setBuffer(descriptor, receive, { force: SO_RCVBUFFORCE, plain: SO_RCVBUF });
    },
    setReceiveBuffer: (descriptor, bytes, force) =>
      setInt(descriptor, SOL_SOCKET, force ? SO_RCVBUFFORCE : SO_RCVBUF, bytes),
    setControlPriority(descriptor) {
      const TC_PRIO_CONTROL = 7;
      setInt(descriptor, SOL_SOCKET, SO_PRIORITY, TC_PRIO_CONTROL);
    },
    attachFilter,
    dropIncoming(descriptor) {
      return attachFilter(descriptor, [take(0)]);
    },
    dropFromNetlinkPort(descriptor, port) {
      // Classic BPF loads words in network order; struct nlmsghdr is in the host's.
      const swapped = ((port & 0xff) << 24) | ((port & 0xff00) << 8) | ((port >>> 8) & 0xff00) | (port >>> 24);
      return attachFilter(descriptor, [
        loadWord(NLMSGHDR_PORT),
        jumpIfEqual(swapped >>> 0, 0, 1),
        take(0),
        take(0xffff_ffff),
      ]);
    },
    acceptIncoming(descriptor) {
      return setInt(descriptor, SOL_SOCKET, SO_DETACH_FILTER, 0);
    },
    close(descriptor) {
      close(descriptor);
    },
  };
}
