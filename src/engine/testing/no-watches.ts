/** Ports of a host on which no file, no process and no database server is tracked. */
import { err, ok } from "../../core/lib/result.ts";
import type { Notes } from "../../ports/notes.ts";
import type { RedisPort } from "../../ports/redis.ts";
import type { ServerCopy } from "../../ports/server-copy.ts";
import type { DatabaseHost, SqlPort } from "../../ports/sql.ts";
import type { FenceMarks } from "../../ports/takeover.ts";
import type { FileWatchPort, ProcessWatchPort } from "../../ports/watches.ts";

const UNWATCHED = { close: () => undefined };

export const NO_FILES: FileWatchPort = {
  watch: () => ok(UNWATCHED),
  read: () => ok(null),
  create: () => ok(undefined),
};

export const NO_PROCESSES: ProcessWatchPort = { list: () => [], facts: () => null, watch: () => ok(UNWATCHED) };

export const NO_REDIS_FILES = {
  marks: { read: async () => null, write: async () => null, remove: async () => undefined },
  copies: { keep: () => Promise.reject(new Error("no server is managed")) },
};
export const NO_REDIS: RedisPort = {
  open: () => Promise.reject(new Error("no server is tracked")),
  login: () => Promise.reject(new Error("no server is tracked")),
};
export const NO_SQL: SqlPort = { open: () => Promise.reject(new Error("no server is tracked")) };
export const NO_FENCES: FenceMarks = {
  list: () => new Map(),
  write: async () => ok(undefined),
  remove: async () => ok(undefined),
};
export const NO_COPIES: ServerCopy = {
  examine: async () => err("no server can be copied here"),
  begin: async () => ok(undefined),
  discard: async () => undefined,
  run: async () => ok(undefined),
  unpack: async () => ok(undefined),
  read: async () => null,
  isRunning: () => false,
  exchange: async () => err("no server can be copied here"),
};
const NO_NOTES: Notes = { read: async () => null, write: async () => null, remove: async () => undefined };

/** Nothing is managed. */
export const NO_TAKEOVER = {
  gateway: { ask: async () => null },
  positions: { write: async () => ok("") },
  exporter: { run: async () => ok(null) },
  tails: {
    keepers: { ask: async () => err("there is no peer link") },
    sources: { open: async () => err("no source can be opened here"), close: () => undefined },
    crc32: () => 0,
  },
  copies: NO_COPIES,
  logins: { read: async () => ok({ user: "holdfast", password: "" }) },
  notes: NO_NOTES,
  records: NO_NOTES,
  flush: async () => true,
} as const;
export const NO_DATABASES: DatabaseHost = { freeMib: async () => null, serverStarts: () => null };
