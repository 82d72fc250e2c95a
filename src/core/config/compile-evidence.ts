/** `track_gateway ADDRESS...` of an instance: who has to be reachable before it claims, how many of them, and within which time. */
import type { GatewayEvidence } from "../evidence/gateways.ts";
import { type IpAddress, isMulticast, parseIp } from "../lib/ip.ts";
import { millis } from "../lib/units.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import { type Settings, wordSpan } from "./settings.ts";

export const GATEWAY_TIMEOUT = millis(500);

/** Null without the keyword, and when none of its words is an address: that is an error, and a reload refuses it. */
export function readGateways(
  settings: Settings,
  instance: string,
  diagnostics: DiagnosticSink,
): GatewayEvidence | null {
  const gateways: IpAddress[] = [];
  for (const line of settings.nodes("track_gateway")) {
    for (const word of line.args) {
      const address = parseIp(word.text);
      if (address === null || isMulticast(address)) {
        const message = `track_gateway of ${instance}: \`${word.text}\` is not the address of a host`;
        diagnostics.report("bad-gateway", wordSpan(line, word), message, "write addresses, such as 192.168.11.1");
      } else if (!gateways.includes(address)) gateways.push(address);
    }
  }
  if (gateways.length === 0) return null;
  const quorum = settings.number("gateway_quorum") ?? 1;
  const node = settings.node("gateway_quorum");
  if (quorum > gateways.length && node !== null) {
    const message = `gateway_quorum of ${instance} is ${quorum}, and track_gateway names ${gateways.length}: all of them have to answer`;
    diagnostics.report("bad-gateway", node.span, message, "name more gateways, or lower the quorum");
  }
  return {
    gateways,
    quorum: Math.min(quorum, gateways.length),
    timeout: settings.duration("gateway_timeout") ?? GATEWAY_TIMEOUT,
  };
}
