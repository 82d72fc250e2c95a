/** The outcomes side by side, as lines of a Markdown table. */
import type { Outcome } from "./outcome.ts";

const HEAD = ["incident", "under", "acknowledged", "missing at the end", "in a copy", "interrupted for", "outcome"];

const NAMES = { holdfast: "Holdfast", keepalived: "keepalived, scripts" } as const;

export function tableOf(outcomes: readonly Outcome[]): readonly string[] {
  const rows = outcomes.map((it) => [
    it.incident,
    NAMES[it.kind],
    String(it.acknowledged),
    String(it.lost),
    String(it.copied),
    `${it.outage.toFixed(0)} ms`,
    // A story that stopped half way brings the daemons' last lines along.
    it.problems.length === 0 ? "PASSED" : `FAILED: ${it.problems.map((problem) => problem.split("\n")[0]).join("; ")}`,
  ]);
  return [HEAD, HEAD.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}
