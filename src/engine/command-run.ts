/**
 * One run of one command: examined, started, watched, ended. Past its timeout the process group gets SIGTERM and two
 * seconds later SIGKILL, as keepalived does. The end is reported once, when the program has been reaped; until then
 * the caller must not start another. Knows nothing of checks and hooks.
 */
import type { Command } from "../core/config/model.ts";
import type { CheckOutcome } from "../core/events/vocabulary.ts";
import { type Micros, seconds, toMillis } from "../core/lib/units.ts";
import type { ProgramEnd, ProgramOutput, RunningProgram, ScriptPolicy, Spawner } from "../ports/spawner.ts";
import type { Timer, Timers } from "../ports/timers.ts";

/** Between SIGTERM and SIGKILL (keepalived: 2 s). */
export const KILL_GRACE = seconds(2);

export interface CommandTools {
  readonly spawner: Spawner;
  readonly timers: Timers;
}

export interface CommandOrder {
  readonly command: Command;
  readonly policy: ScriptPolicy;
  readonly env: Readonly<Record<string, string>>;
  readonly timeout: Micros;
}

export interface CommandResult {
  readonly outcome: CheckOutcome;
  /** It could not be run at all; the outcome's reason holds cause and remedy. */
  readonly unusable: boolean;
  readonly cancelled: boolean;
  /** Last line of standard error; of standard output when a failed program wrote no error. */
  readonly lastError: string | null;
  readonly durationMillis: number;
}

export interface CommandRun {
  /** TERM now, KILL after the grace. onEnd is still called when the program has been reaped. */
  cancel(): void;
  /** KILL now. */
  kill(): void;
}

export interface CommandListener {
  /** The timeout has passed; the program may live on until it has been killed. */
  readonly onTimeout?: (afterMillis: number) => void;
  readonly onEnd: (result: CommandResult) => void;
}

interface RunState {
  program: RunningProgram | null;
  ended: boolean;
  cancelled: boolean;
  timedOut: boolean;
  deadline: Timer | null;
  grace: Timer | null;
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
  const startedAt = tools.timers.now();
  const state: RunState = {
    program: null,
    ended: false,
    cancelled: false,
    timedOut: false,
    deadline: null,
    grace: null,
  };

  const finish = (end: ProgramEnd, output: ProgramOutput, unusable: boolean): void => {
    if (state.ended) return;
    state.ended = true;
    state.deadline?.cancel();
    state.grace?.cancel();
    // What ignored the TERM of its leader goes too: a timed-out check must leave nothing behind.
    if (state.timedOut || state.cancelled) state.program?.signalGroup("SIGKILL");
    const outcome: CheckOutcome = state.timedOut ? { kind: "timeout", afterMillis: toMillis(order.timeout) } : end;
    const durationMillis = Math.round((tools.timers.now() - startedAt) / 1_000);
    listener.onEnd({
      outcome,
      unusable,
      cancelled: state.cancelled,
      lastError: lastErrorOf(end, output),
      durationMillis,
    });
  };

  const terminate = (): void => {
    if (state.ended || state.grace !== null) return;
    state.program?.signalGroup("SIGTERM");
    state.grace = tools.timers.schedule(KILL_GRACE, () => state.program?.signalGroup("SIGKILL"));
  };

  state.deadline = tools.timers.schedule(order.timeout, () => {
    if (state.ended || state.cancelled) return;
    state.timedOut = true;
    listener.onTimeout?.(toMillis(order.timeout));
    terminate();
  });

  void tools.spawner.examine(order.command, order.policy).then((examined) => {
    if (!examined.ok) {
      const reason = `${examined.error.reason}; ${examined.error.remedy}`;
      finish({ kind: "spawn-failed", reason }, { stdout: "", stderr: "" }, true);
    } else if (state.cancelled || state.timedOut) {
      // Ended before it began: the file system was slower than the timeout, or nobody wants the answer any more.
      finish({ kind: "signal", signal: "SIGTERM" }, { stdout: "", stderr: "" }, false);
    } else {
      state.program = tools.spawner.start(examined.value, order.env, (end, output) =>
        finish(end, output, end.kind === "spawn-failed"),
      );
    }
  });

  return {
    cancel() {
      if (state.ended || state.cancelled) return;
      state.cancelled = true;
      terminate();
    },
    kill() {
      state.cancelled = true;
      state.program?.signalGroup("SIGKILL");
    },
  };
}
