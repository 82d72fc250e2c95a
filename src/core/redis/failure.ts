/** Why a Redis server could not be asked, and what it means. */
import type { Trouble } from "../database/trouble.ts";
import type { RedisFailure } from "./reply.ts";

const NOBODY_LISTENS: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOENT"]);

/** The host answers, and nobody listens there. */
export const isNobody = (failure: RedisFailure): boolean =>
  failure.kind === "network" && NOBODY_LISTENS.has(failure.code);

export const isDenied = (failure: RedisFailure): boolean =>
  failure.kind === "server" && /^(NOAUTH|WRONGPASS|DENIED)$/.test(failure.code);

/** `wasUp`: a connection worked until now. A server that loads its data listens, so one that does not listen is not there. */
export function troubleOfFailure(failure: RedisFailure, wasUp: boolean): Trouble {
  switch (failure.kind) {
    case "timeout":
      return { kind: "timeout", phase: failure.phase, afterMillis: failure.afterMillis };
    case "lost":
      return { kind: "lost", detail: failure.detail };
    case "setup":
      return { kind: "setup", detail: failure.detail };
    case "network":
      if (!NOBODY_LISTENS.has(failure.code)) return { kind: "unreachable", detail: failure.detail };
      return { kind: wasUp ? "dead" : "refused", detail: failure.detail };
    case "server":
      return troubleOfCode(failure.code, failure.detail);
  }
}

function troubleOfCode(code: string, detail: string): Trouble {
  if (code === "LOADING") return { kind: "loading", percent: "", etaSeconds: "" };
  if (code === "NOPERM") {
    const command = /'(\S+)' command/.exec(detail)?.[1] ?? null;
    return { kind: "acl", command: command?.replace("|", " ").toUpperCase() ?? null, detail };
  }
  if (/^(NOAUTH|WRONGPASS|DENIED)$/.test(code) || /^ERR AUTH /.test(detail)) return { kind: "denied", detail };
  if (/max number of clients/.test(detail)) return { kind: "connections", used: null, limit: null, detail };
  return { kind: "error", detail };
}
