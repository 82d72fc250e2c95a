/** The hosts whose daemons can be looked at from here: this one, and the peers with what they last reported. */
import type { EventEntry, PeersReply, SessionReply, StatusReply } from "../../control/contract/types.ts";
import { OWN } from "./topology.ts";

export interface HostReport {
  /** "own", or the peer's ADDRESS:PORT. */
  readonly key: string;
  readonly title: string;
  /** Null: it does not report. */
  readonly status: StatusReply | null;
  readonly events: readonly EventEntry[];
  readonly problem: string | null;
}

export interface HostsInput {
  readonly session: SessionReply | null;
  readonly status: StatusReply | null;
  readonly events: readonly EventEntry[];
  readonly peers: PeersReply["peers"];
}

export function hostReports({ session, status, events, peers }: HostsInput): readonly [HostReport, ...HostReport[]] {
  const own: HostReport = { key: OWN, title: session?.host ?? OWN, status, events, problem: null };
  const others = peers.map(({ peer, report, problem }): HostReport => {
    const name = status?.peers.find((one) => one.peer === peer)?.host ?? peer;
    return { key: peer, title: name, status: report?.status ?? null, events: report?.events ?? [], problem };
  });
  return [own, ...others];
}

/** The chosen one; this host when it is no longer there. */
export function chosenHost(hosts: readonly [HostReport, ...HostReport[]], key: string): HostReport {
  return hosts.find((host) => host.key === key) ?? hosts[0];
}
