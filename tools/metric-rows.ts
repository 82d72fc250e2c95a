/** Metrics and alerts for docs/metrics.md and for the tests of the alert rules: from the daemon's families and from the rules' file. */
import { readFileSync } from "node:fs";
import { EventCounts } from "../src/control/metrics/event-counts.ts";
import { families } from "../src/control/metrics/families.ts";
import { fakeClock, sampleModel } from "../src/control/testing/samples.ts";
import type { AlertRow, MetricRow } from "./docs-pages.ts";

export const RULES = new URL("../packaging/prometheus/holdfast.rules.yml", import.meta.url);

export function metricRows(): readonly MetricRow[] {
  const status = sampleModel(fakeClock()).status();
  const process = { cpuSeconds: 0, residentBytes: 0, loopLag: { p50: 0, p99: 0, max: 0 } };
  return families({ status, lvs: null, counts: new EventCounts(), process });
}

/** The rules' file is ours and written in one form: a line per field. */
export function alertRows(): readonly AlertRow[] {
  const blocks = readFileSync(RULES, "utf8").split("      - alert: ").slice(1);
  return blocks.map((block) => {
    const field = (name: string): string => new RegExp(`^ +${name}: (.*)$`, "m").exec(block)?.[1] ?? "";
    return {
      name: block.split("\n")[0] ?? "",
      severity: field("severity"),
      after: field("for") || "at once",
      expression: field("expr"),
      todo: field("description").replace(/^"|"$/g, ""),
      runbook: field("runbook_url").replace(/^"|"$/g, ""),
    };
  });
}
