/**
 * Which log lines are written, and in which form: keepalived's words or one JSON object for each event. The words are core's
 * (core/events/describe.ts), the destinations log-sinks.ts's. The level can be changed at any time.
 */
import type { LogFormat, RunOptions } from "../cli/run-options.ts";
import { describe } from "../core/events/describe.ts";
import { formatJson, isoTime, LEVEL_RANK, LOG_IDENTS, type LogLevel } from "../core/events/log-line.ts";
import type { HoldfastEvent, Origin } from "../core/events/vocabulary.ts";
import type { Arena } from "../linux/arena.ts";
import { openLogFile, withSuffix } from "../linux/log-file.ts";
import { openSyslog } from "../linux/syslog.ts";
import { consoleSink, fileSink, jsonSink, type LogSink, syslogSink } from "./log-sinks.ts";

export interface LogWriter {
  event(event: HoldfastEvent): void;
  /** A line that is no event: problems of the configuration, options that change nothing. */
  line(origin: Origin, text: string, level?: LogLevel): void;
  /** Lines of this level and of more important ones are written. */
  level: LogLevel;
  /** Appended to syslog's idents from now on. */
  rename(suffix: string): void;
  /** After a log rotation. */
  reopen(): void;
  close(): Promise<void>;
}

export interface LogWriterOptions {
  readonly format: LogFormat;
  readonly level: LogLevel;
  readonly sinks: readonly LogSink[];
}

const ORIGINS = { Keepalived: "parent", Keepalived_vrrp: "vrrp", Keepalived_healthcheckers: "checks" } as const;

export function createLogWriter({ format, level, sinks }: LogWriterOptions): LogWriter {
  const put = (origin: Origin, one: { level: LogLevel; text: string; time: number }): void => {
    for (const sink of sinks) sink.write({ origin, ...one });
  };
  const writer: LogWriter = {
    level,
    event(event) {
      const description = describe(event);
      const lines = description.lines.filter((line) => LEVEL_RANK[line.level] <= LEVEL_RANK[writer.level]);
      // A detail without -D: nothing is printed, in either format.
      const [first] = lines;
      if (first === undefined) return;
      const { time } = event;
      if (format === "json")
        put(event.origin, { level: first.level, text: formatJson(event, { ...description, lines }), time });
      else for (const line of lines) put(ORIGINS[line.ident], { level: line.level, text: line.text, time });
    },
    line(origin, text, lineLevel = "info") {
      const time = Date.now();
      if (LEVEL_RANK[lineLevel] > LEVEL_RANK[writer.level]) return;
      const ident = LOG_IDENTS[origin];
      const shown =
        format === "json" ? JSON.stringify({ time: isoTime(time), level: lineLevel, ident, message: text }) : text;
      put(origin, { level: lineLevel, text: shown, time });
    },
    rename(suffix) {
      for (const sink of sinks) sink.rename?.(suffix);
    },
    reopen() {
      for (const sink of sinks) sink.reopen?.();
    },
    async close() {
      await Promise.all(sinks.map((sink) => sink.close?.()));
    },
  };
  return writer;
}

type LogOptions = Pick<
  RunOptions,
  | "logFormat"
  | "logDetail"
  | "debug"
  | "foreground"
  | "logConsole"
  | "facility"
  | "facilityGiven"
  | "noSyslog"
  | "logFile"
  | "flushLogFile"
>;

/**
 * As the options ask for it. In the foreground lines go to standard error; -S takes them to syslog instead, and -l has both.
 * Detached, standard error is nobody's.
 */
export function openLog(arena: Arena, options: LogOptions, detached: boolean): LogWriter {
  const { logFile, facility } = options;
  const syslog = !options.noSyslog && (detached || options.facilityGiven);
  const toConsole = !detached && (!syslog || options.logConsole);
  const sinks: LogSink[] = [];
  if (toConsole) sinks.push(options.logFormat === "json" ? jsonSink() : consoleSink());
  if (syslog) sinks.push(syslogSink(openSyslog(arena, { facility })));
  const level = options.debug ? "debug" : options.logDetail ? "detail" : "info";
  const writer = createLogWriter({ format: options.logFormat, level, sinks });
  if (logFile !== null) {
    const flush = options.flushLogFile;
    const onProblem = (problem: string): void => writer.line("parent", problem, "warning");
    sinks.push(fileSink((suffix) => openLogFile({ path: withSuffix(logFile, suffix), flush, onProblem })));
  }
  return writer;
}
