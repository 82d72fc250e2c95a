/**
 * A reload: what a virtual server keeps of its pool. A server is the same by address and port, a checker by its kind and what it asks; its
 * times may change. Nothing that keeps its place changes its state, so that no connection notices.
 */
import { sameSettings } from "../config/same-settings.ts";
import type { Instant } from "../lib/units.ts";
import type { CheckerConfig } from "./checkers.ts";
import type { VirtualServerConfig } from "./config.ts";
import type { PoolEffect } from "./effects.ts";
import { beginPool, endPool, fileStanding, initialStanding } from "./pool.ts";
import type { CheckerStanding, Pool, PoolRules, RealServerState, Step } from "./pool-state.ts";

export interface Adoption {
  readonly config: VirtualServerConfig;
  readonly files: ReadonlyMap<string, number>;
  readonly rules: PoolRules;
  readonly now: Instant;
}

/** Whether a checker goes on as it is: all that it asks is the same, whatever its timing. */
export function sameChecker(one: CheckerConfig, other: CheckerConfig): boolean {
  return sameSettings({ ...one, timing: null }, { ...other, timing: null });
}

export function adoptPool(old: Pool, { config, files, rules }: Adoption): Step {
  const effects: PoolEffect[] = [];
  const left = old.servers.filter(({ config: server }) => !config.realServers.some((next) => sameServer(next, server)));
  if (left.length > 0) {
    // Their end is told whatever omega says: the service itself goes on.
    const leaving = endPool({ ...old, servers: left, quorumUp: false, config: { ...old.config, omega: true } }, false);
    effects.push(...leaving.effects);
  }
  const servers = config.realServers.map((server): RealServerState => {
    const known = old.servers.find((one) => sameServer(one.config, server));
    if (known !== undefined) return adoptServer(known, server, files);
    const checkers = server.checkers.map((checker) => initialStanding(checker, files));
    return { config: server, alive: false, checkers, risingSince: null };
  });
  const begun = beginPool({ config, servers, quorumUp: old.quorumUp, sorryAlive: keepsSorry(old, config) }, rules);
  return { pool: begun.pool, effects: [...effects, ...begun.effects] };
}

const sameServer = (
  one: { readonly address: string; readonly port: number },
  other: { readonly address: string; readonly port: number },
): boolean => one.address === other.address && one.port === other.port;

function keepsSorry(old: Pool, { sorryServer }: VirtualServerConfig): boolean {
  const before = old.config.sorryServer;
  return old.sorryAlive && before !== null && sorryServer !== null && sameServer(before, sorryServer);
}

function adoptServer(
  known: RealServerState,
  config: RealServerState["config"],
  files: ReadonlyMap<string, number>,
): RealServerState {
  const checkers = config.checkers.map((checker): CheckerStanding => {
    if (checker.kind === "file") return { ...fileStanding(checker, files.get(checker.file) ?? 0), ran: true };
    const at = known.config.checkers.findIndex((one) => sameChecker(one, checker));
    const standing = known.checkers[at];
    if (standing === undefined) return initialStanding(checker, files);
    // The offset is against the weight that the server had.
    const moved = standing.offset === 0 ? 0 : standing.offset + known.config.weight - config.weight;
    return { ...standing, offset: moved };
  });
  // A new checker without alpha has to fail before it counts, so the server stays as it was.
  const failed = checkers.some(({ up, ran }) => ran && !up);
  const alive = known.alive && !failed;
  return {
    config,
    alive,
    checkers: known.alive && !failed ? checkers.map(trusted) : checkers,
    risingSince: alive ? known.risingSince : null,
  };
}

/** Of a server that is up a new checker with alpha needs no success to keep it so. */
const trusted = (standing: CheckerStanding): CheckerStanding => (standing.ran ? standing : { ...standing, up: true });
