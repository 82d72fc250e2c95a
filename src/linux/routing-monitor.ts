/**
 * Tells of routes and rules of ours that went (rtnetlink(7), RTM_DELROUTE and RTM_DELRULE). Routers change hundreds of thousands of
 * routes: a filter in the kernel lets through only removals of protocol 18, and none that we made ourselves.
 */
import { type FilterStep, jumpIfEqual, loadByte, loadHalf, loadWord, take } from "../core/bytes/bpf.ts";
import { ok, type Result } from "../core/lib/result.ts";
import { type RouteRecord, RTM_DELROUTE, readRoute } from "../core/netlink/routes.ts";
import { RTM_DELRULE, type RuleRecord, readRule } from "../core/netlink/rules.ts";
import { PROTOCOL_KEEPALIVED } from "../core/routing/model.ts";
import type { KernelError } from "../ports/network.ts";
import type { Arena } from "./arena.ts";
import { ERRNO } from "./libc.ts";
import { openNetlinkSocket } from "./netlink-socket.ts";
import type { Watcher } from "./reactor.ts";
import { createSockets } from "./sockets.ts";

/** "overrun": notifications were lost. */
export type RoutingNotice = RouteRecord | RuleRecord | "overrun";

export interface RoutingMonitorOptions {
  readonly arena: Arena;
  readonly watcher: Watcher;
  /** Netlink port whose own changes are no news. */
  readonly ownPort: number;
  /** Called once per wake-up with everything that came, in order. */
  readonly onNotices: (notices: readonly RoutingNotice[]) => void;
}

/** 1 << (RTNLGRP_* - 1) for IPv4 and IPv6 routes and rules. */
const GROUPS = (1 << 6) | (1 << 7) | (1 << 10) | (1 << 18);
/** Datagrams read in one wake-up, so that a storm of changes cannot keep the loop from its deadlines. */
const DATAGRAMS_MAX = 64;
/** Offsets in struct nlmsghdr, and of rtm_protocol behind it. */
const TYPE_OFFSET = 4;
const PORT_OFFSET = 12;
const PROTOCOL_OFFSET = 16 + 5;

export function openRoutingMonitor(options: RoutingMonitorOptions): Result<{ close(): void }, KernelError> {
  const { arena, watcher, ownPort, onNotices } = options;
  const sockets = createSockets(arena);
  const opened = openNetlinkSocket(arena, sockets, GROUPS);
  if (!opened.ok) return opened;
  const socket = opened.value;
  sockets.attachFilter(socket.descriptor, removalsOfOurs(ownPort));

  const readOne = (notices: RoutingNotice[]): boolean => {
    const messages = socket.receive();
    if (messages === -ERRNO.ENOBUFS) {
      socket.discard();
      notices.push("overrun");
    }
    if (typeof messages === "number") return false;
    for (const message of messages) {
      const record = message.type === RTM_DELROUTE || message.type === RTM_DELRULE ? readOf(message) : null;
      if (record !== null && record.protocol === PROTOCOL_KEEPALIVED) notices.push(record);
    }
    return true;
  };

  watcher.watch(socket.descriptor, () => {
    const notices: RoutingNotice[] = [];
    let left = DATAGRAMS_MAX;
    while (left > 0 && readOne(notices)) left--;
    if (notices.length > 0) onNotices(notices);
  });
  return ok({
    close() {
      watcher.unwatch(socket.descriptor);
      socket.close();
    },
  });
}

function readOf(message: Parameters<typeof readRoute>[0]): RouteRecord | RuleRecord | null {
  return readRoute(message) ?? readRule(message);
}

/** Classic BPF loads in network order, struct nlmsghdr is in the host's. A rule's protocol is an attribute, so rules are let through. */
function removalsOfOurs(ownPort: number): readonly FilterStep[] {
  return [
    loadWord(PORT_OFFSET),
    jumpIfEqual(swap32(ownPort), 5, 0),
    loadHalf(TYPE_OFFSET),
    jumpIfEqual(RTM_DELRULE << 8, 4, 0),
    jumpIfEqual(RTM_DELROUTE << 8, 0, 2),
    loadByte(PROTOCOL_OFFSET),
    jumpIfEqual(PROTOCOL_KEEPALIVED, 1, 0),
    take(0),
    take(0xffff_ffff),
  ];
}

function swap32(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
