/** From a raw packet to an `advert` event, or to a counter that says why not. */
import { type IpAddress, ipv4FromBytes } from "../core/lib/ip.ts";
import { type Drop, decode, peekVirtualRouterId } from "../core/vrrp/packet.ts";
import { validate } from "../core/vrrp/validate.ts";
import type { ReceivedPacket } from "../ports/network.ts";
import type { EffectRunner } from "./vrrp-effects.ts";
import type { Runtime } from "./vrrp-runtime.ts";

export function receivePacket(runtimes: readonly Runtime[], effects: EffectRunner, received: ReceivedPacket): void {
  const runtime = addressee(runtimes, received);
  // Other people's virtual routers share the segment: their adverts are no fault of ours.
  if (runtime === undefined) return;
  if (runtime.state.role.kind !== "backup" && runtime.state.role.kind !== "master") {
    // keepalived ignores them too while it is in FAULT; counted, not worth a line.
    runtime.counters.drops["not-running"] = (runtime.counters.drops["not-running"] ?? 0) + 1;
    return;
  }
  if (received.truncated) {
    drop(runtime, effects, received, { reason: "truncated", detail: "longer than any advert" });
    return;
  }
  const packet = decode(received.packet);
  const accepted = packet.ok ? validate(runtime.config, packet.value, runtime.observedSource) : packet;
  if (!accepted.ok) {
    drop(runtime, effects, received, accepted.error);
    return;
  }
  const { advert, notice } = accepted.value;
  if (notice !== null) drop(runtime, effects, received, notice);
  runtime.counters.advertsReceived++;
  if (advert.priority === 0) runtime.counters.priorityZeroReceived++;
  effects.dispatch(runtime, { kind: "advert", advert });
}

function addressee(runtimes: readonly Runtime[], { packet, interfaceIndex }: ReceivedPacket): Runtime | undefined {
  const vrid = peekVirtualRouterId(packet);
  for (const runtime of runtimes) {
    if (runtime.config.virtualRouterId === vrid && runtime.link?.index === interfaceIndex) return runtime;
  }
  return undefined;
}

function drop(runtime: Runtime, effects: EffectRunner, received: ReceivedPacket, { reason, detail }: Drop): void {
  const { drops } = runtime.counters;
  drops[reason] = (drops[reason] ?? 0) + 1;
  if (runtime.dropsReported.has(reason)) return;
  runtime.dropsReported.add(reason);
  // Too short for a source address: nothing better to name than nothing.
  const source = received.packet.length >= 16 ? ipv4FromBytes(received.packet, 12) : UNKNOWN_SOURCE;
  effects.event({ kind: "drop", instance: runtime.config.name, reason, source, detail });
}

const UNKNOWN_SOURCE = "0.0.0.0" as IpAddress;
