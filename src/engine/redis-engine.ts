/** The checks of all `redis` blocks of a configuration. Blocks that nobody tracks are not looked at. */
import type { HoldfastConfig } from "../core/config/model.ts";
import type { RedisConfig } from "../core/redis/config.ts";
import type { RedisFacts } from "../core/redis/info.ts";
import {
  createDatabaseEngine,
  type DatabaseEngine,
  type DatabaseEngineOptions,
  type DatabaseStatus,
} from "./database-engine.ts";
import { type RedisWatchHost, WatchedRedis } from "./redis-watch.ts";

export interface RedisEngineOptions extends DatabaseEngineOptions<RedisFacts>, RedisWatchHost {}

export interface RedisStatus extends DatabaseStatus {
  /** As last seen; null while it cannot be asked. */
  readonly facts: RedisFacts | null;
}

export type RedisEngine = DatabaseEngine<RedisStatus>;

export const createRedisEngine = (options: RedisEngineOptions): RedisEngine =>
  createDatabaseEngine<RedisConfig, RedisFacts, RedisStatus>(
    {
      kind: "redis",
      wanted: wantedServers,
      connect: (config, onLost) => new WatchedRedis(options, config, onLost),
      status: (common, facts) => ({ ...common, facts }),
    },
    options,
  );

function wantedServers({ instances, redis }: HoldfastConfig): ReadonlyMap<string, RedisConfig> {
  const used = new Set(instances.flatMap(({ vrrp }) => vrrp.trackRedis.map(({ key }) => key)));
  return new Map(
    redis
      .filter(({ name }) => used.has(name))
      .map(({ span: _place, flawed: _flawed, ...server }) => [server.name, server]),
  );
}
