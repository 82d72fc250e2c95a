/** Where log lines go: standard error in the foreground, the system's log otherwise. The words are core's. */

import type { LogFormat } from "../cli/run-options.ts";
import type { HoldfastEvent, Origin } from "../core/events/vocabulary.ts";
import type { Syslog } from "../linux/syslog.ts";

export interface LogWriter {
  event(event: HoldfastEvent): void;
  /** A line that is no event: problems of the configuration, options that change nothing. */
  line(origin: Origin, text: string): void;
}

export function createLogWriter(format: LogFormat, syslog: Syslog | null): LogWriter {
  const put = (origin: Origin, text: string, time: number): void => {
    if (syslog !== null) syslog.write(origin, text);
    else process.stderr.write(format === "json" ? `${text}\n` : `${new Date(time).toISOString()} ${text}\n`);
  };
  return {
    event(event) {
      put(event.origin, format === "json" ? JSON.stringify(event) : JSON.stringify(event.body), event.time);
    },
    line(origin, text) {
      const time = Date.now();
      // One record a line: a log that is searched by line must not find half a sentence without its ident.
      const lines = format === "json" ? [JSON.stringify({ time, origin, message: text })] : text.split("\n");
      for (const line of lines) put(origin, line, time);
    },
  };
}
