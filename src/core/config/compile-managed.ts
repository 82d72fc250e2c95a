/** `manage_mysql NAME` of an instance: which block, and how long the gates around its address may take with it. */
import type { HookKind } from "../events/vocabulary.ts";
import { type Micros, micros, seconds } from "../lib/units.ts";
import type { VrrpInstanceConfig } from "../vrrp/config.ts";
import type { Settings } from "./settings.ts";
import { closest } from "./suggest.ts";
import type { TrackContext } from "./tracked.ts";

const CLAIM_TIMEOUT = seconds(10);
/** What manage_mysql adds to a gate: asking servers that do not answer, beyond the deadline of the takeover itself. */
const MANAGED_MARGIN = seconds(3);
/** Closing a server: read_only, then the sessions, each with a limit of its own. */
const MANAGED_RELEASE = seconds(4);

export function readGates(
  settings: Settings,
  { mysql }: TrackContext,
): Pick<VrrpInstanceConfig, "claimGate" | "releaseGate"> {
  const managed = mysql.find(({ name }) => name === settings.text("manage_mysql"));
  const gate = (hook: HookKind, limit: string, fallback: Micros, own: Micros): VrrpInstanceConfig["claimGate"] => {
    const hooked = settings.command(hook) === null ? 0 : (settings.duration(limit) ?? fallback);
    const timeout = micros(hooked + (managed === undefined ? 0 : own));
    return timeout === 0 ? null : { timeout };
  };
  const deadline = micros((managed?.group.takeoverDeadline ?? 0) + MANAGED_MARGIN);
  return {
    claimGate: gate("notify_claim", "claim_timeout", CLAIM_TIMEOUT, deadline),
    releaseGate: gate("notify_release", "release_timeout", seconds(5), MANAGED_RELEASE),
  };
}

/** Whether the group of the managed server, or unicast_peer, says that there is exactly one other host. */
export function hasOnePeer(
  settings: Settings,
  transport: VrrpInstanceConfig["transport"],
  { mysql }: TrackContext,
): boolean {
  if (transport.kind === "unicast") return transport.peers.length === 1;
  const name = settings.text("manage_mysql");
  return mysql.find((one) => one.name === name)?.group.peers.length === 1;
}

export function managesUnknown(settings: Settings, instance: string, { mysql, diagnostics }: TrackContext): boolean {
  const name = settings.text("manage_mysql");
  const node = settings.node("manage_mysql");
  if (name === null || node === null) return false;
  const known = mysql.find((one) => one.name === name);
  if (known?.flawed === true) {
    const why = `${instance} is left out: mysql ${name} has lines that cannot be used, and without them it may lose data`;
    diagnostics.report("managed-flawed", node.span, why, "correct the block; the errors above say how");
  }
  if (known !== undefined) return known.flawed;
  const near = closest(
    name,
    mysql.map((one) => one.name),
  );
  const remedy = near === null ? "define mysql above the instance that manages it" : `did you mean \`${near}\`?`;
  diagnostics.report("unknown-managed", node.span, `no mysql \`${name}\`: ${instance} is left out`, remedy);
  return true;
}
