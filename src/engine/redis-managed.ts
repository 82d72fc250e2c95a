/** What the manager knows of one instance and its Redis server. */

import type { HoldfastConfig, InstanceConfig } from "../core/config/model.ts";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import type { Instant } from "../core/lib/units.ts";
import type { RedisConfig } from "../core/redis/config.ts";
import type { Peer } from "../core/redis/peer.ts";
import type { VrrpStateName } from "../core/vrrp/state.ts";
import type { FirstWriter } from "./first-writer.ts";
import type { MarkKeeper } from "./redis-mark.ts";

export type RedisStepEvent = Extract<HoldfastEventBody, { kind: "redis-step" }>;

/** A claim that runs or waits for its turn. */
export interface RedisRun {
  readonly gate: number;
  cancelled: boolean;
}

export interface ManagedRedis {
  readonly instance: string;
  config: RedisConfig;
  /** The addresses that move with the instance. */
  virtualHosts: readonly string[];
  /** Why a planned move would not last; null when it would. */
  staysHere: string | null;
  state: VrrpStateName;
  /** This daemon has promoted it and not closed it since. */
  open: boolean;
  openedAt: Instant | null;
  /** A planned move has closed it, and nothing has opened it since. */
  closed: boolean;
  /** The run of the server that was in step with a writer, or was the writer; another run of it may have older data. */
  knownRun: string | null;
  /** `holdfast init-writer`. */
  readonly first: FirstWriter;
  readonly mark: MarkKeeper;
  readonly runs: Set<RedisRun>;
  /** A planned move is under way. */
  moving: boolean;
  consentUntil: Instant | null;
  /** Promoting, closing, following: one after the other. */
  queue: Promise<void>;
  /** Peers that did not answer at the last look, and when that was. */
  silent: { readonly peers: readonly Peer[]; readonly at: Instant } | null;
}

export type RedisSettings = Pick<ManagedRedis, "config" | "staysHere" | "virtualHosts">;

/** By instance. */
export function redisSettingsOf({ redis, instances }: HoldfastConfig): ReadonlyMap<string, RedisSettings> {
  const servers = new Map(redis.map(({ span: _place, flawed: _flawed, ...server }) => [server.name, server]));
  const wanted = new Map<string, RedisSettings>();
  for (const { vrrp, managesRedis } of instances) {
    const config = managesRedis === null ? undefined : servers.get(managesRedis);
    if (config === undefined) continue;
    const virtualHosts = [...vrrp.advertised, ...vrrp.excluded].map(({ address }) => address);
    wanted.set(vrrp.name, { config, staysHere: reasonToStay(vrrp), virtualHosts });
  }
  return wanted;
}

function reasonToStay({ name, preempt, priority }: InstanceConfig["vrrp"]): string | null {
  if (priority === 255) return `${name} has priority 255 and would take the address back at once`;
  return preempt ? `${name} may take the address back by its priority: write \`nopreempt\` on all hosts` : null;
}
