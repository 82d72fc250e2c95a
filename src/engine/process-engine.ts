/**
 * The tracked processes of a configuration: which run, whether they are enough, who is told. Listens to the kernel's news of
 * processes; where it gives none (in a container, in another network namespace) looks at all of them every second and says so.
 */
import type { HoldfastConfig, TrackProcessConfig } from "../core/config/model.ts";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { countProcesses, matchesProcess, type ProcessCount, UNCOUNTED } from "../core/health/tracked-process.ts";
import { sameValue } from "../core/lib/same-value.ts";
import { micros, seconds } from "../core/lib/units.ts";
import type { ProcessStanding } from "../core/link/messages.ts";
import type { Timer, Timers } from "../ports/timers.ts";
import type { ProcessWatchPort, Watch } from "../ports/watches.ts";

export interface ProcessEngineOptions {
  readonly port: ProcessWatchPort;
  readonly timers: Timers;
  readonly publish: (body: HoldfastEventBody) => void;
  readonly tell: (processes: Readonly<Record<string, ProcessStanding>>) => void;
}

export interface ProcessEngine {
  /** Takes over a new configuration; unchanged patterns keep what they know. */
  configure(config: HoldfastConfig): void;
  standings(): Readonly<Record<string, ProcessStanding>>;
  stop(): void;
}

/** Between two looks at all processes where the kernel does not tell. */
const POLL = seconds(1);

interface Tracked {
  config: TrackProcessConfig;
  readonly pids: Set<number>;
  state: ProcessCount;
  timer: Timer | null;
}

export function createProcessEngine(options: ProcessEngineOptions): ProcessEngine {
  return new Processes(options);
}

class Processes implements ProcessEngine {
  readonly #options: ProcessEngineOptions;
  readonly #tracked = new Map<string, Tracked>();
  #watch: Watch | null = null;
  #poll: Timer | null = null;

  constructor(options: ProcessEngineOptions) {
    this.#options = options;
  }

  configure(config: HoldfastConfig): void {
    const used = new Set(config.instances.flatMap(({ vrrp }) => vrrp.trackProcesses.map(({ key }) => key)));
    const wanted = new Map(config.processes.filter(({ name }) => used.has(name)).map((one) => [one.name, one]));
    for (const [name, tracked] of this.#tracked) {
      const next = wanted.get(name);
      if (next !== undefined && sameValue(next.pattern, tracked.config.pattern)) {
        tracked.config = next;
        wanted.delete(name);
      } else {
        tracked.timer?.cancel();
        this.#tracked.delete(name);
      }
    }
    for (const [name, one] of wanted) {
      this.#tracked.set(name, { config: one, pids: new Set(), state: UNCOUNTED, timer: null });
    }
    if (this.#tracked.size === 0) this.#stopWatching();
    else {
      // Watch first: what happens between the two is seen twice rather than never.
      this.#startWatching();
      this.#lookAtAll();
    }
  }

  standings(): Readonly<Record<string, ProcessStanding>> {
    const standings: Record<string, ProcessStanding> = {};
    for (const [name, { state }] of this.#tracked) standings[name] = standingOf(state);
    return standings;
  }

  stop(): void {
    for (const { timer } of this.#tracked.values()) timer?.cancel();
    this.#tracked.clear();
    this.#stopWatching();
  }

  #startWatching(): void {
    if (this.#watch !== null || this.#poll !== null) return;
    const watch = this.#options.port.watch({
      changed: (pid) => this.#lookAt(pid),
      ended: (pid) => this.#ended(pid),
      missed: () => this.#lookAtAll(),
    });
    if (watch.ok) {
      this.#watch = watch.value;
      return;
    }
    this.#options.publish({ kind: "process-watch", everyMillis: POLL / 1_000, detail: watch.error });
    this.#schedulePoll();
  }

  #schedulePoll(): void {
    this.#poll = this.#options.timers.schedule(POLL, () => {
      this.#lookAtAll();
      this.#schedulePoll();
    });
  }

  #stopWatching(): void {
    this.#watch?.close();
    this.#watch = null;
    this.#poll?.cancel();
    this.#poll = null;
  }

  #lookAtAll(): void {
    const { port } = this.#options;
    const found = new Map([...this.#tracked.values()].map((tracked) => [tracked, new Set<number>()]));
    for (const pid of port.list()) {
      const facts = port.facts(pid);
      if (facts === null) continue;
      for (const [tracked, pids] of found) if (matchesProcess(tracked.config.pattern, facts)) pids.add(pid);
    }
    for (const [tracked, pids] of found) {
      tracked.pids.clear();
      for (const pid of pids) tracked.pids.add(pid);
      this.#count(tracked);
    }
  }

  #lookAt(pid: number): void {
    const facts = this.#options.port.facts(pid);
    for (const tracked of this.#tracked.values()) {
      const matches = facts !== null && matchesProcess(tracked.config.pattern, facts);
      if (matches === tracked.pids.has(pid)) continue;
      if (matches) tracked.pids.add(pid);
      else tracked.pids.delete(pid);
      this.#count(tracked);
    }
  }

  #ended(pid: number): void {
    for (const tracked of this.#tracked.values()) if (tracked.pids.delete(pid)) this.#count(tracked);
  }

  #count(tracked: Tracked): void {
    const { timers, publish, tell } = this.#options;
    const { config, state: before } = tracked;
    const state = countProcesses(config.quorum, before, tracked.pids.size, timers.now());
    tracked.state = state;
    tracked.timer?.cancel();
    tracked.timer = null;
    if (state.changesAt !== null) {
      const wait = micros(Math.max(0, state.changesAt - timers.now()));
      tracked.timer = timers.schedule(wait, () => this.#count(tracked));
    }
    if (state.fulfilled === before.fulfilled) return;
    publish({
      kind: "tracked-process",
      process: config.name,
      count: state.count,
      fulfilled: state.fulfilled === true,
    });
    tell({ [config.name]: standingOf(state) });
  }
}

function standingOf({ fulfilled, count }: ProcessCount): ProcessStanding {
  return { kind: fulfilled === true ? "ok" : "failed", count };
}
