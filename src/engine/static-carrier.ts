/**
 * Objects that do not move: addresses, routes and rules that are there while the daemon runs (static_ipaddress, static_routes,
 * static_rules). Put back when somebody deletes them; while one with a track group cannot be, the instances of the group are faulty.
 * Their end comes with an orderly stop, or with the line in the file.
 */
import type { HoldfastEventBody, RoutingText } from "../core/events/vocabulary.ts";
import { sameValue } from "../core/lib/same-value.ts";
import { isSameRoute, type RouteRecord } from "../core/netlink/routes.ts";
import { isSameRule, type RuleRecord } from "../core/netlink/rules.ts";
import type { StaticAddress, StaticObjects } from "../core/routing/host.ts";
import { PLAIN_HOST } from "../core/routing/host.ts";
import type { Fault } from "../core/vrrp/causes.ts";
import type { AddressChange, InterfaceAddress, KernelError, Link } from "../ports/network.ts";
import type { RoutingChange, RoutingObject } from "../ports/routing.ts";
import type { EnginePorts } from "./engine-ports.ts";

export interface StaticHost {
  event(body: HoldfastEventBody): void;
  deviceIndex(name: string): number | null;
}

type StaticObject = RoutingObject | { readonly kind: "address"; readonly address: StaticAddress };

export class StaticCarrier {
  readonly #ports: EnginePorts;
  readonly #host: StaticHost;
  #statics: StaticObjects = PLAIN_HOST.statics;
  #objects: readonly StaticObject[] = [];
  /** Why an object is not there although it should be. */
  readonly #broken = new Map<StaticObject, string>();

  constructor(ports: EnginePorts, host: StaticHost) {
    this.#ports = ports;
    this.#host = host;
  }

  get idle(): boolean {
    return this.#objects.length === 0;
  }

  /** Takes over another set: what is gone is removed, what is new is added, the rest is left alone. */
  configure(statics: StaticObjects): void {
    if (sameValue(statics, this.#statics)) return;
    const wanted = objectsOf(statics);
    const gone = this.#objects.filter((old) => !wanted.some((object) => sameValue(object, old)));
    const fresh = wanted.filter((object) => !this.#objects.some((old) => sameValue(object, old)));
    this.#remove(gone);
    const kept = this.#objects.filter((object) => !gone.includes(object));
    this.#statics = statics;
    this.#objects = [...kept, ...fresh];
    this.#add(fresh, "added");
  }

  /** The daemon stops. */
  removeAll(): void {
    this.#remove(this.#objects);
    this.#objects = [];
    this.#broken.clear();
  }

  /** An address went from an interface; true when it was one of these. */
  addressLost(interfaceIndex: number, address: string): boolean {
    const lost = this.#objects.filter(
      (object) =>
        object.kind === "address" &&
        object.address.address.address === address &&
        this.#host.deviceIndex(object.address.address.device) === interfaceIndex,
    );
    this.#restore(lost);
    // Routes that used it as their source went with it, and the kernel does not say so.
    if (lost.length > 0) this.verify(null);
    return lost.length > 0;
  }

  routingLost(record: RouteRecord | RuleRecord): void {
    this.#restore(this.#objects.filter((object) => this.#isRecord(object, record)));
  }

  /** Interfaces changed, or notifications were lost: whatever is missing is put back. Null: addresses are not looked at. */
  verify(present: readonly InterfaceAddress[] | null): void {
    if (this.idle) return;
    const missing = this.#objects.filter((object) => {
      if (object.kind !== "address") return true;
      if (present === null) return false;
      const index = this.#host.deviceIndex(object.address.address.device);
      return !present.some(
        (entry) => entry.interfaceIndex === index && entry.address === object.address.address.address,
      );
    });
    this.#restore(missing);
  }

  /** Faults of an instance that depends on a static object that cannot be put back, or whose interface is not usable. */
  faultsOf(instance: string, links: readonly Link[]): readonly Fault[] {
    if (this.#statics.groups.length === 0) return [];
    const groups = new Set(
      this.#statics.groups.filter(({ instances }) => instances.includes(instance)).map(({ name }) => name),
    );
    return this.#objects
      .filter((object) => groups.has(metaOf(object).trackGroup ?? ""))
      .flatMap((object): readonly Fault[] => {
        const device = deviceOf(object);
        const link = links.find(({ name }) => name === device);
        if (device !== null && link?.usable !== true) {
          return [{ kind: "interface", interface: device, problem: link === undefined ? "missing" : "down" }];
        }
        const reason = this.#broken.get(object);
        return reason === undefined ? [] : [{ kind: "static-object", object: textOf(object), reason }];
      });
  }

  #restore(objects: readonly StaticObject[]): void {
    this.#add(
      objects.filter((object) => metaOf(object).tracked),
      "restored",
    );
  }

  #isRecord(object: StaticObject, record: RouteRecord | RuleRecord): boolean {
    if ("destination" in record) {
      return object.kind === "route" && isSameRoute(object.route, record, (name) => this.#host.deviceIndex(name));
    }
    return object.kind === "rule" && isSameRule(object.rule, record);
  }

  #add(objects: readonly StaticObject[], action: "added" | "restored"): void {
    const done = [...this.#changeAddresses(objects, "add"), ...this.#changeRouting(objects, "add")];
    if (done.length > 0) this.#host.event({ kind: "routing", instance: null, action, objects: done });
  }

  #remove(objects: readonly StaticObject[]): void {
    const reversed = objects.toReversed();
    for (const object of objects) this.#broken.delete(object);
    const done = [...this.#changeRouting(reversed, "remove"), ...this.#changeAddresses(reversed, "remove")];
    if (done.length > 0) this.#host.event({ kind: "routing", instance: null, action: "removed", objects: done });
  }

  #changeAddresses(objects: readonly StaticObject[], action: "add" | "remove"): readonly RoutingText[] {
    const changes = new Map<AddressChange, StaticObject>();
    for (const object of objects) {
      if (object.kind !== "address") continue;
      const { address } = object.address;
      const interfaceIndex = this.#host.deviceIndex(address.device);
      if (interfaceIndex !== null) changes.set({ action, interfaceIndex, address, lifetime: null }, object);
      else if (action === "add") this.#failed(object, { what: `add ${textOf(object)}`, errno: "ENODEV" });
    }
    if (changes.size === 0) return [];
    const failures = this.#ports.kernel.change([...changes.keys()]);
    return [...changes].flatMap(([change, object]) => {
      const failure = failures.find((one) => one.change === change);
      if (failure !== undefined) {
        this.#failed(object, failure.error);
        return [];
      }
      this.#broken.delete(object);
      return [{ kind: "address" as const, text: textOf(object) }];
    });
  }

  #changeRouting(objects: readonly StaticObject[], action: "add" | "remove"): readonly RoutingText[] {
    const routing = objects.filter((object): object is RoutingObject => object.kind !== "address");
    const changes: RoutingChange[] = routing.map((object) => ({ action, object }));
    if (changes.length === 0) return [];
    const outcomes = this.#ports.routing.apply(changes, (name) => this.#host.deviceIndex(name));
    return outcomes.flatMap(({ change, result, error }) => {
      if (error === null) this.#broken.delete(change.object);
      else this.#failed(change.object, error);
      return result === "done" ? [{ kind: change.object.kind, text: textOf(change.object) }] : [];
    });
  }

  /** Told once per run of failures: an interface that is down refuses its routes at every look. */
  #failed(object: StaticObject, error: KernelError): void {
    const reason = error.errno;
    if (this.#broken.get(object) === reason) return;
    this.#broken.set(object, reason);
    this.#host.event({ kind: "routing-failed", instance: null, detail: `${error.what}: ${error.errno}` });
  }
}

function objectsOf({ addresses, routes, rules }: StaticObjects): readonly StaticObject[] {
  return [
    ...addresses.map((address): StaticObject => ({ kind: "address", address })),
    ...routes.map((route): StaticObject => ({ kind: "route", route })),
    ...rules.map((rule): StaticObject => ({ kind: "rule", rule })),
  ];
}

function metaOf(object: StaticObject): { readonly tracked: boolean; readonly trackGroup: string | null } {
  if (object.kind === "address") return object.address;
  return object.kind === "route" ? object.route : object.rule;
}

function deviceOf(object: StaticObject): string | null {
  if (object.kind === "address") return object.address.address.device;
  return object.kind === "route" ? object.route.device : object.rule.inputDevice;
}

function textOf(object: StaticObject): string {
  if (object.kind === "address") {
    const { address, prefixLength, device } = object.address.address;
    return `${address}/${prefixLength} dev ${device}`;
  }
  return object.kind === "route" ? object.route.text : object.rule.text;
}
