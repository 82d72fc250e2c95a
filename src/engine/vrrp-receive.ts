/** From a raw packet to an `advert` event, or to a counter that says why not. */
import { ipv4FromBytes } from "../core/lib/ip.ts";
import type { DropReason } from "../core/vrrp/status.ts";
import { validateAdvert } from "../core/vrrp/validate.ts";
import type { ReceivedPacket } from "../ports/network.ts";
import type { EffectRunner } from "./vrrp-effects.ts";
import type { Runtime } from "./vrrp-runtime.ts";

export function receivePacket(runtimes: readonly Runtime[], effects: EffectRunner, received: ReceivedPacket): void {
  const runtime = addressee(runtimes, received);
  // Other people's virtual routers share the segment: their adverts are no fault of ours.
  if (runtime === undefined) return;
  const verdict = validateAdvert(runtime.config, runtime.state, received);
  if (verdict.kind === "dropped") {
    drop(runtime, effects, verdict.reason, received, verdict.detail);
    return;
  }
  if (verdict.remark !== null) drop(runtime, effects, verdict.remark.reason, received, verdict.remark.detail);
  runtime.counters.advertsReceived++;
  if (verdict.advert.priority === 0) runtime.counters.priorityZeroReceived++;
  effects.dispatch(runtime, { kind: "advert", advert: verdict.advert });
}

/** The virtual router id stands in the second byte after an IPv4 header of any length. */
function addressee(runtimes: readonly Runtime[], { packet, interfaceIndex }: ReceivedPacket): Runtime | undefined {
  const vrid = packet[((packet[0] ?? 0) & 0x0f) * 4 + 1];
  for (const runtime of runtimes) {
    if (runtime.config.virtualRouterId === vrid && runtime.link?.index === interfaceIndex) return runtime;
  }
  return undefined;
}

function drop(
  runtime: Runtime,
  effects: EffectRunner,
  reason: DropReason,
  received: ReceivedPacket,
  detail: string,
): void {
  const { drops } = runtime.counters;
  drops[reason] = (drops[reason] ?? 0) + 1;
  if (runtime.dropsReported.has(reason)) return;
  runtime.dropsReported.add(reason);
  const source = ipv4FromBytes(received.packet, 12);
  effects.event({ kind: "drop", instance: runtime.config.name, reason, source, detail });
}
