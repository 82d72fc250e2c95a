/**
 * What control remembers of each instance, so that it can speak for a keeper that died: the configuration in force, the
 * phase last reported, the source address last seen. Pure bookkeeping; sends nothing.
 */
import { type IpAddress, ipBytes } from "../core/lib/ip.ts";
import { elapsed, type Instant } from "../core/lib/units.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { advertTtl, encodeAdvert } from "../core/vrrp/packet.ts";
import type { VrrpReport } from "../core/vrrp/reports.ts";
import type { VrrpPhaseName } from "../core/vrrp/state.ts";
import type { VrrpInstanceStatus } from "../core/vrrp/status.ts";
import type { Clock } from "../ports/clock.ts";
import type { KeyPorts } from "../ports/digest.ts";
import type { GuardOrder } from "../ports/guard.ts";
import { createAuthentication, hasKeys } from "./vrrp-authentication.ts";

/** Phases in which adverts of ours are or may be in the network, or addresses on an interface. */
const SPEAKING: ReadonlySet<VrrpPhaseName> = new Set<VrrpPhaseName>(["MASTER", "CLAIMING", "RELEASING"]);

export interface GuardBook {
  configure(instances: readonly VrrpInstanceConfig[]): void;
  report(instance: string, report: VrrpReport): void;
  /** An answer to `status`: it knows the source address, and how far the numbers of an authentication header are. */
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
  /** Last sequence number of the authentication header that was told, and when. */
  ah: { readonly sequence: number; readonly at: Instant } | null;
}

/** Adverts beyond those that fell due since the number was told: answers, and a word before yielding. */
const AH_MARGIN = 100;

export function createGuardBook(keys: KeyPorts, clock: Clock): GuardBook {
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
          ah: known?.ah ?? null,
        });
        before.delete(config.name);
      }
      for (const [name, entry] of before) if (isSpeaking(entry)) removed.set(name, entry);
    },
    report(instance, report) {
      if (report.kind === "state" || report.kind === "phase") phaseOf(instance, report.to);
    },
    observe(statuses) {
      for (const { name, source, phase, ahSequence } of statuses) {
        const entry = entries.get(name);
        if (entry === undefined) continue;
        entry.source = source ?? entry.source;
        entry.phase = phase;
        if (ahSequence !== null) entry.ah = { sequence: ahSequence, at: clock.now() };
      }
    },
    orders: () =>
      [...entries.values(), ...removed.values()].map((entry) =>
        orderOf(entry, { resigns: isSpeaking(entry), keys, sequence: sequenceAt(entry, clock.now()) }),
      ),
    speaking: () => [...entries.values(), ...removed.values()].filter(isSpeaking).map((entry) => entry.config.name),
    reset() {
      removed.clear();
      // Peers have heard the number that was used to resign: the next keeper learns it from them.
      for (const entry of entries.values()) entry.phase = "INIT";
    },
  };
}

/** A number that no peer has heard: one for each advert that may have left since the last was told. */
function sequenceAt({ ah, config }: Entry, now: Instant): number {
  if (ah === null) return AH_MARGIN;
  return ah.sequence + Math.ceil(elapsed(ah.at, now) / config.advertInterval) + AH_MARGIN;
}

function orderOf(
  { config, source }: Entry,
  { resigns, keys, sequence }: { readonly resigns: boolean; readonly keys: KeyPorts; readonly sequence: number },
): GuardOrder {
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
    sendsVia: config.sendsVia ?? config.interface,
    // Also of instances that were not speaking: the keeper may have died between adding an address and saying so.
    addresses: [...config.advertised, ...config.excluded],
    routes: config.routes,
    rules: config.rules,
    resign:
      resigns && source !== null
        ? {
            source,
            transport,
            hopLimit: advertTtl(config),
            packets: packetsFrom(source),
            seal: hasKeys(config) ? createAuthentication(config, keys, sequence).sealFor(ipBytes(source)) : null,
          }
        : null,
  };
}
