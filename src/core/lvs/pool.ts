/**
 * The pool of one virtual server: which real servers are alive, what they weigh, whether the quorum holds, whether the sorry server stands
 * in. (state, event) → (state, effects), in keepalived's order: log, table, script, pipe line, quorum, mail. When a checker's result counts
 * is checking.ts; the table is wanted.ts.
 */
import { after, type Instant } from "../lib/units.ts";
import { checkerAlert, goneAlert } from "../notify/server-alert.ts";
import type { CheckerConfig } from "./checkers.ts";
import { GREATEST_WEIGHT, type RealServerConfig, type VirtualServerConfig } from "./config.ts";
import type { Finding } from "./findings.ts";
import {
  type CheckerStanding,
  effectiveWeight,
  failedCheckers,
  liveWeight,
  type Pool,
  type PoolRules,
  type Step,
} from "./pool-state.ts";
import { notifyServer, notifyService, updateQuorum, Work } from "./pool-work.ts";

/** Before the first check: without alpha a server counts as up until a check says otherwise. */
export function initialPool(config: VirtualServerConfig, files: ReadonlyMap<string, number>): Pool {
  const servers = config.realServers.map((server) => ({
    config: server,
    alive: false,
    checkers: server.checkers.map((checker) => initialStanding(checker, files)),
    risingSince: null,
  }));
  return { config, servers, quorumUp: false, sorryAlive: false };
}

export function initialStanding(checker: CheckerConfig, files: ReadonlyMap<string, number>): CheckerStanding {
  if (checker.kind !== "file") return { up: !checker.timing.alpha, ran: false, offset: 0 };
  const { up, offset } = fileStanding(checker, files.get(checker.file) ?? 0);
  return { up, ran: true, offset };
}

/** Below this a product of file and weight is a failure. */
const FILE_FAULT = -GREATEST_WEIGHT - 1;

/** With weight 0 any other number than 0 is a failure (`reverse`: 0 is). */
export function fileStanding(
  { weight, reverse }: { readonly weight: number; readonly reverse: boolean },
  value: number,
): { readonly up: boolean; readonly offset: number } {
  if (weight === 0) return { up: (value === 0) !== reverse, offset: 0 };
  const product = value * weight * (reverse ? -1 : 1);
  return product <= FILE_FAULT ? { up: false, offset: 0 } : { up: true, offset: Math.min(product, GREATEST_WEIGHT) };
}

/** The start: servers without a failed checker come in without a word, then the quorum is told. */
export function beginPool(pool: Pool, rules: PoolRules): Step {
  const work = new Work(pool);
  work.tableChanged();
  for (const [at, server] of pool.servers.entries()) {
    if (server.alive || failedCheckers(server) > 0) continue;
    work.change(at, { alive: true });
    if (rules.initNotifies) notifyServer(work, at);
  }
  updateQuorum(work, true);
  return work.end();
}

export interface CheckerResult {
  readonly server: number;
  readonly checker: number;
  readonly up: boolean;
  readonly finding: Finding;
  readonly now: Instant;
  /** For the mail: a clause, or "" . */
  readonly why: string;
}

/** A checker's result that counts. */
export function checkerResult(pool: Pool, result: CheckerResult, rules: PoolRules): Step {
  const work = new Work(pool);
  const { server: at, checker, up } = result;
  const standing = work.server(at).checkers[checker];
  const config = work.server(at).config.checkers[checker];
  if (standing === undefined || config === undefined) return work.end();
  const wasAlive = work.server(at).alive;
  if (standing.up === up) firstResult(work, result);
  else turned(work, result);
  const { alive, config: server } = work.server(at);
  const mails = config.kind === "misc" || standing.up !== up;
  if (server.mail && mails && (wasAlive !== alive || !rules.noCheckerMail)) {
    const names = { server: server.name, service: work.service, alive };
    work.effects.push({ kind: "mail", alert: checkerAlert(names, { checker: config.kind, up, why: result.why }) });
  }
  return work.end();
}

/** It says what was assumed: told where the assumption was that it is down. */
function firstResult(work: Work, { server: at, checker, up }: CheckerResult): void {
  const { config, checkers } = work.server(at);
  const one = config.checkers[checker];
  const alpha = one !== undefined && one.kind !== "file" && one.timing.alpha;
  if (checkers[checker]?.ran === false && (alpha || !up)) notifyServer(work, at);
  work.changeChecker(at, checker, { ran: true });
}

/** Up with the last checker that was down, down with the first. */
function turned(work: Work, result: CheckerResult): void {
  const { server: at, checker, up } = result;
  const failed = failedCheckers(work.server(at));
  work.changeChecker(at, checker, { up, ran: true, ...(up ? {} : { offset: 0 }) });
  if (up ? failed <= 1 : failed === 0) performState(work, at, result);
}

function performState(
  work: Work,
  at: number,
  { up, finding, now }: Pick<CheckerResult, "up" | "finding" | "now">,
): void {
  const { config, alive } = work.server(at);
  if (alive === up) return;
  work.say({
    kind: "real-server",
    service: work.service,
    server: config.name,
    up,
    inhibit: config.inhibitOnFailure,
    cause: finding,
  });
  work.change(at, { alive: up, risingSince: up && config.slowStart > 0 ? now : null });
  work.tableChanged();
  notifyServer(work, at);
  updateQuorum(work, false);
}

export interface WeightChange {
  readonly server: number;
  readonly checker: number;
  readonly offset: number;
}

/** A checker that is up adds another number to the weight. */
export function changeOffset(pool: Pool, { server: at, checker, offset }: WeightChange): Step {
  const work = new Work(pool);
  const before = effectiveWeight(work.server(at));
  work.changeChecker(at, checker, { offset });
  const to = effectiveWeight(work.server(at));
  if (to === before) return work.end();
  const { alive, config } = work.server(at);
  work.say({ kind: "real-server-weight", service: work.service, server: config.name, from: before, to, alive });
  work.tableChanged();
  updateQuorum(work, false);
  return work.end();
}

/** The end of slow starts; null: none is on. */
export function nextRise({ servers }: Pool): Instant | null {
  const ends = servers.flatMap(({ risingSince, config }) =>
    risingSince === null ? [] : [after(risingSince, config.slowStart)],
  );
  return ends.length === 0 ? null : (Math.min(...ends) as Instant);
}

/** Slow starts that are over are forgotten. */
export function risen(pool: Pool, now: Instant): Pool {
  const servers = pool.servers.map((server) =>
    server.risingSince !== null && now >= after(server.risingSince, server.config.slowStart)
      ? { ...server, risingSince: null }
      : server,
  );
  return { ...pool, servers };
}

/** The stop, or a reload that takes the service out: what omega says is told. */
export function endPool(pool: Pool, stopping: boolean): Step {
  const work = new Work(pool);
  for (const [at, { config, alive }] of pool.servers.entries()) removeServer(work, at, { config, alive, stopping });
  const { quorum, hysteresis } = pool.config;
  const weight = liveWeight(work.pool);
  if (stopping || work.pool.quorumUp) {
    work.pool = { ...work.pool, quorumUp: false, sorryAlive: false };
    notifyService(work, { up: false, starting: false, stopping, threshold: quorum - hysteresis, weight });
  }
  return work.end();
}

interface Removal {
  readonly config: RealServerConfig;
  readonly alive: boolean;
  readonly stopping: boolean;
}

function removeServer(work: Work, at: number, { config, alive, stopping }: Removal): void {
  const inhibited = config.inhibitOnFailure && !alive;
  if (!alive && !inhibited && !stopping) return;
  work.say({ kind: "real-server-removed", service: work.service, server: config.name, stopping, inhibited });
  if (!alive) return;
  work.change(at, { alive: false, risingSince: null });
  if (stopping && !work.pool.config.omega) return;
  notifyServer(work, at);
  if (config.mail) work.effects.push({ kind: "mail", alert: goneAlert(config.name, work.service, stopping) });
}
