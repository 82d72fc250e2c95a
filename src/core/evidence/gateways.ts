/**
 * The first evidence before a claim: whether this host is the one that is cut off. A standby that hears no master may have lost the master or the
 * network. Gateways tell the two apart, because they are neither: who reaches none of them has lost the network, and must not claim. Asked at the claim
 * itself, so that no answer is older than the silence that led to it.
 *
 * | own state | gateways that answer | what follows |
 * | --- | --- | --- |
 * | about to claim, or to preempt | at least gateway_quorum | it claims |
 * | about to claim, or to preempt | fewer, and too few can still answer | refused: FAULT, tried again |
 * | about to claim again after such a refusal | at least gateway_quorum | it listens for the master first, then claims |
 * | MASTER | any number | nothing: the address stays where it is |
 */
import type { IpAddress } from "../lib/ip.ts";
import { type Instant, type Micros, micros, seconds } from "../lib/units.ts";

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

/** A refusal older than this, beside some adverts, is of another cut. */
const SAME_CUT = seconds(60);
const SAME_CUT_ADVERTS = 20;

/** How long to listen, where one has to: a master that is there sends within one interval; half of one more for a host that is busy. */
export const listeningTime = (advertInterval: Micros): Micros => micros(advertInterval * 1.5);

/**
 * How long a claim whose gateways answer listens for a master before it goes on; 0: not at all. `refused`: when an earlier claim was last refused for
 * want of gateways. Then the answers may be the first frames after a cut, and the silence before them says nothing about the master.
 */
export function listensFor(refused: Instant | undefined, now: Instant, advertInterval: Micros): Micros {
  const same = refused !== undefined && now - refused <= SAME_CUT + SAME_CUT_ADVERTS * advertInterval;
  return same ? listeningTime(advertInterval) : micros(0);
}
