/** A claim of an instance with a managed server: the server is prepared, and the gate answered or passed on to the hook. */

import { troubleInWords, troubleRemedy } from "../core/database/trouble.ts";
import { err } from "../core/lib/result.ts";
import { after, seconds } from "../core/lib/units.ts";
import type { TakeoverPlan } from "../core/mysql/takeover-plan.ts";
import type { GateAnswer, GateQuestion } from "./hook-engine.ts";
import { closeManaged } from "./mysql-closing.ts";
import type { Managed, Run } from "./mysql-managed.ts";
import { lackingPrivileges } from "./mysql-privileges.ts";
import { Takeover } from "./mysql-takeover.ts";
import type { MysqlWork } from "./mysql-work.ts";

/** How long an operator's consent waits for the claim that it is meant for. */
const CONSENT = seconds(60);

export function consentTo(work: MysqlWork, managed: Managed): void {
  managed.consentUntil = after(work.tools.timers.now(), CONSENT);
}

export interface ClaimAnswers {
  readonly answer: (answer: GateAnswer) => void;
  /** The gate goes on with the administrator's hook. */
  readonly next: (question: GateQuestion) => void;
}

export function startClaim(work: MysqlWork, managed: Managed, question: GateQuestion, answers: ClaimAnswers): void {
  const run: Run = { gate: question.gate, cancelled: false };
  managed.runs.add(run);
  work.queue(managed, async () => {
    try {
      if (!run.cancelled) await prepare(work, managed, { question, run, answers });
    } finally {
      managed.runs.delete(run);
    }
  });
}

interface Claim {
  readonly question: GateQuestion;
  readonly run: Run;
  readonly answers: ClaimAnswers;
}

async function prepare(work: MysqlWork, managed: Managed, { question, run, answers }: Claim): Promise<void> {
  const fenced = work.fences.troubleOf(managed.config.name);
  const prepared =
    fenced === null
      ? await takeoverOf(work, managed, () => run.cancelled).run()
      : err(`${troubleInWords(fenced)}: ${troubleRemedy(fenced)}`);
  // It may have left the channel pointed at this daemon.
  managed.tailSettled &&= prepared.ok;
  const step = prepared.ok ? "the server is ready" : "the claim is";
  work.tell(managed, {
    what: "takeover",
    step,
    outcome: prepared.ok ? "ready" : "refused",
    detail: prepared.ok ? "" : prepared.error,
  });
  if (prepared.ok && !run.cancelled) {
    managed.known = true;
    work.tend(managed);
    answers.next(question);
    return;
  }
  // What was opened and is not wanted, or not known to be open, does not stay so.
  if (managed.open) await closeManaged(work, managed, "release");
  if (run.cancelled) return;
  const reason = `mysql ${managed.config.name}: ${prepared.ok ? "" : prepared.error}`;
  answers.answer({ instance: managed.instance, gate: question.gate, opened: false, reason });
}

/** What a claim would do now. */
export async function planOf(work: MysqlWork, managed: Managed): Promise<TakeoverPlan> {
  if (managed.state === "MASTER" && managed.open && managed.strayedAt === null) {
    return { steps: [], end: "this host is the writer already, and has the address: there is nothing to take over" };
  }
  const [plan, lacking] = await Promise.all([
    takeoverOf(work, managed, () => false).plan(),
    lackingPrivileges(work.tools.sql, managed.config),
  ]);
  if (plan.end !== "ready" || lacking.length === 0) return plan;
  return { ...plan, end: `refused at the step that needs what is missing: ${lacking.join("; ")}` };
}

export function takeoverOf(work: MysqlWork, managed: Managed, cancelled: () => boolean): Takeover {
  return new Takeover(work.tools, managed.config, {
    opening: managed.opening,
    known: managed.known || managed.absence?.proof != null,
    followed: managed.followed,
    leftOut: managed.leftOut,
    named: () => managed.first.named(),
    consented: managed.consentUntil !== null && work.tools.timers.now() < managed.consentUntil,
    cancelled,
    tell: (step, outcome, detail) => work.tell(managed, { what: "takeover", step, outcome, detail }),
    onLeft: () => {
      managed.left = true;
    },
    onReceiving: () => {
      managed.left = false;
    },
    onCutOff: () => {
      managed.known = false;
    },
    onNotOpened: () => {
      managed.open = false;
    },
    onOpened: (opening, gtids) => {
      managed.followed = false;
      managed.first.forget();
      managed.opening = opening;
      managed.openedWith = gtids;
      managed.open = true;
      managed.closed = false;
      managed.openedAt = work.tools.timers.now();
    },
  });
}
