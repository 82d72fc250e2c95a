/**
 * `script/bench NAME [--case C]... [--runs N] [--json]`: runs a benchmark with the peer beside us and prints both and the
 * ratio; `script/bench table FILE` makes the documentation's table of such output. Progress goes to standard error.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createLab } from "../lab/lab.ts";
import { LAB_DATA } from "../lab/paths.ts";
import type { BenchCase, Labs } from "./cases.ts";
import { keepalivedVersion } from "./daemons.ts";
import { FAILBACK_CASES } from "./failback.ts";
import { FAILOVER_CASES } from "./failover.ts";
import { HEAL_CASES } from "./heal.ts";
import { LVS_CASES } from "./ipvs.ts";
import { MHA_CASES } from "./mha.ts";
import { MYSQL_CASES } from "./mysql.ts";
import { REDIS_CASES } from "./redis.ts";
import { RELOAD_CASES } from "./reload.ts";
import {
  type CaseResult,
  type Measurements,
  type PeerIdentity,
  parseResults,
  renderMarkdown,
  renderTable,
  toResult,
} from "./report.ts";
import { STARTUP_CASES } from "./startup.ts";
import { STEADY_CASES } from "./steady.ts";

const VRRP_CASES: readonly BenchCase[] = [
  ...FAILOVER_CASES,
  ...HEAL_CASES,
  ...FAILBACK_CASES,
  ...STEADY_CASES,
  ...STARTUP_CASES,
  ...RELOAD_CASES,
];

type BenchName = "vrrp" | "mysql" | "mha" | "redis" | "lvs";
const BENCHES: Readonly<Record<BenchName, readonly BenchCase[]>> = {
  vrrp: VRRP_CASES,
  mysql: MYSQL_CASES,
  mha: MHA_CASES,
  redis: REDIS_CASES,
  lvs: LVS_CASES,
};

/** Measured on a machine with two processors. */
const MINUTES = 60;

const HELP = `script/bench vrrp|mysql|mha|redis|lvs [--case NAME]... [--runs N] [--json]
script/bench table FILE

vrrp   measures Holdfast and keepalived in the same run, alternating, in private network namespaces. Needs root or
       unprivileged user namespaces, and an otherwise quiet machine. Everything takes about ${MINUTES} minutes.
mysql  the same for databases behind the address: a managed pair beside keepalived with a check script each second and
       hand-written notify scripts.
mha    one master, three replicas and a manager: Holdfast's masterha_manager beside MHA 0.58 with the same files.
redis  Redis behind the address: beside keepalived with the usual check and notify scripts, and beside three Sentinels with one second.
lvs    virtual servers: beside keepalived and ipvsadm -R, in a virtual machine whose kernel has IPVS (lab/ipvs-vm).
table  prints the lines that --json wrote to FILE ("-": standard input) as a Markdown table.

--case NAME  this case, or all that begin with NAME followed by "-"; may be repeated
--runs N     how often; windows, for the cases that watch (default: 5 to 10, by case)
--json       one object a line on standard output

Cases:
`;

function help(): string {
  const names = [...VRRP_CASES, ...MYSQL_CASES, ...MHA_CASES, ...REDIS_CASES, ...LVS_CASES].map(
    (it) => `  ${it.name}${it.rows[0] === it.name ? "" : ` (${it.rows.join(", ")})`}`,
  );
  return `${HELP}${names.join("\n")}\n`;
}

function matches(benchCase: BenchCase, wanted: string): boolean {
  return [benchCase.name, ...benchCase.rows].some((name) => name === wanted || name.startsWith(`${wanted}-`));
}

/** An exact name means that case alone, although others may begin with it. */
function choose(bench: BenchName, wanted: readonly string[]): readonly BenchCase[] {
  const cases = BENCHES[bench];
  if (wanted.length === 0) return cases;
  const chosen = wanted.flatMap((name) => {
    const exact = cases.filter((it) => it.name === name || it.rows.includes(name));
    return exact.length > 0 ? exact : cases.filter((it) => matches(it, name));
  });
  return cases.filter((it) => chosen.includes(it));
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      case: { type: "string", multiple: true, default: [] },
      runs: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const [bench = "vrrp", file] = positionals;
  if (values.help) {
    process.stdout.write(help());
    return 0;
  }
  if (bench === "table" && file !== undefined) {
    process.stdout.write(renderMarkdown(parseResults(readFileSync(file === "-" ? 0 : file, "utf8"))));
    return 0;
  }
  const known = Object.hasOwn(BENCHES, bench) ? (bench as BenchName) : null;
  const chosen = known === null ? [] : choose(known, values.case);
  const runs = values.runs === undefined ? null : Number(values.runs);
  if (known === null || chosen.length === 0 || (runs !== null && !(Number.isInteger(runs) && runs > 0))) {
    process.stderr.write(`No such benchmark, case or number of runs.\n\n${help()}`);
    return 2;
  }
  if (known === "lvs" && process.env.HOLDFAST_IPVS_VM !== "1") return await insideMachine();
  return await measureAll(chosen, { bench: known, runs, json: values.json });
}

/** The same words again, where there is a kernel with IPVS. */
function insideMachine(): Promise<number> {
  const machine = [join(LAB_DATA, "ipvs-vm/run.sh"), "--memory", "3072", "--"];
  const argv = [...machine, process.execPath, ...process.argv.slice(1)];
  const child = spawn("bash", argv, { stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

/** A case that fails is told and left out; the others go on, and the exit code says that something is missing. */
async function measureAll(
  chosen: readonly BenchCase[],
  options: { readonly bench: BenchName; readonly runs: number | null; readonly json: boolean },
): Promise<number> {
  const identity: PeerIdentity =
    options.bench === "mha"
      ? { name: "mha4mysql", version: "0.58" }
      : { name: "keepalived", version: keepalivedVersion() };
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  const results: CaseResult[] = [];
  let failed = 0;
  for (const benchCase of chosen) {
    const runs = options.runs ?? benchCase.runs;
    let rows: readonly Measurements[] = [];
    try {
      rows = await withLabs((labs) => benchCase.measure(labs, { runs, progress }));
    } catch (error) {
      failed++;
      progress(`${benchCase.name} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
    for (const measured of rows) {
      const result = toResult(options.bench, identity, measured);
      results.push(result);
      if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    }
  }
  if (!options.json) process.stdout.write(`${renderTable(results)}\n`);
  return failed === 0 ? 0 : 1;
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
