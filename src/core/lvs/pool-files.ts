/** FILE_CHECK: a number in a tracked file adds to the weight of servers, or takes them out. */
import type { Instant } from "../lib/units.ts";
import { type Finding, OK } from "./findings.ts";
import { changeOffset, checkerResult, fileStanding } from "./pool.ts";
import type { Pool, PoolRules, Step } from "./pool-state.ts";

export interface FileChange {
  readonly name: string;
  readonly value: number;
  readonly now: Instant;
}

/** A tracked file says another number. */
export function fileChanged(pool: Pool, change: FileChange, rules: PoolRules): Step {
  let step: Step = { pool, effects: [] };
  for (const [server, { config }] of pool.servers.entries()) {
    for (const [checker, one] of config.checkers.entries()) {
      if (one.kind !== "file" || one.file !== change.name) continue;
      const next = oneChecker(step.pool, { server, checker, ...fileStanding(one, change.value) }, change, rules);
      step = { pool: next.pool, effects: [...step.effects, ...next.effects] };
    }
  }
  return step;
}

interface Standing {
  readonly server: number;
  readonly checker: number;
  readonly up: boolean;
  readonly offset: number;
}

/** keepalived sends no mail for a file. */
function oneChecker(pool: Pool, standing: Standing, { value, now }: FileChange, rules: PoolRules): Step {
  const { server, checker, up } = standing;
  const wasUp = pool.servers[server]?.checkers[checker]?.up ?? true;
  if (up && wasUp) return changeOffset(pool, standing);
  if (up === wasUp) return { pool, effects: [] };
  const finding: Finding = up ? OK : { kind: "file", value };
  const turned = checkerResult(pool, { server, checker, up, finding, now, why: "" }, rules);
  const effects = turned.effects.filter(({ kind }) => kind !== "mail");
  if (!up) return { pool: turned.pool, effects };
  const weighed = changeOffset(turned.pool, standing);
  return { pool: weighed.pool, effects: [...effects, ...weighed.effects] };
}
