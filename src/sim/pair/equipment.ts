/** What the daemon of a simulated host manages: the production engines over model servers, a gateway that answers pings, and a disk. */
import type { HoldfastConfig } from "../../core/config/model.ts";
import { createDatabases, type DatabaseOptions } from "../../engine/databases.ts";
import { createEventBus } from "../../engine/event-bus.ts";
import { NO_ADDRESSES, NO_PROBES } from "../../engine/testing/no-probes.ts";
import { NO_QUORUM } from "../../engine/testing/no-quorum.ts";
import {
  NO_DATABASES,
  NO_FENCES,
  NO_REDIS,
  NO_REDIS_FILES,
  NO_SQL,
  NO_TAKEOVER,
} from "../../engine/testing/no-watches.ts";
import type { Notes } from "../../ports/notes.ts";
import type { DatabaseEquipment, DatabaseTools } from "../control-model.ts";
import type { World } from "../world.ts";
import type { DaemonLine } from "./line.ts";
import type { Wire } from "./wire.ts";

/** How the ports of one daemon reach its host. */
export type HostLine = Pick<DaemonLine<never>, "node" | "later" | "act" | "dead">;

export interface ModelPorts extends Partial<Pick<DatabaseOptions, "sql" | "redis" | "redisFiles" | "databases">> {
  readonly notes: Notes;
  /** On the disk. */
  readonly records: Notes;
  /** The daemon is dead. */
  readonly closeAll: () => void;
}

export interface EquipmentParts {
  /** There is none yet while the world is made. */
  readonly scene: () => { readonly world: World; readonly wire: Wire };
  readonly node: number;
  readonly config: HoldfastConfig;
  /** As the trace calls what they tell. */
  readonly kind: string;
  readonly ports: (line: HostLine) => ModelPorts;
}

/** An answer to a ping, and the patience with none. */
const PING_MICROS = 500;
const DISK_MICROS = 2_000;

export function equip({ scene, node, config, kind, ports }: EquipmentParts): DatabaseEquipment {
  return {
    config,
    make: ({ timers, act, dead }, links) => {
      const { world, wire } = scene();
      const later = laterBy(timers);
      const bus = createEventBus({ clock: timers, wallMillis: () => timers.now() / 1_000, onListenerError: raise });
      bus.subscribe(({ body }) => world.trace.add(world.now, `node ${node + 1}`, kind, body));
      const made = ports({ node, later, act, dead });
      const ask = (millis: number): Promise<"reachable" | "unreachable"> => {
        const reached = wire.connected(node, world.gatewayEndpoint);
        return new Promise((resolve) => {
          later(reached ? PING_MICROS : millis * 1_000, () => resolve(reached ? "reachable" : "unreachable"));
        });
      };
      const databases = createDatabases(
        {
          timers,
          bus,
          sql: made.sql ?? NO_SQL,
          databases: made.databases ?? NO_DATABASES,
          takeover: {
            ...NO_TAKEOVER,
            gateway: { ask },
            notes: made.notes,
            records: made.records,
            flush: () => new Promise((resolve) => later(DISK_MICROS, () => resolve(true))),
          },
          redis: made.redis ?? NO_REDIS,
          redisFiles: made.redisFiles ?? NO_REDIS_FILES,
          probes: NO_PROBES,
          addresses: NO_ADDRESSES,
          fences: NO_FENCES,
          quorum: NO_QUORUM,
          wallMillis: () => timers.now() / 1_000,
        },
        links,
      );
      return { ...databases, killed: made.closeAll };
    },
  };
}

const laterBy =
  (timers: DatabaseTools["timers"]) =>
  (micros: number, action: () => void): void =>
    void timers.schedule(micros as Parameters<typeof timers.schedule>[0], action);

function raise(error: unknown): never {
  throw error;
}
