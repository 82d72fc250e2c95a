/**
 * Where log lines go: standard error in the foreground, the system's log otherwise. The words are core's
 * (core/events/describe.ts); this file knows the clock, the local zone and the destination.
 */

import type { LogFormat } from "../cli/run-options.ts";
import { describe } from "../core/events/describe.ts";
import { formatJson, formatLine, isoTime, LOG_IDENTS } from "../core/events/log-line.ts";
import type { HoldfastEvent, Origin } from "../core/events/vocabulary.ts";
import type { Syslog } from "../linux/syslog.ts";

export interface LogWriter {
  event(event: HoldfastEvent): void;
  /** A line that is no event: problems of the configuration, options that change nothing. */
  line(origin: Origin, text: string): void;
}

export interface LogWriterOptions {
  readonly format: LogFormat;
  /** -D: also the lines that keepalived prints with -D only. */
  readonly detail: boolean;
  /** Null: standard error. */
  readonly syslog: Syslog | null;
}

const ORIGINS = { Keepalived: "parent", Keepalived_vrrp: "vrrp", Keepalived_healthcheckers: "checks" } as const;

export function createLogWriter({ format, detail, syslog }: LogWriterOptions): LogWriter {
  const print = (text: string): void => void process.stderr.write(`${text}\n`);
  const putWords = (origin: Origin, text: string, time: number): void => {
    const line = { ident: LOG_IDENTS[origin], level: "info", text } as const;
    if (syslog !== null) syslog.write(origin, text);
    // getTimezoneOffset counts westwards.
    else print(formatLine(line, time, -new Date(time).getTimezoneOffset()));
  };
  const putJson = (origin: Origin, text: string): void => (syslog === null ? print(text) : syslog.write(origin, text));
  return {
    event(event) {
      const description = describe(event);
      const lines = description.lines.filter((line) => detail || line.level !== "detail");
      // A detail without -D: nothing is printed, in either format.
      if (lines.length === 0) return;
      if (format === "json") putJson(event.origin, formatJson(event, { ...description, lines }));
      else for (const line of lines) putWords(ORIGINS[line.ident], line.text, event.time);
    },
    line(origin, text) {
      const time = Date.now();
      if (format !== "json") putWords(origin, text, time);
      else
        putJson(
          origin,
          JSON.stringify({ time: isoTime(time), level: "info", ident: LOG_IDENTS[origin], message: text }),
        );
    },
  };
}
