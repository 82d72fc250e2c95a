/** What is told of the quorum store as log lines and sentences. */
import { unreachable } from "../lib/assert.ts";
import type { LogLevel, LogLine } from "./log-line.ts";
import type { QuorumEventBody } from "./quorum-events.ts";

const LEVELS: Readonly<Record<QuorumEventBody["action"], LogLevel>> = {
  reached: "info",
  unreachable: "error",
  granted: "info",
  released: "info",
  taken: "error",
  without: "warning",
  ordered: "warning",
  overridden: "warning",
  expiring: "error",
};

export function describeQuorumEvent(body: QuorumEventBody): readonly LogLine[] {
  const prefix = body.instance === null ? "" : `(${body.instance}) `;
  return [{ ident: "Keepalived_vrrp", level: LEVELS[body.action], text: `${prefix}${quorumEventInWords(body)}` }];
}

export function quorumEventInWords({ action, group, epoch, detail }: QuorumEventBody): string {
  const because = detail === "" ? "" : `: ${detail}`;
  switch (action) {
    case "reached":
      return `quorum store: it answers${because}`;
    case "unreachable":
      return `quorum store: ${detail}`;
    case "granted":
      return `quorum store: this host has the record of ${group} in epoch ${epoch}`;
    case "released":
      return `quorum store: the record of ${group} is given back`;
    case "taken":
      return `quorum store: the record of ${group} is lost${because}`;
    case "without":
      return `quorum store: policy availability goes on without it${because}`;
    case "ordered":
      return `quorum store: an operator lets the next claim of ${group} go on without it${because}`;
    case "overridden":
      return `quorum store: ${group} goes on without it, as an operator has ordered${because}`;
    case "expiring":
      return `quorum store: the record of ${group} could not be renewed in time, the address goes${because}`;
    default:
      return unreachable(action);
  }
}
