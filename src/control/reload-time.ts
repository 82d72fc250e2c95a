/** The first line of a reload_time_file (keepalived.conf(5)): when the next reload is to be. Knows the calendar, no file. */
import { err, ok, type Result } from "../core/lib/result.ts";

export interface ReloadTime {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The line holds a date, not only a time of day. */
  readonly dated: boolean;
}

const FORM = /^(?:(\d{4}|\d{2})-(\d{2})-(\d{2}) )?(\d{2}):(\d{2}):(\d{2})(Z?)$/;
const DAY_MILLIS = 86_400_000;

/** Local time, with Z UTC. A time of day that has passed is tomorrow's; a date that has passed is an error. */
export function parseReloadTime(line: string, now: number): Result<ReloadTime, string> {
  const match = FORM.exec(line);
  if (match === null) {
    return err(`the time '${line.slice(0, 40)}' is not HH:MM:SS, YY-MM-DD HH:MM:SS or YYYY-MM-DD HH:MM:SS (Z for UTC)`);
  }
  const utc = match[7] === "Z";
  const dated = match[1] !== undefined;
  const date = dated ? dateOf(match) : today(now, utc);
  const at = instantOf(date, clockOf(match), utc);
  if (at === null) return err(`the time '${line}' does not exist`);
  if (at > now) return ok({ at, dated });
  if (dated) return err(`the time '${line}' has passed`);
  return ok({ at: at + DAY_MILLIS, dated });
}

type Triple = readonly [number, number, number];

/** Two digits are strptime(3)'s: 69 to 99 are of the last century. */
function dateOf(match: RegExpExecArray): Triple {
  const year = Number(match[1]);
  const full = match[1]?.length === 4 ? year : year + (year < 69 ? 2_000 : 1_900);
  return [full, Number(match[2]) - 1, Number(match[3])];
}

const clockOf = (match: RegExpExecArray): Triple => [Number(match[4]), Number(match[5]), Number(match[6])];

function today(now: number, utc: boolean): Triple {
  const date = new Date(now);
  return utc
    ? [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
    : [date.getFullYear(), date.getMonth(), date.getDate()];
}

/** Null for the 31st of February and for what the clocks leave out in spring. */
function instantOf([year, month, day]: Triple, [hour, minute, second]: Triple, utc: boolean): number | null {
  const at = utc ? Date.UTC(year, month, day, hour, minute, second) : +new Date(year, month, day, hour, minute, second);
  const made = new Date(at);
  const same = utc
    ? made.getUTCMonth() === month && made.getUTCDate() === day && made.getUTCHours() === hour
    : made.getMonth() === month && made.getDate() === day && made.getHours() === hour;
  return same && minute < 60 && second < 60 ? at : null;
}
