/**
 * Raw sockets for VRRP (IP protocol 112) of both families: one each that only sends (advert-sender.ts), one per interface that only
 * receives (advert-receiver.ts). This file joins the two halves.
 *
 * Receiving sockets are bound to their interface, so a packet's interface is known by its socket, a flood on one
 * interface cannot fill another's queue, and the limit of 20 memberships per socket never matters.
 *
 * It never looks into a VRRP message and never waits.
 */
import type { Family } from "../core/lib/ip.ts";
import type { Transport } from "../core/vrrp/config.ts";
import type { AdvertPort, Link, ReceivedPacket } from "../ports/network.ts";
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
}

export function createAdvertPort(options: AdvertPortOptions): AdvertPort {
  const sockets = createSockets(options.arena);
  const sender = createAdvertSender(options.arena, sockets);
  const receiver = createAdvertReceiver({ ...options, sockets });
  return {
    open(link: Link, family: Family, transport: Transport) {
      const sending = sender.open(family);
      return sending.ok ? receiver.open(link, family, transport) : sending;
    },
    close: (interfaceIndex, family) => receiver.close(interfaceIndex, family),
    prepare: (slot, advert) => sender.prepare(slot, advert),
    forget: (slot) => sender.forget(slot),
    queue: (slot) => sender.queue(slot),
    flush: () => sender.flush(),
  };
}
