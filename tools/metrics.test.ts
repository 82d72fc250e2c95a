// What Prometheus and Grafana are given, looked at by Prometheus' own tool where it is installed (script/bootstrap installs it).
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { EventCounts } from "../src/control/metrics/event-counts.ts";
import { render } from "../src/control/metrics/exposition.ts";
import { families } from "../src/control/metrics/families.ts";
import { eventAt, failedCheck, fakeClock, masterStatus, sampleModel } from "../src/control/testing/samples.ts";
import { alertRows, metricRows, RULES } from "./metric-rows.ts";

const DASHBOARD = new URL("../packaging/grafana/holdfast.json", import.meta.url);
const promtool = spawnSync("promtool", ["--version"]).status === 0;

/** Metrics named in a query. */
const namesIn = (text: string): readonly string[] => [...text.matchAll(/\bholdfast_\w+/g)].map(([name]) => name);
const known = new Set(metricRows().map(({ name }) => `holdfast_${name}`));

function sample(): string {
  const clock = fakeClock();
  const readModel = sampleModel(clock);
  const counts = new EventCounts();
  readModel.subscribe((entry) => counts.record(entry));
  readModel.setSnapshot([{ ...masterStatus(clock), name: 'VI "odd" \\ name' }]);
  readModel.record(eventAt(clock, failedCheck));
  readModel.record(eventAt(clock, { kind: "keeper-lost", pid: 1, how: "signal SIGKILL" }));
  const process = { cpuSeconds: 1.5, residentBytes: 9e7, loopLag: { p50: 0, p99: 0.002, max: 0.1 } };
  return render(families({ status: readModel.status(), lvs: null, counts, process }));
}

describe("metrics", () => {
  test("labels are escaped, counters count events", () => {
    const text = sample();
    expect(text).toContain('holdfast_vrrp_holding{instance="VI \\"odd\\" \\\\ name"} ');
    expect(text).toContain("holdfast_keeper_lost_total 1\n");
    expect(text).toContain('holdfast_check_state{script="vs_mysql_82",state="failed"} 1\n');
  });

  test("alerts and the dashboard ask for metrics that exist only", () => {
    const asked = [...namesIn(readFileSync(RULES, "utf8")), ...namesIn(readFileSync(DASHBOARD, "utf8"))];
    expect(asked.length).toBeGreaterThan(25);
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
    expect(alertRows().every(({ todo, severity }) => todo !== "" && severity !== "")).toBe(true);
  });

  test.skipIf(!promtool)("promtool accepts the metrics, the rules and their tests", () => {
    execFileSync("promtool", ["check", "metrics"], { input: sample() });
    const folder = new URL(".", RULES).pathname;
    execFileSync("promtool", ["check", "rules", "holdfast.rules.yml"], { cwd: folder });
    execFileSync("promtool", ["test", "rules", "holdfast.rules.test.yml"], { cwd: folder });
    const broken = sample().replace("# TYPE holdfast_info gauge", "# TYPE holdfast_info gouge");
    expect(spawnSync("promtool", ["check", "metrics"], { input: broken }).status).not.toBe(0);
  });
});
