/** What is told of peers as log lines and sentences. */
import { unreachable } from "../lib/assert.ts";
import type { LogLevel, LogLine } from "./log-line.ts";
import type { PeerEventBody } from "./peer-events.ts";

const LEVELS: Readonly<Record<PeerEventBody["action"], LogLevel>> = {
  connected: "info",
  lost: "warning",
  refused: "warning",
  listening: "detail",
  "not-listening": "error",
};

export function describePeerEvent(body: PeerEventBody): readonly LogLine[] {
  return [{ ident: "Keepalived", level: LEVELS[body.action], text: peerEventInWords(body) }];
}

export function peerEventInWords({ peer, action, host, version, detail }: PeerEventBody): string {
  switch (action) {
    case "connected":
      return `peer ${peer} is connected: ${host}, holdfast ${version}`;
    case "lost":
      return `peer ${peer} is not connected: ${detail}`;
    case "refused":
      return `peer link: ${peer} was turned away: ${detail}`;
    case "listening":
      return `peer link: listening at ${peer}`;
    case "not-listening":
      return `peer link: cannot listen at ${peer} (${detail}); it is tried again`;
    default:
      return unreachable(action);
  }
}
