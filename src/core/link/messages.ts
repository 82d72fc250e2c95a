/**
 * The protocol between control and keeper, version 1: one JSON object a line over a stream socket pair
 * (file descriptor 3 of the keeper). docs/socket-pair.md describes it for readers; this file is what both sides compile against.
 *
 * Control speaks first (`hello`), the keeper answers `hello`; a version that differs ends the keeper with exit code 42.
 * Then `configure`. Control sends `heartbeat` every HEARTBEAT_MILLIS, the keeper answers each.
 */

import type { DatabaseStanding } from "../database/standing.ts";
import type { LogLevel } from "../events/log-line.ts";
import type { HoldfastEventBody } from "../events/vocabulary.ts";
import type { IpAddress } from "../lib/ip.ts";
import type { HostConfig } from "../routing/host.ts";
import type { VrrpInstanceConfig } from "../vrrp/config.ts";
import type { VrrpInstanceStatus } from "../vrrp/status.ts";
import type { KeeperSettings } from "./keeper-settings.ts";

export const LINK_VERSION = 1;
export const HEARTBEAT_MILLIS = 500;
/** The keeper's descriptor of the socket pair. */
export const LINK_FD = 3;
/** Exit code for "wrong settings or versions, do not restart" (as mediasoup's worker does). */
export const EXIT_DO_NOT_RESTART = 42;

/** What control knows of one script: the keeper turns it into faults and weights. */
export type ScriptStanding =
  | { readonly kind: "unknown" }
  | { readonly kind: "ok" }
  | { readonly kind: "failed" }
  | { readonly kind: "unusable"; readonly reason: string };

/** What a keeper is to carry out. */
export interface KeeperSetup {
  readonly instances: readonly VrrpInstanceConfig[];
  readonly host: HostConfig;
}

/** What control knows of a tracked file: the number in it. */
export interface FileStanding {
  readonly kind: "value";
  /** -254 to 254. */
  readonly value: number;
}

/** What control knows of tracked processes: ok with quorum, failed without. */
export interface ProcessStanding {
  readonly kind: "ok" | "failed";
  /** How many run. */
  readonly count: number;
}

/** All standings of one kind, by name; what is not named is unknown, or unchanged in a message that says what changed. */
export interface Standings {
  readonly scripts: Readonly<Record<string, ScriptStanding>>;
  readonly files: Readonly<Record<string, FileStanding>>;
  readonly processes: Readonly<Record<string, ProcessStanding>>;
  readonly mysql: Readonly<Record<string, DatabaseStanding>>;
  readonly redis: Readonly<Record<string, DatabaseStanding>>;
}

export const NO_STANDINGS: Standings = { scripts: {}, files: {}, processes: {}, mysql: {}, redis: {} };

export type ToKeeper =
  | { readonly type: "hello"; readonly version: number }
  /** After `hello`, before the first `configure`; again when a reload changes it. */
  | { readonly type: "settings"; readonly settings: KeeperSettings }
  /** Replaces the whole set: instances are matched by interface, virtual router id and transport, as keepalived does. */
  | ({ readonly type: "configure"; readonly serial: number } & KeeperSetup)
  /** Only what changed; `succeeded` lists scripts that have just succeeded, changed or not. */
  | {
      readonly type: "standings";
      readonly standings: Standings;
      readonly succeeded: readonly string[];
    }
  | {
      readonly type: "gate";
      readonly instance: string;
      readonly gate: number;
      readonly opened: boolean;
      readonly reason: string;
    }
  /** That instance, and with it its sync group, lets go for another host; nothing happens unless it serves. */
  | { readonly type: "hand-over"; readonly instance: string }
  /** What has refused that instance's claim would not any more. */
  | { readonly type: "retry-claim"; readonly instance: string }
  /** Until when that instance may hold its addresses (CLOCK_MONOTONIC, microseconds); null: nothing outside limits it. */
  | { readonly type: "permit"; readonly instance: string; readonly until: number | null }
  | { readonly type: "heartbeat" }
  /**
   * Control begins anew in its own process (docs/decisions/0093): the keeper answers `paused`, goes on serving, and says nothing more
   * until `hello`. If that does not come in time, control counts as silent.
   */
  | { readonly type: "pause"; readonly forMillis: number }
  /** At `debug` the keeper tells each packet and each timer decision, until another level is told. Sent again to a new keeper. */
  | { readonly type: "log-level"; readonly level: LogLevel }
  /** clear: the counters start anew after the answer, and nothing is counted between the two. */
  | { readonly type: "status"; readonly id: number; readonly clear?: true }
  /** Release everything in order, answer `stopped`, exit 0. */
  | { readonly type: "stop" };

export type FromKeeper =
  | { readonly type: "hello"; readonly version: number; readonly pid: number }
  | { readonly type: "configured"; readonly serial: number; readonly error: string | null }
  | { readonly type: "event"; readonly at: number; readonly body: HoldfastEventBody }
  | {
      readonly type: "ask-gate";
      readonly instance: string;
      readonly which: "claim" | "release";
      readonly gate: number;
      readonly priority: number;
      /** Of a claim: the live master that is heard while it is prepared. */
      readonly preempts?: IpAddress;
    }
  | { readonly type: "cancel-gate"; readonly instance: string; readonly gate: number }
  | { readonly type: "heartbeat" }
  /** The last word before the next `hello`. */
  | { readonly type: "paused" }
  | { readonly type: "status"; readonly id: number; readonly instances: readonly VrrpInstanceStatus[] }
  | { readonly type: "stopped" };

/** Control silent for longer than this means that every tracker is unknown (DESIGN: max(2 s, one advert)). */
export function silenceLimitMillis(advertIntervalMillis: number): number {
  return Math.max(2_000, advertIntervalMillis);
}
