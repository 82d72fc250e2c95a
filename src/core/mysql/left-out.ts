/**
 * What a quarantined peer has that the writer lacks. While a server is the writer its daemon notes it: these transactions were left out, and the log said so.
 * A claim of the same server need not wait for them: nobody has served them since. Anything that the peer has beyond what was noted counts as before.
 * Without GTIDs (MySQL) it is a place in the peer's binary log: up to there it was read while this server was the writer, and whatever it had too many was told.
 */
import { type Coordinates, coordinates, coordinatesInWords, reaches } from "./coordinates.ts";
import { mariadbContains, mariadbMissing, mysqlContains, mysqlExtra } from "./gtid.ts";
import type { MemberFacts } from "./member.ts";

/** By the peer's address: GTIDs as its product writes them, or "UUID FILE:OFFSET". */
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
  const place = readUntil(noted, own, theirs);
  return place !== null && theirs.end !== null && reaches(place, theirs.end) === true;
}

/** The note of a peer whose binary log was read up to there; null where GTIDs tell, or nothing says whose log it is. */
export function placeNote(
  { gtids: ours }: MemberFacts,
  { gtids: theirs }: MemberFacts,
  at: Coordinates,
): string | null {
  if (ours.product !== "mysql" || theirs.product !== "mysql" || (ours.on && theirs.on)) return null;
  return theirs.uuid === undefined || theirs.uuid === "" ? null : `${theirs.uuid} ${coordinatesInWords(at)}`;
}

/** Up to where the binary log of this very peer was read; null: it was not, or GTIDs tell. */
export function readUntil(noted: string | undefined, own: MemberFacts, theirs: MemberFacts): Coordinates | null {
  const [, uuid, file, offset] = /^(\S+) (\S+):(\d+)$/.exec(noted ?? "") ?? [];
  const at = coordinates(file, offset);
  return at !== null && placeNote(own, theirs, at) === `${uuid} ${coordinatesInWords(at)}` ? at : null;
}

const joined = (one: string, other: string): string => (one.trim() === "" ? other : `${one},${other}`);
