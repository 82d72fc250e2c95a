/**
 * One virtual server at work: its pool, the runners of its checkers, its part of the wanted table. Effects of the pool go to the host in
 * their order; the same table is the same object, so that nobody compares what has not changed.
 */
import { sameSettings } from "../../core/config/same-settings.ts";
import { findingInWords } from "../../core/events/explain-lvs.ts";
import type { LvsEventBody } from "../../core/events/lvs-events.ts";
import { type Instant, micros, seconds } from "../../core/lib/units.ts";
import { adoptPool, sameChecker } from "../../core/lvs/adopt.ts";
import type { TimedChecker } from "../../core/lvs/checking.ts";
import type { RealServerConfig, VirtualServerConfig } from "../../core/lvs/config.ts";
import type { PoolEffect } from "../../core/lvs/effects.ts";
import type { Finding } from "../../core/lvs/findings.ts";
import { beginPool, changeOffset, checkerResult, endPool, initialPool, nextRise, risen } from "../../core/lvs/pool.ts";
import { fileChanged } from "../../core/lvs/pool-files.ts";
import type { Pool, PoolRules, Step } from "../../core/lvs/pool-state.ts";
import type { WantedService } from "../../core/lvs/table.ts";
import { wantedServices } from "../../core/lvs/wanted.ts";
import type { Timer, Timers } from "../../ports/timers.ts";
import { CheckerRunner, type RunnerHost } from "./checker-runner.ts";
import { type PoolStatus, poolStatus } from "./pool-status.ts";
import type { ProbeContext } from "./probe.ts";

export interface PoolHost {
  readonly timers: Timers;
  readonly context: () => ProbeContext;
  readonly rules: () => PoolRules;
  readonly publish: (body: LvsEventBody) => void;
  /** Scripts, pipe lines and mail. */
  readonly carryOut: (service: string, effect: PoolEffect) => void;
  readonly onTable: () => void;
}

/** Steps of a slow start. */
const RISE_STEP = seconds(1);

interface Place {
  readonly server: number;
  readonly checker: number;
}

export class ServerPool {
  readonly #host: PoolHost;
  #pool: Pool;
  #runners = new Map<CheckerRunner, Place>();
  #wanted: readonly WantedService[] | null = null;
  #rise: Timer | null = null;
  #enabled: boolean;
  readonly #begunAt: Instant;
  /** When servers came up or went down, by name. */
  readonly #turnedAt = new Map<string, Instant>();

  constructor(
    host: PoolHost,
    {
      config,
      files,
      enabled,
    }: { readonly config: VirtualServerConfig; readonly files: ReadonlyMap<string, number>; readonly enabled: boolean },
  ) {
    this.#host = host;
    this.#enabled = enabled;
    this.#begunAt = host.timers.now();
    this.#pool = initialPool(config, files);
    this.#take(beginPool(this.#pool, host.rules()));
    this.#place([]);
  }

  get pool(): Pool {
    return this.#pool;
  }

  get config(): VirtualServerConfig {
    return this.#pool.config;
  }

  status(): PoolStatus {
    const runners = new Map([...this.#runners].map(([runner, place]) => [`${place.server}/${place.checker}`, runner]));
    return poolStatus({
      pool: this.#pool,
      checking: this.#enabled,
      since: (server) => this.#turnedAt.get(server) ?? this.#begunAt,
      checker: (server, checker) => runners.get(`${server}/${checker}`)?.status() ?? null,
    });
  }

  wanted(): readonly WantedService[] {
    this.#wanted ??= wantedServices(this.#pool, this.#host.timers.now());
    return this.#wanted;
  }

  /** A reload that keeps the service; one whose block says the same is not touched. */
  adopt(config: VirtualServerConfig, files: ReadonlyMap<string, number>): void {
    if (sameSettings(config, this.config)) return;
    const { rules, timers } = this.#host;
    const step = adoptPool(this.#pool, { config, files, rules: rules(), now: timers.now() });
    const before = [...this.#runners.keys()];
    this.#pool = step.pool;
    this.#place(before);
    this.#take(step);
  }

  fileChanged(name: string, value: number): void {
    const now = this.#host.timers.now();
    this.#take(fileChanged(this.#pool, { name, value, now }, this.#host.rules()));
  }

  /** ha_suspend. */
  enable(enabled: boolean): void {
    this.#enabled = enabled;
    for (const runner of this.#runners.keys()) {
      if (runner.enable(enabled)) this.#tellActivity(runner, { active: enabled, starting: false });
    }
  }

  /** No checks any more. */
  quiet(): void {
    for (const runner of this.#runners.keys()) runner.end();
    this.#runners = new Map();
    this.#rise?.cancel();
  }

  end(stopping: boolean): void {
    this.quiet();
    this.#take(endPool(this.#pool, stopping));
    this.#rise?.cancel();
  }

  #take({ pool, effects }: Step): void {
    this.#pool = pool;
    for (const effect of effects) {
      if (effect.kind === "event") this.#tell(effect.body);
      else if (effect.kind === "table") this.#tableChanged();
      else this.#host.carryOut(this.config.name, effect);
    }
  }

  #tell(body: LvsEventBody): void {
    if (body.kind === "real-server") this.#turnedAt.set(body.server, this.#host.timers.now());
    this.#host.publish(body);
  }

  #tableChanged(): void {
    this.#wanted = null;
    this.#host.onTable();
    this.#armRise();
  }

  /** While a slow start is on the weights are set anew each second. */
  #armRise(): void {
    const due = nextRise(this.#pool);
    this.#rise?.cancel();
    this.#rise = null;
    if (due === null) return;
    const { timers } = this.#host;
    const delay = micros(Math.max(0, Math.min(RISE_STEP, due - timers.now())));
    this.#rise = timers.schedule(delay, () => {
      this.#pool = risen(this.#pool, timers.now());
      this.#tableChanged();
    });
  }

  /** Gives each checker of the configuration a runner: one that asks the same goes on. */
  #place(before: readonly CheckerRunner[]): void {
    const left = new Set(before);
    const runners = new Map<CheckerRunner, Place>();
    for (const [server, { config }] of this.#pool.servers.entries()) {
      for (const [checker, one] of config.checkers.entries()) {
        if (one.kind === "file") continue;
        runners.set(this.#runnerFor(config, one, left), { server, checker });
      }
    }
    for (const runner of left) runner.end();
    this.#runners = runners;
  }

  #runnerFor(config: RealServerConfig, checker: TimedChecker, left: Set<CheckerRunner>): CheckerRunner {
    const place = { service: this.config.name, server: config.name, weight: config.weight };
    for (const runner of left) {
      if (runner.place.server !== config.name || !sameChecker(runner.checker, checker)) continue;
      left.delete(runner);
      runner.update(checker, place);
      return runner;
    }
    const runner = new CheckerRunner(this.#runnerHost(), { checker, place, enabled: this.#enabled });
    this.#tellActivity(runner, { active: this.#enabled, starting: true });
    return runner;
  }

  #runnerHost(): RunnerHost {
    return {
      context: this.#host.context,
      publish: this.#host.publish,
      verdict: (runner, { up }, finding) => {
        const place = this.#runners.get(runner);
        if (place === undefined) return;
        const result = { ...place, up, finding, now: this.#host.timers.now(), why: mailReason(runner, finding) };
        this.#take(checkerResult(this.#pool, result, this.#host.rules()));
      },
      weigh: (runner, weight) => {
        const place = this.#runners.get(runner);
        if (place === undefined) return;
        const offset = weight === null ? 0 : weight - runner.place.weight;
        this.#take(changeOffset(this.#pool, { ...place, offset }));
      },
    };
  }

  #tellActivity(
    { place }: CheckerRunner,
    { active, starting }: { readonly active: boolean; readonly starting: boolean },
  ): void {
    this.#host.publish({ kind: "checker-activity", service: place.service, server: place.server, active, starting });
  }
}

/** Where keepalived's mail says why; its other checkers' mail does not. */
function mailReason({ checker }: CheckerRunner, finding: Finding): string {
  if (finding.kind === "ok") return "";
  switch (checker.kind) {
    case "http":
      return "HTTP request failed";
    case "misc":
      return finding.kind === "script-timeout" ? "timed out" : "failed";
    case "smtp":
    case "mysql":
    case "redis":
      return findingInWords(finding);
    default:
      return "";
  }
}
