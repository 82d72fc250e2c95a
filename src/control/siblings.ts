/** Which members of a sync group keep a BACKUP from becoming MASTER. Pure words; the group's rules are core/vrrp/sync-group.ts. */
import type { VrrpInstanceStatus } from "../core/vrrp/status.ts";

type Member = Pick<VrrpInstanceStatus, "name" | "phase" | "syncGroup" | "wantsMaster">;

/** So many are named; of the others there is a number. */
const NAMED = 3;

/** "VI_2, VI_3 (and 4 more)"; null when it does not wait for anybody. */
export function unwillingSiblings(one: Member, all: readonly Member[]): string | null {
  if (one.syncGroup === null || !one.wantsMaster || one.phase !== "BACKUP") return null;
  const names = all.filter((other) => other.syncGroup === one.syncGroup && isUnwilling(other)).map(({ name }) => name);
  if (names.length === 0) return null;
  const more = names.length > NAMED ? ` (and ${names.length - NAMED} more)` : "";
  return `${names.slice(0, NAMED).join(", ")}${more}`;
}

const isUnwilling = ({ phase, wantsMaster }: Member): boolean =>
  !wantsMaster && phase !== "MASTER" && phase !== "PREPARING" && phase !== "CLAIMING";
