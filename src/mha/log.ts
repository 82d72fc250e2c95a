/**
 * The manager's log: one line per message, `Fri Nov 27 09:30:01 2026 - [info] ...` as MHA writes it, into a file or to standard output.
 * Nothing that holds a password may be handed to it.
 */
import { appendFileSync } from "node:fs";
import { MhaError, wordsOf } from "./environment.ts";

const LEVELS = ["debug", "info", "warning", "error"] as const;
export type LogLevel = (typeof LEVELS)[number];

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value: number): string => String(value).padStart(2, "0");

/** As ctime(3) writes it, local time. */
export function ctime(at: Date): string {
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  return `${DAYS[at.getDay()]} ${MONTHS[at.getMonth()]} ${String(at.getDate()).padStart(2)} ${clock} ${at.getFullYear()}`;
}

/** "20261127093001", for names of files. */
export const stamp = (at: Date): string =>
  `${at.getFullYear()}${[at.getMonth() + 1, at.getDate(), at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join("")}`;

export class MhaLog {
  /** Null: standard output. */
  readonly file: string | null;
  readonly #out: (text: string) => void;
  readonly #from: number;

  constructor(out: (text: string) => void, file: string | null, level: string) {
    this.#out = out;
    this.file = file;
    // notice is info; critical and beyond are errors.
    const known = (LEVELS as readonly string[]).indexOf(level === "notice" ? "info" : level);
    this.#from = known < 0 ? LEVELS.length - 1 : known;
  }

  debug = (text: string): void => this.#write("debug", text);
  info = (text = ""): void => this.#write("info", text);
  warning = (text: string): void => this.#write("warning", text);
  error = (text: string): void => this.#write("error", text);

  lines(texts: readonly string[]): void {
    for (const text of texts) this.info(text);
  }

  #write(level: LogLevel, text: string): void {
    if (LEVELS.indexOf(level) < this.#from) return;
    const line = `${ctime(new Date())} - [${level}] ${text}\n`;
    if (this.file === null) {
      this.#out(line);
      return;
    }
    try {
      appendFileSync(this.file, line);
    } catch (error) {
      // A full disk must not stop a failover.
      this.#out(line);
      this.#out(`${ctime(new Date())} - [warning] ${this.file} cannot be written: ${wordsOf(error)}\n`);
    }
  }
}

/** Fails early, before monitoring begins, when the log cannot be written. */
export function openLog(out: (text: string) => void, file: string | null, level: string): MhaLog {
  if (file !== null) {
    try {
      appendFileSync(file, "");
    } catch (error) {
      throw new MhaError(
        `manager_log ${file} cannot be written: ${wordsOf(error)}; correct the path or its permissions`,
      );
    }
  }
  return new MhaLog(out, file, level);
}
