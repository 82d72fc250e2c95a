/**
 * Tells each packet and each timer decision as a debug event, while somebody asks for it (`holdfast log-level debug`, or `debug` of the
 * instance). Off, it costs one comparison.
 */
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import type { Instant } from "../core/lib/units.ts";
import { phaseName } from "../core/vrrp/machine.ts";
import { advertLayout, advertTtl, type Packet } from "../core/vrrp/packet.ts";
import type { DropReason } from "../core/vrrp/status.ts";
import type { Runtime } from "./vrrp-runtime.ts";

export const debugsInstance = ({ config }: Runtime): boolean => config.receive.debug > 0;

export function packetEvent(
  { config }: Runtime,
  action: "received" | "dropped",
  packet: Packet,
  reason: DropReason | null,
): HoldfastEventBody {
  const { source, destination, ttl, version, virtualRouterId, priority, advertInterval, addresses } = packet;
  const proof = packet.trailer !== null ? "HMAC" : packet.ah !== null ? "AH" : packet.authType === 1 ? "PASS" : "none";
  const fields = {
    source,
    destination,
    ttl,
    version,
    virtualRouterId,
    priority,
    advertInterval,
    addresses,
    proof,
  } as const;
  return { kind: "packet", instance: config.name, action, fields, reason, bytes: packet.bytes };
}

export function sentEvent({ config, observedSource, state }: Runtime, resigns: boolean): HoldfastEventBody | null {
  if (observedSource === null) return null;
  const { transport, version, virtualRouterId, advertInterval, authentication, authHmac } = config;
  const destination = transport.kind === "multicast" ? transport.group : transport.peers[0];
  if (destination === undefined) return null;
  const proofs = { none: "none", pass: "PASS", ah: "AH" } as const;
  const { end, trailer } = advertLayout(config);
  const fields = {
    source: observedSource,
    destination,
    ttl: advertTtl(config),
    version,
    virtualRouterId,
    priority: resigns ? 0 : state.priority,
    advertInterval,
    addresses: config.advertised.map(({ address }) => address),
    proof: authHmac !== null && trailer > 0 ? ("HMAC" as const) : proofs[authentication.kind],
  };
  return { kind: "packet", instance: config.name, action: "sent", fields, reason: null, bytes: end + trailer };
}

export function timerEvent({ config, state, deadline }: Runtime, because: string, now: Instant): HoldfastEventBody {
  const due = Number.isFinite(deadline) ? Math.round(deadline - now) : null;
  return { kind: "timer", instance: config.name, phase: phaseName(state), because, due };
}
