/** Which way a group falls while the quorum store is lost. */
import type { Policy } from "../database/config.ts";

const STRICT: readonly Policy[] = ["availability", "balanced", "consistency"];

/** Of several servers that move together; at least one. */
export const strictest = (policies: readonly Policy[]): Policy =>
  STRICT.findLast((policy) => policies.includes(policy)) ?? "consistency";
