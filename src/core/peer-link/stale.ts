/**
 * Whether an address that is on this host is a left-over: not held by a virtual router here, not put back by anybody, and answered for by another
 * host. Pure; what is so is found out by main/stale-address.ts. Every doubt is a refusal with its remedy.
 */
import type { IpAddress } from "../lib/ip.ts";
import type { VrrpPhaseName } from "../vrrp/state.ts";
import type { VrrpInstanceStatus } from "../vrrp/status.ts";
import type { Sight } from "./who-answers.ts";

/** One interface of this host that carries the address. */
export interface StalePlace {
  readonly interface: string;
  readonly prefixLength: number;
  /** Addresses that the kernel would remove along with it, because it is the first of their prefix (promote_secondaries off). */
  readonly takesAlong: readonly IpAddress[];
}

/** A keepalived that is alive in this network namespace. */
export interface LivingKeepalived {
  readonly pid: number;
  readonly file: string;
  /** Whether its file has the address; null when the file cannot be read. */
  readonly names: boolean | null;
}

export interface StaleFacts {
  readonly address: IpAddress;
  readonly places: readonly StalePlace[];
  /** Configured as static_ipaddress of this daemon. */
  readonly isStatic: boolean;
  /** Instances of this daemon that have the address in their configuration; null when the keeper does not answer. */
  readonly owners: readonly Pick<VrrpInstanceStatus, "name" | "state" | "phase" | "holding">[] | null;
  readonly keepalived: readonly LivingKeepalived[];
  /** As of doctor --vip: this host first. */
  readonly sights: readonly Sight[];
  /** Hardware addresses of this host's own interfaces. */
  readonly ownMacs: ReadonlySet<string>;
}

export interface Refusal {
  readonly message: string;
  readonly remedy: string | null;
}

export type StaleVerdict =
  | { readonly stale: true; readonly proof: string }
  | { readonly stale: false; readonly refusal: Refusal };

const refuse = (message: string, remedy: string | null = null): StaleVerdict => ({
  stale: false,
  refusal: { message, remedy },
});

export function judgeStale(facts: StaleFacts): StaleVerdict {
  return ownRefusal(facts) ?? setAgainRefusal(facts) ?? answers(facts);
}

/** It is none, or it is ours by right. */
function ownRefusal({ address, places, owners }: StaleFacts): StaleVerdict | null {
  if (places.length === 0) return refuse(`${address} is not on this host: there is nothing to remove`);
  if (owners === null) {
    return refuse(
      "the keeper does not answer, so nobody knows whether this host is MASTER",
      "see `holdfast status`; ask again when it answers",
    );
  }
  const holder = owners.find(({ state, phase, holding }) => holding || state === "MASTER" || ACTING.has(phase));
  if (holder === undefined) return null;
  const doing = holder.state === "MASTER" || holder.holding ? `is ${holder.state}` : `is ${holder.phase}`;
  return refuse(
    `instance ${holder.name} has ${address} and ${doing}: it is no left-over`,
    "let another host take it over first (a lower priority, `holdfast switchover`, or stopping the daemon)",
  );
}

const ACTING: ReadonlySet<VrrpPhaseName> = new Set<VrrpPhaseName>(["CLAIMING", "PREPARING", "RELEASING"]);

/** Removing it would not last, or would remove more. */
function setAgainRefusal({ address, places, isStatic, keepalived }: StaleFacts): StaleVerdict | null {
  if (isStatic) {
    return refuse(
      `${address} is a static_ipaddress of this daemon, which would set it again`,
      "remove it from the file",
    );
  }
  const other = keepalived.find(({ names }) => names !== false);
  if (other !== undefined) {
    const why =
      other.names === null ? `its file ${other.file} cannot be read` : `its file ${other.file} has ${address}`;
    return refuse(
      `keepalived is alive (pid ${other.pid}) and may hold the address or set it again: ${why}`,
      "stop it first (systemctl stop keepalived), or take the address out of its file",
    );
  }
  const first = places.find(({ takesAlong }) => takesAlong.length > 0);
  if (first === undefined) return null;
  return refuse(
    `${address} is the first address of its prefix on ${first.interface}: the kernel would remove ${first.takesAlong.join(", ")} as well`,
    `sysctl -w net.ipv4.conf.${first.interface}.promote_secondaries=1, then ask again`,
  );
}

/** Somebody else must have it, or removing it here leaves nobody. */
function answers({ address, sights, ownMacs }: StaleFacts): StaleVerdict {
  const here = sights.find(({ peer }) => peer === null)?.seen ?? null;
  if (here === null || here.problem !== null) {
    return refuse(`nobody could be asked for ${address}: ${here?.problem ?? "no answer"}`);
  }
  const others = here.macs.filter((mac) => !ownMacs.has(mac));
  const on = here.interface ?? "the link";
  const [mac] = others;
  if (mac === undefined) {
    return refuse(
      `nobody else answers for ${address} on ${on}: without it here nobody would have it`,
      "start the daemon of the peer, or see `holdfast doctor --vip` on both",
    );
  }
  if (others.length > 1) {
    return refuse(
      `${others.length} other hosts answer for ${address} on ${on}: ${others.join(", ")}`,
      "find out by the hardware addresses whose they are; one of them is wrong",
    );
  }
  return knownAnswer(mac, on, { address, sights });
}

/** The peers say themselves whether it is theirs, as far as they can be asked. */
function knownAnswer(
  mac: string,
  on: string,
  { address, sights }: Pick<StaleFacts, "address" | "sights">,
): StaleVerdict {
  const peers = sights.filter(({ peer }) => peer !== null);
  const holder = peers.find(({ seen }) => seen?.own === true);
  const answered = `${mac} answers for ${address} on ${on}`;
  if (holder !== undefined) return { stale: true, proof: `${answered}, and peer ${holder.peer} says that it has it` };
  if (peers.length > 0 && peers.every(({ seen }) => seen !== null)) {
    return refuse(
      `${answered}, but no peer has the address: ${peers.map(({ peer }) => peer).join(", ")} said so`,
      "find the host with that hardware address: it may be a stranger with the same address",
    );
  }
  return {
    stale: true,
    proof: `${answered}${peers.length === 0 ? "" : " (no peer could be asked whether it is its own)"}`,
  };
}
