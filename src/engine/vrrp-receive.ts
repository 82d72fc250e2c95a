/** From a raw packet to an `advert` event, or to a counter that says why not. */
import type { Family, IpAddress } from "../core/lib/ip.ts";
import { type Drop, decode, peekSource, peekVirtualRouterId } from "../core/vrrp/packet.ts";
import type { DropReason } from "../core/vrrp/status.ts";
import { validate } from "../core/vrrp/validate.ts";
import type { ReceivedPacket } from "../ports/network.ts";
import type { EffectRunner } from "./vrrp-effects.ts";
import type { Runtime } from "./vrrp-runtime.ts";

export function receivePacket(table: AddresseeTable, effects: EffectRunner, received: ReceivedPacket): void {
  const family = received.header === null ? 4 : 6;
  const virtualRouterId = peekVirtualRouterId(received.packet, family) ?? 0;
  const runtime = table.get(addresseeKey(received.interfaceIndex, family, virtualRouterId));
  // Other people's virtual routers share the segment: their adverts are no fault of ours.
  if (runtime === undefined) return;
  if (received.truncated) {
    drop(runtime, effects, received, { reason: "truncated", detail: "longer than any advert" });
    return;
  }
  const packet = decode(received.packet, received.header);
  const accepted = packet.ok ? validate(runtime.config, packet.value, runtime.observedSource) : packet;
  if (!accepted.ok) {
    drop(runtime, effects, received, accepted.error);
    return;
  }
  const { advert, notice } = accepted.value;
  if (notice !== null) drop(runtime, effects, received, notice);
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
    const { link, config } = runtime;
    if (link !== null) table.set(addresseeKey(link.index, config.family, config.virtualRouterId), runtime);
  }
  return table;
}

const addresseeKey = (interfaceIndex: number, family: Family, virtualRouterId: number): number =>
  (interfaceIndex * 2 + (family === 6 ? 1 : 0)) * 256 + virtualRouterId;

function drop(runtime: Runtime, effects: EffectRunner, received: ReceivedPacket, why: Drop): void {
  const { reason } = why;
  count(runtime, reason);
  if (runtime.dropsReported.has(reason)) return;
  runtime.dropsReported.add(reason);
  // Too short for a source address: nothing better to name than nothing.
  const source = peekSource(received.packet, received.header) ?? UNKNOWN_SOURCE;
  effects.event({ kind: "drop", instance: runtime.config.name, source, ...why });
}

function count({ counters: { drops } }: Runtime, reason: DropReason): void {
  drops[reason] = (drops[reason] ?? 0) + 1;
}

const UNKNOWN_SOURCE = "0.0.0.0" as IpAddress;
