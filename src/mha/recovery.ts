/**
 * How replicas come to have the same data and the same source: the new master catches up from whoever has received most, the others are
 * pointed at it. The differences that only files hold are differences.ts's. Used by failover and by switch.
 */
import { hostInfo, type MhaServer } from "../core/mha/config.ts";
import { gtidWaitStatement, pointInWords } from "../core/mha/orders.ts";
import type { Alive, Mode } from "../core/mha/topology.ts";
import type { Coordinates } from "../core/mysql/coordinates.ts";
import type { Cluster } from "./cluster.ts";
import type { Database } from "./database.ts";
import { MhaError, wordsOf } from "./environment.ts";
import type { MhaLog } from "./log.ts";

export interface RecoveryContext {
  readonly cluster: Cluster;
  readonly log: MhaLog;
  readonly mode: Mode;
}

/** In the way that the replica names its source today: by address or by name. */
function hostFor(follower: Alive, target: MhaServer): string {
  const used = follower.facts.replication?.masterHost ?? "";
  return used === "" || /^[\d.]+$|:/.test(used) ? (target.ip ?? target.hostname) : target.hostname;
}

export async function stopReceiving({ cluster, log }: RecoveryContext, slaves: readonly Alive[]): Promise<void> {
  await Promise.all(
    slaves.map(async (one) => {
      try {
        const channel = one.facts.replication?.channel ?? "";
        // What is received must be executed before anything else happens: a stopped thread would hold it back for ever.
        if (one.facts.replication?.sql === "stopped") await cluster.of(one).thread("START", channel, "SQL_THREAD");
        await cluster.of(one).thread("STOP", channel, "IO_THREAD");
      } catch (error) {
        if (!one.server.ignoreFail) throw error;
        log.warning(`${wordsOf(error)}; ignore_fail is set`);
      }
    }),
  );
}

/** How often a wait for GTIDs is asked again before the threads are looked at; seconds. */
const WAIT_SECONDS = 2;

/** Until the replica has executed those GTIDs, as long as both its threads work. */
export async function waitForGtids(
  database: Database,
  gtids: string,
  channelThreads: { readonly needsIo: boolean },
): Promise<void> {
  for (;;) {
    const statement = gtidWaitStatement(database.version, gtids, WAIT_SECONDS);
    const [row] = await database.order(statement, {
      what: "waiting for GTIDs",
      timeoutMillis: (WAIT_SECONDS + 10) * 1000,
    });
    // MariaDB and MySQL: 0 is done, -1 and 1 are too late.
    if (row?.result === "0") return;
    const { sql, io, sqlError, ioError } = await database.replication();
    if (sql === "stopped")
      throw new MhaError(`${database.name} does not get on: ${sqlError ?? "its SQL thread is stopped"}`);
    if (channelThreads.needsIo && io === "stopped") {
      throw new MhaError(`${database.name} does not get on: ${ioError ?? "its I/O thread is stopped"}`);
    }
  }
}

/** GTIDs of a server that has executed all it has received. */
export async function executedBy(database: Database): Promise<string> {
  const facts = await database.facts();
  if (!facts.ok) throw new MhaError(`${database.name} does not say what it has executed`);
  return facts.value.position;
}

/** Brings what the freshest has to the one that becomes master. Both have executed what they have received. */
export async function catchUpByGtid(context: RecoveryContext, target: Alive, freshest: Alive): Promise<void> {
  const { cluster, log } = context;
  const [to, from] = [cluster.of(target), cluster.of(freshest)];
  if (!freshest.facts.logBin || !freshest.facts.logUpdates) {
    throw new MhaError(
      `${from.name} has received more than ${to.name}, but does not log it (log_bin and log_slave_updates), so that nobody can have it from there`,
    );
  }
  log.info(` ${to.name} catches up from ${from.name}, which has received most..`);
  const wanted = await executedBy(from);
  const user = cluster.replicationUser(freshest, [target]);
  await to.follow(target.facts.replication?.channel ?? "", {
    host: hostFor(target, freshest.server),
    port: freshest.server.port,
    user,
    password: freshest.server.replPassword,
    at: "gtid",
  });
  await waitForGtids(to, wanted, { needsIo: true });
  log.info("  done.");
}

export interface Target {
  readonly master: Alive;
  /** Its own log before it was opened. */
  readonly at: Coordinates;
  /** Its GTIDs then; "" where nobody goes by them. */
  readonly gtids: string;
}

/** Attaches one replica; what it had received is executed before. */
export async function pointAt(context: RecoveryContext, replica: Alive, { master, at }: Target): Promise<void> {
  const { cluster, log, mode } = context;
  const database = cluster.of(replica);
  const place = mode === "gtid" ? "gtid" : at;
  const host = hostFor(replica, master.server);
  log.info(` ${database.name} is to replicate ${pointInWords(host, master.server.port, place)}..`);
  await database.follow(replica.facts.replication?.channel ?? "", {
    host,
    port: master.server.port,
    user: cluster.replicationUser(master, [replica]),
    password: master.server.replPassword,
    at: place,
  });
}

/** How long a replica that was pointed elsewhere may take to connect; milliseconds. */
const CONNECTS_MILLIS = 10_000;

/** Both threads work; throws with what they say otherwise. */
export async function replicates(database: Database): Promise<void> {
  const until = performance.now() + CONNECTS_MILLIS;
  for (;;) {
    const { io, sql, ioError, sqlError } = await database.replication();
    if (io === "running" && sql === "running") return;
    const error = sqlError ?? (io === "stopped" ? ioError : null);
    if (error !== null || performance.now() > until) {
      throw new MhaError(`${database.name} does not replicate: ${error ?? ioError ?? "no connection yet"}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What an administrator needs to attach another server by hand. */
export function tellNewPosition({ log, mode }: RecoveryContext, { master, at }: Target): void {
  const { server } = master;
  log.info(
    ` Other replicas of ${hostInfo(server)} go on ${pointInWords(server.hostname, server.port, mode === "gtid" ? "gtid" : at)}.`,
  );
}
