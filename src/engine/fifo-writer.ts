/**
 * One notify FIFO: its lines in order, its reader program. Nothing ever waits for a reader: what the pipe does not take
 * waits in a queue of QUEUE_LINES, and beyond that the newest line is dropped and the loss told. A reader that ends is
 * started again with a pause that doubles. Knows nothing of instances.
 */
import type { Command, FifoConfig } from "../core/config/model.ts";
import { sameSettings } from "../core/config/same-settings.ts";
import type { HostEventBody } from "../core/events/host-events.ts";
import { type Instant, type Micros, micros, millis, seconds } from "../core/lib/units.ts";
import type { Fifo, FifoPort } from "../ports/fifo.ts";
import type { ProgramEnd, ProgramOutput, RunningProgram, ScriptPolicy, Spawner } from "../ports/spawner.ts";
import type { Timer, Timers } from "../ports/timers.ts";
import { KILL_GRACE, lastLine } from "./command-run.ts";

export interface FifoTools {
  readonly timers: Timers;
  readonly spawner: Spawner;
  readonly fifos: FifoPort;
}

export interface FifoWriter {
  write(line: string): void;
  /** Whether it goes on as it is under a new configuration. */
  matches(config: FifoConfig, policy: ScriptPolicy): boolean;
  /**
   * Lets the reader take what is written, closes the pipe (its reader sees the end of file), and ends the reader.
   * Resolves when nothing of ours is left, at the latest after DRAIN_LIMIT + LEAVE_LIMIT + KILL_GRACE.
   */
  close(): Promise<void>;
  kill(): void;
}

/** The kernel's pipe takes about 2,000 lines before these. */
export const QUEUE_LINES = 4_096;
const RETRY = millis(50);
/** A pipe that could not be made or written. */
const REOPEN = seconds(10);
export const DRAIN_LIMIT = seconds(1);
/** What a reader may take for its last line, once it has seen the end of file. */
export const LEAVE_LIMIT = seconds(1);
const DRAIN_STEP = millis(10);
/** A reader that lived this long is started again at once. */
const STABLE = seconds(60);
const BACKOFF_MAX_SECONDS = 60;

export function createFifoWriter(
  tools: FifoTools,
  order: { readonly config: FifoConfig; readonly policy: ScriptPolicy },
  publish: (body: HostEventBody) => void,
): FifoWriter {
  return new Writer(tools, order, publish);
}

class Writer implements FifoWriter {
  readonly #tools: FifoTools;
  readonly #config: FifoConfig;
  readonly #policy: ScriptPolicy;
  readonly #publish: (body: HostEventBody) => void;
  #fifo: Fifo | null = null;
  readonly #queue: string[] = [];
  #lost = 0;
  #problem: string | null = null;
  #retry: Timer | null = null;
  #reader: RunningProgram | null = null;
  #readerTimer: Timer | null = null;
  #readerSince: Instant;
  #failures = 0;
  #closing = false;
  #onReaderGone: (() => void) | null = null;

  constructor(
    tools: FifoTools,
    { config, policy }: { readonly config: FifoConfig; readonly policy: ScriptPolicy },
    publish: (body: HostEventBody) => void,
  ) {
    this.#tools = tools;
    this.#config = config;
    this.#policy = policy;
    this.#publish = publish;
    this.#readerSince = tools.timers.now();
    this.#open();
    // The pipe is there before its reader looks for it.
    if (config.reader !== null) this.#startReader(config.reader);
  }

  write(line: string): void {
    if (this.#closing && this.#fifo === null) return;
    if (this.#queue.length === 0 && this.#put(line)) return;
    if (this.#queue.length < QUEUE_LINES) this.#queue.push(line);
    else this.#lose();
    this.#retry ??= this.#tools.timers.schedule(this.#fifo === null ? REOPEN : RETRY, () => this.#again());
  }

  matches(config: FifoConfig, policy: ScriptPolicy): boolean {
    return sameSettings([config, policy], [this.#config, this.#policy]);
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#readerTimer?.cancel();
    if (this.#fifo !== null && this.#reader !== null) await this.#drained();
    this.#retry?.cancel();
    this.#fifo?.close();
    this.#fifo = null;
    await this.#readerGone();
  }

  kill(): void {
    this.#closing = true;
    this.#readerTimer?.cancel();
    this.#retry?.cancel();
    this.#reader?.signalGroup("SIGKILL");
    this.#fifo?.close();
    this.#fifo = null;
  }

  #open(): void {
    const { path, user, group } = this.#config;
    const opened = this.#tools.fifos.open({ path, user, group });
    if (opened.ok) {
      this.#fifo = opened.value;
      this.#problem = null;
      return;
    }
    this.#failed(opened.error);
    this.#retry ??= this.#tools.timers.schedule(REOPEN, () => this.#again());
  }

  #failed(detail: string): void {
    if (this.#problem !== detail) this.#tell("failed", detail);
    this.#problem = detail;
  }

  #put(line: string): boolean {
    if (this.#fifo === null) return false;
    const result = this.#fifo.write(line);
    if (result === "written") return true;
    if (result !== "full") {
      this.#failed(result.error);
      this.#fifo.close();
      this.#fifo = null;
    }
    return false;
  }

  #lose(): void {
    if (this.#lost === 0) this.#tell("lost", "");
    this.#lost += 1;
  }

  #again(): void {
    this.#retry = null;
    if (this.#fifo === null) this.#open();
    while (this.#queue.length > 0 && this.#put(this.#queue[0] ?? "")) this.#queue.shift();
    if (this.#queue.length > 0) {
      this.#retry ??= this.#tools.timers.schedule(this.#fifo === null ? REOPEN : RETRY, () => this.#again());
    } else if (this.#lost > 0) {
      this.#tell("caught-up", "");
      this.#lost = 0;
    }
  }

  #tell(action: "failed" | "lost" | "caught-up", detail: string): void {
    this.#publish({ kind: "fifo", path: this.#config.path, action, lost: this.#lost, detail });
  }

  /** Resolves when the reader has taken everything, it is gone, or DRAIN_LIMIT has passed. */
  #drained(): Promise<void> {
    const { timers } = this.#tools;
    const until = timers.now() + DRAIN_LIMIT;
    return new Promise((resolve) => {
      const look = (): void => {
        const empty = this.#queue.length === 0 && (this.#fifo === null || this.#fifo.unread() === 0);
        if (empty || this.#reader === null || timers.now() >= until) resolve();
        else timers.schedule(DRAIN_STEP, look);
      };
      look();
    });
  }

  /** First the end of file has to do; then TERM, then KILL. */
  #readerGone(): Promise<void> {
    const reader = this.#reader;
    if (reader === null) return Promise.resolve();
    const { timers } = this.#tools;
    return new Promise((resolve) => {
      let timer = timers.schedule(LEAVE_LIMIT, () => {
        reader.signalGroup("SIGTERM");
        timer = timers.schedule(KILL_GRACE, () => {
          reader.signalGroup("SIGKILL");
          resolve();
        });
      });
      this.#onReaderGone = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #startReader(command: Command): void {
    this.#readerSince = this.#tools.timers.now();
    const order = { ...command, argv: [...command.argv, this.#config.path] };
    void this.#tools.spawner.examine(order, this.#policy).then((examined) => {
      if (this.#closing) return;
      if (!examined.ok) {
        const reason = `${examined.error.reason}; ${examined.error.remedy}`;
        this.#readerEnded(command, { kind: "spawn-failed", reason }, { stdout: "", stderr: "" });
        return;
      }
      this.#reader = this.#tools.spawner.start(examined.value, {}, (end, output) =>
        this.#readerEnded(command, end, output),
      );
      this.#tellReader(command, "started", { outcome: null, lastError: null, restartSeconds: null });
    });
  }

  #readerEnded(command: Command, outcome: ProgramEnd, output: ProgramOutput): void {
    this.#reader = null;
    const gone = this.#onReaderGone;
    if (this.#closing) {
      gone?.();
      return;
    }
    if (this.#tools.timers.now() - this.#readerSince >= STABLE) this.#failures = 0;
    const pause = this.#failures === 0 ? 0 : Math.min(2 ** (this.#failures - 1), BACKOFF_MAX_SECONDS);
    this.#failures += 1;
    this.#tellReader(command, "ended", { outcome, lastError: lastLine(output.stderr), restartSeconds: pause });
    this.#readerTimer = this.#tools.timers.schedule(pauseOf(pause), () => this.#startReader(command));
  }

  #tellReader(
    command: Command,
    action: "started" | "ended",
    how: Pick<Extract<HostEventBody, { kind: "fifo-reader" }>, "outcome" | "lastError" | "restartSeconds">,
  ): void {
    this.#publish({ kind: "fifo-reader", path: this.#config.path, command: command.text, action, ...how });
  }
}

const pauseOf = (wholeSeconds: number): Micros => micros(wholeSeconds * 1_000_000);
