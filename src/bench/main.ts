/**
 * `script/bench NAME [--case C] [--runs N] [--json]`: runs a benchmark with the peer beside us and prints both and the
 * ratio. Progress goes to standard error, results to standard output.
 */
import { parseArgs } from "node:util";
import { createLab, type Lab } from "../lab/lab.ts";
import { measureCost } from "./cost.ts";
import { type DaemonName, keepalivedVersion } from "./daemons.ts";
import { FAILOVER_CASES, measureFailover } from "./failover.ts";
import { type Measurements, renderTable, toResult } from "./report.ts";

type Labs = Readonly<Record<DaemonName, Lab>>;

interface BenchCase {
  readonly name: string;
  readonly runs: number;
  measure(labs: Labs, options: { runs: number; progress: (line: string) => void }): Promise<readonly Measurements[]>;
}

const VRRP_CASES: readonly BenchCase[] = [
  ...FAILOVER_CASES.map((chosen) => ({
    name: chosen.name,
    runs: 7,
    measure: (labs: Labs, options: { runs: number; progress: (line: string) => void }) =>
      measureFailover(labs, chosen, options),
  })),
  { name: "advert-cost-100", runs: 4, measure: async (labs, options) => [(await measureCost(labs, 100, options)).cpu] },
  { name: "memory-1", runs: 3, measure: async (labs, options) => [(await measureCost(labs, 1, options)).memory] },
];

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { case: { type: "string" }, runs: { type: "string" }, json: { type: "boolean", default: false } },
  });
  const bench = positionals[0] ?? "vrrp";
  const chosen = VRRP_CASES.filter((it) => values.case === undefined || it.name === values.case);
  if (bench !== "vrrp" || chosen.length === 0) {
    const cases = VRRP_CASES.map((it) => it.name).join(", ");
    process.stderr.write(`No such benchmark. Benchmarks: vrrp. Its cases: ${cases}.\n`);
    return 2;
  }
  const version = keepalivedVersion();
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  const results = [];
  for (const benchCase of chosen) {
    const runs = Number(values.runs ?? benchCase.runs);
    for (const measured of await withLabs((labs) => benchCase.measure(labs, { runs, progress }))) {
      const result = toResult(bench, version, measured);
      results.push(result);
      if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    }
  }
  if (!values.json) process.stdout.write(`${renderTable(results)}\n`);
  return 0;
}

async function withLabs<T>(body: (labs: Labs) => Promise<T>): Promise<T> {
  const holdfast = await createLab();
  try {
    const keepalived = await createLab();
    try {
      return await body({ holdfast, keepalived });
    } finally {
      await keepalived.destroy();
    }
  } finally {
    await holdfast.destroy();
  }
}

process.exitCode = await main();
