/**
 * Why a server could not be asked: what the adapter hands up, and what it means. Error numbers are those both products share
 * (errmsg of MySQL 5.7 to 9.7 and MariaDB 10.11).
 */
import type { Trouble } from "../database/trouble.ts";

export type SqlFailure =
  /** Of the network, before or while it was asked; `code` is a symbolic errno or one of getaddrinfo's. */
  | { readonly kind: "network"; readonly code: string; readonly detail: string }
  /** The connection was there and is gone. */
  | { readonly kind: "lost"; readonly detail: string }
  | { readonly kind: "timeout"; readonly phase: "connect" | "query"; readonly afterMillis: number }
  /** An error packet of the server. */
  | { readonly kind: "server"; readonly number: number; readonly detail: string }
  /** File of the credentials, certificates, TLS, authentication method. */
  | { readonly kind: "setup"; readonly detail: string };

/** ER_CON_COUNT_ERROR and ER_TOO_MANY_USER_CONNECTIONS; the limit of a user says nothing about other users, but we are one. */
const CONNECTIONS: ReadonlySet<number> = new Set([1040, 1203, 1226]);
/**
 * ER_DBACCESS_DENIED, ER_ACCESS_DENIED, ER_HOST_IS_BLOCKED, ER_HOST_NOT_PRIVILEGED, ER_NOT_SUPPORTED_AUTH_MODE, plugin not loaded,
 * no password, account locked, password expired, socket plugin's denial.
 */
const DENIED: ReadonlySet<number> = new Set([
  1044, 1045, 1129, 1130, 1251, 1275, 1524, 1698, 1820, 1862, 3118, 3159, 4151,
]);
/** ER_SERVER_SHUTDOWN, and MariaDB's connection killed by it. */
const STOPPING: ReadonlySet<number> = new Set([1053, 1927]);
const DISK_FULL: ReadonlySet<number> = new Set([1021, 1114]);
const GRANTS: ReadonlySet<number> = new Set([1142, 1227]);
/** Nobody listens: a socket file without a server, or none. */
const NOBODY: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOENT"]);

/** ER_SLAVE_MUST_STOP, and MySQL's for either thread of a channel: somebody has started what was to stand. */
const RUNS: ReadonlySet<number> = new Set([1198, 3017, 3021]);

export const isRunningReplica = (failure: SqlFailure): boolean => failure.kind === "server" && RUNS.has(failure.number);
export const isGrantError = (failure: SqlFailure): boolean => failure.kind === "server" && GRANTS.has(failure.number);
export const isTooManyConnections = (failure: SqlFailure): boolean =>
  failure.kind === "server" && CONNECTIONS.has(failure.number);
export const isDiskFull = (number: number, text: string): boolean =>
  DISK_FULL.has(number) || /No space left on device|errno: 28\b|disk full/i.test(text);

/** The host answers, and nobody listens there. */
export const isNobody = (failure: SqlFailure): boolean => failure.kind === "network" && NOBODY.has(failure.code);
/** A server on its way down closes what it has just accepted, or says so. */
export const isEnding = (failure: SqlFailure): boolean =>
  failure.kind === "lost" || (failure.kind === "server" && STOPPING.has(failure.number));

/** What the caller knows besides. */
export interface FailureContext {
  /** A connection worked until now. */
  readonly wasUp: boolean;
  /** A server process runs on this host and does not listen; null: not known, or not on this host. */
  readonly processStarts: boolean | null;
}

export function troubleOfFailure(failure: SqlFailure, { wasUp, processStarts }: FailureContext): Trouble {
  switch (failure.kind) {
    case "timeout":
      return { kind: "timeout", phase: failure.phase, afterMillis: failure.afterMillis };
    case "lost":
      return { kind: "lost", detail: failure.detail };
    case "setup":
      return { kind: "setup", detail: failure.detail };
    case "network":
      if (!NOBODY.has(failure.code)) return { kind: "unreachable", detail: failure.detail };
      if (wasUp) return { kind: "dead", detail: failure.detail };
      return processStarts === true ? { kind: "starting" } : { kind: "refused", detail: failure.detail };
    case "server":
      return troubleOfNumber(failure.number, failure.detail);
  }
}

function troubleOfNumber(number: number, detail: string): Trouble {
  const said = `error ${number}: ${detail}`;
  if (CONNECTIONS.has(number)) return { kind: "connections", used: null, limit: null, detail: said };
  if (DENIED.has(number)) return { kind: "denied", detail: said };
  if (STOPPING.has(number)) return { kind: "stopping" };
  if (isDiskFull(number, detail)) return { kind: "disk-full", path: null, freeMib: 0 };
  if (GRANTS.has(number)) return { kind: "grants", privilege: null, detail: said };
  return { kind: "error", detail: said };
}
