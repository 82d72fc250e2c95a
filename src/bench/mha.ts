/**
 * A master with three replicas and a manager: Holdfast's masterha_manager beside MHA 0.58, with the same configuration, scripts and ssh
 * servers, alternating. From kill -9 of the master to the first commit on another server, by a client that tries every 5 ms.
 */
import { createLab } from "../lab/lab.ts";
import { APPLICATION } from "../lab/mariadb.ts";
import { mhaUnavailable } from "../lab/mha-peer.ts";
import { MHA_TOPOLOGY, MhaScene } from "../lab/mha-scene.ts";
import { sleep, until } from "../lab/processes.ts";
import { SqlConnection } from "../lab/sql-client.ts";
import type { BenchCase, CaseOptions } from "./cases.ts";
import type { Measurements } from "./report.ts";

const CONTESTANTS = ["holdfast", "mha"] as const;
type Contestant = (typeof CONTESTANTS)[number];

interface Setting {
  readonly name: string;
  /** Lines of [server default]. */
  readonly lines: readonly string[];
  /** MiB that the replicas have received and not executed; behind 100,000,000 bytes nobody may become master. */
  readonly backlog: number;
  readonly runs: number;
}

const SETTINGS: readonly Setting[] = [
  { name: "kill-master", lines: [], backlog: 0, runs: 5 },
  { name: "kill-master-ping1", lines: ["ping_interval=1"], backlog: 0, runs: 5 },
  { name: "kill-master-ping3", lines: ["ping_interval=3"], backlog: 0, runs: 5 },
  { name: "relay-100mb", lines: ["ping_interval=1"], backlog: 95, runs: 3 },
];

export const MHA_CASES: readonly BenchCase[] = SETTINGS.map((setting) => ({
  name: setting.name,
  rows: [setting.name, `${setting.name}-repointed`],
  runs: setting.runs,
  measure: (_labs, options) => measure(setting, options),
}));

interface Outcome {
  /** Milliseconds to the first commit elsewhere, and to the end of the manager's work. */
  readonly commit: number;
  readonly whole: number;
}

async function measure(setting: Setting, { runs, progress }: CaseOptions): Promise<readonly Measurements[]> {
  const outcomes: Record<Contestant, Outcome[]> = { holdfast: [], mha: [] };
  const missing = mhaUnavailable();
  if (missing !== null) progress(`without the peer: ${missing}`);
  for (let run = 0; run < runs; run++) {
    for (const name of CONTESTANTS) {
      if (name === "mha" && missing !== null) continue;
      const outcome = await measureOnce(setting, name);
      outcomes[name].push(outcome);
      progress(
        `${setting.name} run ${run + 1} ${name}: ${outcome.commit.toFixed(0)} ms, all done after ${outcome.whole.toFixed(0)} ms`,
      );
    }
  }
  const values = (name: Contestant, what: keyof Outcome): readonly number[] => outcomes[name].map((one) => one[what]);
  const row = (suffix: string, what: keyof Outcome, note: string): Measurements => ({
    case: `${setting.name}${suffix}`,
    unit: "ms",
    holdfast: values("holdfast", what),
    peer: values("mha", what),
    note,
  });
  return [
    row(
      "",
      "commit",
      "kill -9 of the master to the first commit on another server; by file and position, ssh to all hosts",
    ),
    row("-repointed", "whole", "until every replica follows and the manager has ended"),
  ];
}

async function measureOnce(setting: Setting, name: Contestant): Promise<Outcome> {
  const lab = await createLab(MHA_TOPOLOGY);
  // MHA's parser of versions and its classic mode; the same servers for both.
  const scene = new MhaScene(lab, { mode: "position", count: 4, settings: ["relay_log_purge = 0"] });
  try {
    await scene.start();
    if (name === "mha") scene.withPeer();
    await scene.startSsh();
    scene.writeConf({ defaults: setting.lines });
    await fill(scene, setting.backlog);
    const manager = await scene.watches(
      name === "mha" ? scene.peer("masterha_manager") : scene.spawn("masterha_manager"),
    );
    // At any phase of the interval.
    await sleep(1_000 + Math.random() * 3_000);
    const [db1, ...others] = scene.four;
    const killedAt = performance.now();
    await db1.kill();
    const commit =
      (await firstCommit(others.map(({ host, socketPath }) => ({ host: host.address, socketPath })))) - killedAt;
    const code = await manager.exited;
    if (code !== 0) throw new Error(`${name} ended with ${code}:\n${scene.log.slice(-3_000)}`);
    return { commit, whole: performance.now() - killedAt };
  } finally {
    await scene.end();
    await lab.destroy();
  }
}

/** Received by all replicas, executed by none. */
async function fill(scene: MhaScene, megabytes: number): Promise<void> {
  if (megabytes === 0) return;
  const [db1, ...others] = scene.four;
  await db1.query("CREATE TABLE shop.backlog (id INT PRIMARY KEY, body LONGBLOB) ENGINE=InnoDB");
  for (const replica of others) {
    await until(
      async () => replica.value("SELECT COUNT(*) FROM shop.backlog").catch(() => undefined),
      "it has the table",
      10_000,
    );
    await replica.query("STOP SLAVE SQL_THREAD");
  }
  for (let id = 0; id < megabytes; id++)
    await db1.query(`INSERT INTO shop.backlog VALUES (${id}, REPEAT('x', 1048576))`);
  const [at] = await db1.query("SHOW MASTER STATUS");
  for (const replica of others) {
    await until(
      async () => (await replica.replica()).Read_Master_Log_Pos === at?.Position || undefined,
      "it has received all",
      60_000,
    );
  }
}

const EVERY_MILLIS = 5;
const LIMIT_MILLIS = 180_000;

interface Place {
  readonly host: string;
  readonly socketPath: string;
}

/** The instant at which the first of them commits. */
async function firstCommit(places: readonly Place[]): Promise<number> {
  const until = performance.now() + LIMIT_MILLIS;
  let found: number | null = null;
  let id = 1_000_000_000;
  const attempt = async (place: Place, number: number): Promise<void> => {
    let connection: SqlConnection | null = null;
    try {
      connection = await SqlConnection.open({ ...place, ...APPLICATION }, 1_000);
      await connection.query(`INSERT INTO shop.orders (id, server) VALUES (${number}, @@server_id)`, 1_000);
      found ??= performance.now();
    } catch {
      // Closed for writes, until it is opened.
    } finally {
      connection?.close();
    }
  };
  while (found === null) {
    if (performance.now() > until) throw new Error("nobody has committed");
    await Promise.all(places.map((place) => attempt(place, id++)));
    if (found === null) await sleep(EVERY_MILLIS);
  }
  return found;
}
