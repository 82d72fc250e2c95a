/**
 * Control leaves while the keeper goes on serving, to begin anew in its own process. What it would have to remember for the next one is
 * a reason not to leave: databases that it has opened, virtual servers, gates under way. Those restart in order instead.
 */
import type { HoldfastConfig } from "../core/config/model.ts";
import { type Micros, seconds } from "../core/lib/units.ts";
import type { VrrpInstanceStatus } from "../core/vrrp/status.ts";
import type { Timers } from "../ports/timers.ts";
import type { KeeperSupervisor } from "./keeper-contract.ts";
import type { LeftKeeper } from "./keeper-leaving.ts";
import type { Part } from "./part.ts";

/** Checks and hooks that do not end in this time are killed with their process groups. */
const SETTLE_LIMIT: Micros = seconds(5);

/** Null: it may leave. Otherwise why not, with the remedy. */
export function reasonToStay(config: HoldfastConfig, statuses: readonly VrrpInstanceStatus[] | null): string | null {
  if (statuses === null) return "the keeper does not answer; look at `holdfast status`";
  if (config.lvs.servers.length > 0) {
    return "virtual servers are configured, and their checks cannot be handed over yet; restart the daemon instead";
  }
  const managing = new Set(
    config.instances.flatMap(({ vrrp, managesMysql, managesRedis }) =>
      managesMysql === null && managesRedis === null ? [] : [vrrp.name],
    ),
  );
  for (const { name, phase } of statuses) {
    if (phase === "PREPARING" || phase === "CLAIMING" || phase === "RELEASING") {
      return `${name} is ${phase}; try again when that is over`;
    }
    if (phase === "MASTER" && managing.has(name)) {
      return `${name} manages a database that is open here; move it first (holdfast switchover), then restart`;
    }
  }
  return null;
}

export interface Remaining {
  readonly parts: readonly Part[];
  readonly hooks: { idle(): Promise<void>; kill(): void };
  readonly notifier: { close(): Promise<void>; kill(): void };
  readonly checks: { kill(): void };
}

/** Ends what control has started; nobody would wait for it in the next program. */
export async function settle({ parts, hooks, notifier, checks }: Remaining, timers: Timers): Promise<void> {
  const late = timers.schedule(SETTLE_LIMIT, () => {
    for (const one of [hooks, notifier, checks]) one.kill();
  });
  await Promise.all([...parts.map((part) => part.stop()), hooks.idle(), notifier.close()]);
  late.cancel();
}

export interface Leaver extends Remaining {
  /** Null: it starts, stops or reloads. */
  readonly config: HoldfastConfig | null;
  readonly keeper: Pick<KeeperSupervisor, "status" | "leave">;
}

/** The keeper that was left behind; otherwise why not, and then nothing has changed. */
export async function depart(leaver: Leaver, timers: Timers, dryRun: boolean): Promise<LeftKeeper | string | null> {
  const { config, keeper } = leaver;
  if (config === null) return "the daemon starts, stops or reloads; try again when that is over";
  const stays = reasonToStay(config, await keeper.status());
  if (stays !== null || dryRun) return stays;
  const left = await keeper.leave();
  if (left === null) return "the keeper cannot be left alone now; look at `holdfast status` and try again";
  await settle(leaver, timers);
  return left;
}
