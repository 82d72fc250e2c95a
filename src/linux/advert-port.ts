/**
 * Raw sockets for VRRP (IP protocol 112) of both families: one each that only sends (advert-sender.ts), one per interface that only
 * receives (advert-receiver.ts). This file joins the two halves.
 *
 * Receiving sockets are bound to their interface, so a packet's interface is known by its socket, a flood on one
 * interface cannot fill another's queue, and the limit of 20 memberships per socket never matters.
 *
 * It never looks into a VRRP message and never waits.
 */
import type { Transport } from "../core/vrrp/config.ts";
import type { AdvertChannel, AdvertPort, Link, ReceivedPacket } from "../ports/network.ts";
import { createAdvertReceiver } from "./advert-receiver.ts";
import { createAdvertSender } from "./advert-sender.ts";
import type { Arena } from "./arena.ts";
import type { Watcher } from "./reactor.ts";
import { createSockets } from "./sockets.ts";

export interface AdvertPortOptions {
  readonly arena: Arena;
  readonly watcher: Watcher;
  /** The packet is valid during the call only. */
  readonly onPacket: (packet: ReceivedPacket) => void;
  /** Runs after a full batch, before the next socket is read: own adverts that are due go first. */
  readonly onFullBatch?: () => void;
}

/** The keeper's loop also wants to know whether a look at the sockets left packets behind. */
export interface SocketAdvertPort extends AdvertPort {
  /** True once after a look that took a full batch: more may wait. */
  takeBacklog(): boolean;
}

export function createAdvertPort(options: AdvertPortOptions): SocketAdvertPort {
  const sockets = createSockets(options.arena);
  const sender = createAdvertSender(options.arena, sockets);
  const receiver = createAdvertReceiver({ ...options, sockets });
  return {
    open(link: Link, channel: AdvertChannel, transport: Transport) {
      const sending = sender.open(channel === 6 ? 6 : 4);
      return sending.ok ? receiver.open(link, channel, transport) : sending;
    },
    close: (interfaceIndex, channel) => receiver.close(interfaceIndex, channel),
    listen: (plans) => receiver.listen(plans),
    takeBacklog: () => receiver.takeBacklog(),
    prepare: (slot, advert) => sender.prepare(slot, advert),
    forget: (slot) => sender.forget(slot),
    queue: (slot) => sender.queue(slot),
    flush: () => sender.flush(),
  };
}
