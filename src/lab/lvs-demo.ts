/**
 * `holdfast lab demo lvs`: a client's reads are spread over three MariaDB replicas, while one lags, one stops to replicate, one dies and comes
 * back. Tells what happens in plain words and judges at the end. It needs a kernel with IPVS and brings its own: the demonstration runs
 * in the virtual machine of lab/ipvs-vm (docs/decisions/0075).
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { wallClock } from "./clock.ts";
import { heading, say } from "./demo-report.ts";
import { createLab } from "./lab.ts";
import { LVS_TOPOLOGY, LvsScene, MAX_LAG, READ_VIP, type ReplicaName, WEIGHT } from "./lvs-scene.ts";
import { preparedTemplate } from "./mariadb.ts";
import { HOLDFAST_PROGRAM, LAB_DATA } from "./paths.ts";
import { sleep } from "./processes.ts";
import type { ReadRecord } from "./reader.ts";
import { SqlConnection } from "./sql-client.ts";

const MEMORY_MIB = "2560";
const LIMIT_S = "300";
/** Reads are watched for so long before and after each fault. */
const WATCHED_MS = 4_000;
/** A read that was on its way when the server left the pool may still end there. */
const ON_ITS_WAY_MS = 500;
/** From the lag to the look that finds it, its retry and the order to the kernel. */
const NOTICED_S = 3;

/** Outside the machine: boots it and passes on what it says. Inside: plays. */
export async function demoLvs(out: (text: string) => void): Promise<number> {
  if (process.env.HOLDFAST_IPVS_VM === "1") return await play();
  out("booting a virtual machine whose kernel has IPVS\n");
  // Inside, what is written to the cache would be gone.
  await preparedTemplate();
  const machine = [join(LAB_DATA, "ipvs-vm/run.sh"), "--memory", MEMORY_MIB, "--timeout", LIMIT_S, "--"];
  const argv = [...machine, process.execPath, HOLDFAST_PROGRAM, "lab", "demo", "lvs"];
  const child = spawn("bash", argv, { stdio: ["ignore", "inherit", "inherit"] });
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

interface Problems {
  readonly list: string[];
  check(holds: boolean, text: string): void;
}

function createProblems(): Problems {
  const list: string[] = [];
  return { list, check: (holds, text) => void (holds || list.push(text)) };
}

async function play(): Promise<number> {
  const started = wallClock();
  const lab = await createLab(LVS_TOPOLOGY);
  const scene = new LvsScene(lab);
  const problems = createProblems();
  try {
    await setUp(scene, problems);
    await oneLags(scene, problems);
    await oneStops(scene, problems);
    await oneDiesAndComesBack(scene, problems);
    await scene.endClients();
    return judge(scene, problems, started);
  } catch (error) {
    heading("The demonstration failed");
    say(error instanceof Error ? error.message : String(error));
    say(`last lines of the daemon:\n${scene.daemonLines.slice(-20).join("\n")}`);
    return 1;
  } finally {
    await lab.destroy();
  }
}

async function setUp(scene: LvsScene, problems: Problems): Promise<void> {
  heading("Setting up");
  say("a director, a writer (db1), three replicas (r1, r2, r3) and a client, in private network namespaces");
  await scene.startDatabases();
  say("four MariaDB servers run; r1, r2 and r3 replicate from db1 and are read-only");
  await scene.startDirector();
  say(`the director holds ${READ_VIP} and balances reads over the replicas (wrr, DR); MYSQL_CHECK asks each of them`);
  await scene.startClients();
  say("a client writes to db1 ten times a second; another reads from the address, over a new connection each time");
  await watched(scene, problems, ["r1", "r2", "r3"]);
}

/** What the reads of the next seconds came to: every named replica must have served, nobody else. */
async function watched(scene: LvsScene, problems: Problems, expected: readonly ReplicaName[]): Promise<void> {
  const from = wallClock();
  await sleep(WATCHED_MS);
  const reads = scene.reads.filter(({ start }) => start >= from);
  say(`reads of ${WATCHED_MS / 1_000} s: ${spreadText(scene, reads)}`);
  const failed = reads.filter(({ ok }) => !ok);
  problems.check(failed.length === 0, `${failed.length} reads failed while nothing happened: ${failed[0]?.error}`);
  const oldest = oldestOf(reads);
  const limit = MAX_LAG + NOTICED_S;
  problems.check(oldest <= limit, `a read was ${oldest.toFixed(1)} s behind the writer, more than ${limit} s`);
  for (const name of scene.names) {
    const served = reads.filter(({ server }) => scene.nameOf(server) === name).length;
    if (expected.includes(name)) problems.check(served > 0, `${name} is in the pool and served nobody`);
    else problems.check(served === 0, `${name} is out of the pool and served ${served} reads`);
  }
}

const oldestOf = (reads: readonly ReadRecord[]): number => Math.max(0, ...reads.map(({ age }) => age ?? 0));

function spreadText(scene: LvsScene, reads: readonly ReadRecord[]): string {
  const each = scene.names.map((name) => {
    const served = reads.filter(({ server }) => scene.nameOf(server) === name).length;
    return `${name} ${served}`;
  });
  return `${each.join(", ")}; failed ${reads.filter(({ ok }) => !ok).length}`;
}

/** Tells what the director found; when the server left the pool. */
async function leaves(scene: LvsScene, problems: Problems, name: ReplicaName, cause: RegExp): Promise<number> {
  const view = await scene.seen(name, ({ state }) => state === "down", "leaves the pool");
  const checker = view.pool?.checkers[0];
  say(`${name} has left the pool: ${checker?.checker}: ${checker?.finding}`);
  problems.check(cause.test(checker?.finding ?? ""), `the cause of ${name} is not ${cause}: ${checker?.finding}`);
  return view.pool?.since ?? wallClock();
}

async function comesBack(scene: LvsScene, name: ReplicaName): Promise<void> {
  await scene.seen(name, ({ state }) => state === "up", "is back in the pool");
  say(`${name} is back in the pool; its weight climbs (slow_start)`);
  await scene.seen(name, ({ weight }) => weight === WEIGHT, "has its whole weight");
}

function noneSince(scene: LvsScene, problems: Problems, name: ReplicaName, since: number): void {
  const late = scene.reads.filter(
    ({ start, server }) => start > since + ON_ITS_WAY_MS && scene.nameOf(server) === name,
  );
  problems.check(late.length === 0, `${name} served ${late.length} reads after it had left the pool`);
}

async function oneLags(scene: LvsScene, problems: Problems): Promise<void> {
  heading("1. r2 lags");
  say("a report on r2 locks the table, so nothing is applied there");
  const report = await SqlConnection.open(scene.replicas.r2.address);
  await report.query("LOCK TABLES shop.orders READ");
  const left = await leaves(scene, problems, "r2", /lags \d+ s behind/);
  await watched(scene, problems, ["r1", "r3"]);
  noneSince(scene, problems, "r2", left);
  say("the report ends");
  report.close();
  await comesBack(scene, "r2");
  await watched(scene, problems, ["r1", "r2", "r3"]);
}

async function oneStops(scene: LvsScene, problems: Problems): Promise<void> {
  heading("2. replication of r1 is stopped");
  await scene.replicas.r1.query("STOP SLAVE");
  const left = await leaves(scene, problems, "r1", /thread.* is stopped/);
  await watched(scene, problems, ["r2", "r3"]);
  noneSince(scene, problems, "r1", left);
  await scene.replicas.r1.query("START SLAVE");
  await comesBack(scene, "r1");
}

async function oneDiesAndComesBack(scene: LvsScene, problems: Problems): Promise<void> {
  heading("3. r3 dies and comes back");
  const at = wallClock();
  await scene.replicas.r3.kill();
  const left = await leaves(scene, problems, "r3", /./);
  const meanwhile = scene.reads.filter(({ end }) => end >= at && end <= left + ON_ITS_WAY_MS);
  say(`${((left - at) / 1_000).toFixed(1)} s after its death; reads until then: ${spreadText(scene, meanwhile)}`);
  await watched(scene, problems, ["r1", "r2"]);
  say("r3 is started again");
  await scene.replicas.r3.start();
  await comesBack(scene, "r3");
  await watched(scene, problems, ["r1", "r2", "r3"]);
  for (const line of (await scene.order(["explain", `${scene.replicas.r3.host.address}:3306`])).trimEnd().split("\n"))
    say(line);
}

function judge(scene: LvsScene, problems: Problems, started: number): number {
  heading("Result");
  const ok = scene.reads.filter((read) => read.ok);
  say(`reads ${scene.reads.length}: ${spreadText(scene, scene.reads)}`);
  say(`the oldest was ${oldestOf(ok).toFixed(1)} s behind the writer, before r2 left; max_lag is ${MAX_LAG} s`);
  problems.check(ok.length > 0, "nobody read anything");
  for (const problem of problems.list) say(`FAILED: ${problem}`);
  if (problems.list.length === 0) say("PASSED: every read came from a replica that is alive and up to date");
  say(`took ${((wallClock() - started) / 1_000).toFixed(0)} s`);
  return problems.list.length === 0 ? 0 : 1;
}
