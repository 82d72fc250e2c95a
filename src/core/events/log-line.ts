/**
 * The form of a log line, not its words: keepalived's timestamp on standard error, and one JSON object a line.
 * Pure: the wall clock and the offset of the local zone are arguments. describe.ts makes the words.
 */
import type { HoldfastEvent, Origin } from "./vocabulary.ts";

/** keepalived's syslog names; people and tools filter by them. */
export type LogIdent = "Keepalived" | "Keepalived_vrrp" | "Keepalived_healthcheckers";

/** `detail` is what keepalived prints with -D (--log-detail) only, `debug` each packet and timer. Most important first. */
export const LOG_LEVELS = ["error", "warning", "info", "detail", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogLine {
  readonly ident: LogIdent;
  readonly level: LogLevel;
  readonly text: string;
}

export const LOG_IDENTS: Readonly<Record<Origin, LogIdent>> = {
  parent: "Keepalived",
  vrrp: "Keepalived_vrrp",
  checks: "Keepalived_healthcheckers",
};

const DAYS = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_MILLIS = 86_400_000;

interface CivilTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  /** Name of the day of the week. */
  readonly weekday: string;
  /** "hh:mm:ss". */
  readonly clock: string;
  readonly milliseconds: number;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** The Gregorian calendar without Date: years are counted from March, so that the leap day comes last. */
function civilTime(millis: number): CivilTime {
  const days = Math.floor(millis / DAY_MILLIS);
  const rest = millis - days * DAY_MILLIS;
  // 719,468 days lie between 1 March of year 0 and 1 January 1970; 146,097 days make 400 years.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const seconds = Math.floor(rest / 1_000);
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
    weekday: DAYS[((days % 7) + 7) % 7] ?? "",
    clock: `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`,
    milliseconds: Math.floor(rest % 1_000),
  };
}

/** Local time as asctime(3) has it, the way `keepalived -l` begins its lines: "Mon Nov 23 01:38:38 2026". */
export function asctime(time: number, utcOffsetMinutes: number): string {
  const { weekday, month, day, clock, year } = civilTime(time + utcOffsetMinutes * 60_000);
  return `${weekday} ${MONTHS[month - 1]} ${String(day).padStart(2, " ")} ${clock} ${year}`;
}

export function isoTime(time: number): string {
  const { year, month, day, clock, milliseconds } = civilTime(time);
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}T${clock}.${String(milliseconds).padStart(3, "0")}Z`;
}

/** A line for standard error. utcOffsetMinutes is positive east of Greenwich. */
export function formatLine(line: LogLine, time: number, utcOffsetMinutes: number): string {
  return `${asctime(time, utcOffsetMinutes)}: ${line.text}`;
}

/** What an event was put into; describe.ts makes it. */
export interface Description {
  readonly lines: readonly LogLine[];
  readonly sentence: string;
}

export const LEVEL_RANK: Readonly<Record<LogLevel, number>> = { error: 0, warning: 1, info: 2, detail: 3, debug: 4 };

/** One object for a whole event: the words for people, keepalived's lines, and the event itself for programs. */
export function formatJson(event: HoldfastEvent, description: Description): string {
  const { lines, sentence } = description;
  const level = lines.reduce<LogLevel>(
    (worst, line) => (LEVEL_RANK[line.level] < LEVEL_RANK[worst] ? line.level : worst),
    "debug",
  );
  return JSON.stringify({
    time: isoTime(event.time),
    level: lines.length === 0 ? "info" : level,
    ident: lines[0]?.ident ?? LOG_IDENTS[event.origin],
    message: sentence,
    lines: lines.map((line) => line.text),
    at: event.at,
    event: event.body,
  });
}
