/** Counts what only events tell: transitions, failed checks, hooks, keepers lost. They begin at 0 with the daemon. */
import type { HoldfastEventBody } from "../../core/events/vocabulary.ts";
import type { EventEntry } from "../contract/types.ts";
import type { Sample } from "./exposition.ts";

/** Names of instances and scripts come from the configuration; a bound all the same. */
const MOST_SERIES = 10_000;

class Counter {
  readonly #names: readonly string[];
  readonly #counts = new Map<string, { readonly values: readonly string[]; count: number }>();

  constructor(...names: readonly string[]) {
    this.#names = names;
  }

  add(...values: readonly string[]): void {
    const key = JSON.stringify(values);
    const known = this.#counts.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#counts.size < MOST_SERIES) this.#counts.set(key, { values, count: 1 });
  }

  samples(): readonly Sample[] {
    return [...this.#counts.values()].map(({ values, count }) => ({
      labels: Object.fromEntries(this.#names.map((name, index) => [name, values[index] ?? ""])),
      value: count,
    }));
  }
}

export class EventCounts {
  readonly transitions = new Counter("instance", "to", "cause");
  readonly checkChanges = new Counter("script", "standing");
  readonly hooks = new Counter("instance", "hook", "outcome");
  readonly mysqlSteps = new Counter("name", "what", "outcome");
  readonly serverChanges = new Counter("service", "server", "to");
  readonly reloads = new Counter("outcome");
  readonly apiRequests = new Counter("action");
  keepersLost = 0;
  keepersFrozen = 0;

  record({ body }: EventEntry): void {
    switch (body.kind) {
      case "vrrp":
        if (body.report.kind === "state") this.transitions.add(body.instance, body.report.to, body.report.cause.code);
        break;
      case "check":
        if (body.changed) this.checkChanges.add(body.script, body.standing);
        break;
      case "hook-ended":
        this.hooks.add(body.instance, body.hook, outcomeOf(body));
        break;
      case "mysql-step":
        if (body.outcome !== "begun" && body.outcome !== "done")
          this.mysqlSteps.add(body.name, body.what, body.outcome);
        break;
      default:
        this.#daemon(body);
    }
  }

  #daemon(body: HoldfastEventBody): void {
    switch (body.kind) {
      case "real-server":
        this.serverChanges.add(body.service, body.server, body.up ? "up" : "down");
        break;
      case "reload":
        this.reloads.add(body.outcome);
        break;
      case "api-request":
        this.apiRequests.add(body.action);
        break;
      case "keeper-lost":
        this.keepersLost += 1;
        break;
      case "keeper-frozen":
        this.keepersFrozen += 1;
        break;
      default:
        break;
    }
  }
}

function outcomeOf({ outcome }: Extract<HoldfastEventBody, { kind: "hook-ended" }>): string {
  if (outcome.kind !== "exit") return outcome.kind;
  return outcome.code === 0 ? "ok" : "failed";
}
