/**
 * The checks of all database servers of one product: which are looked at, who is told. It decides nothing about instances: the keeper turns
 * standings into faults and weights.
 */
import type { HoldfastConfig } from "../core/config/model.ts";
import { addressInWords, type ServerAddress } from "../core/database/config.ts";
import { type DatabaseStanding, type StandingName, standingName } from "../core/database/standing.ts";
import { sameTrouble, type Trouble } from "../core/database/trouble.ts";
import type { Finding } from "../core/database/verdict.ts";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { sameValue } from "../core/lib/same-value.ts";
import { type Instant, toMillis } from "../core/lib/units.ts";
import type { Timers } from "../ports/timers.ts";
import { DatabaseWatch, type WatchedConfig, type WatchedServer } from "./database-watch.ts";

export interface DatabaseEngineOptions<Facts> {
  readonly timers: Timers;
  readonly publish: (body: HoldfastEventBody) => void;
  /** Standings that changed. */
  readonly tell: (servers: Readonly<Record<string, DatabaseStanding>>) => void;
  /** After every look; null when the server could not be asked. */
  readonly looked?: (name: string, facts: Facts | null) => void;
}

/** What `status` says of every server, whatever its product. */
export interface DatabaseStatus {
  /** What is wrong with the group that it is in, from whoever looks after that. */
  readonly group?: readonly string[];
  readonly name: string;
  readonly server: string;
  readonly standing: StandingName | "unknown";
  /** What makes it fail, or unfit; null when neither. */
  readonly trouble: Trouble | null;
  /** How it got in, where that will not last. */
  readonly remark?: string | null;
  /** Everything the last look found, also what does not count. */
  readonly findings: readonly Finding[];
  readonly since: Instant | null;
  readonly lookedAt: Instant | null;
  readonly intervalMillis: number;
}

export interface Product<Config extends WatchedConfig, Facts, Status extends DatabaseStatus> {
  readonly kind: "mysql" | "redis";
  /** Blocks to look at, by name: those that nobody tracks are not. */
  readonly wanted: (config: HoldfastConfig) => ReadonlyMap<string, Config>;
  readonly connect: (config: Config, onLost: () => void) => WatchedServer<Facts, { readonly kind: string }>;
  readonly status: (common: DatabaseStatus, facts: Facts | null) => Status;
}

export interface DatabaseEngine<Status extends DatabaseStatus> {
  /** Takes over a new configuration; unchanged blocks keep connection and standing. */
  configure(config: HoldfastConfig): void;
  /** Those that are known, for a keeper that has just started. */
  standings(): Readonly<Record<string, DatabaseStanding>>;
  /** A trouble that no look can find, and since when; null when it is over. */
  override(name: string, trouble: Trouble | null, since?: Instant): void;
  /** An instance has become MASTER or is it no longer: what counts for it is another thing now. */
  repeat(): void;
  /** Looks at it at once. */
  hurry(name: string): void;
  status(): readonly Status[];
  stop(): void;
}

type Watched = WatchedConfig & { readonly address: ServerAddress };

export function createDatabaseEngine<Config extends Watched, Facts, Status extends DatabaseStatus>(
  product: Product<Config, Facts, Status>,
  options: DatabaseEngineOptions<Facts>,
): DatabaseEngine<Status> {
  type Watch = DatabaseWatch<Config, Facts>;
  const watches = new Map<string, Watch>();
  const overrides = new Map<string, { readonly trouble: Trouble; readonly since: Instant }>();
  const withOverride = (name: string, standing: DatabaseStanding | null): DatabaseStanding | null => {
    const one = overrides.get(name);
    return one === undefined ? standing : { always: one.trouble, standby: standing?.standby ?? null };
  };

  const report = (watch: Watch, before: DatabaseStanding | null): void => {
    const { name } = watch.config;
    const now = withOverride(name, watch.standing);
    if (now === null) return;
    const same = before !== null && sameTrouble(before.always, now.always) && sameTrouble(before.standby, now.standby);
    if (same) return;
    options.tell({ [name]: now });
    options.publish({
      kind: product.kind,
      name,
      server: addressInWords(watch.config.address),
      standing: standingName(now),
      trouble: now.always ?? now.standby,
    });
  };

  const host = {
    timers: options.timers,
    report: (watch: Watch, before: DatabaseStanding | null): void => {
      options.looked?.(watch.config.name, watch.facts);
      report(watch, withOverride(watch.config.name, before));
    },
  };

  const standings = (): Readonly<Record<string, DatabaseStanding>> => {
    const known: Record<string, DatabaseStanding> = {};
    for (const [name, watch] of watches) {
      const standing = withOverride(name, watch.standing);
      if (standing !== null) known[name] = standing;
    }
    return known;
  };

  return {
    configure(config) {
      const wanted = new Map(product.wanted(config));
      for (const [name, watch] of watches) {
        const next = wanted.get(name);
        if (next !== undefined && sameValue(next, watch.config)) wanted.delete(name);
        else {
          watch.end();
          watches.delete(name);
        }
      }
      for (const [name, one] of wanted) {
        watches.set(name, new DatabaseWatch(host, one, (onLost) => product.connect(one, onLost)));
      }
    },
    standings,
    override(name, trouble, since = options.timers.now()) {
      const watch = watches.get(name);
      if (watch === undefined) return;
      const before = withOverride(name, watch.standing);
      if (trouble === null) overrides.delete(name);
      else overrides.set(name, { trouble, since });
      report(watch, before);
    },
    repeat() {
      if (watches.size > 0) options.tell(standings());
    },
    hurry: (name) => watches.get(name)?.hurry(),
    status: () =>
      [...watches.values()].map((watch) => {
        const { name } = watch.config;
        const since = overrides.get(name)?.since ?? watch.since;
        return product.status({ ...statusOf(watch, withOverride(name, watch.standing)), since }, watch.facts);
      }),
    stop() {
      for (const watch of watches.values()) watch.end();
      watches.clear();
    },
  };
}

function statusOf<Config extends Watched, Facts>(
  { config, verdict, remark, lookedAt }: DatabaseWatch<Config, Facts>,
  standing: DatabaseStanding | null,
): Omit<DatabaseStatus, "since"> {
  return {
    name: config.name,
    server: addressInWords(config.address),
    standing: standing === null ? "unknown" : standingName(standing),
    trouble: standing === null ? null : (standing.always ?? standing.standby),
    remark,
    findings: verdict?.findings ?? [],
    lookedAt,
    intervalMillis: toMillis(config.interval),
  };
}
