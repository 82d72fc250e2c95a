/**
 * Databases behind the address: a managed pair beside keepalived with a check script each second and hand-written notify scripts (the
 * demonstration's). `kill-mysqld`: from the kill of the writer's server to the first write that the other one commits, by a client that tries
 * every 5 ms. `check-cost`: what the check costs an idle server and the host.
 */
import { sleep, until } from "../lab/processes.ts";
import { cpuNanoseconds } from "./accounts.ts";
import type { BenchCase, CaseOptions, Labs } from "./cases.ts";
import { CONTESTANTS, type DaemonName } from "./daemons.ts";
import { measureHostDeath, measureSwitchover } from "./mysql-moves.ts";
import { missingOn, type Scene, withScenes } from "./mysql-scene.ts";
import { wallMillis } from "./pair.ts";
import type { Measurements } from "./report.ts";

export const MYSQL_CASES: readonly BenchCase[] = [
  { name: "kill-mysqld", rows: ["kill-mysqld", "kill-mysqld-lost"], runs: 20, measure: measureKill },
  { name: "host-death", rows: ["mysql-host-death", "mysql-host-death-lost"], runs: 20, measure: measureHostDeath },
  { name: "switchover", rows: ["switchover", "switchover-lost"], runs: 20, measure: measureSwitchover },
  { name: "check-cost", rows: ["check-cost-queries", "check-cost-cpu"], runs: 5, measure: measureCheck },
];

async function measureKill(labs: Labs, options: CaseOptions): Promise<readonly Measurements[]> {
  const times: Record<DaemonName, number[]> = { holdfast: [], keepalived: [] };
  const lost: Record<DaemonName, number[]> = { holdfast: [], keepalived: [] };
  await withScenes(labs, async (scenes) => {
    for (let run = 0; run < options.runs; run++) {
      for (const name of CONTESTANTS) {
        const { millis, missing } = await runKill(scenes[name]);
        times[name].push(millis);
        lost[name].push(missing);
        options.progress(
          `kill-mysqld run ${run + 1} ${name}: ${millis.toFixed(0)} ms, ${missing} acknowledged rows missing`,
        );
      }
    }
  });
  const row = (suffix: string, unit: string, values: Record<DaemonName, number[]>, note: string): Measurements => ({
    case: `kill-mysqld${suffix}`,
    unit,
    holdfast: values.holdfast,
    peer: values.keepalived,
    note,
  });
  return [
    row("", "ms", times, "kill -9 of the writer's server to the first commit of the other through the address"),
    row("-lost", "acknowledged rows missing on the survivor", lost, "semi-synchronous replication in both"),
  ];
}

async function runKill(scene: Scene): Promise<{ readonly millis: number; readonly missing: number }> {
  const { pair } = scene;
  const victim = await pair.holder();
  const survivor = pair.other(victim);
  const before = scene.writes.length;
  scene.write();
  await until(async () => scene.writes.slice(before).some(({ ok }) => ok) || undefined, "writes go through", 10_000);
  // At any phase of checks and adverts.
  await sleep(500 + Math.random() * 1_000);
  const killedAt = wallMillis();
  await victim.server.kill();
  const first = await scene.firstWriteBy(survivor, killedAt);
  await sleep(200);
  await scene.stopWriting();
  const missing = await missingOn(scene, survivor, first);
  await victim.server.start();
  await pair.caughtUp(survivor);
  return { millis: first - killedAt, missing };
}

const WINDOW_MILLIS = 10_000;

async function measureCheck(labs: Labs, options: CaseOptions): Promise<readonly Measurements[]> {
  const queries: Record<DaemonName, number[]> = { holdfast: [], keepalived: [] };
  const cpu: Record<DaemonName, number[]> = { holdfast: [], keepalived: [] };
  await withScenes(labs, async (scenes) => {
    for (let run = 0; run < options.runs; run++) {
      for (const name of CONTESTANTS) {
        const { pair } = scenes[name];
        const standby = pair.other(await pair.holder());
        const pid = standby.server.outsidePid();
        const asked = async () => Number(await standby.server.value(QUESTIONS));
        const [first, used] = [await asked(), cpuNanoseconds([pid])];
        await sleep(WINDOW_MILLIS);
        const spent = cpuNanoseconds([pid]) - used;
        // Two of them are ours.
        queries[name].push(((await asked()) - first - 2) / (WINDOW_MILLIS / 1_000));
        cpu[name].push(spent / 1e6 / (WINDOW_MILLIS / 1_000));
        options.progress(
          `check-cost run ${run + 1} ${name}: ${queries[name].at(-1)} statements/s, ${cpu[name].at(-1)?.toFixed(2)} ms/s`,
        );
      }
    }
  });
  return [
    {
      case: "check-cost-queries",
      unit: "statements a second on an idle standby",
      holdfast: queries.holdfast,
      peer: queries.keepalived,
    },
    { case: "check-cost-cpu", unit: "ms CPU of its server a second", holdfast: cpu.holdfast, peer: cpu.keepalived },
  ];
}

const QUESTIONS = "SELECT VARIABLE_VALUE FROM information_schema.global_status WHERE VARIABLE_NAME = 'Questions'";
