/**
 * Keeps the services of the file in the kernel's IPVS table: orders what differs, looks again from time to time, and puts right what somebody
 * else has changed. A service that the file names is ours with all its servers; every other one is left alone. It never waits and never takes
 * long at a time: a thousand services are several turns.
 *
 * Between looks it goes by what it believes: what was read, changed by what was ordered since. So one failing server costs one message.
 */
import type { IpvsEventBody } from "../../core/events/ipvs-events.ts";
import { type Micros, micros, seconds, toSeconds } from "../../core/lib/units.ts";
import {
  afterOrder,
  type PresentService,
  sameDestination,
  sameService,
  serviceOrders,
} from "../../core/lvs/difference.ts";
import type { IpvsOrder, ServiceRecord } from "../../core/lvs/ipvs/model.ts";
import { destinationText, orderText, serviceText } from "../../core/lvs/ipvs/words.ts";
import type { WantedService, WantedTable } from "../../core/lvs/table.ts";
import type { IpvsPort } from "../../ports/ipvs.ts";
import type { KernelError } from "../../ports/network.ts";
import type { Timer, Timers } from "../../ports/timers.ts";
import { createRefusals, type Failure, type Refusals, type RefusedService } from "./refusals.ts";

/** Orders in one turn of the event loop. */
const ORDERS_PER_TURN = 1_000;
/** Services whose servers are read in one look. */
const SERVICES_PER_LOOK = 50;
const LOOK_AFTER = seconds(5);
/** Somebody who changes the table all the time is not fought for ever at full speed. */
const LONGEST_WAIT = seconds(300);
const AT_ONCE = micros(0);

export interface IpvsTableOptions {
  readonly ipvs: IpvsPort;
  readonly timers: Timers;
  readonly publish: (body: IpvsEventBody) => void;
}

export interface IpvsTableState {
  /** `unused`: the file has no virtual server and nothing was asked of the kernel. */
  readonly kernel: "ready" | "absent" | "unused";
  readonly version: string;
  /** Why it is absent. */
  readonly detail: string;
  readonly refused: readonly RefusedService[];
  readonly foreign: number;
}

export interface IpvsTable {
  /** What ought to be there from now on. Services that are the same object as before are not looked at. */
  want(table: WantedTable): void;
  /** Empties the kernel's whole table first: lvs_flush. */
  flush(): void;
  /** Looks at the kernel now, all of it. */
  look(): void;
  state(): IpvsTableState;
  /** Every order is given, or refused. */
  readonly settled: boolean;
  /** Takes our services out; `all` empties the table. Nothing is done afterwards. */
  stop(how: "services" | "all" | "keep"): void;
}

export function createIpvsTable(options: IpvsTableOptions): IpvsTable {
  return new Table(options);
}

class Table implements IpvsTable {
  readonly #options: IpvsTableOptions;
  #wanted = new Map<string, WantedService>();
  /** Services of ours as we believe them to be in the kernel. */
  readonly #present = new Map<string, PresentService>();
  /** Services whose difference has not been ordered yet. */
  readonly #dirty = new Set<string>();
  readonly #refusals: Refusals;
  #kernel: IpvsTableState["kernel"] = "unused";
  #version = "";
  #detail = "";
  #foreign = 0;
  #turn: Timer | null = null;
  #looking: Timer | null = null;
  #lookWait: Micros = LOOK_AFTER;
  /** Where the next look goes on among our services. */
  #lookFrom = 0;
  #stopped = false;

  constructor(options: IpvsTableOptions) {
    this.#options = options;
    this.#refusals = createRefusals(options.timers, options.publish, (text) => {
      this.#dirty.add(text);
      this.#work();
    });
  }

  get settled(): boolean {
    return this.#turn === null && this.#dirty.size === 0;
  }

  want(table: WantedTable): void {
    const before = this.#wanted;
    this.#wanted = new Map(table.map((service) => [serviceText(service.key), service]));
    for (const [text, service] of this.#wanted) if (before.get(text) !== service) this.#touch(text);
    for (const text of before.keys()) if (!this.#wanted.has(text)) this.#touch(text);
    if (this.#kernel === "unused" && this.#wanted.size > 0) this.#begin();
    if (this.#kernel === "ready") this.#work();
  }

  flush(): void {
    if (this.#begin() !== null) return;
    const [error] = this.#options.ipvs.apply([{ kind: "flush" }]);
    if (error !== null && error !== undefined) return;
    this.#options.publish({ kind: "ipvs-table", action: "flushed", services: this.#present.size + this.#foreign });
    this.#present.clear();
    this.#foreign = 0;
    for (const text of this.#wanted.keys()) this.#touch(text);
  }

  look(): void {
    if (this.#kernel !== "ready") this.#begin();
    else this.#look(this.#wanted.size);
  }

  state(): IpvsTableState {
    return {
      kernel: this.#kernel,
      version: this.#version,
      detail: this.#detail,
      refused: this.#refusals.list(),
      foreign: this.#foreign,
    };
  }

  stop(how: "services" | "all" | "keep"): void {
    this.#stopped = true;
    this.#turn?.cancel();
    this.#looking?.cancel();
    this.#refusals.stop();
    if (this.#kernel !== "ready" || how === "keep") return;
    const services = [...this.#present.values()];
    const orders: readonly IpvsOrder[] =
      how === "all"
        ? [{ kind: "flush" }]
        : services.map(({ service }) => ({ kind: "remove-service", key: service.key }));
    if (orders.length === 0) return;
    this.#options.ipvs.apply(orders);
    this.#present.clear();
    this.#options.publish({ kind: "ipvs-table", action: "emptied", services: services.length });
  }

  #touch(text: string): void {
    this.#dirty.add(text);
    this.#refusals.disturb(text);
  }

  /** Finds out what there is; null when there is an IPVS. */
  #begin(): KernelError | null {
    if (this.#kernel === "ready" || this.#stopped) return null;
    const { ipvs, publish } = this.#options;
    const info = ipvs.info();
    const found = info.ok ? ipvs.services() : info;
    if (!info.ok || !found.ok) {
      const error = info.ok ? (found as { readonly error: KernelError }).error : info.error;
      this.#lose(error);
      return error;
    }
    this.#kernel = "ready";
    this.#version = info.value.version;
    this.#detail = "";
    const adopted = this.#adopt(found.value);
    publish({ kind: "ipvs", state: "ready", version: this.#version, adopted, foreign: this.#foreign, detail: "" });
    this.#plan(this.#lookWait);
    this.#work();
    return null;
  }

  /** No IPVS, or no more: what the kernel had is gone with it. */
  #lose({ what, errno }: KernelError): void {
    const detail = `${what}: ${errno}`;
    if (this.#kernel !== "absent") {
      const nothing = { version: "", adopted: 0, foreign: 0 };
      this.#options.publish({ kind: "ipvs", state: "absent", ...nothing, detail });
    }
    this.#kernel = "absent";
    this.#detail = detail;
    this.#present.clear();
    for (const text of this.#wanted.keys()) this.#dirty.add(text);
    this.#plan(LOOK_AFTER);
  }

  /** What of ours is there already, from an earlier life; how many services. */
  #adopt(found: readonly ServiceRecord[]): number {
    this.#present.clear();
    for (const service of found) {
      const text = serviceText(service.key);
      if (this.#wanted.has(text)) this.#readServers(text, service);
    }
    this.#foreign = found.length - this.#present.size;
    for (const text of this.#wanted.keys()) this.#dirty.add(text);
    return this.#present.size;
  }

  #readServers(text: string, service: ServiceRecord): void {
    const read = this.#options.ipvs.destinations(service.key);
    if (!read.ok) return;
    const destinations = new Map(read.value.map((one) => [destinationText(one), one]));
    this.#present.set(text, { service, destinations });
  }

  #work(): void {
    if (this.#turn !== null || this.#stopped || this.#kernel !== "ready") return;
    this.#turnOnce();
    if (this.#dirty.size === 0) return;
    this.#turn = this.#options.timers.schedule(AT_ONCE, () => {
      this.#turn = null;
      this.#work();
    });
  }

  /** As many services as make a turn's worth of orders. */
  #turnOnce(): void {
    const orders: IpvsOrder[] = [];
    const owners: string[] = [];
    for (const text of this.#dirty) {
      if (orders.length >= ORDERS_PER_TURN) break;
      this.#dirty.delete(text);
      const of = serviceOrders(this.#wanted.get(text) ?? null, this.#present.get(text) ?? null);
      if (of.length === 0) this.#refusals.accept(text);
      for (const order of of) {
        orders.push(order);
        owners.push(text);
      }
    }
    if (orders.length === 0) return;
    const outcomes = this.#options.ipvs.apply(orders);
    this.#takeOutcomes(orders, owners, outcomes);
  }

  #takeOutcomes(
    orders: readonly IpvsOrder[],
    owners: readonly string[],
    outcomes: readonly (KernelError | null)[],
  ): void {
    // Of each service the first refusal: without the service itself its servers are refused as well.
    const failed = new Map<string, Failure>();
    for (const [at, order] of orders.entries()) {
      const text = owners[at] as string;
      const error = outcomes[at] ?? null;
      if (error === null || wasSo(order, error)) this.#believe(text, order);
      else if (!failed.has(text)) failed.set(text, { order, error });
    }
    for (const text of new Set(owners)) if (!failed.has(text)) this.#refusals.accept(text);
    if (failed.size > 0) this.#refuse(failed);
  }

  #believe(text: string, order: IpvsOrder): void {
    const after = afterOrder(this.#present.get(text) ?? null, order);
    if (after === null) this.#present.delete(text);
    else this.#present.set(text, after);
  }

  /** The table is not what we believed, or the kernel cannot do it: read it again, and try again. */
  #refuse(failed: ReadonlyMap<string, Failure>): void {
    const found = this.#options.ipvs.services();
    if (!found.ok) {
      this.#lose(found.error);
      return;
    }
    const records = new Map(found.value.map((service) => [serviceText(service.key), service]));
    for (const [text, failure] of failed) {
      const record = records.get(text);
      this.#present.delete(text);
      if (record !== undefined) this.#readServers(text, record);
      const key = this.#wanted.get(text)?.key ?? record?.key;
      if (key !== undefined) this.#refusals.refuse(text, key, failure);
    }
  }

  #plan(wait: Micros): void {
    this.#looking?.cancel();
    if (this.#stopped) return;
    this.#looking = this.#options.timers.schedule(wait, () => {
      if (this.#kernel === "absent") this.#begin();
      else this.#look(SERVICES_PER_LOOK);
    });
  }

  /** Compares what we believe with the kernel: all services, and the servers of so many of them. */
  #look(services: number): void {
    this.#plan(this.#lookWait);
    // What is being ordered is not yet what we believe.
    if (!this.settled) return;
    const found = this.#options.ipvs.services();
    if (!found.ok) {
      this.#lose(found.error);
      return;
    }
    const wrong = new Map<string, IpvsOrder>();
    const records = new Map(found.value.map((service) => [serviceText(service.key), service]));
    for (const text of this.#wanted.keys()) this.#compareService(text, records.get(text) ?? null, wrong);
    this.#compareServers(services, records, wrong);
    this.#foreign = [...records.keys()].filter((text) => !this.#wanted.has(text)).length;
    this.#putRight(wrong);
  }

  #compareService(text: string, record: ServiceRecord | null, wrong: Map<string, IpvsOrder>): void {
    const present = this.#present.get(text);
    if (present === undefined) return;
    if (record !== null && sameService(record, present.service)) return;
    if (record === null) this.#present.delete(text);
    else this.#readServers(text, record);
    this.#note(text, wrong);
  }

  #compareServers(services: number, records: ReadonlyMap<string, ServiceRecord>, wrong: Map<string, IpvsOrder>): void {
    const texts = [...this.#present.keys()];
    if (texts.length === 0) return;
    const from = this.#lookFrom % texts.length;
    const chosen = [...texts.slice(from), ...texts.slice(0, from)].slice(0, services);
    this.#lookFrom = from + chosen.length;
    for (const text of chosen) {
      const record = records.get(text);
      const before = this.#present.get(text);
      if (record === undefined || before === undefined || wrong.has(text)) continue;
      this.#readServers(text, record);
      if (!sameServers(before, this.#present.get(text))) this.#note(text, wrong);
    }
  }

  /** Only what must be ordered for is wrong. */
  #note(text: string, wrong: Map<string, IpvsOrder>): void {
    const [order] = serviceOrders(this.#wanted.get(text) ?? null, this.#present.get(text) ?? null);
    if (order !== undefined) wrong.set(text, order);
  }

  #putRight(wrong: ReadonlyMap<string, IpvsOrder>): void {
    const [example] = wrong.values();
    if (example === undefined) {
      this.#lookWait = LOOK_AFTER;
      return;
    }
    for (const text of wrong.keys()) this.#dirty.add(text);
    this.#work();
    this.#lookWait = micros(Math.min(2 * this.#lookWait, LONGEST_WAIT));
    this.#plan(this.#lookWait);
    const waitSeconds = toSeconds(this.#lookWait);
    this.#options.publish({ kind: "ipvs-repaired", services: wrong.size, example: orderText(example), waitSeconds });
  }
}

/** What is to be removed and is not there needs no second try. */
function wasSo(order: IpvsOrder, { errno }: KernelError): boolean {
  return order.kind.startsWith("remove-") && (errno === "ESRCH" || errno === "ENOENT");
}

function sameServers(one: PresentService, other: PresentService | undefined): boolean {
  if (other === undefined || one.destinations.size !== other.destinations.size) return false;
  for (const [text, destination] of one.destinations) {
    const now = other.destinations.get(text);
    if (now === undefined || !sameDestination(destination, now)) return false;
  }
  return true;
}
