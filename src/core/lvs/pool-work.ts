/** One transition of a pool while it is under way: its state, its effects, and what servers and quorum tell on the way. */
import type { LvsEventBody } from "../events/lvs-events.ts";
import { quorumAlert, serverLine, serviceLine } from "../notify/server-alert.ts";
import type { PoolEffect } from "./effects.ts";
import { type CheckerStanding, liveWeight, type Pool, type RealServerState, type Step } from "./pool-state.ts";

/** Steps that follow each other, for whoever has several. */
export class Work {
  pool: Pool;
  readonly effects: PoolEffect[] = [];

  constructor(pool: Pool) {
    this.pool = pool;
  }

  get service(): string {
    return this.pool.config.name;
  }

  say(body: LvsEventBody): void {
    this.effects.push({ kind: "event", body });
  }

  tableChanged(): void {
    this.effects.push({ kind: "table" });
  }

  server(at: number): RealServerState {
    return this.pool.servers[at] as RealServerState;
  }

  change(at: number, changes: Partial<RealServerState>): void {
    const servers = this.pool.servers.map((server, index) => (index === at ? { ...server, ...changes } : server));
    this.pool = { ...this.pool, servers };
  }

  changeChecker(at: number, checker: number, changes: Partial<CheckerStanding>): void {
    const checkers = this.server(at).checkers.map((one, index) => (index === checker ? { ...one, ...changes } : one));
    this.change(at, { checkers });
  }

  end(): Step {
    return { pool: this.pool, effects: this.effects };
  }
}

export function notifyServer(work: Work, at: number): void {
  const { config, alive } = work.server(at);
  const command = alive ? config.notifyUp : config.notifyDown;
  const hook = alive ? "notify_up" : "notify_down";
  if (command !== null) work.effects.push({ kind: "script", hook, command, server: config.name });
  work.effects.push({ kind: "line", line: serverLine(config.name, work.service, alive) });
}

interface QuorumNews {
  readonly up: boolean;
  readonly starting: boolean;
  readonly stopping: boolean;
  readonly threshold: number;
  readonly weight: number;
}

export function notifyService(work: Work, news: QuorumNews): void {
  const { config } = work.pool;
  if (news.stopping && !config.omega) return;
  const command = news.up ? config.quorumUp : config.quorumDown;
  const hook = news.up ? "quorum_up" : "quorum_down";
  if (command !== null) work.effects.push({ kind: "script", hook, command, server: config.name });
  work.effects.push({ kind: "line", line: serviceLine(config.name, news.up) });
  if (!config.mail) return;
  const { quorum, hysteresis, name: service } = config;
  work.effects.push({ kind: "mail", alert: quorumAlert({ service, quorum, hysteresis, ...news }) });
}

/** Whether the quorum was gained or lost; the sorry server stands in while it is lost. */
export function updateQuorum(work: Work, starting: boolean): void {
  const { config, quorumUp, sorryAlive } = work.pool;
  const { quorum, hysteresis, sorryServer } = config;
  const weight = liveWeight(work.pool);
  const threshold = quorum + (quorumUp ? -hysteresis : hysteresis);
  const gained = !quorumUp && weight >= threshold;
  const lost = quorumUp && (weight === 0 || weight < threshold);
  const needsSorry = starting && !quorumUp && sorryServer !== null && !sorryAlive;
  if (!gained && !lost && !needsSorry) return;
  work.pool = { ...work.pool, quorumUp: gained };
  work.say({ kind: "quorum", service: config.name, up: gained, starting, quorum, hysteresis, threshold, weight });
  if (sorryServer !== null && sorryAlive === gained) {
    const sorry = {
      kind: "sorry-server",
      service: config.name,
      server: sorryServer.name,
      up: !gained,
      inhibit: sorryServer.inhibit,
    } as const;
    work.say(sorry);
    work.say({ kind: "pool", service: config.name, adding: gained });
    work.pool = { ...work.pool, sorryAlive: !gained };
    work.tableChanged();
  }
  notifyService(work, { up: gained, starting, stopping: false, threshold, weight });
}
