/**
 * One run of one command, a machine with a guaranteed end:
 *
 *   examining ──► running ──► terminating (SIGTERM) ──► killed (SIGKILL) ──► ended
 *       └───────────────────────── cancelled, killed ───────────────────────► ended
 *
 * Past its timeout the process group gets SIGTERM and two seconds later SIGKILL, as keepalived does. The end is reported
 * once, when the program has been reaped; until then the caller must not start another. A program that SIGKILL does not
 * end waits in the kernel and will run no instruction of its own again: it is given up after REAP_LIMIT. Only `patient`
 * runs wait for it, and for a file system that does not answer, until they are cancelled or killed. Knows nothing of
 * checks and hooks.
 */
import type { Command } from "../core/config/model.ts";
import type { CheckOutcome } from "../core/events/vocabulary.ts";
import { type Instant, type Micros, seconds, toMillis } from "../core/lib/units.ts";
import type { ProgramEnd, ProgramOutput, RunningProgram, ScriptPolicy, Shortage, Spawner } from "../ports/spawner.ts";
import type { Timer, Timers } from "../ports/timers.ts";

/** Between SIGTERM and SIGKILL (keepalived: 2 s). */
export const KILL_GRACE = seconds(2);
/** Between SIGKILL and giving up a program that the kernel does not let go. */
export const REAP_LIMIT = seconds(2);

/** Between two tries to start a program on a host that has run out of something. */
export const SHORTAGE_PAUSE = seconds(1);

export interface CommandTools {
  readonly spawner: Spawner;
  readonly timers: Timers;
  /** Called with what is short when a start failed for it, and with null after each start that went well. */
  readonly onShortage?: (what: Shortage | null, command: Command) => void;
}

export interface CommandOrder {
  readonly command: Command;
  readonly policy: ScriptPolicy;
  readonly env: Readonly<Record<string, string>>;
  readonly timeout: Micros;
  /** After its timeout it is waited for as long as it takes: for what is run again and again and must never run twice. */
  readonly patient: boolean;
}

export interface CommandResult {
  readonly outcome: CheckOutcome;
  /** It could not be run at all; the outcome's reason holds cause and remedy. */
  readonly unusable: boolean;
  /** The host has run out of this and the program was not started within its time: the run says nothing. */
  readonly shortage: Shortage | null;
  readonly cancelled: boolean;
  /** Last line of standard error; of standard output when a failed program wrote no error. */
  readonly lastError: string | null;
  readonly durationMillis: number;
}

export interface CommandRun {
  /** TERM now, KILL after the grace. onEnd is still called: at once if nothing has been started, else when it is gone. */
  cancel(): void;
  /** KILL now. onEnd is called within REAP_LIMIT, at once if nothing has been started. */
  kill(): void;
}

export interface CommandListener {
  /** The timeout has passed; the program may live on until it has been killed. */
  readonly onTimeout?: (afterMillis: number) => void;
  readonly onEnd: (result: CommandResult) => void;
}

const LAST_LINE_CHARACTERS = 500;

/** The last line with something on it, without control characters: it goes into logs and terminals. */
export function lastLine(text: string): string | null {
  const lines = text.trimEnd().split(/[\r\n]+/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the purpose
  const last = lines[lines.length - 1]?.replace(/[\u0000-\u001f\u007f]+/g, " ").trim();
  return last ? last.slice(0, LAST_LINE_CHARACTERS) : null;
}

function lastErrorOf(end: ProgramEnd, output: ProgramOutput): string | null {
  const fromStderr = lastLine(output.stderr);
  if (fromStderr !== null) return fromStderr;
  const succeeded = end.kind === "exit" && end.code === 0;
  return succeeded ? null : lastLine(output.stdout);
}

export function runCommand(tools: CommandTools, order: CommandOrder, listener: CommandListener): CommandRun {
  return new Run(tools, order, listener);
}

type Phase = "examining" | "running" | "terminating" | "killed" | "ended";

const NO_OUTPUT: ProgramOutput = { stdout: "", stderr: "" };

class Run implements CommandRun {
  readonly #tools: CommandTools;
  readonly #order: CommandOrder;
  readonly #listener: CommandListener;
  readonly #startedAt: Instant;
  #phase: Phase = "examining";
  #program: RunningProgram | null = null;
  #timedOut = false;
  /** Nobody wants its answer any more. */
  #cancelled = false;
  #shortage: Shortage | null = null;
  #pause: Timer | null = null;
  /** What happens next if the program does nothing: timeout, SIGKILL, giving up. */
  #next: Timer;

  constructor(tools: CommandTools, order: CommandOrder, listener: CommandListener) {
    this.#tools = tools;
    this.#order = order;
    this.#listener = listener;
    this.#startedAt = tools.timers.now();
    this.#next = tools.timers.schedule(order.timeout, () => this.#timeout());
    void tools.spawner.examine(order.command, order.policy).then((examined) => this.#examined(examined));
  }

  cancel(): void {
    if (this.#phase === "ended" || this.#cancelled) return;
    this.#cancelled = true;
    if (this.#phase === "examining") this.#finish({ kind: "signal", signal: "SIGTERM" }, NO_OUTPUT);
    else if (this.#phase === "running") this.#terminate();
    else if (this.#phase === "killed") this.#kill();
  }

  kill(): void {
    if (this.#phase === "ended") return;
    this.#cancelled = true;
    if (this.#phase === "examining") this.#finish({ kind: "signal", signal: "SIGKILL" }, NO_OUTPUT);
    else this.#kill();
  }

  #examined(examined: Awaited<ReturnType<Spawner["examine"]>>): void {
    if (this.#phase === "ended") return;
    if (!examined.ok && examined.error.shortage !== undefined) {
      const { reason, remedy, shortage } = examined.error;
      this.#short({ kind: "spawn-failed", reason: `${reason}; ${remedy}`, shortage });
    } else if (!examined.ok) {
      const reason = `${examined.error.reason}; ${examined.error.remedy}`;
      this.#finish({ kind: "spawn-failed", reason }, NO_OUTPUT);
    } else if (this.#timedOut) {
      // The file system was slower than the timeout: it is not begun any more.
      this.#finish({ kind: "signal", signal: "SIGTERM" }, NO_OUTPUT);
    } else {
      this.#phase = "running";
      this.#program = this.#tools.spawner.start(examined.value, this.#order.env, (end, output) => {
        if (end.kind === "spawn-failed" && end.shortage !== undefined) this.#short(end);
        else this.#finish(end, output);
      });
    }
  }

  /** It is tried again until its time is over: a notification shall not be lost for a moment without processes. */
  #short(end: Extract<ProgramEnd, { kind: "spawn-failed" }>): void {
    if (this.#phase === "ended") return;
    this.#shortage = end.shortage ?? null;
    this.#tools.onShortage?.(this.#shortage, this.#order.command);
    if (this.#timedOut || this.#cancelled) {
      this.#finish(end, NO_OUTPUT);
      return;
    }
    this.#phase = "examining";
    this.#program = null;
    this.#pause = this.#tools.timers.schedule(SHORTAGE_PAUSE, () => {
      this.#pause = null;
      void this.#tools.spawner.examine(this.#order.command, this.#order.policy).then((again) => this.#examined(again));
    });
  }

  #timeout(): void {
    if (this.#phase === "ended") return;
    this.#timedOut = true;
    if (this.#pause !== null) {
      const reason = `it could not be started in its time: the host is out of ${this.#shortage}`;
      this.#finish({ kind: "spawn-failed", reason }, NO_OUTPUT);
      return;
    }
    this.#listener.onTimeout?.(toMillis(this.#order.timeout));
    if (this.#phase === "running") this.#terminate();
    else if (!this.#order.patient) this.#finish({ kind: "signal", signal: "SIGTERM" }, NO_OUTPUT);
  }

  #terminate(): void {
    this.#phase = "terminating";
    this.#next.cancel();
    this.#next = this.#tools.timers.schedule(KILL_GRACE, () => this.#kill());
    this.#program?.signalGroup("SIGTERM");
  }

  #kill(): void {
    this.#phase = "killed";
    this.#next.cancel();
    const giveUp = (): void => {
      if (this.#cancelled || !this.#order.patient) this.#finish({ kind: "signal", signal: "SIGKILL" }, NO_OUTPUT);
    };
    this.#next = this.#tools.timers.schedule(REAP_LIMIT, giveUp);
    this.#program?.signalGroup("SIGKILL");
  }

  #finish(end: ProgramEnd, output: ProgramOutput): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    this.#next.cancel();
    this.#pause?.cancel();
    const shortage = end.kind === "spawn-failed" ? this.#shortage : null;
    if (this.#program?.pid != null && shortage === null) this.#tools.onShortage?.(null, this.#order.command);
    // What ignored the TERM of its leader goes too: a timed-out check must leave nothing behind.
    if (this.#timedOut || this.#cancelled) this.#program?.signalGroup("SIGKILL");
    this.#listener.onEnd({
      outcome:
        this.#timedOut && shortage === null ? { kind: "timeout", afterMillis: toMillis(this.#order.timeout) } : end,
      unusable: end.kind === "spawn-failed" && shortage === null,
      shortage,
      cancelled: this.#cancelled,
      lastError: lastErrorOf(end, output),
      durationMillis: Math.round((this.#tools.timers.now() - this.#startedAt) / 1_000),
    });
  }
}
