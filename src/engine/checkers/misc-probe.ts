/** MISC_CHECK: one run of its command; the exit code may be a weight. */
import { constants } from "node:os";
import type { MiscChecker } from "../../core/lvs/checkers.ts";
import { type Finding, OK } from "../../core/lvs/findings.ts";
import type { Probe } from "../../ports/probes.ts";
import { type CommandResult, runCommand } from "../command-run.ts";
import { type ProbeContext, type ProbeDone, type ProbeResult, plain } from "./probe.ts";

/** Exit codes from here on are weights, two more than the weight itself. */
const FIRST_WEIGHT = 2;

export function probeMisc(context: ProbeContext, checker: MiscChecker, server: string, done: ProbeDone): Probe {
  let cancelled = false;
  const order = {
    command: checker.command,
    policy: context.policy,
    env: { HOLDFAST_SERVER: server },
    timeout: checker.timeout ?? checker.timing.delayLoop,
    patient: true,
  };
  const run = runCommand(context.commands, order, {
    onEnd(result) {
      if (!cancelled && !result.cancelled) done({ ...resultOf(checker, result), output: result.lastError });
    },
  });
  return {
    cancel() {
      cancelled = true;
      run.cancel();
    },
  };
}

export function resultOf({ dynamic }: Pick<MiscChecker, "dynamic">, { outcome, shortage }: CommandResult): ProbeResult {
  if (outcome.kind === "exit") {
    const { code } = outcome;
    if (code === 0) return plain(OK);
    if (dynamic && code >= FIRST_WEIGHT) return { finding: OK, weight: code - FIRST_WEIGHT };
    return plain({ kind: "exit", status: code });
  }
  if (outcome.kind === "timeout") return plain({ kind: "script-timeout" });
  if (outcome.kind === "signal") return plain(signalFinding(outcome.signal));
  return plain({
    kind: "script-unusable",
    reason: shortage === null ? outcome.reason : `the host is out of ${shortage}`,
  });
}

function signalFinding(signal: string): Finding {
  const number = (constants.signals as Readonly<Record<string, number>>)[signal] ?? 0;
  return { kind: "signal", signal, number };
}
