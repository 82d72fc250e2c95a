/**
 * `host-death`: the writer's host is cut off without a word, with everything on it. `switchover`: a planned move, by `holdfast switchover`
 * and, with keepalived, by stopping it on the writer's host; how long a client that tries every 5 ms has no commit.
 */

import type { PairNode } from "../lab/pair.ts";
import { HOLDFAST_PROGRAM } from "../lab/paths.ts";
import { sleep, until } from "../lab/processes.ts";
import type { CaseOptions, Labs } from "./cases.ts";
import { CONTESTANTS, type DaemonName } from "./daemons.ts";
import { missingOn, type Scene, withScenes } from "./mysql-scene.ts";
import { wallMillis } from "./pair.ts";
import type { Measurements } from "./report.ts";

interface Moved {
  readonly millis: number;
  readonly missing: number;
}

interface Move {
  readonly name: string;
  readonly note: string;
  readonly run: (scene: Scene, name: DaemonName) => Promise<Moved>;
}

export const measureSwitchover = (labs: Labs, options: CaseOptions): Promise<readonly Measurements[]> =>
  measure(labs, options, {
    name: "switchover",
    note: "last commit of the old writer to the first of the new one; keepalived: stopped on the writer's host",
    run: switchOver,
  });

export const measureHostDeath = (labs: Labs, options: CaseOptions): Promise<readonly Measurements[]> =>
  measure(labs, options, {
    name: "mysql-host-death",
    note: "the cable of the writer's host to the first commit of the other through the address",
    run: loseHost,
  });

async function measure(labs: Labs, options: CaseOptions, move: Move): Promise<readonly Measurements[]> {
  const times: Record<DaemonName, number[]> = { holdfast: [], keepalived: [] };
  const lost: Record<DaemonName, number[]> = { holdfast: [], keepalived: [] };
  await withScenes(labs, async (scenes) => {
    for (let run = 0; run < options.runs; run++) {
      for (const name of CONTESTANTS) {
        const { millis, missing } = await move.run(scenes[name], name);
        times[name].push(millis);
        lost[name].push(missing);
        options.progress(
          `${move.name} run ${run + 1} ${name}: ${millis.toFixed(0)} ms, ${missing} acknowledged rows missing`,
        );
      }
    }
  });
  const row = (suffix: string, unit: string, { holdfast, keepalived }: typeof times): Measurements => ({
    case: `${move.name}${suffix}`,
    unit,
    holdfast,
    peer: keepalived,
    note: move.note,
  });
  return [row("", "ms", times), row("-lost", "acknowledged rows missing on the new writer", lost)];
}

async function begin(scene: Scene): Promise<readonly [PairNode, PairNode]> {
  const { pair } = scene;
  const writer = await pair.holder();
  scene.write();
  await until(async () => scene.writes.some(({ ok }) => ok) || undefined, "writes go through", 10_000);
  // At any phase of checks and adverts.
  await sleep(500 + Math.random() * 1_000);
  return [writer, pair.other(writer)];
}

async function finish(scene: Scene, survivor: PairNode, first: number): Promise<number> {
  await sleep(200);
  await scene.stopWriting();
  return await missingOn(scene, survivor, first);
}

async function switchOver(scene: Scene, name: DaemonName): Promise<Moved> {
  const { pair } = scene;
  const [old, next] = await begin(scene);
  const at = wallMillis();
  if (name === "holdfast") {
    const pidFile = old.daemon?.pidFile ?? "";
    const command = [process.execPath, HOLDFAST_PROGRAM, "switchover", "orders", "-p", pidFile];
    await old.host.execOrThrow(command);
  } else await old.daemon?.stop();
  const first = await scene.firstWriteBy(next, at);
  const last = scene.writes.findLast(({ ok, server }) => ok && server === old.server.serverId)?.end ?? at;
  const missing = await finish(scene, next, first);
  if (name === "keepalived") pair.startDaemon(old);
  await pair.caughtUp(next);
  return { millis: first - last, missing };
}

async function loseHost(scene: Scene): Promise<Moved> {
  const { pair } = scene;
  const [dead, survivor] = await begin(scene);
  const at = wallMillis();
  await pair.lab.cutLink(dead.host.name, "silent");
  const first = await scene.firstWriteBy(survivor, at);
  await dead.server.kill();
  await dead.daemon?.stop();
  const missing = await finish(scene, survivor, first);
  await pair.lab.restoreLink(dead.host.name);
  await dead.server.start();
  pair.startDaemon(dead);
  await pair.caughtUp(survivor);
  return { millis: first - at, missing };
}
