/** Keeps the watch on whether a managed writer is cut off, from its opening until it is closed and not cut off. */

import { IsolationWatch } from "./mysql-isolation.ts";
import type { Managed } from "./mysql-managed.ts";
import type { TakeoverTools } from "./mysql-takeover.ts";

/** Under availability only the own server counts: such a writer goes on alone. */
export function watchIsolation(
  tools: TakeoverTools,
  managed: Managed,
  isolate: (name: string, millis: number | null) => void,
): void {
  managed.isolation?.end();
  managed.isolation = null;
  const { config } = managed;
  if (config.group.policy === "availability") return;
  const watch = new IsolationWatch(tools, config, (millis) => {
    isolate(config.name, millis);
    if (millis !== null || managed.open) return;
    watch.end();
    managed.isolation = null;
  });
  managed.isolation = watch;
}
