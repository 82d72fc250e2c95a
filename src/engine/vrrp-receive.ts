/** From a raw packet of a known virtual router to an `advert` event, or to a counter that says why not. */
import { compareIp, type Family, type IpAddress } from "../core/lib/ip.ts";
import type { Advert } from "../core/vrrp/events.ts";
import { type Drop, decode, peekSource } from "../core/vrrp/packet.ts";
import type { DropReason } from "../core/vrrp/status.ts";
import { validate } from "../core/vrrp/validate.ts";
import type { ReceivedPacket } from "../ports/network.ts";
import type { EffectRunner } from "./vrrp-effects.ts";
import { prepareFrames } from "./vrrp-fitness.ts";
import type { Runtime } from "./vrrp-runtime.ts";

/** Null when the advert was obeyed, or counted where we take no part; otherwise why it was refused. */
export function receivePacket(runtime: Runtime, effects: EffectRunner, received: ReceivedPacket): DropReason | null {
  if (received.truncated) {
    return drop(runtime, effects, received, { reason: "truncated", detail: "longer than any advert" });
  }
  const packet = decode(received.packet, received.header);
  if (!packet.ok) return drop(runtime, effects, received, packet.error);
  const { observedSource: ownSource, keys: keyed, lastSource } = runtime;
  const accepted = validate(runtime.config, packet.value, { ownSource, keyed, lastSource });
  if (!accepted.ok) {
    if (effects.debugs(runtime)) effects.debugPacket(runtime, "dropped", packet.value, accepted.error.reason);
    return drop(runtime, effects, received, accepted.error);
  }
  const { advert, notices } = accepted.value;
  if (effects.debugs(runtime)) effects.debugPacket(runtime, "received", packet.value, notices[0]?.reason ?? null);
  for (const notice of notices) takeNotice(runtime, effects, received, notice);
  if (keyed !== null && yields(runtime, advert)) keyed.heardLower(packet.value);
  runtime.lastSource = advert.source;
  obey(runtime, effects, advert);
  return null;
}

function obey(runtime: Runtime, effects: EffectRunner, advert: Advert): void {
  runtime.counters.advertsReceived++;
  if (advert.priority === 0) runtime.counters.priorityZeroReceived++;
  const { kind } = runtime.state.role;
  if (kind === "backup" || kind === "master") {
    effects.dispatch(runtime, { kind: "advert", advert });
    return;
  }
  // Not in the election, as in keepalived; but `explain` shall be able to say who serves meanwhile.
  count(runtime, "not-running");
  const { source, priority } = advert;
  runtime.heardOutside = priority === 0 ? null : { source, priority, heardAt: effects.ports.clock.now() };
}

/** Instances by interface, family and virtual router id (RFC 9568 section 1.2: IPv4 and IPv6 are separate routers), so that a BACKUP of a thousand does not search a thousand for each packet. */
export type AddresseeTable = ReadonlyMap<number, Runtime>;

export function addresseeTable(runtimes: readonly Runtime[]): AddresseeTable {
  const table = new Map<number, Runtime>();
  for (const runtime of runtimes) {
    const { hearLink: link, config } = runtime;
    if (link !== null) table.set(addresseeKey(link.index, config.family, config.virtualRouterId), runtime);
  }
  return table;
}

export const addresseeKey = (interfaceIndex: number, family: Family, virtualRouterId: number): number =>
  (interfaceIndex * 2 + (family === 6 ? 1 : 0)) * 256 + virtualRouterId;

/** Told like a drop, and counted, although the advert is obeyed. */
function takeNotice(runtime: Runtime, effects: EffectRunner, received: ReceivedPacket, notice: Drop): void {
  drop(runtime, effects, received, notice);
  if (notice.reason !== "old-checksum" || runtime.oldChecksum) return;
  runtime.oldChecksum = true;
  runtime.preparedFor = null;
  prepareFrames(effects.ports, runtime);
}

/** keepalived: a MASTER takes the sender for the lower one, and answers. */
function yields({ state, observedSource }: Runtime, { priority, source }: Advert): boolean {
  if (state.role.kind !== "master") return false;
  if (priority !== state.priority) return priority < state.priority;
  return observedSource !== null && compareIp(source, observedSource) < 0;
}

function drop(runtime: Runtime, effects: EffectRunner, received: ReceivedPacket, why: Drop): DropReason {
  const { reason } = why;
  count(runtime, reason);
  if (runtime.dropsReported.has(reason)) return reason;
  runtime.dropsReported.add(reason);
  // Too short for a source address: nothing better to name than nothing.
  const source = peekSource(received.packet, received.header) ?? UNKNOWN_SOURCE;
  effects.event({ kind: "drop", instance: runtime.config.name, source, ...why });
  return reason;
}

function count({ counters: { drops } }: Runtime, reason: DropReason): void {
  drops[reason] = (drops[reason] ?? 0) + 1;
}

const UNKNOWN_SOURCE = "0.0.0.0" as IpAddress;
