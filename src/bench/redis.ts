/**
 * Redis behind the address: a managed pair beside keepalived with a check script each second and the usual notify scripts, and beside three
 * Sentinels with down-after-milliseconds 1000, whose client asks a Sentinel before every write. A client tries to write every 5 ms.
 */
import { createLab } from "../lab/lab.ts";
import { sleep, until } from "../lab/processes.ts";
import type { RedisServer } from "../lab/redis.ts";
import type { BenchCase, CaseOptions, Labs } from "./cases.ts";
import { redisVersion } from "./daemons.ts";
import { wallMillis } from "./pair.ts";
import { type RedisContestant, RedisScene } from "./redis-scene.ts";
import type { Measurements } from "./report.ts";

interface Fault {
  readonly name: string;
  readonly note: string;
  /** Does it to the writer and returns when it was done, and until when the old one had answered where that counts. */
  readonly strike: (scene: RedisScene, writer: RedisServer) => Promise<number>;
  /** From the last write of the old writer instead of from the fault. */
  readonly fromLastWrite?: boolean;
  readonly repair: (scene: RedisScene, writer: RedisServer) => Promise<void>;
}

const KILL: Fault = {
  name: "kill-redis",
  note: "kill -9 of the writer's redis-server to the first write that the other one takes",
  async strike(_scene, writer) {
    const at = wallMillis();
    await writer.kill();
    return at;
  },
  repair: (_scene, writer) => writer.start(),
};

const HOST_DEATH: Fault = {
  name: "redis-host-death",
  note: "the cable of the writer's host to the first write that the other one takes",
  async strike(scene, writer) {
    const at = wallMillis();
    await scene.lab.cutLink(writer.host.name, "silent");
    return at;
  },
  async repair(scene, writer) {
    await writer.kill();
    await scene.stopDaemon(writer);
    await scene.lab.restoreLink(writer.host.name);
    await writer.start();
    scene.startDaemon(writer);
  },
};

const SWITCHOVER: Fault = {
  name: "redis-switchover",
  note: "last write of the old writer to the first of the new one; keepalived: stopped on the writer's host",
  fromLastWrite: true,
  async strike(scene, writer) {
    const at = wallMillis();
    await scene.move(writer);
    return at;
  },
  async repair(scene, writer) {
    if (scene.kind !== "keepalived") return;
    // Nothing tells a stopped keepalived's server that it is no master any more.
    await writer.ask("REPLICAOF", scene.other(writer).host.address, "6379");
    scene.startDaemon(writer);
  },
};

const caseOf = (fault: Fault, name: string): BenchCase => ({
  name,
  rows: [fault.name, `${fault.name}-lost`, `${fault.name}-sentinel`, `${fault.name}-sentinel-lost`],
  runs: 20,
  measure: (labs, options) => measure(labs, options, fault),
});

export const REDIS_CASES: readonly BenchCase[] = [
  caseOf(KILL, "kill-redis"),
  caseOf(HOST_DEATH, "host-death"),
  caseOf(SWITCHOVER, "switchover"),
];

const KINDS: readonly RedisContestant[] = ["holdfast", "keepalived", "sentinel"];

async function measure(labs: Labs, options: CaseOptions, fault: Fault): Promise<readonly Measurements[]> {
  const times: Record<RedisContestant, number[]> = { holdfast: [], keepalived: [], sentinel: [] };
  const lost: Record<RedisContestant, number[]> = { holdfast: [], keepalived: [], sentinel: [] };
  const third = await createLab();
  const scenes = new Map<RedisContestant, RedisScene>();
  try {
    for (const kind of KINDS) {
      scenes.set(kind, await RedisScene.start(kind === "sentinel" ? third : labs[kind], kind));
    }
    for (let run = 0; run < options.runs; run++) {
      for (const [kind, scene] of scenes) {
        const { millis, missing } = await runOnce(scene, fault);
        times[kind].push(millis);
        lost[kind].push(missing);
        options.progress(
          `${fault.name} run ${run + 1} ${kind}: ${millis.toFixed(0)} ms, ${missing} acknowledged keys missing`,
        );
      }
    }
  } finally {
    for (const scene of scenes.values()) await scene.end();
    await third.destroy();
  }
  return rowsOf(fault, times, lost);
}

type Values = Readonly<Record<RedisContestant, readonly number[]>>;

function rowsOf({ name, note }: Fault, times: Values, lost: Values): readonly Measurements[] {
  const row = (suffix: string, unit: string, values: Values, peer: "keepalived" | "sentinel"): Measurements => ({
    case: `${name}${peer === "sentinel" ? "-sentinel" : ""}${suffix}`,
    unit,
    holdfast: values.holdfast,
    peer: values[peer],
    note,
    ...(peer === "sentinel" && { identity: { name: "Redis Sentinel", version: redisVersion() } }),
  });
  const keys = "acknowledged keys missing on the new writer";
  return (["keepalived", "sentinel"] as const).flatMap((peer) => [
    row("", "ms", times, peer),
    row("-lost", keys, lost, peer),
  ]);
}

async function runOnce(
  scene: RedisScene,
  fault: Fault,
): Promise<{ readonly millis: number; readonly missing: number }> {
  const writer = await scene.holder();
  const survivor = scene.other(writer);
  const old = await writer.info("run_id");
  scene.write();
  await until(async () => scene.writes.some(({ ok }) => ok) || undefined, "writes go through", 20_000);
  // At any phase of checks and adverts.
  await sleep(500 + Math.random() * 1_000);
  const at = await fault.strike(scene, writer);
  const first = await scene.firstWriteBy(survivor, at);
  await sleep(200);
  await scene.stopWriting();
  const last = scene.writes.findLast(({ ok, server, end }) => ok && server === old && end < first)?.end ?? at;
  const missing = await scene.missingOn(survivor, first);
  await fault.repair(scene, writer);
  await scene.inStep();
  return { millis: first - (fault.fromLastWrite === true ? last : at), missing };
}
