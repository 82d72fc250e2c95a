/**
 * One request, one answer over a netlink socket: for what is done seldom and one by one. Batches of addresses and their renewals have
 * their own, cheaper way in kernel-port.ts.
 */
import { type NetlinkMessage, NLMSG_DONE, NLMSG_ERROR, readErrno } from "../core/netlink/message.ts";
import { ERRNO } from "./libc.ts";
import type { NetlinkSocket } from "./netlink-socket.ts";

export interface NetlinkRequests {
  /** Sends a message that asks for an acknowledgement; 0, or errno as a positive number. */
  ask(encode: (sequence: number) => Uint8Array): number;
  dump<T>(encode: (sequence: number) => Uint8Array, read: (message: NetlinkMessage) => T | null): readonly T[];
}

export function createNetlinkRequests(socket: NetlinkSocket): NetlinkRequests {
  let sequence = 0;
  const send = (encode: (sequence: number) => Uint8Array): number => {
    sequence++;
    // Answers to an earlier request would otherwise be taken for those of this one.
    socket.discard();
    return socket.send(encode(sequence));
  };
  const answerOf = (messages: readonly NetlinkMessage[]): number | null => {
    for (const message of messages) {
      if (message.sequence !== sequence) continue;
      const errno = readErrno(message);
      if (errno !== null) return errno;
    }
    return null;
  };
  return {
    ask(encode) {
      const sent = send(encode);
      if (sent < 0) return -sent;
      for (;;) {
        const messages = socket.receive();
        // An acknowledgement that never came must not count as success.
        if (typeof messages === "number") return ERRNO.ENOBUFS;
        const errno = answerOf(messages);
        if (errno !== null) return errno;
      }
    },
    dump<T>(encode: (sequence: number) => Uint8Array, read: (message: NetlinkMessage) => T | null): readonly T[] {
      const records: T[] = [];
      if (send(encode) < 0) return records;
      let messages = socket.receive();
      while (typeof messages !== "number") {
        const own = messages.filter((message) => message.sequence === sequence);
        for (const message of own) {
          const record = read(message);
          if (record !== null) records.push(record);
        }
        if (own.some(isLast)) break;
        messages = socket.receive();
      }
      return records;
    },
  };
}

const isLast = ({ type }: NetlinkMessage): boolean => type === NLMSG_DONE || type === NLMSG_ERROR;
