/**
 * Facts to a verdict. As MASTER only the own server decides: a replica whose master is gone is exactly what a failover needs, so a link
 * that is down is no finding by itself; a data set that was never in step, or is being replaced, is.
 */

import type { Trouble } from "../database/trouble.ts";
import { type Finding, type Verdict, verdictOf } from "../database/verdict.ts";
import type { RedisRules } from "./config.ts";
import type { RedisFacts } from "./info.ts";

/** What a look finds beyond INFO. */
export interface Surroundings {
  /** The members of a circle, beginning with the own server; null when there is none. */
  readonly circle: readonly string[] | null;
}

export function judgeFacts(facts: RedisFacts, { circle }: Surroundings, rules: RedisRules): Verdict {
  const findings: Finding[] = [];
  const find = (counts: Finding["counts"], trouble: Trouble | null): void => {
    if (trouble !== null) findings.push({ trouble, counts });
  };
  find("fail", facts.loading === null ? null : { kind: "loading", ...facts.loading });
  find(rules.circle, circle === null ? null : { kind: "circle", members: circle });
  find(
    rules.misconf,
    facts.failedSave === null || facts.source !== null ? null : { kind: "misconf", save: facts.failedSave },
  );
  find(rules.memoryFull, memoryFull(facts));
  find(rules.unsynced, unsynced(facts));
  find(rules.lag, behind(facts, rules.maxLag));
  find(
    rules.readOnly,
    facts.source === null || !facts.readOnly ? null : { kind: "replica", source: facts.source.address },
  );
  find(
    rules.noReplicas,
    facts.goodReplicas === 0 && facts.source === null ? { kind: "too-few-replicas", good: 0 } : null,
  );
  return verdictOf(findings, false);
}

function memoryFull({ memory: { used, limit, evicts } }: RedisFacts): Trouble | null {
  return limit > 0 && !evicts && used >= limit ? { kind: "memory-full", used, limit } : null;
}

/** A server that follows nobody on purpose (the boot guard) has a data set of its own. */
function unsynced({ source }: RedisFacts): Trouble | null {
  if (source === null || isParked(source.address)) return null;
  if (source.up && !source.syncing) return null;
  if (source.everUp && !source.syncing) return null;
  return { kind: "unsynced", source: source.address, syncing: source.syncing };
}

export const isParked = (address: string): boolean => /:1$/.test(address);

function behind({ source }: RedisFacts, limit: number): Trouble | null {
  if (source?.up !== true || source.silentSeconds === null || source.silentSeconds <= limit) return null;
  return { kind: "behind", source: source.address, seconds: source.silentSeconds, limit };
}

/** The server could not be asked. */
export function judgeTrouble(trouble: Trouble): Verdict {
  return verdictOf([{ trouble, counts: "fail" }], trouble.kind === "dead");
}
