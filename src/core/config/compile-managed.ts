/** `manage_mysql NAME` and `manage_redis NAME` of an instance: which block, and how long the gates around its address may take with it. */
import type { HookKind } from "../events/vocabulary.ts";
import { listeningTime } from "../evidence/gateways.ts";
import { type Micros, micros, seconds } from "../lib/units.ts";
import { longestClaim } from "../quorum/timing.ts";
import type { VrrpInstanceConfig } from "../vrrp/config.ts";
import { GATEWAY_TIMEOUT } from "./compile-evidence.ts";
import type { Settings } from "./settings.ts";
import { closest } from "./suggest.ts";
import type { TrackContext } from "./tracked.ts";

const CLAIM_TIMEOUT = seconds(10);
/** What a managed server adds to a gate: asking servers that do not answer, beyond the deadline of the takeover itself. */
const MANAGED_MARGIN = seconds(3);
/** Closing a server, then its sessions, each with a limit of its own. */
const MANAGED_RELEASE = seconds(4);

const GATEWAY_MARGIN = seconds(2);

const PRODUCTS = ["mysql", "redis"] as const;

/** Those that the instance manages; one after the other has its turn at the gate. */
function managedBlocks(settings: Settings, context: TrackContext) {
  return PRODUCTS.flatMap((product) => {
    const name = settings.text(`manage_${product}`);
    const block = context[product].find((one) => one.name === name);
    return block === undefined ? [] : [block];
  });
}

export function readGates(
  settings: Settings,
  context: TrackContext,
  advertInterval: Micros,
): Pick<VrrpInstanceConfig, "claimGate" | "releaseGate"> {
  const managed = managedBlocks(settings, context);
  const gate = (hook: HookKind, limit: string, fallback: Micros, own: number): VrrpInstanceConfig["claimGate"] => {
    const hooked = settings.command(hook) === null ? 0 : (settings.duration(limit) ?? fallback);
    const timeout = micros(hooked + own);
    return timeout === 0 ? null : { timeout };
  };
  const evidence = gatewayTime(settings, advertInterval) + (managed.length === 0 ? 0 : quorumTime(context));
  const deadlines = managed.reduce((sum, { group }) => sum + group.takeoverDeadline + MANAGED_MARGIN, 0);
  return {
    claimGate: gate("notify_claim", "claim_timeout", CLAIM_TIMEOUT, deadlines + evidence + probeTime(settings)),
    releaseGate: gate("notify_release", "release_timeout", seconds(5), managed.length * MANAGED_RELEASE),
  };
}

/** The gateways' own time, that of listening after a refused claim, and what a busy host may add to it. */
function gatewayTime(settings: Settings, advertInterval: Micros): number {
  if (!settings.has("track_gateway")) return 0;
  return (settings.duration("gateway_timeout") ?? GATEWAY_TIMEOUT) + listeningTime(advertInterval) + GATEWAY_MARGIN;
}

/** The question for the addresses, and what a busy host may add to it. */
function probeTime(settings: Settings): number {
  const asked = settings.duration("claim_probe");
  return asked === null ? 0 : asked + GATEWAY_MARGIN;
}

function quorumTime({ quorum }: TrackContext): number {
  return quorum === null || quorum === "unusable" ? 0 : longestClaim(quorum);
}

/** Whether the group of the managed server, or unicast_peer, says that there is exactly one other host. */
export function hasOnePeer(
  settings: Settings,
  transport: VrrpInstanceConfig["transport"],
  context: TrackContext,
): boolean {
  if (transport.kind === "unicast") return transport.peers.length === 1;
  const managed = managedBlocks(settings, context);
  return managed.length > 0 && managed.every(({ group }) => group.peers.length === 1);
}

export function managesUnknown(settings: Settings, instance: string, context: TrackContext): boolean {
  return PRODUCTS.some((product) => {
    const name = settings.text(`manage_${product}`);
    const node = settings.node(`manage_${product}`);
    const defined = context[product];
    if (name === null || node === null) return false;
    const known = defined.find((one) => one.name === name);
    if (known?.flawed === true) {
      const why = `${instance} is left out: ${product} ${name} has lines that cannot be used, and without them it may lose data`;
      context.diagnostics.report("managed-flawed", node.span, why, "correct the block; the errors above say how");
    }
    if (known !== undefined && context.quorum === "unusable") {
      const why = `${instance} is left out: quorum_store cannot be used, and without it ${product} ${name} may have two writers`;
      context.diagnostics.report("managed-flawed", node.span, why, "correct quorum_store; the errors above say how");
      return true;
    }
    if (known !== undefined) return known.flawed;
    const near = closest(
      name,
      defined.map((one) => one.name),
    );
    const remedy = near === null ? `define ${product} above the instance that manages it` : `did you mean \`${near}\`?`;
    const message = `no ${product} \`${name}\`: ${instance} is left out`;
    context.diagnostics.report("unknown-managed", node.span, message, remedy);
    return true;
  });
}
