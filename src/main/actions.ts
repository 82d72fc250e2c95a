/** What the API asks of the daemon, bound to its parts. */
import type { ControlActions } from "../control/actions.ts";
import type { ControlProcess } from "../engine/control-process.ts";
import type { Dumper } from "./dumps.ts";
import type { LogWriter } from "./log-writer.ts";

export interface ActionHost {
  readonly control: ControlProcess;
  readonly dumper: Dumper;
  /** With what the service manager is told of it. */
  readonly reload: ControlProcess["reload"];
  readonly log: LogWriter;
}

export const createActions = (host: ActionHost): ControlActions => ({
  ...daemonActions(host),
  ...mysqlActions(host.control.databases),
  lvs: () => host.control.lvs.status(),
  drain: (choice, drain) => (drain ? host.control.lvs.drain(choice) : host.control.lvs.undrain(choice)),
  redis: () => host.control.databases.redis.status(),
});

function daemonActions({ control, dumper, reload, log }: ActionHost): ControlActions {
  return {
    status: () => control.keeper.status(),
    reload,
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
    switchover: async (name, dryRun) => await switchOver(managed, name, dryRun),
    takeover: async (name, consent) => {
      if (consent && !managed.consent(name)) return null;
      return await managed.plan(name);
    },
  };
}

async function switchOver(managed: ControlProcess["databases"]["managed"], name: string, dryRun: boolean) {
  if (dryRun) {
    const plan = await managed.planSwitchover(name);
    return plan === null ? null : { ...plan, to: null, closedMillis: null };
  }
  const outcome = await managed.switchover(name);
  if (outcome === null) return null;
  const { moved, to, closedMillis, detail } = outcome;
  return { steps: [], end: moved ? "moved" : detail, to, closedMillis };
}
