/**
 * Where log lines can go: standard error, the journal's or a pipe's reader behind it, syslog, files. A sink never holds up the
 * daemon: what it cannot take at once it drops or keeps in memory up to a limit.
 */
import { fstatSync } from "node:fs";
import { formatLine, LOG_IDENTS, type LogLevel } from "../core/events/log-line.ts";
import type { Origin } from "../core/events/vocabulary.ts";
import type { LogFile } from "../linux/log-file.ts";
import type { Syslog } from "../linux/syslog.ts";

export interface SinkLine {
  readonly origin: Origin;
  readonly level: LogLevel;
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

export interface LogSink {
  write(line: SinkLine): void;
  /** Appended to the idents from now on: network namespace and instance. */
  rename?(suffix: string): void;
  /** Opens its file anew, for log rotation. */
  reopen?(): void;
  close?(): Promise<void>;
}

/** syslog(3): LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG. */
export const PRIORITIES: Readonly<Record<LogLevel, number>> = { error: 3, warning: 4, info: 6, detail: 6, debug: 7 };

/** keepalived's form on a console. getTimezoneOffset counts westwards. */
const consoleText = ({ text, time, origin, level }: SinkLine): string =>
  formatLine({ ident: LOG_IDENTS[origin], level, text }, time, -new Date(time).getTimezoneOffset());

export function consoleSink(): LogSink {
  const journal = isJournal();
  return {
    write(line) {
      const text = journal ? `<${PRIORITIES[line.level]}>${line.text}` : consoleText(line);
      process.stderr.write(`${text}\n`);
    },
  };
}

/** One JSON object a line, which carries its own time. */
export function jsonSink(): LogSink {
  return { write: ({ text }) => void process.stderr.write(`${text}\n`) };
}

/** systemd names what it has connected standard error to (systemd.exec(5), JOURNAL_STREAM): lines need no time then. */
function isJournal(): boolean {
  const named = process.env.JOURNAL_STREAM;
  if (named === undefined) return false;
  try {
    const { dev, ino } = fstatSync(2);
    return named === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

export function syslogSink(syslog: Syslog): LogSink {
  return {
    write: ({ origin, level, text }) => syslog.write(origin, text, PRIORITIES[level]),
    rename: (suffix) => syslog.rename(suffix),
  };
}

/** keepalived's three files: FILE, and FILE with the process's name before its last dot. */
export function fileSink(open: (suffix: string) => LogFile): LogSink {
  const files: Readonly<Record<Origin, LogFile>> = {
    parent: open(""),
    vrrp: open("_vrrp"),
    checks: open("_healthcheckers"),
  };
  const all = Object.values(files);
  return {
    write: (line) => files[line.origin].write(`${consoleText(line)}\n`),
    reopen() {
      for (const file of all) file.reopen();
    },
    async close() {
      await Promise.all(all.map((file) => file.close()));
    },
  };
}
