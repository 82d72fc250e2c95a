/** What a claim of a group would hear of the quorum store now, for `holdfast takeover`: by the rules of ownership.ts, in words. */
import type { Policy } from "../database/config.ts";
import type { Instant } from "../lib/units.ts";
import { claimStep, type Myself, type Ownership, recordOf } from "./ownership.ts";
import { type StoreOutlook, waitInWords } from "./words.ts";

export interface OutlookFacts {
  readonly own: Ownership;
  readonly me: Myself;
  readonly group: string;
  readonly policy: Policy;
  /** Why the store does not answer, in words; null: it does. */
  readonly silent: string | null;
  /** An operator has ordered that the next claim goes on without it. */
  readonly ordered: boolean;
  /** CLOCK_MONOTONIC. */
  readonly now: Instant;
}

/** How often the record of a holder that lives is seen to change in a claim. */
const ALIVE = 2;

export function outlookOf({ own, me, group, policy, silent, ordered, now }: OutlookFacts): StoreOutlook {
  const without = (why: string): StoreOutlook => {
    if (policy === "availability" || (ordered && silent !== null)) {
      return { steps: [`go on without the quorum store (${why})`], refusal: null };
    }
    return refused(silent === null ? why : `${why}, and policy ${policy} does not claim without it`);
  };
  if (silent !== null) return without(silent);
  if (own.seen === null) return { steps: ["ask the quorum store, which has not answered yet"], refusal: null };
  // It was seen to change a moment ago: a claim would see it change again.
  const step = claimStep(own, me, now - own.seen.since < me.gap ? ALIVE : 0, now);
  switch (step.kind) {
    case "write":
      return { steps: [`write the record of ${group} into the quorum store`], refusal: null };
    case "refuse":
      return refused(step.reason);
    case "foreign":
      return without(step.reason);
    case "wait": {
      const record = recordOf(own);
      const holder = record === null || record.life === null ? null : record.host;
      const wait = waitInWords(holder, Math.max(0, step.until - now) / 1_000);
      return { steps: [`ask the quorum store: ${wait}`], refusal: null };
    }
  }
}

const refused = (why: string): StoreOutlook => ({ steps: [], refusal: `quorum_store: ${why}` });
