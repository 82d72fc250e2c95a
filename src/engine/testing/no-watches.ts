/** Ports of a host on which no file, no process and no database server is tracked. */
import { ok } from "../../core/lib/result.ts";
import type { RedisPort } from "../../ports/redis.ts";
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

export const NO_REDIS: RedisPort = { open: () => Promise.reject(new Error("no server is tracked")) };
export const NO_SQL: SqlPort = { open: () => Promise.reject(new Error("no server is tracked")) };
export const NO_FENCES: FenceMarks = {
  list: () => new Map(),
  write: async () => ok(undefined),
  remove: async () => ok(undefined),
};
/** Nothing is managed. */
export const NO_TAKEOVER = {
  gateway: { ask: async () => null },
  positions: { write: async () => ok("") },
  exporter: { run: async () => ok(null) },
  notes: { read: async () => null, write: async () => null, remove: async () => undefined },
  flush: async () => true,
} as const;
export const NO_DATABASES: DatabaseHost = { freeMib: async () => null, serverStarts: () => null };
