/**
 * What the supervisor of the keeper needs from control, and what it offers to it. keeper-supervisor.ts is the one that does it.
 */
import type { LogLevel } from "../core/events/log-line.ts";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import type { Instant } from "../core/lib/units.ts";
import type { KeeperSettings } from "../core/link/keeper-settings.ts";
import type { FromKeeper, KeeperSetup, Standings, ToKeeper } from "../core/link/messages.ts";
import type { VrrpInstanceStatus } from "../core/vrrp/status.ts";
import type { KeyPorts } from "../ports/digest.ts";
import type { GuardPort } from "../ports/guard.ts";
import type { KeeperLauncher } from "../ports/keeper-process.ts";
import type { Timers } from "../ports/timers.ts";
import type { LeftKeeper } from "./keeper-leaving.ts";

export type KeeperCondition = "starting" | "running" | "frozen" | "lost" | "stopped";

export interface KeeperState {
  readonly condition: KeeperCondition;
  readonly pid: number | null;
  readonly restarts: number;
  readonly since: Instant;
  readonly detail: string | null;
}

export interface KeeperHost {
  readonly timers: Timers;
  readonly launcher: KeeperLauncher;
  readonly guard: GuardPort;
  /** For adverts of priority 0 that have to be sealed. */
  readonly keys: KeyPorts;
  /** Events of the keeper carry its own time; those of the supervisor none. */
  readonly publish: (body: HoldfastEventBody, at?: Instant) => void;
  /** Gate questions and reports, in the keeper's order. */
  readonly onMessage: (message: Extract<FromKeeper, { type: "event" | "ask-gate" | "cancel-gate" }>) => void;
  /** For a keeper that has just said hello. */
  readonly settings: () => KeeperSettings | null;
  /** For a keeper that has just taken the configuration. */
  readonly standings: () => Standings;
  /** All gates of the old keeper are void. */
  readonly onLost: () => void;
  /** It must not be restarted: wrong settings or versions. */
  readonly onFatal: (reason: string) => void;
}

/** That it is to let go for another host, until when it may hold its addresses, that it may claim again. */
export type KeeperOrder = Extract<ToKeeper, { type: "hand-over" | "permit" | "retry-claim" }>;

export interface KeeperSupervisor {
  /** Starts the first keeper. onDone gets what is wrong with the configuration, or null. */
  start(setup: KeeperSetup, onDone: (error: string | null) => void): void;
  /** Hands over a new set; with an error nothing has changed. */
  configure(setup: KeeperSetup, onDone: (error: string | null) => void): void;
  tellStandings(standings: Standings, succeeded: readonly string[]): void;
  /** The host's settings have changed. */
  tellSettings(): void;
  /** At `debug` the keeper tells each packet and timer; also one that is started later. */
  setLogLevel(level: LogLevel): void;
  /** About one instance; a keeper that starts later does not hear of it. */
  order(order: KeeperOrder): void;
  answerGate(answer: { instance: string; gate: number; opened: boolean; reason: string }): void;
  /** Null when the keeper does not answer in time. clear: its counters start anew. */
  status(clear?: boolean): Promise<readonly VrrpInstanceStatus[] | null>;
  state(): KeeperState;
  /** Orderly release; resolves when the keeper is gone and, if need be, was spoken for. */
  stop(): Promise<void>;
  /** No more patience with a keeper that is stopping. */
  kill(): void;
  /**
   * Lets go of a keeper that goes on serving, for the program that begins anew in this process; null when that is not possible now, and
   * then nothing has changed.
   */
  leave(): Promise<LeftKeeper | null>;
}
