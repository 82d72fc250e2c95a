/**
 * The first evidence before a claim: whether this host is the one that is cut off. A standby that hears no master may have lost the master or the
 * network. Gateways tell the two apart, because they are neither: who reaches none of them has lost the network, and must not claim. Asked at the claim
 * itself, so that no answer is older than the silence that led to it.
 *
 * | own state | gateways that answer | what follows |
 * | --- | --- | --- |
 * | about to claim, or to preempt | at least gateway_quorum | it claims |
 * | about to claim, or to preempt | fewer, and too few can still answer | refused: FAULT, tried again |
 * | MASTER | any number | nothing: the address stays where it is |
 */
import type { IpAddress } from "../lib/ip.ts";
import type { Micros } from "../lib/units.ts";

export interface GatewayEvidence {
  /** At least one. */
  readonly gateways: readonly IpAddress[];
  /** How many of them have to answer, 1 to all. */
  readonly quorum: number;
  /** How long they have. */
  readonly timeout: Micros;
}

export interface GatewayAnswers {
  readonly reached: ReadonlySet<IpAddress>;
  /** Those that will not answer any more. */
  readonly silent: ReadonlySet<IpAddress>;
}

export type GatewayVerdict =
  | { readonly kind: "open" }
  | { readonly kind: "wait" }
  | { readonly kind: "refuse"; readonly reason: string };

export function judgeGateways(
  { gateways, quorum }: GatewayEvidence,
  { reached, silent }: GatewayAnswers,
): GatewayVerdict {
  const count = gateways.filter((one) => reached.has(one)).length;
  if (count >= quorum) return { kind: "open" };
  const missing = gateways.filter((one) => silent.has(one) && !reached.has(one));
  if (gateways.length - missing.length >= quorum) return { kind: "wait" };
  const needed = gateways.length === 1 ? "" : `, ${count} of ${gateways.length} answered and ${quorum} must`;
  const cutOff = "this host may be the one that is cut off";
  return { kind: "refuse", reason: `track_gateway: no answer from ${missing.join(", ")}${needed}: ${cutOff}` };
}
