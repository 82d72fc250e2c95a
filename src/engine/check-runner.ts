/**
 * One check script: when it runs, what its results mean. Never two runs at once: a run that outlasts its interval
 * makes the next one wait for the following slot of the schedule. A timeout counts as a failure at once and not only when the
 * program has been reaped, because a check that hangs on a dead disk may never be.
 */

import type { Command, VrrpScriptConfig } from "../core/config/model.ts";
import type { CheckOutcome } from "../core/events/vocabulary.ts";
import { type CheckState, initialCheck, recordResult, standingOf } from "../core/health/check.ts";
import { sameValue } from "../core/lib/same-value.ts";
import { after, type Instant, type Micros } from "../core/lib/units.ts";
import type { ScriptStanding } from "../core/link/messages.ts";
import type { ScriptPolicy } from "../ports/spawner.ts";
import type { Timer } from "../ports/timers.ts";
import { type CommandResult, type CommandRun, type CommandTools, runCommand } from "./command-run.ts";

/** What a runner needs to know of its script. */
export interface CheckPlan {
  /** `NAME`, or `NAME@INSTANCE`. */
  readonly key: string;
  readonly script: VrrpScriptConfig;
  readonly policy: ScriptPolicy;
  /** Instances that track it, in the order of the file. */
  readonly instances: readonly string[];
}

export interface CheckVerdict {
  readonly key: string;
  readonly standing: ScriptStanding;
  readonly changed: boolean;
  readonly succeeded: boolean;
  /** It failed as it had not failed before. */
  readonly newFailure: boolean;
  readonly outcome: CheckOutcome;
  readonly lastError: string | null;
  readonly durationMillis: number;
}

export interface CheckStatus {
  readonly key: string;
  readonly standing: ScriptStanding;
  /** When the standing was entered. */
  readonly since: Instant | null;
  readonly outcome: CheckOutcome | null;
  readonly lastError: string | null;
  readonly durationMillis: number | null;
  readonly lastRunAt: Instant | null;
  readonly nextRunAt: Instant | null;
  readonly running: boolean;
  readonly intervalMillis: number;
  readonly timeoutMillis: number;
  readonly command: string;
  readonly instances: readonly string[];
}

export interface CheckRunnerHost {
  readonly tools: CommandTools;
  readonly environment: (plan: CheckPlan) => Readonly<Record<string, string>>;
  readonly report: (verdict: CheckVerdict) => void;
}

/** 0 or absent means the interval (keepalived). */
export function timeoutOf(script: VrrpScriptConfig): Micros {
  return script.timeout > 0 ? script.timeout : script.interval;
}

const commandKey = (command: Command, policy: ScriptPolicy): string =>
  JSON.stringify([command.argv, command.user, command.group, policy]);

/** Failures with the same signature are one story; error text is left out because it may hold the time of day. */
function signatureOf(outcome: CheckOutcome): string {
  if (outcome.kind === "exit") return `exit ${outcome.code}`;
  if (outcome.kind === "signal") return `signal ${outcome.signal}`;
  return outcome.kind === "timeout" ? "timeout" : `spawn-failed ${outcome.reason}`;
}

export class CheckRunner {
  readonly #host: CheckRunnerHost;
  #plan: CheckPlan;
  #health: CheckState;
  #standing: ScriptStanding;
  #since: Instant | null = null;
  #last: { outcome: CheckOutcome; lastError: string | null; durationMillis: number } | null = null;
  #run: CommandRun | null = null;
  #timer: Timer | null = null;
  #slot: Instant;
  #lastRunAt: Instant | null = null;
  /** The plan changed under a run, or the runner stopped: its result means nothing. */
  #discard = false;
  #onGone: (() => void) | null = null;

  constructor(host: CheckRunnerHost, plan: CheckPlan) {
    this.#host = host;
    this.#plan = plan;
    this.#health = initialCheck(plan.script);
    this.#standing = { kind: standingOf(plan.script, this.#health) };
    this.#slot = host.tools.timers.now();
    this.#start();
  }

  get standing(): ScriptStanding {
    return this.#standing;
  }

  /** A changed command starts from unknown; anything else keeps standing and schedule. */
  update(plan: CheckPlan): void {
    const before = this.#plan;
    const comesBack = this.#onGone !== null;
    this.#onGone = null;
    this.#plan = plan;
    const same = commandKey(before.script.command, before.policy) === commandKey(plan.script.command, plan.policy);
    if (!same || comesBack) {
      this.#health = initialCheck(plan.script);
      this.#standing = { kind: standingOf(plan.script, this.#health) };
      this.#since = null;
      this.#last = null;
      this.#slot = this.#host.tools.timers.now();
      this.#discard = this.#run !== null;
      if (this.#run) this.#run.cancel();
      else this.#start();
    } else if (before.script.interval !== plan.script.interval && this.#lastRunAt !== null) {
      this.#slot = after(this.#lastRunAt, plan.script.interval);
      if (this.#run === null) this.#arm();
    }
  }

  /** Ends the run in progress; onGone is called when nothing of it is left, perhaps at once. */
  retire(onGone: () => void): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#discard = true;
    if (this.#run === null) {
      onGone();
      return;
    }
    this.#onGone = onGone;
    this.#run.cancel();
  }

  kill(): void {
    this.#run?.kill();
  }

  status(): CheckStatus {
    const { key, script, instances } = this.#plan;
    return {
      key,
      standing: this.#standing,
      since: this.#since,
      outcome: this.#last?.outcome ?? null,
      lastError: this.#last?.lastError ?? null,
      durationMillis: this.#last?.durationMillis ?? null,
      lastRunAt: this.#lastRunAt,
      nextRunAt: this.#timer === null ? null : this.#slot,
      running: this.#run !== null,
      intervalMillis: script.interval / 1_000,
      timeoutMillis: timeoutOf(script) / 1_000,
      command: script.command.text,
      instances,
    };
  }

  #start(): void {
    const { tools, environment } = this.#host;
    const { script, policy } = this.#plan;
    // A reload starts a changed command at once: the run that was due later must not come on top of it.
    this.#timer?.cancel();
    this.#timer = null;
    this.#discard = false;
    this.#lastRunAt = tools.timers.now();
    this.#slot = after(this.#slot, script.interval);
    let counted = false;
    const env = environment(this.#plan);
    const order = { command: script.command, policy, env, timeout: timeoutOf(script), patient: true };
    this.#run = runCommand(tools, order, {
      onTimeout: (afterMillis) => {
        counted = true;
        if (this.#discard) return;
        this.#judge({
          outcome: { kind: "timeout", afterMillis },
          unusable: false,
          shortage: null,
          lastError: null,
          durationMillis: afterMillis,
        });
      },
      onEnd: (result) => {
        this.#run = null;
        this.#ended(result, counted);
      },
    });
  }

  #ended(result: CommandResult, counted: boolean): void {
    const gone = this.#onGone;
    if (gone) {
      this.#onGone = null;
      gone();
      return;
    }
    if (this.#discard) {
      this.#start();
      return;
    }
    // It was not run, so it says nothing: the standing stays, whatever it is (docs/decisions/0033-checks-without-resources.md).
    if (result.shortage !== null) {
      this.#arm();
      return;
    }
    // What a hanging check said before it was ended is known only now.
    if (counted && this.#last) this.#last = { ...this.#last, lastError: result.lastError };
    else this.#judge(result);
    this.#arm();
  }

  #arm(): void {
    const { timers } = this.#host.tools;
    const { interval } = this.#plan.script;
    const now = timers.now();
    if (this.#slot < now) {
      const missed = Math.ceil((now - this.#slot) / interval);
      this.#slot = after(this.#slot, (missed * interval) as Micros);
    }
    this.#timer?.cancel();
    this.#timer = timers.schedule((this.#slot - now) as Micros, () => this.#start());
  }

  #judge(result: Omit<CommandResult, "cancelled">): void {
    const { outcome, lastError, durationMillis } = result;
    const succeeded = outcome.kind === "exit" && outcome.code === 0;
    const before = this.#standing;
    if (result.unusable && outcome.kind === "spawn-failed") {
      // Once it can be run again its first result decides, as at the start.
      this.#health = initialCheck(this.#plan.script);
      this.#standing = { kind: "unusable", reason: outcome.reason };
    } else {
      this.#health = recordResult(this.#plan.script, this.#health, succeeded);
      this.#standing = { kind: standingOf(this.#plan.script, this.#health) };
    }
    const changed = !sameValue(before, this.#standing);
    if (changed) this.#since = this.#host.tools.timers.now();
    const newFailure = !succeeded && (this.#last === null || signatureOf(this.#last.outcome) !== signatureOf(outcome));
    this.#last = { outcome, lastError, durationMillis };
    const { key } = this.#plan;
    this.#host.report({
      key,
      standing: this.#standing,
      changed,
      succeeded,
      newFailure,
      outcome,
      lastError,
      durationMillis,
    });
  }
}
