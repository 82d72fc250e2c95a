/**
 * What is known of every tracked script: standing, last outcome, who tracks it. Fed by `check` events, by the
 * configuration and by the check engine's own account.
 */
import type { HoldfastConfig } from "../core/config/model.ts";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import type { CheckStatus } from "../engine/check-runner.ts";
import type { CheckView } from "./contract/types.ts";

interface Standing {
  standing: CheckView["standing"];
  since: number;
  outcome: CheckView["outcome"];
  lastError: string | null;
  durationMillis: number;
  at: number;
}

/** `NAME@INSTANCE` is one run per instance of the script NAME. */
const scriptName = (key: string): string => key.split("@", 1)[0] ?? key;

export class CheckBoard {
  readonly #standings = new Map<string, Standing>();
  #statuses = new Map<string, Omit<CheckView, "key" | "trackedBy">>();
  #config: HoldfastConfig | null = null;

  configure(config: HoldfastConfig): void {
    this.#config = config;
    const known = new Set(config.scripts.map((script) => script.name));
    for (const key of this.#standings.keys()) {
      if (!known.has(scriptName(key))) this.#standings.delete(key);
    }
  }

  /** The check engine knows more than its events tell: what it says replaces what was folded. */
  setStatuses(statuses: readonly CheckStatus[], wallTime: (monotonic: number) => number): void {
    const wall = (at: number | null): number | null => (at === null ? null : wallTime(at));
    this.#statuses = new Map(
      statuses.map((status) => [
        status.key,
        {
          standing: status.standing.kind,
          since: wall(status.since),
          outcome: status.outcome,
          lastError: status.lastError,
          durationMillis: status.durationMillis,
          intervalMillis: status.intervalMillis,
          timeoutMillis: status.timeoutMillis,
          lastRunAt: wall(status.lastRunAt),
          nextRunAt: wall(status.nextRunAt),
          command: status.command,
        },
      ]),
    );
  }

  fold(body: Extract<HoldfastEventBody, { kind: "check" }>, time: number): void {
    const before = this.#standings.get(body.script);
    this.#standings.set(body.script, {
      standing: body.standing,
      since: before === undefined || body.changed || before.standing !== body.standing ? time : before.since,
      outcome: body.outcome,
      lastError: body.lastError,
      durationMillis: body.durationMillis,
      at: time,
    });
  }

  find(key: string): CheckView | undefined {
    return this.views().find((view) => view.key === key);
  }

  views(): readonly CheckView[] {
    const tracked = this.#trackers();
    const keys = new Set([...tracked.keys(), ...this.#standings.keys(), ...this.#statuses.keys()]);
    return [...keys].map((key) => this.#view(key, tracked.get(key) ?? []));
  }

  #trackers(): Map<string, { instance: string; weight: number }[]> {
    const trackers = new Map<string, { instance: string; weight: number }[]>();
    for (const { vrrp } of this.#config?.instances ?? []) {
      for (const { key, weight } of vrrp.trackScripts) {
        const list = trackers.get(key) ?? [];
        list.push({ instance: vrrp.name, weight });
        trackers.set(key, list);
      }
    }
    return trackers;
  }

  #view(key: string, trackedBy: CheckView["trackedBy"]): CheckView {
    const status = this.#statuses.get(key);
    if (status !== undefined) return { key, ...status, trackedBy };
    const standing = this.#standings.get(key);
    const script = this.#config?.scripts.find((candidate) => candidate.name === scriptName(key));
    return {
      key,
      standing: standing?.standing ?? "unknown",
      since: standing?.since ?? null,
      outcome: standing?.outcome ?? null,
      lastError: standing?.lastError ?? null,
      durationMillis: standing?.durationMillis ?? null,
      intervalMillis: script === undefined ? null : script.interval / 1_000,
      timeoutMillis: script === undefined ? null : script.timeout / 1_000,
      lastRunAt: standing?.at ?? null,
      nextRunAt: null,
      command: script?.command.text ?? null,
      trackedBy,
    };
  }
}
