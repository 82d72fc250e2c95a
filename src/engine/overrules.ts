/**
 * Troubles of servers that no look can find: this host is cut off, or the quorum store does not let it serve. Several may be true of one server; the
 * one that says most is shown.
 */
import type { InstanceConfig } from "../core/config/model.ts";
import type { Trouble } from "../core/database/trouble.ts";
import { type Instant, instant, millis } from "../core/lib/units.ts";
import type { MysqlEngine } from "./mysql-engine.ts";
import type { RedisEngine } from "./redis-engine.ts";

type OverruleSource = "quorum" | "isolated";

interface Overrule {
  readonly trouble: Trouble;
  readonly since: Instant;
}

const ORDER: readonly OverruleSource[] = ["quorum", "isolated"];

class Overrules {
  readonly #known = new Map<string, Map<OverruleSource, Overrule>>();

  set(name: string, source: OverruleSource, overrule: Overrule | null): void {
    const all = this.#known.get(name) ?? new Map<OverruleSource, Overrule>();
    if (overrule === null) all.delete(source);
    else all.set(source, overrule);
    this.#known.set(name, all);
  }

  of(name: string): Overrule | null {
    const all = this.#known.get(name);
    const source = ORDER.find((one) => all?.has(one) === true);
    return source === undefined ? null : (all?.get(source) ?? null);
  }
}

interface Overruled {
  readonly mysql: Pick<MysqlEngine, "override">;
  readonly redis: Pick<RedisEngine, "override">;
  /** What an operator has ordered of a MySQL server says most. */
  readonly fenced: (name: string) => Trouble | null;
  readonly now: () => Instant;
}

export interface Overruling {
  /** Tells the engine of that server again. */
  mysql(name: string): void;
  /** `length`: for how many milliseconds a writer has been cut off; null: it is not. */
  isolate(product: "mysql" | "redis", name: string, length: number | null): void;
  /** Servers of one instance; `detail` null: it may serve again. */
  forbid(servers: Pick<InstanceConfig, "managesMysql" | "managesRedis">, detail: string | null): void;
}

export function createOverruling({ mysql, redis, fenced, now }: Overruled): Overruling {
  const known = { mysql: new Overrules(), redis: new Overrules() };
  const tell = {
    mysql(name: string): void {
      const byHand = fenced(name);
      const other = known.mysql.of(name);
      if (byHand === null && other !== null) mysql.override(name, other.trouble, other.since);
      else mysql.override(name, byHand);
    },
    redis(name: string): void {
      const other = known.redis.of(name);
      if (other === null) redis.override(name, null);
      else redis.override(name, other.trouble, other.since);
    },
  };
  return {
    mysql: tell.mysql,
    isolate(product, name, length) {
      const trouble = { kind: "isolated", forMillis: length ?? 0 } as const;
      const since = instant(now() - millis(length ?? 0));
      known[product].set(name, "isolated", length === null ? null : { trouble, since });
      tell[product](name);
    },
    forbid({ managesMysql, managesRedis }, detail) {
      const why = detail === null ? null : { trouble: { kind: "no-quorum", detail } as const, since: now() };
      for (const [product, name] of [
        ["mysql", managesMysql],
        ["redis", managesRedis],
      ] as const) {
        if (name === null) continue;
        known[product].set(name, "quorum", why);
        tell[product](name);
      }
    },
  };
}
