/**
 * A NETLINK_ROUTE socket: sends datagrams, hands out the messages that came back, knows its own port. The kernel
 * answers requests before send(2) returns, so nothing here ever waits.
 */
import { assert } from "../core/lib/assert.ts";
import { ok, type Result } from "../core/lib/result.ts";
import type { NetlinkMessage } from "../core/netlink/message.ts";
import { readMessages, viewOf } from "../core/netlink/message.ts";
import type { ReceiveBuffer } from "../core/routing/host.ts";
import type { KernelError } from "../ports/network.ts";
import type { Arena } from "./arena.ts";
import { bindSocket, ERRNO, errnoName, getsockname, recv, send } from "./libc.ts";
import { AF_NETLINK, kernelError, MSG_DONTWAIT, MSG_TRUNC, SOCK_RAW, type Sockets } from "./sockets.ts";

const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const SOCKADDR_NL_BYTES = 12;
/** Dumps come in pieces of at most 32 KiB. */
const RECEIVE_BYTES = 64 * 1024;
/** Enough for some hundred notifications; more only makes it longer until a loss is noticed. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;
export const NETLINK_SEND_BYTES = 64 * 1024;

export interface NetlinkSocket {
  readonly descriptor: number;
  /** Messages that our own requests cause carry this port. */
  readonly port: number;
  /** Bytes sent, or minus errno. */
  send(datagram: Uint8Array): number;
  /** The next datagram's messages, valid until the next call; or minus errno (EAGAIN: nothing there). */
  receive(): readonly NetlinkMessage[] | number;
  /** null bytes: the size stays. */
  setReceiveBuffer(buffer: ReceiveBuffer): void;
  /** Throws away what has come so far. */
  discard(): void;
  close(): void;
}

export interface NetlinkKind {
  readonly protocol: number;
  /** Longest datagram to send. */
  readonly sendBytes?: number;
}

/** groups: the RTMGRP_* bits of the notifications wanted, 0 for a socket that only asks. */
export function openNetlinkSocket(
  arena: Arena,
  sockets: Sockets,
  groups: number,
  kind: NetlinkKind = { protocol: NETLINK_ROUTE },
): Result<NetlinkSocket, KernelError> {
  const opened = sockets.open(AF_NETLINK, SOCK_RAW, kind.protocol, "open a netlink socket");
  if (!opened.ok) return opened;
  const descriptor = opened.value;
  const address = arena.allocate(64);
  arena.view.setUint16(address, AF_NETLINK, true);
  arena.view.setUint32(address + 8, groups, true);
  const bound = bindSocket(descriptor, arena.at(address), SOCKADDR_NL_BYTES);
  if (bound < 0) {
    sockets.close(descriptor);
    return { ok: false, error: kernelError(bound, "bind a netlink socket") };
  }
  const sendBytes = kind.sendBytes ?? NETLINK_SEND_BYTES;
  // The kernel counts its own overhead with a datagram.
  sockets.setBuffers(descriptor, {
    receive: RECEIVE_BUFFER_BYTES,
    ...(sendBytes > NETLINK_SEND_BYTES ? { send: 2 * sendBytes } : {}),
  });
  sockets.setInt(descriptor, SOL_NETLINK, NETLINK_CAP_ACK, 1);
  const port = ownPort(arena, descriptor, address);
  arena.release(address, 64);
  return ok({
    ...createSocket(arena, { descriptor, port, sendBytes }, () => sockets.close(descriptor)),
    setReceiveBuffer({ bytes, force }) {
      if (bytes !== null && bytes > 0) sockets.setReceiveBuffer(descriptor, bytes, force);
    },
  });
}

function ownPort(arena: Arena, descriptor: number, address: number): number {
  arena.view.setUint32(address + 16, SOCKADDR_NL_BYTES, true);
  const result = getsockname(descriptor, arena.at(address), arena.at(address + 16));
  assert(result === 0, `getsockname of a netlink socket: ${errnoName(result)}`);
  return viewOf(arena.bytes).getUint32(address + 4, true);
}

function createSocket(
  arena: Arena,
  { descriptor, port, sendBytes }: { readonly descriptor: number; readonly port: number; readonly sendBytes: number },
  close: () => void,
): Omit<NetlinkSocket, "setReceiveBuffer"> {
  const incoming = arena.allocate(RECEIVE_BYTES);
  const outgoing = arena.allocate(sendBytes);
  return {
    descriptor,
    port,
    send(datagram) {
      assert(datagram.length <= sendBytes, `a netlink datagram of ${datagram.length} bytes`);
      arena.bytes.set(datagram, outgoing);
      return send(descriptor, arena.at(outgoing), datagram.length, 0);
    },
    receive() {
      const length = recv(descriptor, arena.at(incoming), RECEIVE_BYTES, MSG_DONTWAIT | MSG_TRUNC);
      if (length < 0) return length;
      assert(length <= RECEIVE_BYTES, `a netlink datagram of ${length} bytes`);
      return readMessages(arena.bytes.subarray(incoming, incoming + length));
    },
    discard() {
      let length = 0;
      while (length >= 0 || length === -ERRNO.ENOBUFS)
        length = recv(descriptor, arena.at(incoming), RECEIVE_BYTES, MSG_DONTWAIT);
    },
    close() {
      close();
      arena.release(incoming, RECEIVE_BYTES);
      arena.release(outgoing, sendBytes);
    },
  };
}
