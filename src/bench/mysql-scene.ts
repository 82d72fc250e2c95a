/** A pair of databases with one contestant around it, and a client that tries to write every 5 ms. */
import { join } from "node:path";
import type { Lab } from "../lab/lab.ts";
import { VIP } from "../lab/lab.ts";
import { APPLICATION } from "../lab/mariadb.ts";
import { DatabasePair, type PairNode } from "../lab/pair.ts";
import { PROJECT_ROOT } from "../lab/paths.ts";
import { type RunningProgram, until } from "../lab/processes.ts";
import type { WriteRecord } from "../lab/writer.ts";
import type { Labs } from "./cases.ts";
import type { DaemonName } from "./daemons.ts";

const WRITE_EVERY_MILLIS = 5;

export class Scene {
  readonly pair: DatabasePair;
  readonly writes: WriteRecord[] = [];
  #writer: RunningProgram | null = null;

  private constructor(pair: DatabasePair) {
    this.pair = pair;
  }

  static async start(lab: Lab, name: DaemonName): Promise<Scene> {
    const pair = new DatabasePair(lab, [name, name], { managed: name === "holdfast" });
    await pair.startDatabases();
    for (const node of pair.nodes) pair.startDaemon(node);
    const scene = new Scene(pair);
    await pair.caughtUp(await pair.holder(20_000));
    return scene;
  }

  write(): void {
    const program = join(PROJECT_ROOT, "dist/lab/writer.js");
    const who = [VIP, APPLICATION.user, APPLICATION.password, String(WRITE_EVERY_MILLIS)];
    this.#writer = this.pair.lab.host("client").spawn([process.execPath, program, ...who]);
    this.#writer.onLine((line) => {
      if (line.text.startsWith("{")) this.writes.push(JSON.parse(line.text) as WriteRecord);
    });
  }

  async firstWriteBy(node: PairNode, since: number): Promise<number> {
    const committed = () =>
      this.writes.find(({ ok, server, end }) => ok && server === node.server.serverId && end > since)?.end;
    return await until(async () => committed(), `${node.host.name} commits`, 30_000);
  }

  async stopWriting(): Promise<void> {
    this.#writer?.endInput();
    await this.#writer?.exited;
    this.#writer = null;
  }

  async end(): Promise<void> {
    await this.stopWriting();
    await Promise.all(this.pair.nodes.map((node) => node.daemon?.stop()));
    for (const { server } of this.pair.nodes) if (server.program?.running === true) await server.kill();
  }
}

export async function withScenes<T>(
  labs: Labs,
  body: (scenes: Readonly<Record<DaemonName, Scene>>) => Promise<T>,
): Promise<T> {
  const started: Scene[] = [];
  const start = async (name: DaemonName): Promise<Scene> => {
    const scene = await Scene.start(labs[name], name);
    started.push(scene);
    return scene;
  };
  try {
    return await body({ holdfast: await start("holdfast"), keepalived: await start("keepalived") });
  } finally {
    for (const scene of started) await scene.end();
  }
}

/** Acknowledged rows that the survivor lacks, once everybody has come to rest; the table is empty afterwards. */
export async function missingOn(scene: Scene, survivor: PairNode, last: number): Promise<number> {
  const acknowledged = scene.writes.filter(({ ok, end }) => ok && end <= last).map(({ id }) => id);
  const rows = await survivor.server.query("SELECT id FROM shop.orders");
  const held = new Set(rows.map((one) => Number(one.id)));
  await survivor.server.query("TRUNCATE shop.orders");
  scene.writes.length = 0;
  return acknowledged.filter((id) => !held.has(id)).length;
}
