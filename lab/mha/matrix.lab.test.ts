/**
 * How a master can die, what its replicas can have, and what the configuration can want, crossed: every case ends with the winner that MHA's
 * rules name, with equal data on all survivors and without the loss of a committed row. Ordinarily every two values meet once; --full runs
 * all of them.
 */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createLab, type Lab } from "../../src/lab/lab.ts";
import type { MariadbServer } from "../../src/lab/mariadb.ts";
import { MHA_TOPOLOGY, MhaScene } from "../../src/lab/mha-scene.ts";
import { until } from "../../src/lab/processes.ts";
import { runs } from "../../tools/test-runs.ts";
import { describeHoldfast } from "../support.ts";

/** Replication, and whether the dead master's disk can be reached. */
const REPLICATION = ["gtid", "gtid without ssh", "position", "position without ssh"] as const;
/** The process is killed; the host vanishes from the network; the process stands still. */
const DEATHS = ["killed", "gone", "hung"] as const;
/** Nobody lacks anything; the first replica has received less; each has received less than the next; the second does not execute. */
const STATES = ["even", "one behind", "staggered", "not executing"] as const;
const WISHES = ["none", "candidate db4", "no_master db2", "latest_priority 0"] as const;
const FORMATS = ["ROW", "STATEMENT", "MIXED"] as const;

interface Case {
  readonly replication: (typeof REPLICATION)[number];
  readonly death: (typeof DEATHS)[number];
  readonly state: (typeof STATES)[number];
  readonly wish: (typeof WISHES)[number];
  readonly format: (typeof FORMATS)[number];
}

/** Every other combination: each pair of values is there, and half of the time is saved. */
function allCases(): readonly Case[] {
  const places = REPLICATION.flatMap((_, r) =>
    DEATHS.flatMap((__, d) => STATES.flatMap((___, s) => WISHES.map((____, w) => [r, d, s, w] as const))),
  );
  return places
    .filter(([r, d, s, w]) => (r + d + s + w) % 2 === 0)
    .map(([r, d, s, w]) => ({
      replication: REPLICATION[r] ?? "gtid",
      death: DEATHS[d] ?? "killed",
      state: STATES[s] ?? "even",
      wish: WISHES[w] ?? "none",
      format: FORMATS[(r + s + w) % 3] ?? "ROW",
    }));
}

/** Greedily the fewest in which every two values meet that meet in any. */
function pairwise(cases: readonly Case[]): readonly Case[] {
  const pairsOf = (one: Case): readonly string[] => {
    const values = Object.entries(one).map(([name, value]) => `${name}=${value}`);
    return values.flatMap((value, at) => values.slice(at + 1).map((other) => `${value} ${other}`));
  };
  const open = new Set(cases.flatMap(pairsOf));
  const chosen: Case[] = [];
  while (open.size > 0) {
    const gain = (one: Case): number => pairsOf(one).filter((pair) => open.has(pair)).length;
    const [best] = [...cases].sort((one, other) => gain(other) - gain(one));
    if (best === undefined) break;
    chosen.push(best);
    for (const pair of pairsOf(best)) open.delete(pair);
  }
  return chosen;
}

/** By MHA's rules; a hung or killed master makes no difference to them. */
function winnerOf({ state, wish }: Case): string {
  if (wish === "candidate db4") return "db4";
  if (wish === "latest_priority 0") return "db2";
  const latest = { even: "db2", "one behind": "db3", staggered: "db4", "not executing": "db2" }[state];
  return wish === "no_master db2" && latest === "db2" ? "db3" : latest;
}

const LINES: Readonly<Record<Case["wish"], Parameters<MhaScene["writeConf"]>[0]>> = {
  none: {},
  "candidate db4": { servers: { db4: ["candidate_master=1"] } },
  "no_master db2": { servers: { db2: ["no_master=1"] } },
  "latest_priority 0": { defaults: ["latest_priority=0"] },
};

describeHoldfast("MHA: failover, crossed", () => {
  let lab: Lab;
  let scene: MhaScene;
  beforeAll(async () => {
    lab = await createLab(MHA_TOPOLOGY);
  });
  afterEach(async () => {
    await scene.end();
    await lab.restoreLink("db1");
  });
  afterAll(() => lab.destroy());

  async function prepare({ state }: Case): Promise<void> {
    const [db1, db2, db3, db4] = scene.four;
    const step = async (round: number) => {
      await scene.write(db1, 4);
      await scene.variety(db1, round);
    };
    await step(1);
    if (state === "not executing") await db3.query("STOP SLAVE SQL_THREAD");
    if (state === "one behind" || state === "staggered") await scene.stopReceiving(db2);
    await step(2);
    if (state === "staggered") await scene.stopReceiving(db3);
    await step(3);
    const wanted = await db1.query("SHOW MASTER STATUS");
    const received = async () => (await db4.replica()).Read_Master_Log_Pos === wanted[0]?.Position || undefined;
    await until(received, "the freshest replica has everything", 15_000);
  }

  async function die(master: MariadbServer, death: Case["death"]): Promise<void> {
    if (death === "killed") await master.kill();
    else if (death === "hung") process.kill(master.outsidePid(), "SIGSTOP");
    else await lab.cutLink(master.host.name, "silent");
  }

  const CASES = runs(0, 1) === 1 ? allCases() : pairwise(allCases());
  const titled = CASES.map((one) => [Object.values(one).join(", "), one] as const);
  test.each(titled)("%s", async (_title, one) => {
    const mode = one.replication.startsWith("gtid") ? "gtid" : "position";
    scene = new MhaScene(lab, { mode, count: 4, settings: [`binlog_format = ${one.format}`] });
    await scene.start();
    const ssh = !one.replication.endsWith("without ssh");
    if (ssh) await scene.startSsh();
    const { defaults = [], ...rest } = LINES[one.wish] ?? {};
    scene.writeConf({ defaults: ["ping_interval=1", ...defaults], ...rest });
    const manager = await scene.watching("--skip_check_ssh");
    await prepare(one);
    const [db1, ...survivors] = scene.four;
    // What nobody has received by now, only the disk has.
    if (ssh && one.death !== "gone") {
      await scene.stopReceiving(...survivors);
      await scene.write(db1, 3);
    }
    await die(db1, one.death);
    expect(await manager.exited, scene.log).toBe(0);

    const winner = scene.server(winnerOf(one));
    expect(await winner.value("SELECT @@global.read_only"), scene.log).toBe("0");
    await scene.write(winner, 2);
    await scene.sameData(survivors, ["shop.orders", "shop.extra"]);
    expect(await scene.missing(winner)).toEqual([]);
    for (const replica of survivors) {
      if (replica !== winner) expect(await scene.follows(replica)).toBe(winner.host.address);
    }
  });
});
