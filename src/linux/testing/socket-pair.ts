/** For tests only: two connected stream sockets in one process, the second one read and written by hand. */
import type { Arena } from "../arena.ts";
import { close, recv, send, socketpair } from "../libc.ts";
import { MSG_DONTWAIT, MSG_NOSIGNAL } from "../sockets.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const BUFFER_BYTES = 1024 * 1024;

export interface SocketPair {
  readonly near: number;
  readonly far: number;
  sendFar(text: string | Uint8Array): number;
  /** What has arrived, at most a mebibyte. */
  takeFar(): string;
  closeFar(): void;
}

export function createSocketPair(arena: Arena): SocketPair {
  const pair = arena.allocate(8);
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, arena.at(pair)) < 0) throw new Error("socketpair failed");
  const near = arena.view.getInt32(pair, true);
  const far = arena.view.getInt32(pair + 4, true);
  const buffer = arena.allocate(BUFFER_BYTES);
  return {
    near,
    far,
    sendFar(text) {
      const bytes = typeof text === "string" ? Buffer.from(text) : text;
      arena.bytes.set(bytes, buffer);
      return send(far, arena.at(buffer), bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    },
    takeFar() {
      const length = recv(far, arena.at(buffer), BUFFER_BYTES, MSG_DONTWAIT);
      return length < 0 ? "" : Buffer.from(arena.bytes.subarray(buffer, buffer + length)).toString();
    },
    closeFar: () => void close(far),
  };
}
