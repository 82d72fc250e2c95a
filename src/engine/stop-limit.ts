/** How long an orderly stop may take before it is hurried. */
import type { HoldfastConfig } from "../core/config/model.ts";
import { type Micros, micros, seconds } from "../core/lib/units.ts";

/** What a stop may take beyond the longest release_timeout (keepalived: child_wait_time 5). */
export const STOP_LIMIT = seconds(5);
const SHORTEST_STOP = seconds(1);

export function stopLimit(config: HoldfastConfig | null): Micros {
  const gates = (config?.instances ?? []).map(({ vrrp }) => vrrp.releaseGate?.timeout ?? 0);
  const script = config?.global.shutdownScript?.timeout ?? 0;
  // child_wait_time 0 must not mean that nothing is released in order.
  const wait = Math.max(config?.global.childWaitTime ?? STOP_LIMIT, SHORTEST_STOP);
  return micros(wait + Math.max(0, ...gates) + script);
}
