/**
 * The demonstration: a client writes through the virtual address while three faults happen to the writer's host. With hooks that prepare the
 * databases (`script/demo`), or with the daemon itself (`holdfast lab demo mysql`), which then also moves the writer by command.
 * It tells what it does in plain words, prints a timeline per fault, and judges at the end: every acknowledged write
 * must be on both servers, and no two hosts may ever have answered for the address.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wallClock } from "./clock.ts";
import type { DaemonKind } from "./daemon.ts";
import { type FaultReport, heading, type Summary, say, showFault, showSummary } from "./demo-report.ts";
import { createLab, type Lab, VIP } from "./lab.ts";
import { APPLICATION, converged } from "./mariadb.ts";
import { AddressObserver } from "./observer.ts";
import { DatabasePair, type PairNode } from "./pair.ts";
import { HOLDFAST_PROGRAM, PROJECT_ROOT } from "./paths.ts";
import { type RunningProgram, sleep, until } from "./processes.ts";
import type { WriteRecord } from "./writer.ts";

interface Scene {
  readonly lab: Lab;
  readonly pair: DatabasePair;
  readonly observer: AddressObserver;
  readonly writes: WriteRecord[];
  readonly writer: RunningProgram;
}

interface Fault {
  readonly title: string;
  readonly story: string;
  strike(scene: Scene, node: PairNode): Promise<void>;
  repair(scene: Scene, node: PairNode): Promise<void>;
}

const TAKEOVER_LIMIT_MS = 20_000;
const QUIET_MS = 1_500;
const WHOLE_LIMIT_MS = 150_000;

const KILLED_DATABASE: Fault = {
  title: "the writer's database is killed",
  story: "kill -9 on mariadbd; the host and the daemon stay alive",
  strike: (_, node) => node.server.kill(),
  repair: (_, node) => restartDatabase(node),
};

const CUT_LINK = {
  title: "the writer's network link is cut",
  story: "its cable is pulled at the switch; everything on the host goes on running",
  strike: (scene: Scene, node: PairNode) => scene.lab.cutLink(node.host.name),
};

async function plugIn(scene: Scene, node: PairNode): Promise<void> {
  await sleep(1_000);
  say(`plugging ${node.host.name}'s cable in again`);
  await scene.lab.restoreLink(node.host.name);
}

const KILLED_DAEMON: Fault = {
  title: "the daemon on the writer is killed",
  story: "kill -9 on both of its processes at once, so nobody is left to tidy up; the database goes on running",
  strike: async (_, node) => await node.daemon?.killBoth(),
  repair: async (scene, node) => {
    say(`starting the daemon on ${node.host.name} again`);
    scene.pair.startDaemon(node);
  },
};

/** Where hooks open and close the databases. */
const WITH_HOOKS: readonly Fault[] = [
  KILLED_DATABASE,
  {
    ...CUT_LINK,
    repair: async (scene, node) => {
      await plugIn(scene, node);
      await restartDatabase(node);
    },
  },
  KILLED_DAEMON,
];

/** Where the daemon does (`manage_mysql`). */
const MANAGED: readonly Fault[] = [
  KILLED_DATABASE,
  {
    ...CUT_LINK,
    repair: async (scene, node) => {
      await plugIn(scene, node);
      // What was written there and acknowledged by nobody would keep it in quarantine: nobody else has it.
      say(`restarting mariadbd on ${node.host.name}, which rolls back what nobody has acknowledged (init_rpl_role)`);
      if (node.server.program?.running === true) await node.server.kill();
      await node.server.start();
    },
  },
  {
    title: "an operator moves the writer",
    story: "holdfast switchover orders",
    strike: async (_, node) => {
      const pidFile = node.daemon?.pidFile ?? "";
      const moved = await node.host.execOrThrow([
        process.execPath,
        HOLDFAST_PROGRAM,
        "switchover",
        "orders",
        "-p",
        pidFile,
      ]);
      for (const line of moved.trimEnd().split("\n")) say(line);
    },
    repair: async () => undefined,
  },
  KILLED_DAEMON,
];

/** Starts the server when it does not run; a server that cannot get its commits acknowledged may have ended itself. */
async function restartDatabase(node: PairNode): Promise<void> {
  await Promise.race([node.server.program?.exited, sleep(300)]);
  if (node.server.program?.running === true) return;
  say(`starting mariadbd on ${node.host.name} again, read-only`);
  await node.server.start();
}

async function strike(scene: Scene, fault: Fault, number: number): Promise<FaultReport> {
  const victim = await scene.pair.holder();
  const survivor = scene.pair.other(victim);
  heading(`Fault ${number}: ${fault.title} (${victim.host.name})`);
  say(fault.story);
  const at = wallClock();
  await fault.strike(scene, victim);
  const isFirst = (write: WriteRecord) => write.ok && write.start >= at && write.server === survivor.server.serverId;
  const first = await until(() => scene.writes.find(isFirst), `a write on ${survivor.host.name}`, TAKEOVER_LIMIT_MS);
  const lastBefore = scene.writes.findLast((write) => write.ok && write.server === victim.server.serverId);
  const report = {
    from: victim.host.name,
    to: survivor.host.name,
    detected: detected([victim, survivor], at),
    released: relative(scene.observer.first(victim.host.name, "removed", at), at),
    claimed: relative(scene.observer.first(survivor.host.name, "added", at), at),
    firstWrite: first.end - at,
    outage: first.end - (lastBefore?.end ?? at),
  };
  showFault(report);
  await fault.repair(scene, victim);
  await scene.pair.caughtUp(survivor);
  say(`${victim.host.name} is back as standby and has caught up`);
  await sleep(QUIET_MS);
  return report;
}

const relative = (moment: number | null, start: number): number | null => (moment === null ? null : moment - start);

/** When a daemon first said that something is wrong or that it takes over. */
function detected(nodes: readonly PairNode[], since: number): number | null {
  const sign =
    /now returning \d|failed|FAULT|MASTER STATE|master-down|CLAIMING|claiming|PREPARING|timed? ?out|Netlink reports .* down/;
  const moments = nodes.flatMap((node) =>
    (node.daemon?.program.lines ?? [])
      .map((line) => ({ at: performance.timeOrigin + line.at, text: line.text }))
      .filter((line) => line.at >= since && sign.test(line.text))
      .map((line) => line.at - since),
  );
  return moments.length === 0 ? null : Math.min(...moments);
}

export interface DemoPlan {
  readonly kind: DaemonKind;
  /** The daemon manages the databases itself; Holdfast only. */
  readonly managed: boolean;
}

async function setUp(lab: Lab, { kind, managed }: DemoPlan): Promise<Scene> {
  heading("Setting up");
  say("two database hosts, a client and a gateway, in private network namespaces on this machine");
  const pair = new DatabasePair(lab, [kind, kind], { managed });
  say("starting two MariaDB servers that replicate from each other (semi-synchronous, GTID), both read-only");
  await pair.startDatabases();
  say(`starting ${kind} on both hosts; the one that claims ${VIP} first prepares its database, then takes the address`);
  for (const node of pair.nodes) pair.startDaemon(node);
  const holder = await pair.holder(20_000);
  say(`${holder.host.name} holds ${VIP}`);
  await pair.caughtUp(holder);
  const observer = await AddressObserver.start(
    lab,
    pair.nodes.map((node) => node.host),
  );
  const program = join(PROJECT_ROOT, "dist/lab/writer.js");
  const writer = lab.host("client").spawn([process.execPath, program, VIP, APPLICATION.user, APPLICATION.password]);
  const writes: WriteRecord[] = [];
  writer.onLine((line) => {
    if (line.text.startsWith("{")) writes.push(JSON.parse(line.text) as WriteRecord);
  });
  say(`the client writes one row to ${VIP} every 20 ms, over a new connection each, and gives up after 250 ms`);
  await until(() => writes.some((write) => write.ok) || undefined, "a first write through the address", 10_000);
  await sleep(QUIET_MS);
  return { lab, pair, observer, writes, writer };
}

async function judge(scene: Scene, faults: readonly FaultReport[]): Promise<Summary> {
  scene.writer.endInput();
  await scene.writer.exited;
  await sleep(100);
  await scene.observer.stop();
  const servers = [scene.pair.nodes[0].server, scene.pair.nodes[1].server] as const;
  await converged(servers);
  const rows = await Promise.all(
    servers.map(
      async (server) => new Set((await server.query("SELECT id FROM shop.orders")).map((row) => Number(row.id))),
    ),
  );
  const acknowledged = scene.writes.filter((write) => write.ok).map((write) => write.id);
  return {
    faults,
    attempted: scene.writes.length,
    acknowledged: acknowledged.length,
    servers: servers.map((server, index) => ({
      host: server.host.name,
      rows: rows[index]?.size ?? 0,
      missing: acknowledged.filter((id) => rows[index]?.has(id) !== true),
    })),
    probes: scene.observer.probes.length,
    answered: scene.observer.probes.filter((probe) => probe.macs.length > 0).length,
    answeredTwice: scene.observer.answeredTwice.length,
  };
}

export async function runDemo(plan: DemoPlan): Promise<number> {
  const started = wallClock();
  const directory = mkdtempSync(join(tmpdir(), "holdfast-lab-"));
  let lab: Lab | null = null;
  // Without a lab yet, its sandbox ends with this process.
  const leave = async (code: number) => {
    await lab?.destroy();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    process.exit(code);
  };
  process.once("SIGINT", () => void leave(130)).once("SIGTERM", () => void leave(143));
  let scene: Scene | null = null;
  const limit = setTimeout(() => {
    say(`FAILED: not finished after ${WHOLE_LIMIT_MS / 1_000} s`);
    void leave(1);
  }, WHOLE_LIMIT_MS);
  try {
    lab = await createLab(undefined, { directory });
    scene = await setUp(lab, plan);
    const reports: FaultReport[] = [];
    for (const [index, fault] of (plan.managed ? MANAGED : WITH_HOOKS).entries())
      reports.push(await strike(scene, fault, index + 1));
    heading("Result");
    const good = showSummary(await judge(scene, reports));
    say(`took ${((wallClock() - started) / 1_000).toFixed(0)} s`);
    return good ? 0 : 1;
  } catch (error) {
    heading("The demonstration failed");
    say(error instanceof Error ? error.message : String(error));
    for (const node of scene?.pair.nodes ?? []) {
      const lines = node.daemon?.program.lines.slice(-15).map((line) => `    ${line.text}`) ?? [];
      say(`last lines of the daemon on ${node.host.name}:\n${lines.join("\n")}`);
    }
    return 1;
  } finally {
    clearTimeout(limit);
    await lab?.destroy();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
