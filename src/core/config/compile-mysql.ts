/**
 * `mysql NAME { }`: one database server and how its check counts. A credentials file that must not be used is an error here, and the
 * block stays: its check fails until the file is mended, because without the check the address would go to a server nobody looks at.
 */

import type { Counts, Policy } from "../database/config.ts";
import type { Micros } from "../lib/units.ts";
import { seconds } from "../lib/units.ts";
import type { MysqlAddress, MysqlGroup, MysqlRules, ServerCommand } from "../mysql/config.ts";
import {
  checkCredentials,
  type DatabaseBlock,
  readKnownAs,
  readPlace,
  readPlaces,
  readTls,
} from "./database-settings.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { MysqlBlockConfig } from "./model.ts";
import { noteFlaws } from "./own-safety.ts";
import { readSettings, type Settings } from "./settings.ts";
import type { KeySource } from "./source.ts";
import type { Node } from "./tree.ts";

const PORT = 3_306;

export function compileMysql(node: Node, source: KeySource, told: DiagnosticSink): MysqlBlockConfig | null {
  const name = node.args[0]?.text;
  if (name === undefined) {
    const message = "`mysql` lacks its name and is left out";
    told.report("missing-argument", node.span, message, "write mysql NAME { ... }");
    return null;
  }
  const diagnostics = noteFlaws(told);
  const settings = readSettings(node.block ?? [], "mysql", diagnostics);
  const block: DatabaseBlock = { product: "mysql", name, port: PORT, settings, diagnostics };
  const duration = (keyword: string): Micros => settings.duration(keyword) ?? seconds(1);
  checkCredentials(block, "credentials", source);
  const address = readAddress(block);
  return {
    name,
    address,
    credentials: settings.text("credentials"),
    tls: readTls(block, node, address),
    interval: duration("interval"),
    connectTimeout: duration("connect_timeout"),
    timeout: duration("timeout"),
    rise: settings.number("rise") ?? 1,
    fall: settings.number("fall") ?? 2,
    rules: readRules(settings),
    group: readGroup(block),
    flawed: diagnostics.flawed,
    span: node.span,
  };
}

const DEADLINE = seconds(10);

function readGroup(block: DatabaseBlock): MysqlGroup {
  const { settings } = block;
  const places = (keyword: "peer" | "replica"): MysqlAddress[] =>
    readPlaces(block, keyword).map((place) => ({ socket: null, ...place, reservedPort: null }));
  const command = (keyword: string): ServerCommand | null => {
    const found = settings.command(keyword);
    return found === null ? null : { argv: found.argv, text: found.text };
  };
  return {
    peers: places("peer"),
    replicas: places("replica"),
    knownAs: readKnownAs(block),
    policy: (settings.text("policy") as Policy | null) ?? "balanced",
    takeoverDeadline: settings.duration("takeover_deadline") ?? DEADLINE,
    recordPosition: settings.text("record_position"),
    replication: (settings.text("replication") as MysqlGroup["replication"] | null) ?? "auto",
    ring: settings.text("ring") !== "no",
    replicationCredentials: settings.text("replication_credentials"),
    eventsFollow: settings.text("event_scheduler") === "follow",
    mysqlbinlog: settings.text("mysqlbinlog"),
    reseed: { stop: command("stop_server"), start: command("start_server"), copy: command("copy_from") },
  };
}

function readAddress(block: DatabaseBlock): MysqlAddress {
  const { settings } = block;
  return {
    socket: settings.text("socket"),
    ...readPlace(block, settings.node("server"), "server"),
    reservedPort: settings.number("reserved_port"),
  };
}

function readRules(settings: Settings): MysqlRules {
  const choice = <T extends Counts>(keyword: string, fallback: T): T => (settings.text(keyword) ?? fallback) as T;
  return {
    readOnly: choice<"fail" | "ignore">("on_read_only", "ignore"),
    maxConnections: choice<"fail" | "ignore">("on_max_connections", "ignore"),
    brokenReplication: choice<Counts>("on_broken_replication", "standby"),
    lag: choice<Counts>("on_lag", "standby"),
    maxLag: settings.number("max_lag") ?? 30,
    minDiskFree: settings.number("min_disk_free") ?? 1,
  };
}
