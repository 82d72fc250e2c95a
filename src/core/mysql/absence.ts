/**
 * What shows that a writer whose server or daemon was restarted is still the last one. A server is opened without asking its peers only if
 * the writer's daemon was logged in there while it followed, so it was seen listening. When the peers' hosts said at every look, from the
 * writer's time on and with no gap of LONGEST_GAP, that nobody listens, none of them was opened, unless it came up, took over and died again
 * between two looks. Silence shows nothing: a silent peer may have been opened behind a cut.
 */
import { type Instant, type Micros, micros, seconds } from "../lib/units.ts";

/** Between two looks; twice a second where the daemon runs, so this is what its restart may take. */
const LONGEST_GAP = seconds(3);

/** Two clocks, because the monotonic one stands while a host is suspended and begins anew when it boots. */
export interface Moment {
  readonly at: Instant;
  readonly wallMillis: number;
}

export interface Absence {
  /** The peers whose hosts say that nobody listens, as in the file. */
  readonly peers: readonly string[];
  readonly lookedAt: Moment;
}

/**
 * After a look; null: nothing is proved. `writer`: the own server is open now, so that a proof may begin; `absent`: every peer's host has said
 * that nobody listens.
 */
export function afterLook(
  before: Absence | null,
  look: { readonly peers: readonly string[]; readonly absent: boolean; readonly writer: boolean; readonly now: Moment },
): Absence | null {
  const { peers, absent, writer, now } = look;
  if (!absent || peers.length === 0) return null;
  return writer || isUnbroken(before, peers, now) ? { peers, lookedAt: now } : null;
}

export function isUnbroken(absence: Absence | null, peers: readonly string[], now: Moment): boolean {
  if (absence === null || absence.peers.join() !== peers.join()) return false;
  const { at, wallMillis } = absence.lookedAt;
  const passed = [micros(now.at - at), micros((now.wallMillis - wallMillis) * 1_000)];
  return passed.every((one: Micros) => one >= 0 && one < LONGEST_GAP);
}

export const absenceText = (absence: Absence): string => JSON.stringify(absence);

/** Null for a text that is none. */
export function parseAbsence(text: string | null): Absence | null {
  try {
    const { peers, lookedAt } = JSON.parse(text ?? "null") as Absence;
    const whole = Array.isArray(peers) && peers.every((one) => typeof one === "string");
    return whole && typeof lookedAt.at === "number" && typeof lookedAt.wallMillis === "number"
      ? { peers, lookedAt }
      : null;
  } catch {
    return null;
  }
}
