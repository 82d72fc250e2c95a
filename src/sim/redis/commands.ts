/** What the model answers to the commands that the daemon sends: INFO field by field as Redis 7 writes it (docs/redis.md). */
import type { Command, Reply } from "../../core/redis/reply.ts";
import { nodeAddress } from "../configs.ts";
import { NO_ID } from "./data.ts";
import type { Link } from "./link.ts";
import type { RedisConnection, RedisModel } from "./server.ts";

const OK: Reply = { kind: "text", text: "OK" };
const text = (value: string): Reply => ({ kind: "text", text: value });
const list = (...values: readonly string[]): Reply => ({ kind: "list", items: values.map(text) });
const number = (value: number): Reply => ({ kind: "number", value });

export const DUMP_DIRECTORY = "/var/lib/redis";
export const DUMP_FILE = "dump.rdb";

export function answer(server: RedisModel, connection: RedisConnection, command: Command): Reply {
  const [verb = "", first = "", second = ""] = command;
  if (server.loading && verb !== "INFO" && verb !== "SUBSCRIBE") {
    return { kind: "error", error: { code: "LOADING", text: "Redis is loading the dataset in memory" } };
  }
  switch (verb) {
    case "INFO":
      return text(info(server));
    case "CONFIG":
      return config(server, command);
    case "PUBSUB":
      return first === "CHANNELS" ? list(...server.channels) : list(second, "0");
    case "SUBSCRIBE":
      connection.channel = first;
      return OK;
    case "REPLICAOF":
      server.replicaOf(first === "NO" ? null : `${first}:${second}`);
      return OK;
    case "CLIENT":
      return client(server, command);
    case "BGSAVE":
      server.save();
      return text("Background saving started");
    default:
      return { kind: "error", error: { code: "ERR", text: `unknown command '${verb}'` } };
  }
}

function config(server: RedisModel, [, verb = "", name = "", value = ""]: Command): Reply {
  if (verb === "SET") {
    if (name === "min-replicas-to-write") server.minReplicas = Number(value);
    if (name === "min-replicas-to-write" && value === "0" && server.isOpen) server.onLowered();
    if (name === "min-replicas-max-lag") server.minMaxLag = Number(value);
    return OK;
  }
  const values: Readonly<Record<string, string>> = {
    "min-replicas-to-write": String(server.minReplicas),
    dir: DUMP_DIRECTORY,
    dbfilename: DUMP_FILE,
    save: server.persistence === "rdb" ? "60 1" : "",
  };
  const found = values[name];
  return found === undefined ? list() : list(name, found);
}

function client(server: RedisModel, [, verb = "", what = ""]: Command): Reply {
  switch (verb) {
    case "KILL":
      return number(server.killClients());
    case "PAUSE":
      server.pause(Number(what) * 1_000);
      return OK;
    default:
      server.unpause();
      return OK;
  }
}

const flag = (on: boolean): string => (on ? "1" : "0");
const seconds = (server: RedisModel, since: number): string => String(Math.floor((server.now() - since) / 1_000_000));

function info(server: RedisModel): string {
  const { data, link, replicas } = server;
  const online = [...replicas].filter(([, { position }]) => position !== null);
  const attached = online.map(
    ([replica, { position, heardAt }], at) =>
      `slave${at}:ip=${nodeAddress(replica.ownNode)},port=6379,state=online,offset=${position},lag=${seconds(server, heardAt)}`,
  );
  return [
    "redis_version:7.0.15",
    `run_id:${server.runId}`,
    ...(server.loading ? ["loading:1", "loading_loaded_perc:50", "loading_eta_seconds:1"] : ["loading:0"]),
    ...(link === null ? ["role:master"] : linkLines(server, link)),
    `connected_slaves:${online.length}`,
    ...(server.minReplicas > 0 ? [`min_slaves_good_slaves:${server.good}`] : []),
    ...attached,
    `master_replid:${data.id}`,
    `master_replid2:${data.formerId}`,
    `master_repl_offset:${data.offset}`,
    `second_repl_offset:${data.formerId === NO_ID ? -1 : data.formerEnd}`,
    `repl_backlog_active:${flag(data.counted)}`,
    `rdb_bgsave_in_progress:${flag(server.saving)}`,
    "rdb_last_bgsave_status:ok",
    `aof_enabled:${flag(server.persistence === "aof")}`,
    "aof_last_write_status:ok",
    "cluster_enabled:0",
    ...(data.size > 0 ? [`db0:keys=${data.size},expires=0,avg_ttl=0`] : []),
  ].join("\r\n");
}

function linkLines(server: RedisModel, link: Link): string[] {
  const at = link.address.lastIndexOf(":");
  return [
    "role:slave",
    `master_host:${link.address.slice(0, at)}`,
    `master_port:${link.address.slice(at + 1)}`,
    `master_link_status:${link.state === "up" ? "up" : "down"}`,
    `master_last_io_seconds_ago:${link.state === "up" ? seconds(server, link.lastHeard) : -1}`,
    `master_sync_in_progress:${flag(link.state === "syncing")}`,
    ...(link.state === "up"
      ? []
      : [`master_link_down_since_seconds:${link.downSince === null ? -1 : seconds(server, link.downSince)}`]),
    "slave_read_only:1",
  ];
}
