/** Floods, storms, packets and timers in words: lines for the log, sentences for people. keepalived has none of them. */
import type { LogLine } from "./log-line.ts";
import { isTransient, type PacketEventBody } from "./packet-events.ts";

export function describePacketEvent(body: PacketEventBody): readonly LogLine[] {
  const level = isTransient(body) ? "debug" : "warning";
  return [{ ident: "Keepalived_vrrp", level, text: text(body, (instance) => `(${instance}) `) }];
}

export function packetEventInWords(body: PacketEventBody): string {
  return text(body, (instance) => `${instance}: `);
}

function text(body: PacketEventBody, name: (instance: string) => string): string {
  switch (body.kind) {
    case "advert-flood":
      return `flood on ${body.interface}: ${body.packets} bad adverts (${body.reason}) within a second, the last from ${body.source}; the kernel drops such ones for the next 10 s`;
    case "advert-storm":
      return `${name(body.instance)}advert storm: ${body.packets} adverts within a second, honest hosts send ${body.limit} at most, the last from ${body.source}; ${STORM_REMEDY}`;
    case "packet":
      return `${name(body.instance)}${body.action} ${fieldsInWords(body)}`;
    case "timer": {
      const due = body.due === null ? "no deadline" : `next deadline in ${(body.due / 1e3).toFixed(3)} ms`;
      return `${name(body.instance)}${body.phase} after ${body.because}, ${due}`;
    }
  }
}

/** Nobody can tell a forged advert with a valid password from a right one, so the remedy is to make it impossible. */
const STORM_REMEDY =
  "a loop in the network, or somebody forges them: auth_hmac proves who sends, unicast_peer with check_unicast_src lets the kernel drop strangers, and a switch can filter IP protocol 112";

function fieldsInWords({ fields, reason, bytes }: Extract<PacketEventBody, { kind: "packet" }>): string {
  const why = reason === null ? "" : ` (${reason})`;
  if (fields === null) return `${bytes} bytes that cannot be read${why}`;
  const { source, destination, ttl, version, virtualRouterId, priority, advertInterval, addresses, proof } = fields;
  const what = `v${version} vrid ${virtualRouterId} prio ${priority} interval ${advertInterval / 1e6} s`;
  return `advert ${source} > ${destination} ttl ${ttl}, ${what}, proof ${proof}, addresses ${addresses.join(" ") || "none"}, ${bytes} bytes${why}`;
}
