/**
 * The second evidence before a claim: that nobody has the address already (RFC 5227 section 2.1.1; for IPv6 the question of RFC 4862 section 5.4). A
 * VRRP router that is alive is heard, so who answers without being heard is a stranger, or a router whose daemon has died and left its address. While a live
 * master is preempted it answers by right; anybody else beside it does not.
 */
import type { IpAddress } from "../lib/ip.ts";

export interface ProbeAnswers {
  readonly address: IpAddress;
  readonly interface: string;
  readonly macs: readonly string[];
  /** Why it could not be asked. */
  readonly problem: string | null;
}

/** Hardware addresses that may answer: those of the master that is preempted; "any" where it is not on the link, so that nobody knows its own. */
export type RightfulMacs = ReadonlySet<string> | "any";

/** Null: nothing stands against the claim. */
export function objectionOf(
  { address, interface: on, macs, problem }: ProbeAnswers,
  rightful: RightfulMacs,
): string | null {
  if (problem !== null) return `claim_probe: ${address} cannot be asked for: ${problem}`;
  if (rightful === "any") return macs.length > 1 ? inWords(address, on, macs) : null;
  const strangers = macs.filter((mac) => !rightful.has(mac));
  return strangers.length === 0 ? null : inWords(address, on, strangers);
}

const inWords = (address: IpAddress, on: string, macs: readonly string[]): string =>
  `claim_probe: ${macs.join(", ")} answers for ${address} on ${on}, and is no master that is heard: find that host and take the address from it`;
