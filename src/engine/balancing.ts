/** Joins the checks of real servers and the kernel's table: what the pools want, the table is told. */
import type { IpvsPort } from "../ports/ipvs.ts";
import type { ProbePort } from "../ports/probes.ts";
import type { RedisPort } from "../ports/redis.ts";
import type { SqlPort } from "../ports/sql.ts";
import type { Timers } from "../ports/timers.ts";
import { createServerChecks, type ServerChecks, type ServerChecksOptions } from "./checkers/server-checks.ts";
import type { CommandTools } from "./command-run.ts";
import type { EventBus } from "./event-bus.ts";
import { createLvs, type Lvs } from "./lvs/lvs.ts";

export interface BalancingOptions {
  readonly timers: Timers;
  readonly bus: EventBus;
  readonly ipvs: IpvsPort;
  readonly probes: ProbePort;
  readonly sql: SqlPort;
  readonly redis: RedisPort;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
}

export function createBalancing(
  { timers, bus, ipvs, probes, sql, redis, random }: BalancingOptions,
  commands: CommandTools,
  tell: ServerChecksOptions["tell"],
): { readonly lvs: Lvs; readonly servers: ServerChecks } {
  const lvs = createLvs({ ipvs, timers, publish: (body) => bus.publish("checks", body) });
  const servers = createServerChecks({
    tools: { port: probes, commands, sql, redis, random },
    publish: (body) => bus.publish("checks", body),
    tell,
    want: (table) => lvs.want(table),
  });
  return { lvs, servers };
}
