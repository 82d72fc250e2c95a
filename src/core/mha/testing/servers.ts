/** Servers of an MHA application for tests: one line says what is special about each. */
import { type MhaServer, parseMhaConfig } from "../config.ts";
import type { MhaFacts, ReplicationFacts } from "../facts.ts";
import type { Alive } from "../topology.ts";

export interface Change {
  readonly received?: number;
  readonly executed?: number;
  readonly candidate?: boolean;
  readonly noMaster?: boolean;
  readonly ignoreFail?: boolean;
  readonly multiTier?: boolean;
  readonly logBin?: boolean;
  readonly readOnly?: boolean;
  readonly minor?: number;
  readonly byGtid?: boolean;
  readonly filters?: readonly string[];
  readonly sqlError?: string;
  /** Oracle's, with GTIDs on. */
  readonly mysql?: boolean;
  readonly useGtidAutoPos?: boolean;
  /** Name of the server that it follows; null: it is no replica. */
  readonly master?: string | null;
}

export const MASTER = "db1";

export function server(hostname: string, change: Change = {}): MhaServer {
  const lines = [
    `[server${hostname}]`,
    `hostname=${hostname}`,
    `ip=${hostname}`,
    `candidate_master=${change.candidate === true ? 1 : 0}`,
    `no_master=${change.noMaster === true ? 1 : 0}`,
    `ignore_fail=${change.ignoreFail === true ? 1 : 0}`,
    `use_gtid_auto_pos=${change.useGtidAutoPos === false ? 0 : 1}`,
    `multi_tier_slave=${change.multiTier === true ? 1 : 0}`,
  ];
  const read = parseMhaConfig({ path: "app.cnf", text: lines.join("\n") }, null);
  const made = read.ok ? read.value.servers[0] : undefined;
  if (made === undefined) throw new Error("the test's own configuration");
  return made;
}

function replicationOf(change: Change): ReplicationFacts {
  const received = change.received ?? 100;
  return {
    channel: "",
    masterHost: change.master ?? MASTER,
    masterPort: 3306,
    masterUser: "repl",
    io: "running",
    sql: change.sqlError === undefined ? "running" : "stopped",
    lag: 0,
    received: { file: "bin.000001", offset: received },
    executed: { file: "bin.000001", offset: change.executed ?? received },
    relayFile: "relay.000001",
    byGtid: change.byGtid ?? true,
    retrieved: "",
    applied: "",
    idle: true,
    ioError: null,
    sqlError: change.sqlError ?? null,
    filters: change.filters ?? [],
    heartbeats: 1,
  };
}

export function replica(hostname: string, change: Change = {}): Alive {
  const minor = change.minor ?? 11;
  const facts: MhaFacts = {
    version: { product: change.mysql === true ? "mysql" : "mariadb", major: 10, minor, patch: 1 },
    versionText: `10.${minor}.1-MariaDB`,
    serverId: hostname,
    logBin: change.logBin ?? true,
    logUpdates: true,
    readOnly: change.readOnly ?? true,
    relayPurge: true,
    dataDirectory: "/data",
    gtid: true,
    position: "0-1-1",
    end: { file: "bin.000001", offset: 100 },
    binlogFilters: [],
    replication: change.master === null ? null : replicationOf(change),
    channels: change.master === null ? 0 : 1,
  };
  return {
    server: server(hostname, change),
    facts,
    masterIp: change.master === null ? null : (change.master ?? MASTER),
  };
}
