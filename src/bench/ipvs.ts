/** The cases of `script/bench lvs`. CPU is of all processes of a daemon; what the kernel does in interrupts for a check is not in it. */
import { join } from "node:path";
import type { LabHost } from "../lab/lab.ts";
import { PROJECT_ROOT } from "../lab/paths.ts";
import { type RunningProgram, sleep } from "../lab/processes.ts";
import { cpuNanoseconds } from "./accounts.ts";
import type { BenchCase, CaseOptions, Labs } from "./cases.ts";
import { CONTESTANTS, type DaemonName } from "./daemons.ts";
import {
  BalancingDaemon,
  entriesOf,
  ipvsConfig,
  ipvsRules,
  isComplete,
  SERVER_PORT,
  SERVERS_PER_SERVICE,
  when,
} from "./ipvs-scene.ts";
import type { Measurements } from "./report.ts";

/** A table of 1,000 services needs seconds in the machine of one processor, whoever makes it. */
const LIMIT_MS = 120_000;
const STOP_MS = 60_000;
const HOST = "db1";
const IPVSADM = { name: "ipvsadm -R", version: "1.31" } as const;

type Figures = Record<DaemonName, number[]>;
const figures = (): Figures => ({ holdfast: [], keepalived: [] });
const row = (name: string, unit: string, { holdfast, keepalived }: Figures): Measurements => ({
  case: name,
  unit,
  holdfast,
  peer: keepalived,
});

async function measureProgram(labs: Labs, services: number, options: CaseOptions): Promise<readonly Measurements[]> {
  const name = `program-${services}`;
  const [whole, table, restored] = [figures(), figures(), [] as number[]];
  for (let run = 0; run < options.runs; run++) {
    for (const contestant of CONTESTANTS) {
      const daemon = new BalancingDaemon(contestant, labs[contestant].host(HOST));
      daemon.configure(ipvsConfig({ services, checker: "" }));
      const begun = performance.now();
      daemon.start();
      const first = await when(() => entriesOf(daemon.host).services > 0, `${contestant}: a first service`, LIMIT_MS);
      const last = await when(() => isComplete(entriesOf(daemon.host), services), `${contestant}: the table`, LIMIT_MS);
      whole[contestant].push(last - begun);
      table[contestant].push(last - first);
      options.progress(
        `${name} run ${run + 1} ${contestant}: ${Math.round(last - begun)} ms, of them ${Math.round(last - first)} from first to last`,
      );
      await daemon.stop(STOP_MS);
    }
    restored.push(await restore(labs, services));
    options.progress(`${name} run ${run + 1} ipvsadm -R: ${Math.round(restored.at(-1) ?? 0)} ms`);
  }
  return [
    row(name, "ms from the start to the whole table", whole),
    row(`${name}-table`, "ms from the first service to the whole table", table),
    { case: `${name}-ipvsadm`, unit: "ms", holdfast: table.holdfast, peer: restored, identity: IPVSADM },
  ];
}

async function restore(labs: Labs, services: number): Promise<number> {
  const host = labs.keepalived.host(HOST);
  const input = ipvsRules(services);
  const begun = performance.now();
  await host.execOrThrow(["ipvsadm", "-R"], { input, timeoutMs: LIMIT_MS });
  const took = performance.now() - begun;
  await host.execOrThrow(["ipvsadm", "-C"]);
  return took;
}

async function measureReload(labs: Labs, options: CaseOptions): Promise<readonly Measurements[]> {
  const services = 1_000;
  const [applied, cpu] = [figures(), figures()];
  for (const contestant of CONTESTANTS) {
    const daemon = new BalancingDaemon(contestant, labs[contestant].host(HOST));
    const weigh = (firstWeight: number): void => daemon.configure(ipvsConfig({ services, checker: "", firstWeight }));
    weigh(1);
    daemon.start();
    await when(() => isComplete(entriesOf(daemon.host), services), `${contestant}: the table`, LIMIT_MS);
    await sleep(3_000);
    for (let run = 0; run < options.runs; run++) {
      const weight = 50 + run;
      weigh(weight);
      const [pids, begun] = [await daemon.pids(), performance.now()];
      const before = cpuNanoseconds(pids);
      await daemon.reload();
      const there = (): boolean => entriesOf(daemon.host).weights.includes(weight);
      const done = await when(there, `${contestant}: the new weight`, LIMIT_MS);
      await sleep(3_000);
      applied[contestant].push(done - begun);
      cpu[contestant].push((cpuNanoseconds(pids) - before) / 1e6);
      options.progress(`reload-one-of-1000 run ${run + 1} ${contestant}: ${Math.round(done - begun)} ms`);
    }
    await daemon.stop(STOP_MS);
  }
  return [
    row("reload-one-of-1000", "ms to the new weight", applied),
    row("reload-one-of-1000-cpu", "ms CPU until 3 s after it", cpu),
  ];
}

const WINDOW_MS = 10_000;
const TCP = "TCP_CHECK {\nconnect_timeout 5\n}\n";

async function startTarget(host: LabHost): Promise<RunningProgram> {
  const target = host.spawn([process.execPath, join(PROJECT_ROOT, "dist/bench/check-target.js"), String(SERVER_PORT)]);
  await target.line(/^ready/, { timeoutMs: 30_000 });
  return target;
}

async function countOf(target: RunningProgram): Promise<number> {
  const since = performance.now();
  target.write("count\n");
  const { text } = await target.line(/^count/, { since, timeoutMs: 60_000 });
  return Number(text.split(" ")[1]);
}

async function measureChecks(labs: Labs, rate: number, options: CaseOptions): Promise<readonly Measurements[]> {
  const services = rate / SERVERS_PER_SERVICE;
  const [cost, done] = [figures(), figures()];
  for (const contestant of CONTESTANTS) {
    const host = labs[contestant].host(HOST);
    const target = await startTarget(host);
    const daemon = new BalancingDaemon(contestant, host);
    daemon.configure(ipvsConfig({ services, checker: TCP }));
    daemon.start();
    await when(() => isComplete(entriesOf(host), services), `${contestant}: the table`, LIMIT_MS);
    await sleep(5_000);
    for (let run = 0; run < options.runs; run++) {
      const [pids, counted, begun] = [await daemon.pids(), await countOf(target), performance.now()];
      const used = cpuNanoseconds(pids);
      await sleep(WINDOW_MS);
      const [spent, elapsed] = [cpuNanoseconds(pids) - used, (performance.now() - begun) / 1_000];
      const checks = (await countOf(target)) - counted;
      cost[contestant].push(spent / 1_000 / checks);
      done[contestant].push(checks / elapsed);
      options.progress(`checks-${rate} run ${run + 1} ${contestant}: ${Math.round(checks / elapsed)} a second`);
    }
    await daemon.stop(STOP_MS);
    target.endInput();
    await target.exited;
  }
  return [
    row(`checks-${rate}`, "us CPU per check", cost),
    row(`checks-${rate}-done`, `checks a second, of ${rate} asked`, done),
  ];
}

const PAGE = "HTTP_GET {\nretry 0\nconnect_timeout 5\nurl {\npath /\nstatus_code 200\n}\n}\n";

/** From the answer that is a failure to the weight 0 that the kernel has. */
async function measureFailure(labs: Labs, options: CaseOptions): Promise<readonly Measurements[]> {
  const late = figures();
  for (const contestant of CONTESTANTS) {
    const host = labs[contestant].host(HOST);
    const target = await startTarget(host);
    const daemon = new BalancingDaemon(contestant, host);
    daemon.configure(ipvsConfig({ services: 1, servers: 1, checker: PAGE, lines: "inhibit_on_failure\n" }));
    daemon.start();
    const weighs = (weight: number) => (): boolean => entriesOf(host).weights[0] === weight;
    await when(weighs(1), `${contestant}: its server`, LIMIT_MS);
    await sleep(4_000);
    for (let run = 0; run < options.runs; run++) {
      const since = performance.now();
      target.write("fail\n");
      const seen = await when(weighs(0), `${contestant}: weight 0`, LIMIT_MS);
      const { text } = await target.line(/^failed/, { since, timeoutMs: 10_000 });
      late[contestant].push(performance.timeOrigin + seen - Number(text.split(" ")[1]));
      options.progress(`fail-to-weight0 run ${run + 1} ${contestant}: ${late[contestant].at(-1)?.toFixed(1)} ms`);
      target.write("mend\n");
      await when(weighs(1), `${contestant}: its weight again`, LIMIT_MS);
      await sleep(2_000);
    }
    await daemon.stop(STOP_MS);
    target.endInput();
    await target.exited;
  }
  return [row("fail-to-weight0", "ms", late)];
}

const programCase = (services: number, runs: number): BenchCase => {
  const name = `program-${services}`;
  const rows = [name, `${name}-table`, `${name}-ipvsadm`];
  return { name, rows, runs, measure: (labs, options) => measureProgram(labs, services, options) };
};

const checksCase = (rate: number): BenchCase => {
  const name = `checks-${rate}`;
  return {
    name,
    rows: [name, `${name}-done`],
    runs: 3,
    measure: (labs, options) => measureChecks(labs, rate, options),
  };
};

export const LVS_CASES: readonly BenchCase[] = [
  programCase(100, 5),
  programCase(1_000, 3),
  {
    name: "reload-one-of-1000",
    rows: ["reload-one-of-1000", "reload-one-of-1000-cpu"],
    runs: 5,
    measure: measureReload,
  },
  checksCase(1_000),
  checksCase(5_000),
  { name: "fail-to-weight0", rows: ["fail-to-weight0"], runs: 10, measure: measureFailure },
];
