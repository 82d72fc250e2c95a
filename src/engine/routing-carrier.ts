/**
 * The routes and rules of all instances in the kernel: added after the addresses, taken off before them, as keepalived does. They
 * have no lifetime there; what an earlier life left behind is swept when an instance begins. It carries out; when an instance holds
 * is core/vrrp's decision.
 */
import type { HoldfastEventBody, RoutingText } from "../core/events/vocabulary.ts";
import { sameValue } from "../core/lib/same-value.ts";
import { isSameRoute, type RouteRecord } from "../core/netlink/routes.ts";
import { isSameRule, type RuleRecord } from "../core/netlink/rules.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import type { VrrpEvent } from "../core/vrrp/events.ts";
import type { RoutingChange, RoutingObject, RoutingOutcome } from "../ports/routing.ts";
import type { EnginePorts } from "./engine-ports.ts";
import type { Runtime } from "./vrrp-runtime.ts";

export interface RoutingHost {
  all(): readonly Runtime[];
  event(body: HoldfastEventBody): void;
  dispatch(runtime: Runtime, event: VrrpEvent): void;
  deviceIndex(name: string): number | null;
}

interface PendingRouting {
  readonly runtime: Runtime;
  readonly change: RoutingChange;
}

export class RoutingCarrier {
  readonly #ports: EnginePorts;
  readonly #host: RoutingHost;
  #removals: PendingRouting[] = [];
  #additions: PendingRouting[] = [];

  constructor(ports: EnginePorts, host: RoutingHost) {
    this.#ports = ports;
    this.#host = host;
  }

  add(runtime: Runtime): void {
    runtime.routed = true;
    this.#addAll(runtime, routingOf(runtime.config));
  }

  /** Rules first, then routes, each list from its end. */
  remove(runtime: Runtime): void {
    runtime.routed = false;
    this.#additions = this.#additions.filter((entry) => entry.runtime !== runtime);
    this.#removeAll(runtime, routingOf(runtime.config));
  }

  /** The lists of a holding instance changed: only the difference reaches the kernel. */
  change(runtime: Runtime, before: VrrpInstanceConfig): void {
    if (!runtime.routed) return;
    const old = routingOf(before);
    const wanted = routingOf(runtime.config);
    const missing = (list: readonly RoutingObject[], object: RoutingObject): boolean =>
      !list.some((other) => sameValue(other, object));
    this.#removeAll(
      runtime,
      old.filter((object) => missing(wanted, object)),
    );
    this.#addAll(
      runtime,
      wanted.filter((object) => missing(old, object)),
    );
  }

  /** Takes off what an earlier life of this instance left behind; only what its own configuration names. */
  sweep(runtime: Runtime): void {
    const objects = routingOf(runtime.config);
    if (objects.length === 0) return;
    const found = this.#apply(objects.toReversed().map((object) => ({ action: "remove", object })))
      .filter(({ result }) => result === "done")
      .map(({ change }) => describe(change.object));
    if (found.length > 0) this.#tell(runtime, "swept", found);
  }

  /** A route or rule went, and not by us. One that somebody may delete is no reason to give up. */
  lost(record: RouteRecord | RuleRecord): void {
    for (const runtime of this.#host.all()) {
      if (!runtime.routed) continue;
      const object = routingOf(runtime.config).find((candidate) => this.#isRecord(candidate, record));
      if (object === undefined || !isTracked(object)) continue;
      this.#host.dispatch(runtime, { kind: "object-removed", what: object.kind, text: bodyOf(object).text });
    }
  }

  #isRecord(object: RoutingObject, record: RouteRecord | RuleRecord): boolean {
    if ("destination" in record) {
      return object.kind === "route" && isSameRoute(object.route, record, (name) => this.#host.deviceIndex(name));
    }
    return object.kind === "rule" && isSameRule(object.rule, record);
  }

  /** Notifications were lost, or an interface came back: what is missing is put back. */
  verify(): void {
    for (const runtime of this.#host.all()) {
      if (!runtime.routed) continue;
      const objects = routingOf(runtime.config).filter(isTracked);
      const restored = this.#apply(objects.map((object) => ({ action: "add", object })))
        .filter(({ result }) => result === "done")
        .map(({ change }) => describe(change.object));
      if (restored.length > 0) this.#tell(runtime, "restored", restored);
    }
  }

  flushRemovals(): void {
    if (this.#removals.length === 0) return;
    const pending = this.#removals;
    this.#removals = [];
    this.#settle(pending, "removed");
  }

  flushAdditions(): void {
    if (this.#additions.length === 0) return;
    const pending = this.#additions.filter(({ runtime }) => runtime.routed);
    this.#additions = [];
    if (pending.length > 0) this.#settle(pending, "added");
  }

  /** A failure is told and changes nothing: keepalived too serves on without a route that the kernel refuses. */
  #settle(pending: readonly PendingRouting[], action: "added" | "removed"): void {
    const outcomes = this.#apply(pending.map(({ change }) => change));
    const done = new Map<Runtime, RoutingText[]>();
    for (const [position, { result, error, change }] of outcomes.entries()) {
      const runtime = pending[position]?.runtime;
      if (runtime === undefined) continue;
      if (error !== null) this.#complain(runtime, error);
      else if (result === "done") done.set(runtime, [...(done.get(runtime) ?? []), describe(change.object)]);
    }
    for (const [runtime, objects] of done) this.#tell(runtime, action, objects);
  }

  #apply(changes: readonly RoutingChange[]): readonly RoutingOutcome[] {
    return this.#ports.routing.apply(changes, (name) => this.#host.deviceIndex(name));
  }

  #addAll(runtime: Runtime, objects: readonly RoutingObject[]): void {
    for (const object of objects) this.#additions.push({ runtime, change: { action: "add", object } });
  }

  #removeAll(runtime: Runtime, objects: readonly RoutingObject[]): void {
    for (const object of objects.toReversed()) this.#removals.push({ runtime, change: { action: "remove", object } });
  }

  #complain(runtime: Runtime, error: { readonly what: string; readonly errno: string }): void {
    const detail = `${error.what}: ${error.errno}`;
    this.#host.event({ kind: "routing-failed", instance: runtime.config.name, detail });
  }

  #tell(runtime: Runtime, action: "added" | "removed" | "restored" | "swept", objects: readonly RoutingText[]): void {
    this.#host.event({ kind: "routing", instance: runtime.config.name, action, objects });
  }
}

/** In the order in which they are added: a rule may lead to a table that a route fills. */
export function routingOf(config: Pick<VrrpInstanceConfig, "routes" | "rules">): readonly RoutingObject[] {
  if (config.routes.length === 0 && config.rules.length === 0) return [];
  return [
    ...config.routes.map((route): RoutingObject => ({ kind: "route", route })),
    ...config.rules.map((rule): RoutingObject => ({ kind: "rule", rule })),
  ];
}

function bodyOf(object: RoutingObject): { readonly text: string; readonly tracked: boolean } {
  return object.kind === "route" ? object.route : object.rule;
}

function isTracked(object: RoutingObject): boolean {
  return bodyOf(object).tracked;
}

function describe(object: RoutingObject): RoutingText {
  return { kind: object.kind, text: bodyOf(object).text };
}
