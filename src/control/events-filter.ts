/** Which events concern which instance: one rule for history, event streams and explain. */
import type { HoldfastConfig } from "../core/config/model.ts";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { isCalled } from "../core/lvs/server-names.ts";
import type { EventEntry } from "./contract/types.ts";

/** Events of the whole daemon (restart, reload, keeper) concern every instance. */
export function concerns(body: HoldfastEventBody, instance: string, config: HoldfastConfig | null): boolean {
  if ("instance" in body) return body.instance === instance;
  if (body.kind === "guard-released") return body.instances.includes(instance);
  const vrrp = config?.instances.find((candidate) => candidate.vrrp.name === instance)?.vrrp;
  // Without a configuration (offline) nothing is hidden that might matter.
  if (vrrp === undefined) return true;
  if (body.kind === "check") return vrrp.trackScripts.some((tracked) => tracked.key === body.script);
  if (body.kind === "mysql") return vrrp.trackMysql.some((tracked) => tracked.key === body.name);
  if (body.kind === "redis") return vrrp.trackRedis.some((tracked) => tracked.key === body.name);
  if (body.kind === "link" || body.kind === "socket") {
    return body.interface === vrrp.interface || vrrp.trackInterfaces.some((tracked) => tracked.key === body.interface);
  }
  return true;
}

export interface EventFilter {
  readonly instance?: string | undefined;
  readonly kind?: string | undefined;
  /** A real server or a virtual service, as an operator writes it. */
  readonly server?: string | undefined;
  readonly since?: number | undefined;
  readonly after?: number | undefined;
  /** Only events before this sequence number. */
  readonly before?: number | undefined;
}

export function matches(entry: EventEntry, filter: EventFilter, config: HoldfastConfig | null): boolean {
  if (filter.since !== undefined && entry.sequence <= filter.since) return false;
  if (filter.before !== undefined && entry.sequence >= filter.before) return false;
  if (filter.after !== undefined && entry.time < filter.after) return false;
  if (filter.kind !== undefined && entry.body.kind !== filter.kind) return false;
  if (filter.server !== undefined && !names(entry.body, filter.server)) return false;
  return filter.instance === undefined || concerns(entry.body, filter.instance, config);
}

function names(body: HoldfastEventBody, typed: string): boolean {
  const fields = body as { readonly server?: unknown; readonly service?: unknown };
  return [fields.server, fields.service].some((name) => typeof name === "string" && isCalled(name, typed));
}
