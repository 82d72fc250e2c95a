/**
 * What control remembers of each instance, so that it can speak for a keeper that died: the configuration in force, the
 * phase last reported, the source address last seen. Pure bookkeeping; sends nothing.
 */
import type { IpAddress } from "../core/lib/ip.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { advertTtl, encodeAdvert } from "../core/vrrp/packet.ts";
import type { VrrpReport } from "../core/vrrp/reports.ts";
import type { VrrpPhaseName } from "../core/vrrp/state.ts";
import type { VrrpInstanceStatus } from "../core/vrrp/status.ts";
import type { GuardOrder } from "../ports/guard.ts";

/** Phases in which adverts of ours are or may be in the network, or addresses on an interface. */
const SPEAKING: ReadonlySet<VrrpPhaseName> = new Set<VrrpPhaseName>(["MASTER", "CLAIMING", "RELEASING"]);

export interface GuardBook {
  configure(instances: readonly VrrpInstanceConfig[]): void;
  report(instance: string, report: VrrpReport): void;
  /** An answer to `status`: it knows the source address. */
  observe(statuses: readonly VrrpInstanceStatus[]): void;
  /** Addresses of every instance, adverts for those that were speaking. */
  orders(): readonly GuardOrder[];
  /** The names for which orders() resigns. */
  speaking(): readonly string[];
  /** A new keeper begins with nothing. */
  reset(): void;
}

interface Entry {
  config: VrrpInstanceConfig;
  phase: VrrpPhaseName;
  source: IpAddress | null;
}

export function createGuardBook(): GuardBook {
  const entries = new Map<string, Entry>();
  /** Instances that a reload removed while their keeper may still have held their addresses. */
  const removed = new Map<string, Entry>();

  const isSpeaking = (entry: Entry): boolean => SPEAKING.has(entry.phase);

  const phaseOf = (name: string, phase: VrrpPhaseName): void => {
    const entry = entries.get(name) ?? removed.get(name);
    if (entry === undefined) return;
    entry.phase = phase;
    if (!isSpeaking(entry)) removed.delete(name);
  };

  return {
    configure(instances) {
      const before = new Map(entries);
      entries.clear();
      for (const config of instances) {
        const known = before.get(config.name);
        entries.set(config.name, {
          config,
          phase: known?.phase ?? "INIT",
          source: known?.source ?? config.sourceAddress,
        });
        before.delete(config.name);
      }
      for (const [name, entry] of before) if (isSpeaking(entry)) removed.set(name, entry);
    },
    report(instance, report) {
      if (report.kind === "state" || report.kind === "phase") phaseOf(instance, report.to);
    },
    observe(statuses) {
      for (const { name, source, phase } of statuses) {
        const entry = entries.get(name);
        if (entry === undefined) continue;
        entry.source = source ?? entry.source;
        entry.phase = phase;
      }
    },
    orders: () => [...entries.values(), ...removed.values()].map((entry) => orderOf(entry, isSpeaking(entry))),
    speaking: () => [...entries.values(), ...removed.values()].filter(isSpeaking).map((entry) => entry.config.name),
    reset() {
      removed.clear();
      for (const entry of entries.values()) entry.phase = "INIT";
    },
  };
}

function orderOf({ config, source }: Entry, resigns: boolean): GuardOrder {
  const { name, transport } = config;
  const destinations = transport.kind === "multicast" ? [transport.group] : transport.peers;
  const packetsFrom = (from: IpAddress) =>
    destinations.map((destination) => ({
      destination,
      packet: encodeAdvert(config, { source: from, destination, priority: 0 }),
    }));
  return {
    instance: name,
    interface: config.interface,
    // Also of instances that were not speaking: the keeper may have died between adding an address and saying so.
    addresses: [...config.advertised, ...config.excluded],
    routes: config.routes,
    rules: config.rules,
    resign:
      resigns && source !== null
        ? { source, transport, hopLimit: advertTtl(config), packets: packetsFrom(source) }
        : null,
  };
}
