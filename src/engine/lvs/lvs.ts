/**
 * LVS as a part of the control process: what the pools want, minus what only the MASTER serves and what an operator drains, goes into the
 * kernel's table; timeouts and sync daemons follow the file. Whether a server is alive is the pools' affair, how the kernel is kept right the
 * table's.
 */
import type { HoldfastConfig } from "../../core/config/model.ts";
import type { IpvsEventBody } from "../../core/events/ipvs-events.ts";
import { type LvsConfig, type LvsTimeouts, NO_LVS } from "../../core/lvs/config.ts";
import type { IpvsTimeouts } from "../../core/lvs/ipvs/model.ts";
import { destinationText, serviceText } from "../../core/lvs/ipvs/words.ts";
import { serviceKeys } from "../../core/lvs/service-keys.ts";
import type { WantedService, WantedTable } from "../../core/lvs/table.ts";
import type { VrrpStateName } from "../../core/vrrp/state.ts";
import type { IpvsPort } from "../../ports/ipvs.ts";
import type { Timers } from "../../ports/timers.ts";
import type { Part } from "../part.ts";
import { createIpvsTable, type IpvsTable } from "./ipvs-table.ts";
import { type LvsStatus, lvsStatus, type ServerChoice } from "./lvs-status.ts";
import { createSyncDaemons, type SyncDaemons } from "./sync-daemon.ts";

export interface LvsOptions {
  readonly ipvs: IpvsPort;
  readonly timers: Timers;
  readonly publish: (body: IpvsEventBody) => void;
}

export interface Lvs extends Part {
  readonly table: IpvsTable;
  /** The table as the pools want it; services that have not changed are the same objects as before. */
  want(table: WantedTable): void;
  /** The table as it is ordered. */
  readonly wanted: WantedTable;
  /** No new connections for these servers until undrain; how many entries that concerns. */
  drain(choice: ServerChoice): number;
  undrain(choice: ServerChoice): number;
  status(): LvsStatus;
}

export function createLvs(options: LvsOptions): Lvs {
  return new LvsPart(options);
}

class LvsPart implements Lvs {
  readonly table: IpvsTable;
  readonly #options: LvsOptions;
  readonly #sync: SyncDaemons;
  /** By serviceText: the instance that must be MASTER. */
  #gates: ReadonlyMap<string, string> = new Map();
  readonly #states = new Map<string, VrrpStateName>();
  readonly #drained: ServerChoice[] = [];
  #asked: WantedTable = [];
  #wanted: WantedTable = [];
  /** What a drained service has become, so that an unchanged one stays the same object. */
  #changed = new Map<WantedService, WantedService>();
  #config: LvsConfig | null = null;
  #wasAbsent = false;
  #timeoutsBefore: IpvsTimeouts | null = null;

  constructor(options: LvsOptions) {
    this.#options = options;
    const publish = (body: IpvsEventBody): void => {
      options.publish(body);
      if (body.kind !== "ipvs") return;
      // A kernel that had lost its module has lost its threads and timeouts as well.
      if (body.state === "ready" && this.#wasAbsent && this.#config !== null) this.#settings(this.#config);
      this.#wasAbsent = body.state === "absent";
    };
    this.table = createIpvsTable({ ...options, publish });
    this.#sync = createSyncDaemons(options.ipvs, options.publish);
  }

  get wanted(): WantedTable {
    return this.#wanted;
  }

  configure({ lvs, instances }: HoldfastConfig): void {
    const first = this.#config === null;
    this.#config = lvs;
    this.#gates = new Map(
      lvs.servers.flatMap((server) => {
        const { onlyOnMaster } = server;
        return onlyOnMaster === null ? [] : serviceKeys(server).map((key) => [serviceText(key), onlyOnMaster] as const);
      }),
    );
    if (first && lvs.options.flush && lvs.servers.length > 0) this.table.flush();
    const { syncDaemon } = lvs.options;
    const instance = instances.find(({ vrrp }) => vrrp.name === syncDaemon?.instance);
    this.#sync.want(syncDaemon, syncDaemon?.id ?? instance?.vrrp.virtualRouterId ?? 0);
    this.#setTimeouts(lvs.options.timeouts);
    this.#apply();
  }

  want(table: WantedTable): void {
    this.#asked = table;
    this.#apply();
  }

  entered(instance: string, state: VrrpStateName): void {
    this.#states.set(instance, state);
    this.#sync.entered(instance, state);
    if ([...this.#gates.values()].includes(instance)) this.#apply();
  }

  drain(choice: ServerChoice): number {
    const concerned = this.#concerned(choice);
    if (concerned > 0 && !this.#drained.some((one) => isSame(one, choice))) this.#drained.push(choice);
    this.#redrain();
    return concerned;
  }

  undrain(choice: ServerChoice): number {
    const before = this.#drained.length;
    const left = this.#drained.filter((one) => !covers(choice, one));
    this.#drained.splice(0, before, ...left);
    this.#redrain();
    return before - left.length;
  }

  status(): LvsStatus {
    const { ipvs } = this.#options;
    return lvsStatus({
      ipvs,
      config: this.#config ?? NO_LVS,
      table: this.table.state(),
      isDrained: ({ service, server }) => this.#isDrained(service ?? "", server),
    });
  }

  #isDrained(text: string, server: string): boolean {
    return this.#drained.some((one) => one.server === server && (one.service === null || one.service === text));
  }

  stop(): void {
    // The addresses are still here: without the service their clients would be refused. See stopped().
  }

  async stopped(): Promise<void> {
    if (this.#config === null) return;
    const { flushOnStop } = this.#config.options;
    this.#sync.stop();
    this.table.stop(flushOnStop === "no" ? "services" : flushOnStop);
    if (this.#timeoutsBefore !== null) this.#order(this.#timeoutsBefore);
  }

  #settings({ options }: LvsConfig): void {
    this.#sync.repeat();
    this.#setTimeouts(options.timeouts);
  }

  #redrain(): void {
    this.#changed = new Map();
    this.#apply();
  }

  #apply(): void {
    const changed = new Map<WantedService, WantedService>();
    this.#wanted = this.#asked.flatMap((service) => {
      const instance = this.#gates.get(serviceText(service.key));
      if (instance !== undefined && this.#states.get(instance) !== "MASTER") return [];
      const own = this.#changed.get(service) ?? this.#withDrained(service);
      if (own !== service) changed.set(service, own);
      return [own];
    });
    this.#changed = changed;
    this.table.want(this.#wanted);
  }

  #withDrained(service: WantedService): WantedService {
    if (this.#drained.length === 0) return service;
    const text = serviceText(service.key);
    const drained = service.destinations.some((one) => this.#isDrained(text, destinationText(one)));
    if (!drained) return service;
    const destinations = service.destinations.map((one) =>
      this.#isDrained(text, destinationText(one)) ? { ...one, weight: 0 } : one,
    );
    return { ...service, destinations };
  }

  #concerned({ service, server }: ServerChoice): number {
    const services = this.#asked.filter(({ key }) => service === null || service === serviceText(key));
    return services.filter(({ destinations }) => destinations.some((one) => destinationText(one) === server)).length;
  }

  /** Nulls leave the kernel's own; what it had before comes back at the stop. */
  #setTimeouts({ tcp, tcpFin, udp }: LvsTimeouts): void {
    if (tcp === null && tcpFin === null && udp === null) {
      if (this.#timeoutsBefore !== null) this.#order(this.#timeoutsBefore);
      return;
    }
    if (this.#timeoutsBefore === null) {
      const read = this.#options.ipvs.timeouts();
      if (!read.ok) return;
      this.#timeoutsBefore = read.value;
    }
    const before = this.#timeoutsBefore;
    this.#order({ tcp: tcp ?? before.tcp, tcpFin: tcpFin ?? before.tcpFin, udp: udp ?? before.udp });
  }

  #order(timeouts: IpvsTimeouts): void {
    const [error] = this.#options.ipvs.apply([{ kind: "set-timeouts", timeouts }]);
    if (error === null || error === undefined) return;
    const { what, errno } = error;
    const remedy = "look at lvs_timeouts";
    this.#options.publish({ kind: "ipvs-refused", service: null, order: what, errno, remedy, retrySeconds: 0 });
  }
}

const isSame = (one: ServerChoice, other: ServerChoice): boolean =>
  one.server === other.server && one.service === other.service;

/** Undraining a server everywhere undrains it in each service. */
const covers = (choice: ServerChoice, one: ServerChoice): boolean =>
  choice.server === one.server && (choice.service === null || choice.service === one.service);
