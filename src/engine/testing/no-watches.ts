/** Ports of a host on which no file and no process is tracked. */
import { ok } from "../../core/lib/result.ts";
import type { FileWatchPort, ProcessWatchPort } from "../../ports/watches.ts";

const UNWATCHED = { close: () => undefined };

export const NO_FILES: FileWatchPort = {
  watch: () => ok(UNWATCHED),
  read: () => ok(null),
  create: () => ok(undefined),
};

export const NO_PROCESSES: ProcessWatchPort = { list: () => [], facts: () => null, watch: () => ok(UNWATCHED) };
