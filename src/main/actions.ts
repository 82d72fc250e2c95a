/** What the API asks of the daemon, bound to its parts. */
import type { ControlActions } from "../control/actions.ts";
import type { HoldfastConfig } from "../core/config/model.ts";
import type { StoreOutlook } from "../core/quorum/words.ts";
import type { ControlProcess } from "../engine/control-process.ts";
import type { EventBus } from "../engine/event-bus.ts";
import type { Arena } from "../linux/arena.ts";
import { examineDirector } from "./director.ts";
import type { Dumper } from "./dumps.ts";
import type { LogWriter } from "./log-writer.ts";
import type { DaemonLink } from "./peer-link.ts";
import { releaseStale, type StaleTools } from "./stale-address.ts";

export interface ActionHost {
  readonly control: ControlProcess;
  readonly dumper: Dumper;
  /** With what the service manager is told of it. */
  readonly reload: ControlProcess["reload"];
  readonly log: LogWriter;
  readonly restart: NonNullable<ControlActions["restart"]>;
  readonly peers: DaemonLink;
  readonly arena: Arena;
  readonly bus: EventBus;
  readonly config: () => HoldfastConfig;
}

export const createActions = (host: ActionHost): ControlActions => ({
  ...daemonActions(host),
  peers: () => host.peers.peers(),
  peerReports: () => host.peers.reports(),
  quorum: () => host.control.databases.quorum(),
  whoAnswers: (address) => host.peers.sights(address),
  advertTest: (test) => host.peers.advertTest(test),
  releaseStale: (address, dryRun) => releaseStale(staleTools(host), address, dryRun),
  ...mysqlActions(host.control.databases),
  lvs: () => host.control.lvs.status(),
  pools: () => host.control.servers.pools.map((pool) => pool.status()),
  examineLvs: () =>
    examineDirector(
      host.control.servers.pools.map(({ config }) => config),
      host.peers,
    ),
  drain: (choice, drain) => (drain ? host.control.lvs.drain(choice) : host.control.lvs.undrain(choice)),
  ...redisActions(host.control.databases),
  ...orders(host.control.databases, host.config),
});

const staleTools = ({ arena, bus, config, control, peers }: ActionHost): StaleTools => ({
  arena,
  config,
  status: () => control.keeper.status(),
  sights: (address) => peers.sights(address),
  ownPids: () => [process.pid, control.keeper.state().pid].filter((pid) => pid !== null),
  publish: (body) => bus.publish("parent", body),
});

function daemonActions({ control, dumper, reload, log, restart }: ActionHost): ControlActions {
  return {
    status: () => control.keeper.status(),
    reload,
    restart,
    checks: () => control.checks.status(),
    keeper: () => control.keeper.state(),
    logLevel: () => log.level,
    setLogLevel: (level) => {
      log.line("parent", `Changing log level from ${log.level} to ${level}`, level);
      log.level = level;
      control.keeper.setLogLevel(level);
    },
    dump: (kind) => dumper.dump(kind),
  };
}

function mysqlActions({ mysql, managed }: ControlProcess["databases"]): Partial<ControlActions> {
  return {
    mysql: () => mysql.status().map((one) => ({ ...one, group: managed.troubles(one.name) })),
    examine: (name) => managed.examine(name),
    positions: (name) => managed.positions(name),
    repairs: managed.repairs,
  };
}

const redisActions = ({ redis, managedRedis }: ControlProcess["databases"]): Partial<ControlActions> => ({
  redis: () => redis.status().map((one) => ({ ...one, group: managedRedis.troubles(one.name) })),
});

/** Orders by the name of a block: of whichever product manages it. */
function orders(
  { managed, managedRedis, store }: ControlProcess["databases"],
  config: () => HoldfastConfig,
): Partial<ControlActions> {
  const managerOf = (name: string) => (managedRedis.manages(name) ? managedRedis : managed);
  return {
    switchover: async (name, dryRun) => await switchOver(managerOf(name), name, dryRun),
    initWriter: async (name) => await managerOf(name).nameWriter(name),
    takeover: async (name, { consent, withoutStore }) => {
      const manager = managerOf(name);
      const instance = instanceOf(config(), name);
      const refused = withoutStore ? store.overrule(instance) : null;
      // An order that cannot be given as a whole is not given in part.
      if (consent && refused === null && !manager.consent(name)) return null;
      const plan = await manager.plan(name);
      return plan === null ? null : { ...behind(store.outlook(instance), plan), refused };
    },
  };
}

/** Which manages that server; "": none. */
const instanceOf = ({ instances }: HoldfastConfig, name: string): string =>
  instances.find(({ managesMysql, managesRedis }) => [managesMysql, managesRedis].includes(name))?.vrrp.name ?? "";

type Plan = { readonly steps: readonly string[]; readonly end: string };

/** The store is asked first; null: there is none. */
function behind(store: StoreOutlook | null, { steps, end }: Plan): Plan {
  if (store === null) return { steps, end };
  return store.refusal === null
    ? { steps: [...store.steps, ...steps], end }
    : { steps: store.steps, end: store.refusal };
}

type Manager = Pick<ControlProcess["databases"]["managed"], "switchover" | "planSwitchover">;

async function switchOver(managed: Manager, name: string, dryRun: boolean) {
  if (dryRun) {
    const plan = await managed.planSwitchover(name);
    return plan === null ? null : { ...plan, to: null, closedMillis: null };
  }
  const outcome = await managed.switchover(name);
  if (outcome === null) return null;
  const { moved, to, closedMillis, detail } = outcome;
  return { steps: [], end: moved ? "moved" : detail, to, closedMillis };
}
