/** Between the parts of the control process: who hears what of the keeper, and what the keeper is told. */
import type { HoldfastConfig } from "../core/config/model.ts";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import type { KeeperSetup } from "../core/link/messages.ts";
import type { HookEngine } from "./hook-engine.ts";

/** What hooks hear of the keeper's events. */
export function tellHooks(hooks: HookEngine, body: HoldfastEventBody): void {
  if (body.kind === "vrrp") hooks.report(body.instance, body.report);
  else if (body.kind === "sync-group") hooks.reportGroup(body.group, body.to, body.cause);
}

export function setupOf({ instances, host }: HoldfastConfig): KeeperSetup {
  return { instances: instances.map(({ vrrp }) => vrrp), host };
}

/** What the supervisor says about the keeper is the parent's word, as with keepalived. */
export function originOf(kind: string): "parent" | "vrrp" {
  return kind.startsWith("keeper-") || kind === "guard-released" || kind === "reload" ? "parent" : "vrrp";
}

type VrrpBody = Extract<HoldfastEventBody, { kind: "vrrp" }>;

/** As MASTER it has heard another one, whose priority is lower. */
export function isRival(body: HoldfastEventBody): body is VrrpBody {
  return body.kind === "vrrp" && body.report.kind === "lower-priority-advert" && body.report.state === "MASTER";
}
