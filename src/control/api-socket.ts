/**
 * The Unix socket of the API: taken over only from the dead, readable by its owner alone.
 * A socket file that nobody answers is removed; one that answers, or a file that is no socket, is left alone and named.
 */
import { lstatSync, unlinkSync } from "node:fs";
import type { Server } from "node:http";
import { createConnection } from "node:net";
import { dirname } from "node:path";
import { err, ok, type Result } from "../core/lib/result.ts";

export interface ApiError {
  readonly code: "in-use" | "not-a-socket" | "path-too-long" | "unusable-path";
  readonly message: string;
  readonly remedy: string;
}

/** sun_path holds 108 bytes with the final zero (unix(7)). */
const LONGEST_PATH = 107;
const PROBE_MILLIS = 1_000;

/** Listens at the path with mode 0600. The server must be ready to answer. */
export async function listenOnSocket(server: Server, path: string): Promise<Result<void, ApiError>> {
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    return err({
      code: "path-too-long",
      message: `the socket path is longer than ${LONGEST_PATH} bytes: ${path}`,
      remedy: "name a shorter one with --socket",
    });
  }
  const free = await clearStale(path);
  if (!free.ok) return free;
  return bind(server, path);
}

/** Removes our own socket file; it may be gone already. */
export function removeSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Already gone: nothing is left to do.
  }
}

async function clearStale(path: string): Promise<Result<void, ApiError>> {
  let isSocket: boolean;
  try {
    isSocket = lstatSync(path).isSocket();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? ok(undefined) : err(unusable(path, error as NodeJS.ErrnoException));
  }
  if (!isSocket) {
    return err({
      code: "not-a-socket",
      message: `${path} exists and is not a socket`,
      remedy: "move that file away or name another socket with --socket",
    });
  }
  if (await answers(path)) {
    return err({
      code: "in-use",
      message: `another daemon answers at ${path}`,
      remedy: "stop it first, or give this one its own --socket and -p",
    });
  }
  try {
    unlinkSync(path);
  } catch (error) {
    return err(unusable(path, error as NodeJS.ErrnoException));
  }
  return ok(undefined);
}

/** Only a refusal proves that nobody listens; whoever accepts slowly is alive. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    const end = (alive: boolean): void => {
      socket.destroy();
      resolve(alive);
    };
    socket.setTimeout(PROBE_MILLIS, () => end(true));
    socket.once("connect", () => end(true));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      end(error.code !== "ECONNREFUSED" && error.code !== "ENOENT"),
    );
  });
}

function bind(server: Server, path: string): Promise<Result<void, ApiError>> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => resolve(err(unusable(path, error)));
    server.once("error", failed);
    server.once("listening", () => {
      server.off("error", failed);
      resolve(ok(undefined));
    });
    // bind(2) happens inside listen(): the mask covers that one call, so the socket is never open to others.
    const mask = process.umask(0o177);
    try {
      server.listen({ path });
    } finally {
      process.umask(mask);
    }
  });
}

function unusable(path: string, error: NodeJS.ErrnoException): ApiError {
  return {
    code: "unusable-path",
    message: `cannot listen at ${path}: ${error.code ?? error.message}`,
    remedy: `make ${dirname(path)} a directory this user may write to, or name another socket with --socket`,
  };
}
