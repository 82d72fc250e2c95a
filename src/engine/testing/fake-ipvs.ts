/** A kernel's IPVS table in memory: keeps what is ordered, refuses what the real one refuses, and can lose its module. For tests. */
import type {
  DestinationRecord,
  IpvsOrder,
  IpvsStats,
  IpvsTimeouts,
  ServiceRecord,
  SyncDaemon,
} from "../../core/lvs/ipvs/model.ts";
import { destinationText, orderText, serviceText } from "../../core/lvs/ipvs/words.ts";
import type { IpvsPort } from "../../ports/ipvs.ts";
import type { KernelError } from "../../ports/network.ts";

const ABSENT: KernelError = { errno: "ENOENT", what: "ask for the version of IPVS: the kernel has no IPVS" };
const STATS: IpvsStats = {
  connections: 0,
  inPackets: 0,
  outPackets: 0,
  inBytes: 0,
  outBytes: 0,
  connectionRate: 0,
  inPacketRate: 0,
  outPacketRate: 0,
  inByteRate: 0,
  outByteRate: 0,
};

/** A kernel that has none. */
export const NO_IPVS: IpvsPort = {
  info: () => ({ ok: false, error: ABSENT }),
  apply: (orders) => orders.map(() => ABSENT),
  services: () => ({ ok: false, error: ABSENT }),
  destinations: () => ({ ok: false, error: ABSENT }),
  daemons: () => ({ ok: false, error: ABSENT }),
  timeouts: () => ({ ok: false, error: ABSENT }),
};

interface Entry {
  service: ServiceRecord;
  readonly destinations: Map<string, DestinationRecord>;
}

export class FakeIpvs implements IpvsPort {
  readonly entries = new Map<string, Entry>();
  readonly running = new Map<string, SyncDaemon>();
  /** Everything that was ordered, in words. */
  readonly ordered: string[] = [];
  /** Schedulers that the kernel lacks. */
  readonly missing = new Set<string>();
  loaded = true;
  times: IpvsTimeouts = { tcp: 900, tcpFin: 120, udp: 300 };

  info() {
    return this.#answer({ version: "1.2.1", connectionTableSize: 4096 });
  }

  services() {
    return this.#answer([...this.entries.values()].map(({ service }) => service));
  }

  destinations(key: ServiceRecord["key"]) {
    return this.#answer([...(this.entries.get(serviceText(key))?.destinations.values() ?? [])]);
  }

  daemons() {
    return this.#answer([...this.running.values()]);
  }

  timeouts() {
    return this.#answer(this.times);
  }

  apply(orders: readonly IpvsOrder[]): readonly (KernelError | null)[] {
    return orders.map((order) => {
      this.ordered.push(orderText(order));
      const errno = this.loaded ? this.#carryOut(order) : "ENOENT";
      return errno === null ? null : { errno, what: orderText(order) };
    });
  }

  /** As ipvsadm -S would show it, shortened: "TCP 10.0.0.1:80 rr 10.0.0.2:80/1 ...", in order. */
  table(): readonly string[] {
    const line = ({ service, destinations }: Entry): string =>
      [
        serviceText(service.key),
        service.scheduler,
        ...[...destinations].map(([text, { weight }]) => `${text}/${weight}`).sort(),
      ].join(" ");
    return [...this.entries.values()].map(line).sort();
  }

  /** The module is unloaded, and with it goes everything. */
  unload(): void {
    this.loaded = false;
    this.entries.clear();
    this.running.clear();
  }

  #answer<T>(value: T): { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: KernelError } {
    return this.loaded ? { ok: true, value } : { ok: false, error: ABSENT };
  }

  #carryOut(order: IpvsOrder): string | null {
    switch (order.kind) {
      case "add-service":
      case "set-service":
        return this.#putService(order);
      case "remove-service":
        return this.entries.delete(serviceText(order.key)) ? null : "ESRCH";
      case "add-destination":
      case "set-destination":
      case "remove-destination":
        return this.#putDestination(order);
      case "start-daemon":
        if (this.running.has(order.daemon.state)) return "EEXIST";
        this.running.set(order.daemon.state, order.daemon);
        return null;
      case "stop-daemon":
        return this.running.delete(order.state) ? null : "ESRCH";
      case "set-timeouts":
        this.times = order.timeouts;
        return null;
      case "flush":
        this.entries.clear();
        return null;
    }
  }

  #putService({ kind, service }: Extract<IpvsOrder, { kind: "add-service" | "set-service" }>): string | null {
    const text = serviceText(service.key);
    const before = this.entries.get(text);
    if (this.missing.has(service.scheduler)) return "ENOENT";
    if ((before !== undefined) === (kind === "add-service")) return kind === "add-service" ? "EEXIST" : "ESRCH";
    const record = { ...service, stats: STATS };
    if (before === undefined) this.entries.set(text, { service: record, destinations: new Map() });
    else before.service = record;
    return null;
  }

  #putDestination(
    order: Extract<IpvsOrder, { kind: "add-destination" | "set-destination" | "remove-destination" }>,
  ): string | null {
    const entry = this.entries.get(serviceText(order.key));
    if (entry === undefined) return "ESRCH";
    const text = destinationText(order.destination);
    if (order.kind === "remove-destination") return entry.destinations.delete(text) ? null : "ENOENT";
    if (entry.destinations.has(text) === (order.kind === "add-destination"))
      return order.kind === "add-destination" ? "EEXIST" : "ENOENT";
    const none = { activeConnections: 0, inactiveConnections: 0, persistentConnections: 0, stats: STATS };
    entry.destinations.set(text, { ...none, ...order.destination });
    return null;
  }
}
