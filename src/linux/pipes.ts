/**
 * Real pipes for the output of programs. Node's own are socket pairs, on which a script's `echo >/dev/stderr` fails
 * with ENXIO; on a pipe it works, also after the program has changed its user.
 */
import { closeSync, fchownSync } from "node:fs";
import { Socket } from "node:net";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { Identity } from "../ports/spawner.ts";
import type { Arena } from "./arena.ts";
import { errnoName, pipe2 } from "./libc.ts";

export interface OutputPipe {
  /** For the child; closed by us once the child has it. */
  readonly writeEnd: number;
  closeWriteEnd(): void;
  /** Reads until the last writer is gone, keeping the tail. */
  readonly tail: TailReader;
}

export interface TailReader {
  text(): string;
  readonly ended: boolean;
  onEnd(action: () => void): void;
  /** Goes on reading and throwing away: what the program left behind must not die of SIGPIPE. */
  discard(): void;
  destroy(): void;
}

const O_CLOEXEC = 0o2000000;

/** The error is the name of an errno. */
export function openOutputPipe(arena: Arena, identity: Identity | null, keep: number): Result<OutputPipe, string> {
  const offset = arena.allocate(8);
  const result = pipe2(arena.at(offset), O_CLOEXEC);
  const readEnd = arena.view.getInt32(offset, true);
  const writeEnd = arena.view.getInt32(offset + 4, true);
  arena.release(offset, 8);
  if (result < 0) return err(errnoName(result));
  // The program opens /dev/stderr as its own user.
  if (identity !== null) fchownSync(writeEnd, identity.uid, identity.gid);
  return ok({ writeEnd, closeWriteEnd: () => closeSync(writeEnd), tail: readTail(readEnd, keep) });
}

function readTail(descriptor: number, keep: number): TailReader {
  const socket = new Socket({ fd: descriptor, readable: true, writable: false });
  let chunks: Buffer[] = [];
  let length = 0;
  let discarding = false;
  let ended = false;
  let listener: (() => void) | null = null;
  socket.on("data", (chunk: Buffer) => {
    if (discarding) return;
    chunks.push(chunk);
    length += chunk.length;
    while (length - (chunks[0]?.length ?? 0) >= keep) length -= chunks.shift()?.length ?? 0;
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    ended = true;
    listener?.();
  });
  return {
    text: () => Buffer.concat(chunks).subarray(-keep).toString("utf8"),
    get ended() {
      return ended;
    },
    onEnd(action) {
      listener = action;
    },
    discard() {
      discarding = true;
      chunks = [];
      socket.unref();
    },
    destroy() {
      socket.destroy();
    },
  };
}
