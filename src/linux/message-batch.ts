/**
 * A vector of struct mmsghdr for sendmmsg(2): prebuilt headers are copied in, sent with one call, and a message that the kernel
 * refuses is reported without losing those behind it. Shared by adverts and announcements.
 */
import type { Arena } from "./arena.ts";
import { ERRNO, sendmmsg } from "./libc.ts";
import { MESSAGES_MAX, MMSGHDR } from "./sockets.ts";

export interface MessageBatch {
  readonly full: boolean;
  readonly size: number;
  /** Copies the header at an arena offset into the batch; `tag` comes back when it fails. */
  add(header: number, tag: number): void;
  /** Sends and empties the batch; returns how many were sent. */
  flush(descriptor: number): number;
  dispose(): void;
}

export interface MessageBatchOptions {
  readonly arena: Arena;
  readonly flags: number;
  readonly onFailure: (tag: number, errno: number) => void;
}

const HEADER_WORDS = MMSGHDR.bytes / 4;
const VECTOR_BYTES = MESSAGES_MAX * MMSGHDR.bytes;

export function createMessageBatch({ arena, flags, onFailure }: MessageBatchOptions): MessageBatch {
  const vector = arena.allocate(VECTOR_BYTES);
  const tags = new Int32Array(MESSAGES_MAX);
  const { words } = arena;
  let size = 0;

  return {
    get full() {
      return size === MESSAGES_MAX;
    },
    get size() {
      return size;
    },
    add(header, tag) {
      const from = header >>> 2;
      words.copyWithin((vector >>> 2) + size * HEADER_WORDS, from, from + HEADER_WORDS);
      tags[size] = tag;
      size++;
    },
    flush(descriptor) {
      let next = 0;
      let sent = 0;
      while (next < size) {
        const result = sendmmsg(descriptor, arena.at(vector + next * MMSGHDR.bytes), size - next, flags);
        if (result > 0) {
          next += result;
          sent += result;
        } else if (result !== -ERRNO.EINTR) {
          // sendmmsg(2) reports an error only for the first message of a call: skip that one.
          onFailure(tags[next] as number, result);
          next++;
        }
      }
      size = 0;
      return sent;
    },
    dispose() {
      arena.release(vector, VECTOR_BYTES);
    },
  };
}
