/** Tracked Redis and Valkey servers for `status` and `explain`. */
import type { RedisFacts } from "../core/redis/info.ts";
import { isParked } from "../core/redis/verdict.ts";
import type { RedisStatus } from "../engine/redis-engine.ts";
import type { ExplainLine, RedisView } from "./contract/types.ts";
import { databaseLines, databaseView, type ViewContext } from "./database-view.ts";
import type { ExplainInput } from "./explain-input.ts";

export const redisView = (status: RedisStatus, context: ViewContext): RedisView => ({
  ...databaseView("redis", status, status.facts?.version ?? null, context),
  replication: status.facts === null ? null : replicationOf(status.facts),
});

function replicationOf({ source, history, replicas, keys }: RedisFacts): NonNullable<RedisView["replication"]> {
  return {
    role: source === null ? "master" : "replica",
    source: source === null ? null : source.address,
    linkUp: source === null ? null : source.up,
    id: history.id,
    offset: history.offset,
    keys,
    replicas: replicas.map(({ address, online, offset, lag }) => ({ address, online, offset, lagSeconds: lag })),
  };
}

/** Null when the daemon has no account of it. */
export function redisLines(input: ExplainInput, name: string): ExplainLine[] | null {
  const view = input.status.redis.find((one) => one.name === name);
  if (view === undefined || view.trouble === null) return null;
  return databaseLines("redis", view, input, view.replication === null ? [] : [replicationText(view.replication)]);
}

/** For `status` as well: "replica of 192.0.2.2:6379 (link up), 20 keys, offset 1234". */
export function replicationText(replication: NonNullable<RedisView["replication"]>): string {
  const { role, source, linkUp, offset, keys, replicas } = replication;
  const what =
    role === "master"
      ? `master of ${replicas.length === 0 ? "nobody" : replicas.map(({ address }) => address).join(", ")}`
      : isParked(source ?? "")
        ? "closed: it follows nobody that exists"
        : `replica of ${source} (link ${linkUp === true ? "up" : "down"})`;
  return `${what}; ${keys} keys, offset ${offset}`;
}
