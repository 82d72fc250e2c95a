/**
 * What can be wrong with a database server, one cause each, and the words for it. The same value travels to the keeper as the
 * reason of a FAULT, into events, `status` and `explain`. No text here holds a password: details are the server's or the kernel's.
 */
import { lengthInWords } from "../events/outcome.ts";
import { unreachable } from "../lib/assert.ts";
import { isRedisTrouble, type RedisTrouble, redisTroubleInWords, redisTroubleRemedy } from "../redis/trouble.ts";

export type Trouble =
  | RedisTrouble
  /** The connection broke and nobody listens any more: the process is gone. */
  | { readonly kind: "dead"; readonly detail: string }
  | { readonly kind: "refused"; readonly detail: string }
  /** A server process runs here and does not listen: it starts, recovers from a crash, or ends. */
  | { readonly kind: "starting" }
  | { readonly kind: "stopping" }
  | { readonly kind: "unreachable"; readonly detail: string }
  | { readonly kind: "lost"; readonly detail: string }
  | { readonly kind: "timeout"; readonly phase: "connect" | "query"; readonly afterMillis: number }
  | { readonly kind: "denied"; readonly detail: string }
  | { readonly kind: "setup"; readonly detail: string }
  /** Numbers are null when the server refused us instead of telling them. */
  | {
      readonly kind: "connections";
      readonly used: number | null;
      readonly limit: number | null;
      readonly detail: string;
    }
  | { readonly kind: "disk-full"; readonly path: string | null; readonly freeMib: number }
  | { readonly kind: "read-only"; readonly variable: string }
  /** `channel` is "" for the nameless one. */
  | { readonly kind: "replication"; readonly channel: string; readonly detail: string }
  | { readonly kind: "lagging"; readonly channel: string; readonly seconds: number; readonly limit: number }
  | { readonly kind: "grants"; readonly privilege: string | null; readonly detail: string }
  /** Of a managed writer: neither a peer nor the gateway answers, so another may be the writer already. */
  | { readonly kind: "isolated"; readonly forMillis: number }
  /** Of a managed writer: the quorum store does not confirm that this host may serve. */
  | { readonly kind: "no-quorum"; readonly detail: string }
  /** An operator has closed it and keeps it so; a time of the wall clock, in words. */
  | { readonly kind: "fenced"; readonly since: string }
  | { readonly kind: "error"; readonly detail: string };

export type TroubleKind = Trouble["kind"];

/** The same story: numbers that change with every look do not make another one. */
export function sameTrouble(one: Trouble | null, other: Trouble | null): boolean {
  if (one === null || other === null) return one === other;
  if (one.kind !== other.kind) return false;
  const channel = (trouble: Trouble): string => ("channel" in trouble ? trouble.channel : "");
  return channel(one) === channel(other);
}

const ofChannel = (channel: string): string => (channel === "" ? "" : ` of channel ${channel}`);

/** A clause that can follow "mysql NAME: " or "redis NAME: ". */
export function troubleInWords(trouble: Trouble): string {
  if (isRedisTrouble(trouble)) return redisTroubleInWords(trouble);
  switch (trouble.kind) {
    case "dead":
      return `the server is gone: its connection broke and nobody listens (${trouble.detail})`;
    case "refused":
      return `nobody listens (${trouble.detail})`;
    case "starting":
      return "a server process runs but does not listen: it starts, recovers from a crash, or ends";
    case "stopping":
      return "the server shuts down";
    case "unreachable":
      return `cannot be reached (${trouble.detail})`;
    case "lost":
      return `the connection broke (${trouble.detail})`;
    case "timeout": {
      const what = trouble.phase === "connect" ? "no connection" : "no answer: it hangs";
      return `${what} within ${lengthInWords(trouble.afterMillis)}`;
    }
    case "denied":
      return `the server refuses the login (${trouble.detail})`;
    case "setup":
      return trouble.detail;
    case "connections":
      return trouble.limit === null
        ? `too many connections (${trouble.detail})`
        : `too many connections: ${trouble.used} of ${trouble.limit} are taken`;
    case "disk-full":
      return trouble.path === null
        ? "its disk is full"
        : `the disk of ${trouble.path} is full (${trouble.freeMib} MiB free)`;
    case "read-only":
      return `it takes no writes (${trouble.variable})`;
    case "replication":
      return `replication${ofChannel(trouble.channel)} is broken: ${trouble.detail}`;
    case "lagging":
      return `replication${ofChannel(trouble.channel)} lags ${lengthInWords(trouble.seconds * 1_000)} behind, max_lag is ${lengthInWords(trouble.limit * 1_000)}`;
    case "grants":
      return trouble.privilege === null
        ? `a privilege is missing (${trouble.detail})`
        : `the privilege ${trouble.privilege} is missing (${trouble.detail})`;
    case "isolated":
      return `neither a peer nor the gateway has answered for ${lengthInWords(trouble.forMillis)}: this host is the one cut off`;
    case "no-quorum":
      return `this host may not serve: ${trouble.detail}`;
    case "fenced":
      return `it was fenced by hand (${trouble.since})`;
    case "error":
      return `it answers with ${trouble.detail}`;
    default:
      return unreachable(trouble);
  }
}

/** What has to happen before it is over, as a clause: "the server has to be started". */
export function troubleRemedy(trouble: Trouble): string {
  if (isRedisTrouble(trouble)) return redisTroubleRemedy(trouble);
  switch (trouble.kind) {
    case "dead":
    case "refused":
    case "stopping":
      return "the server has to be started";
    case "starting":
      return "the server has to finish starting; its error log says how far it is";
    case "unreachable":
      return "the network, the firewall or the address in the configuration has to be mended";
    case "lost":
      return "the server has to keep its connections open; its error log says why it does not";
    case "timeout":
      return "the server has to answer in time; it may be stopped, swapping, or waiting for a disk or a lock";
    case "denied":
      return "user and password of the credentials file have to be those of an account that may log in from here";
    case "setup":
      return "that has to be put right";
    case "connections":
      return "clients have to disconnect, or max_connections has to be raised";
    case "disk-full":
      return "space has to be freed";
    case "read-only":
      return `${trouble.variable} has to be switched off`;
    case "replication":
      return "replication has to be mended and started";
    case "lagging":
      return `the replica has to catch up to ${lengthInWords(trouble.limit * 1_000)}`;
    case "grants":
      return trouble.privilege === null
        ? "the missing privilege has to be granted"
        : `GRANT ${trouble.privilege} ON *.* has to be given to the account`;
    case "isolated":
      return "the network has to be mended";
    case "no-quorum":
      return "the quorum store has to answer this host again (`holdfast status` shows how it stands)";
    case "fenced":
      return "an operator has to give it back: `holdfast fence NAME --off`";
    case "error":
      return "the server has to answer without an error";
    default:
      return unreachable(trouble);
  }
}
