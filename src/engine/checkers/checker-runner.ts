/**
 * One checker of one real server: when it runs, one run at a time, and what its results are worth. It tells the pool of results that count
 * and of weights; it decides nothing about servers.
 */
import type { CheckerKindName, LvsEventBody } from "../../core/events/lvs-events.ts";
import { type Instant, type Micros, micros, toSeconds } from "../../core/lib/units.ts";
import type { HttpChecker } from "../../core/lvs/checkers.ts";
import {
  adoptChecking,
  type CheckingState,
  initialChecking,
  recordCheck,
  type TimedChecker,
  type Verdict,
} from "../../core/lvs/checking.ts";
import type { Finding } from "../../core/lvs/findings.ts";
import type { Probe } from "../../ports/probes.ts";
import type { Timer } from "../../ports/timers.ts";
import { probeDns, probePing, probeUdp } from "./datagram-probes.ts";
import { probePage } from "./http-probe.ts";
import { probeMisc } from "./misc-probe.ts";
import { MysqlProbe } from "./mysql-probe.ts";
import type { CheckerStatus } from "./pool-status.ts";
import { type ProbeContext, type ProbeDone, type ProbeResult, plain } from "./probe.ts";
import { RedisProbe } from "./redis-probe.ts";
import { probeSmtp } from "./smtp-probe.ts";

export interface RunnerPlace {
  readonly service: string;
  readonly server: string;
  /** Configured weight of the real server. */
  readonly weight: number;
}

export interface RunnerHost {
  readonly context: () => ProbeContext;
  readonly publish: (body: LvsEventBody) => void;
  /** A result that counts. */
  readonly verdict: (runner: CheckerRunner, verdict: Verdict, finding: Finding) => void;
  /** What the server's weight ought to be by this checker; null: as configured. */
  readonly weigh: (runner: CheckerRunner, weight: number | null) => void;
}

export class CheckerRunner {
  readonly #host: RunnerHost;
  #checker: TimedChecker;
  #place: RunnerPlace;
  #state: CheckingState;
  #timer: Timer | null = null;
  #probe: Probe | null = null;
  #mysql: MysqlProbe | null = null;
  #redis: RedisProbe | null = null;
  #enabled: boolean;
  #ended = false;
  #startedAt = 0;
  #weight: number | null = null;
  #finding: Finding | null = null;
  #output: string | null = null;
  #ranAt: Instant | null = null;
  /** When the last result that counts came. */
  #since: Instant | null = null;

  constructor(
    host: RunnerHost,
    order: { readonly checker: TimedChecker; readonly place: RunnerPlace; readonly enabled: boolean },
  ) {
    this.#host = host;
    this.#checker = order.checker;
    this.#place = order.place;
    this.#enabled = order.enabled;
    this.#state = initialChecking(order.checker);
    const { random } = host.context();
    this.#arm(micros(order.checker.timing.warmup * random()));
  }

  get checker(): TimedChecker {
    return this.#checker;
  }

  get place(): RunnerPlace {
    return this.#place;
  }

  get state(): CheckingState {
    return this.#state;
  }

  status(): CheckerStatus {
    const { up, retries } = this.#state;
    const { kind, timing } = this.#checker;
    const failing = up && this.#finding !== null && this.#finding.kind !== "ok";
    return {
      checker: kind,
      up,
      since: this.#since,
      lastRunAt: this.#ranAt,
      finding: this.#finding,
      output: this.#output,
      retries: failing ? retries : 0,
      retry: timing.retry,
      intervalSeconds: toSeconds(timing.delayLoop),
    };
  }

  /** The same checker with other times, or of a server with another weight. */
  update(checker: TimedChecker, place: RunnerPlace): void {
    this.#checker = checker;
    this.#place = place;
    this.#state = adoptChecking(this.#state, checker);
  }

  /** ha_suspend: it waits without a result. */
  enable(enabled: boolean): boolean {
    const changed = this.#enabled !== enabled;
    this.#enabled = enabled;
    return changed;
  }

  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
    this.#probe?.cancel();
    this.#mysql?.end();
    this.#redis?.end();
  }

  #arm(delay: Micros): void {
    this.#timer = this.#host.context().commands.timers.schedule(delay, () => this.#run());
  }

  #run(): void {
    if (!this.#enabled) {
      this.#arm(this.#checker.timing.delayLoop);
      return;
    }
    const context = this.#host.context();
    this.#startedAt = context.commands.timers.now();
    this.#probe = this.#begin(context, (result) => this.#ended || this.#record(result));
  }

  #begin(context: ProbeContext, done: ProbeDone): Probe {
    const checker = this.#checker;
    switch (checker.kind) {
      case "tcp":
        return context.port.connect(checker.connection, (finding) => done(plain(finding)));
      case "http": {
        const url = checker.urls[this.#state.page] ?? checker.urls[0];
        if (url === undefined) throw new Error("an HTTP checker has a page");
        return probePage(context, checker, url, done);
      }
      case "smtp":
        return probeSmtp(context, checker, done);
      case "dns":
        return probeDns(context, checker, done);
      case "udp":
        return probeUdp(context, checker, done);
      case "ping":
        return probePing(context, checker, done);
      case "misc":
        return probeMisc(context, checker, this.#place.server, done);
      case "redis":
        this.#redis ??= new RedisProbe(context.redis, checker);
        return this.#redis.run(done);
      default:
        this.#mysql ??= new MysqlProbe(context.sql, checker);
        return this.#mysql.run({ wasUp: this.#state.up, weight: this.#place.weight }, done);
    }
  }

  #record({ finding, weight, output }: ProbeResult): void {
    const succeeded = finding.kind === "ok";
    this.#probe = null;
    this.#finding = finding;
    this.#output = output ?? null;
    this.#ranAt = this.#host.context().commands.timers.now();
    if (succeeded && this.#checker.kind === "http" && !this.#state.up) this.#tellPage(this.#checker);
    const step = recordCheck(this.#checker, this.#state, succeeded);
    this.#state = step.state;
    // keepalived sets the weight first, so that a server comes in with it.
    if (succeeded) this.#weigh(weight);
    if (step.verdict !== null) {
      this.#since = this.#ranAt;
      this.#tell(step.verdict, finding);
      if (!succeeded) this.#weight = null;
    } else if (step.failing && this.#checker.timing.logAllFailures) this.#tellFailing(finding);
    if (!this.#ended) this.#arm(this.#pause(step.delay));
  }

  /** Of MISC_CHECK the loop begins with the run. */
  #pause(delay: Micros): Micros {
    if (this.#checker.kind !== "misc") return delay;
    return micros(Math.max(0, this.#startedAt + delay - this.#host.context().commands.timers.now()));
  }

  #weigh(weight: number | null): void {
    if (weight === this.#weight) return;
    this.#weight = weight;
    this.#host.weigh(this, weight);
  }

  #names() {
    const { service, server } = this.#place;
    return { service, server, checker: this.#checker.kind satisfies CheckerKindName, target: this.#target() };
  }

  #tell(verdict: Verdict, finding: Finding): void {
    const { up, afterRetries } = verdict;
    this.#host.publish({ kind: "checker", ...this.#names(), up, finding, afterRetries });
    this.#host.verdict(this, verdict, finding);
  }

  #tellPage({ urls }: HttpChecker): void {
    const url = urls[this.#state.page];
    if (url === undefined) return;
    const by = url.regex !== null ? "regex" : url.digest !== null ? "digest" : "status";
    const { service, server } = this.#place;
    this.#host.publish({ kind: "page-passed", service, server, by, path: url.path });
  }

  #tellFailing(finding: Finding): void {
    const { retries } = this.#state;
    const names = this.#names();
    this.#host.publish({
      kind: "checker-failing",
      ...names,
      finding,
      retry: retries,
      retries: this.#checker.timing.retry,
    });
  }

  #target(): string {
    const checker = this.#checker;
    if (checker.kind === "misc") return checker.command.argv[0] ?? "";
    if (checker.kind !== "smtp") return "";
    const { address, port } = checker.connection;
    return `[${address}]:${port}`;
  }
}
