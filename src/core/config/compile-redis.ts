/**
 * `redis NAME { }`: one Redis or Valkey server and how its check counts. As with mysql, a credentials file that must not be used is an error
 * here and the block stays, because without the check the address would go to a server nobody looks at.
 */
import type { Counts, Policy } from "../database/config.ts";
import type { Micros } from "../lib/units.ts";
import { seconds } from "../lib/units.ts";
import type { RedisGroup, RedisRules } from "../redis/config.ts";
import {
  checkCredentials,
  type DatabaseBlock,
  readKnownAs,
  readPlace,
  readPlaces,
  readTls,
} from "./database-settings.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { RedisBlockConfig } from "./model.ts";
import { noteFlaws } from "./own-safety.ts";
import { readSettings, type Settings } from "./settings.ts";
import type { KeySource } from "./source.ts";
import type { Node } from "./tree.ts";

const PORT = 6_379;

export function compileRedis(node: Node, source: KeySource, told: DiagnosticSink): RedisBlockConfig | null {
  const name = node.args[0]?.text;
  if (name === undefined) {
    const message = "`redis` lacks its name and is left out";
    told.report("missing-argument", node.span, message, "write redis NAME { ... }");
    return null;
  }
  const diagnostics = noteFlaws(told);
  const settings = readSettings(node.block ?? [], "redis", diagnostics);
  const block: DatabaseBlock = { product: "redis", name, port: PORT, settings, diagnostics };
  const duration = (keyword: string): Micros => settings.duration(keyword) ?? seconds(1);
  checkCredentials(block, "credentials", source);
  checkCredentials(block, "replication_credentials", source);
  const address = { socket: settings.text("socket"), ...readPlace(block, settings.node("server"), "server") };
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

function readGroup(block: DatabaseBlock): RedisGroup {
  const { settings } = block;
  const places = (keyword: "peer" | "replica") =>
    readPlaces(block, keyword).map((place) => ({ socket: null, ...place }));
  return {
    peers: places("peer"),
    replicas: places("replica"),
    knownAs: readKnownAs(block),
    policy: (settings.text("policy") as Policy | null) ?? "balanced",
    takeoverDeadline: settings.duration("takeover_deadline") ?? DEADLINE,
    minReplicasMaxLag: settings.number("min_replicas_max_lag") ?? 3,
    replicationCredentials: settings.text("replication_credentials"),
    onDivergence: settings.text("on_divergence") === "ask" ? "ask" : "save",
  };
}

function readRules(settings: Settings): RedisRules {
  const choice = <T extends Counts>(keyword: string, fallback: T): T => (settings.text(keyword) ?? fallback) as T;
  return {
    readOnly: choice<"fail" | "ignore">("on_read_only", "ignore"),
    memoryFull: choice<Counts>("on_memory_full", "ignore"),
    misconf: choice<Counts>("on_misconf", "fail"),
    unsynced: choice<Counts>("on_unsynced", "standby"),
    circle: choice<Counts>("on_circle", "fail"),
    noReplicas: choice<Counts>("on_too_few_replicas", "ignore"),
    lag: choice<Counts>("on_lag", "standby"),
    maxLag: settings.number("max_lag") ?? 30,
  };
}
