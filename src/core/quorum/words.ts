/** What `status`, `explain` and `takeover` say of the record of a group. */
import type { Policy } from "../database/config.ts";

/** `holder`: the host whose record stands there, null: nobody's; `millis`: until the claim goes on. */
export function waitInWords(holder: string | null, millis: number): string {
  const whose = holder === null ? "there is no record, and whoever had one" : `${holder} has the record and`;
  return `${whose} may still answer: the claim goes on in ${(millis / 1_000).toFixed(1)} s unless it is renewed`;
}

/** Why it serves although the store has not granted it. */
export const withoutInWords = (policy: Policy): string =>
  policy === "availability" ? "policy availability" : "an operator's order";

/** What a claim would hear of the store now: in order, and why it would be refused; null: it would not. */
export interface StoreOutlook {
  readonly steps: readonly string[];
  readonly refusal: string | null;
}
