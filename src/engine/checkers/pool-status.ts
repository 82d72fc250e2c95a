/**
 * What is known of a virtual server's pool at this moment: its servers, their checkers, since when each stands as it does, and what the last
 * run found. Times are of the daemon's clock. Reads, decides nothing.
 */
import type { CheckerKindName } from "../../core/events/lvs-events.ts";
import type { Instant } from "../../core/lib/units.ts";
import { type Finding, OK } from "../../core/lvs/findings.ts";
import { effectiveWeight, liveWeight, type Pool } from "../../core/lvs/pool-state.ts";

export interface CheckerStatus {
  readonly checker: CheckerKindName;
  /** As it counts for the pool. */
  readonly up: boolean;
  /** When it came to stand so; null: it has no result yet. */
  readonly since: Instant | null;
  readonly lastRunAt: Instant | null;
  /** Of the last run, also of one that does not count yet; null before it. */
  readonly finding: Finding | null;
  /** The last line that the command of MISC_CHECK wrote. */
  readonly output: string | null;
  /** Failures so far that do not count yet, and how many of them are let pass. */
  readonly retries: number;
  readonly retry: number;
  /** From the end of a check to the next, seconds; null: it watches a file. */
  readonly intervalSeconds: number | null;
}

export interface PoolServerStatus {
  /** As keepalived names it. */
  readonly server: string;
  readonly alive: boolean;
  readonly since: Instant;
  /** With what checkers and files add; slow start aside. */
  readonly weight: number;
  readonly rising: boolean;
  readonly checkers: readonly CheckerStatus[];
}

export interface PoolStatus {
  /** As keepalived names it. */
  readonly service: string;
  readonly quorumUp: boolean;
  readonly quorum: number;
  readonly liveWeight: number;
  readonly sorryAlive: boolean;
  /** ha_suspend lets it check. */
  readonly checking: boolean;
  readonly servers: readonly PoolServerStatus[];
}

export interface PoolSources {
  readonly pool: Pool;
  readonly checking: boolean;
  /** When the server of that name came up or went down; since the pool began for one that did neither. */
  readonly since: (server: string) => Instant;
  /** Null: FILE_CHECK, which nobody runs. */
  readonly checker: (server: number, checker: number) => CheckerStatus | null;
}

export function poolStatus({ pool, checking, since, checker }: PoolSources): PoolStatus {
  const servers = pool.servers.map((state, at): PoolServerStatus => {
    const { name } = state.config;
    const fromFile = (index: number): CheckerStatus => {
      const up = state.checkers[index]?.up ?? true;
      return { ...FILE, up, finding: up ? OK : { kind: "trouble", text: "the number in its file takes it out" } };
    };
    return {
      server: name,
      alive: state.alive,
      since: since(name),
      weight: effectiveWeight(state),
      rising: state.risingSince !== null,
      checkers: state.config.checkers.map((_one, index) => checker(at, index) ?? fromFile(index)),
    };
  });
  const { quorumUp, sorryAlive, config } = pool;
  const weight = liveWeight(pool);
  return { service: config.name, quorumUp, quorum: config.quorum, liveWeight: weight, sorryAlive, checking, servers };
}

const FILE = {
  checker: "file",
  since: null,
  lastRunAt: null,
  output: null,
  retries: 0,
  retry: 0,
  intervalSeconds: null,
} as const;
