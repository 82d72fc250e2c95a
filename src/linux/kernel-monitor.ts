/**
 * Tells of changes to links and addresses as the kernel makes them (rtnetlink(7), RTMGRP_LINK and RTMGRP_IPV*_IFADDR). When
 * notifications were lost (ENOBUFS) it says so; the listener then reads everything again. It keeps no picture of its own.
 */
import { ok, type Result } from "../core/lib/result.ts";
import { RTM_NEWADDR, readAddress } from "../core/netlink/addresses.ts";
import { RTM_NEWLINK, readLink } from "../core/netlink/links.ts";
import type { NetlinkMessage } from "../core/netlink/message.ts";
import type { ReceiveBuffer } from "../core/routing/host.ts";
import type { InterfaceAddress, KernelError, Link } from "../ports/network.ts";
import type { Arena } from "./arena.ts";
import { ERRNO } from "./libc.ts";
import { openNetlinkSocket } from "./netlink-socket.ts";
import type { Watcher } from "./reactor.ts";
import { createSockets } from "./sockets.ts";

export type KernelNotice =
  | { readonly kind: "link"; readonly link: Link }
  | { readonly kind: "link-removed"; readonly index: number; readonly name: string }
  /** `port` is the netlink port of whoever did it, 0 for the kernel itself (expiry, interface removed). */
  | { readonly kind: "address-added"; readonly address: InterfaceAddress; readonly port: number }
  | { readonly kind: "address-removed"; readonly address: InterfaceAddress; readonly port: number }
  /** Notifications were lost: read links and addresses again. */
  | { readonly kind: "overrun" };

export interface KernelMonitorOptions {
  readonly arena: Arena;
  readonly watcher: Watcher;
  /** Netlink port whose own changes are no news; the kernel drops them before they reach us. */
  readonly ownPort?: number;
  /** Called once per wake-up with everything that came, in order. */
  readonly onNotices: (notices: readonly KernelNotice[]) => void;
}

const RTMGRP_LINK = 0x1;
const RTMGRP_IPV4_IFADDR = 0x10;
const RTMGRP_IPV6_IFADDR = 0x100;
/** Datagrams read in one wake-up, so that a storm of changes cannot keep the loop from its deadlines. */
const DATAGRAMS_MAX = 64;

export interface KernelMonitor {
  setReceiveBuffer(buffer: ReceiveBuffer): void;
  close(): void;
}

export function openKernelMonitor(options: KernelMonitorOptions): Result<KernelMonitor, KernelError> {
  const { arena, watcher, onNotices } = options;
  const sockets = createSockets(arena);
  const opened = openNetlinkSocket(arena, sockets, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
  if (!opened.ok) return opened;
  const socket = opened.value;
  if (options.ownPort !== undefined) sockets.dropFromNetlinkPort(socket.descriptor, options.ownPort);

  /** False when there is nothing more to read. */
  const readOne = (notices: KernelNotice[]): boolean => {
    const messages = socket.receive();
    if (messages === -ERRNO.ENOBUFS) {
      // The kernel tells of a loss once and stays silent about further ones until the queue has been empty: only what is
      // read after that is complete.
      socket.discard();
      notices.push({ kind: "overrun" });
    }
    if (typeof messages === "number") return false;
    for (const message of messages) {
      const notice = readNotice(message);
      if (notice !== null) notices.push(notice);
    }
    return true;
  };

  const drain = (): void => {
    const notices: KernelNotice[] = [];
    let left = DATAGRAMS_MAX;
    while (left > 0 && readOne(notices)) left--;
    if (notices.length > 0) onNotices(notices);
  };

  watcher.watch(socket.descriptor, drain);
  return ok({
    setReceiveBuffer: (buffer) => socket.setReceiveBuffer(buffer),
    close() {
      watcher.unwatch(socket.descriptor);
      socket.close();
    },
  });
}

export function readNotice(message: NetlinkMessage): KernelNotice | null {
  const link = readLink(message);
  if (link !== null) {
    return message.type === RTM_NEWLINK
      ? { kind: "link", link }
      : { kind: "link-removed", index: link.index, name: link.name };
  }
  const address = readAddress(message);
  if (address === null) return null;
  const kind = message.type === RTM_NEWADDR ? "address-added" : "address-removed";
  return { kind, address, port: message.port };
}
