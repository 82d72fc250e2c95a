/**
 * What a quarantined peer has that the writer lacks. While a server is the writer its daemon notes it: these transactions were left out, and the log said so.
 * A claim of the same server need not wait for them: nobody has served them since. Anything that the peer has beyond what was noted counts as before.
 * Only where GTIDs tell one transaction from another.
 */
import { mariadbContains, mariadbMissing, mysqlContains, mysqlExtra } from "./gtid.ts";
import type { MemberFacts } from "./member.ts";

/** By the peer's address: GTIDs as its product writes them. */
export type LeftOut = ReadonlyMap<string, string>;

/** What this peer has that the own server lacks; null where it cannot be told. */
export function missingOf({ gtids: ours }: MemberFacts, { gtids: theirs }: MemberFacts): string | null {
  if (ours.product === "mariadb" && theirs.product === "mariadb") return mariadbMissing(ours, theirs.binlogState);
  if (ours.product === "mysql" && theirs.product === "mysql" && ours.on && theirs.on)
    return mysqlExtra(ours.executed, theirs.executed);
  return null;
}

/** Whether all that this closed peer has and the own server lacks was left out then. */
export function wasLeftOut(noted: string | undefined, own: MemberFacts, theirs: MemberFacts): boolean {
  if (noted === undefined || theirs.closedBy === null) return false;
  const [ours, peers] = [own.gtids, theirs.gtids];
  if (ours.product === "mariadb" && peers.product === "mariadb") {
    return mariadbContains({ ...ours, binlogState: joined(ours.binlogState, noted) }, peers.binlogState);
  }
  if (ours.product === "mysql" && peers.product === "mysql" && ours.on && peers.on)
    return mysqlContains(joined(ours.executed, noted), peers.executed);
  return false;
}

const joined = (one: string, other: string): string => (one.trim() === "" ? other : `${one},${other}`);
