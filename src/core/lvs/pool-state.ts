/** What a pool is made of, and what its servers weigh. */
import type { Instant } from "../lib/units.ts";
import { GREATEST_WEIGHT, type RealServerConfig, type VirtualServerConfig } from "./config.ts";
import type { PoolEffect } from "./effects.ts";

export interface CheckerStanding {
  readonly up: boolean;
  readonly ran: boolean;
  /** What it adds to the server's weight (misc_dynamic, FILE_CHECK, lag_weight). */
  readonly offset: number;
}

export interface RealServerState {
  readonly config: RealServerConfig;
  readonly alive: boolean;
  readonly checkers: readonly CheckerStanding[];
  /** slow_start: when it came up; null: its weight is full. */
  readonly risingSince: Instant | null;
}

export interface Pool {
  readonly config: VirtualServerConfig;
  readonly servers: readonly RealServerState[];
  readonly quorumUp: boolean;
  readonly sorryAlive: boolean;
}

export interface PoolRules {
  /** rs_init_notifies */
  readonly initNotifies: boolean;
  /** no_checker_emails */
  readonly noCheckerMail: boolean;
}

export interface Step {
  readonly pool: Pool;
  readonly effects: readonly PoolEffect[];
}

const clamp = (weight: number): number => Math.max(0, Math.min(GREATEST_WEIGHT, weight));

/** What the server weighs with all that checkers and files add; slow start aside. */
export function effectiveWeight({ config, checkers }: Pick<RealServerState, "config" | "checkers">): number {
  return clamp(checkers.reduce((sum, { offset }) => sum + offset, config.weight));
}

export function liveWeight({ servers }: Pick<Pool, "servers">): number {
  return servers.reduce((sum, server) => sum + (server.alive ? effectiveWeight(server) : 0), 0);
}

export const failedCheckers = ({ checkers }: RealServerState): number => checkers.filter(({ up }) => !up).length;
