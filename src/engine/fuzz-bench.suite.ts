/**
 * The receive path as fuzz targets see it: one receiver of each kind (plain, PASS, AH, HMAC; both families, multicast and unicast), what
 * an honest peer sends to it, and what becomes of a packet on its way through filter, decoding and rules.
 */
import { createHmac } from "node:crypto";
import { runFilter } from "../core/bytes/bpf-machine.suite.ts";
import { ipBytes } from "../core/lib/ip.ts";
import { type AuthHmac, unicastTransport, type VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { configWith, ip, password, virtualAddress } from "../core/vrrp/example-config.ts";
import { TRAILER_BYTES, writeChecksum } from "../core/vrrp/message.ts";
import { decode, encodeAdvert, type Ipv6Header } from "../core/vrrp/packet.ts";
import { receiveFilter } from "../core/vrrp/receive-filter.ts";
import { validate } from "../core/vrrp/validate.ts";
import type { KeyPorts } from "../ports/digest.ts";
import { createAuthentication } from "./vrrp-authentication.ts";

/** 2027-01-15: the packets of the corpus were signed then. */
const CLOCK = 1_800_000_000e6;
const KEYS: KeyPorts = {
  digests: { hmac: (algorithm, key, message) => createHmac(algorithm, key).update(message).digest() },
  wallClock: { micros: () => CLOCK },
};
const OURS = { 4: ip("192.0.2.1"), 6: ip("fe80::1") } as const;
export const PEER = { 4: ip("192.0.2.2"), 6: ip("fe80::2") } as const;
const GROUP6 = ip("ff02::12");

const HMAC: AuthHmac = {
  keys: [{ id: 1, secret: Array.from({ length: 32 }, (_, at) => at) }],
  activeKey: 1,
  timeWindow: 5,
  mode: "enforce",
};
const IPV6 = {
  family: 6,
  version: 3,
  transport: { kind: "multicast", group: GROUP6 },
  advertised: [virtualAddress("fe80::100")],
} as const;

/** By name, as the corpus names them. */
export const RECEIVERS: Readonly<Record<string, VrrpInstanceConfig>> = {
  v2: configWith(),
  pass: configWith({ authentication: password("1111") }),
  ah: configWith({ authentication: { kind: "ah", password: [1, 2, 3, 4, 5, 6, 7, 8] } }),
  v3: configWith({ version: 3 }),
  "v3-unicast": configWith({ version: 3, transport: unicastTransport([PEER[4]], { checkSource: true }) }),
  "ah-unicast": configWith({
    authentication: { kind: "ah", password: [1, 2, 3, 4, 5, 6, 7, 8] },
    transport: unicastTransport([PEER[4]]),
  }),
  "hmac-v2": configWith({ authHmac: HMAC }),
  "hmac-v3": configWith({ version: 3, authHmac: HMAC }),
  v6: configWith(IPV6),
  "hmac-v6": configWith({ ...IPV6, authHmac: HMAC }),
};

export const channelOf = ({ authentication, family }: VrrpInstanceConfig) =>
  authentication.kind === "ah" ? "ah" : family;

export function headerFor(config: VrrpInstanceConfig): Ipv6Header | null {
  if (config.family === 4) return null;
  return { source: ipBytes(PEER[6]), destination: ipBytes(GROUP6), hopLimit: 255 };
}

/** What a peer with the same configuration sends first. */
export function honest(config: VrrpInstanceConfig): Uint8Array {
  const { family, transport } = config;
  const source = PEER[family];
  const destination = transport.kind === "multicast" ? transport.group : OURS[family];
  const packet = encodeAdvert(config, { source, destination, priority: 90 });
  createAuthentication(config, KEYS).sealFor(ipBytes(source))?.([packet]);
  if (family === 6) kernelChecksum(config, packet);
  return packet;
}

/** Over IPv6 the kernel makes the checksum when the trailer is there already. */
function kernelChecksum(config: VrrpInstanceConfig, packet: Uint8Array): void {
  packet.fill(0, 6, 8);
  const endpoints = { source: ipBytes(PEER[6]), destination: ipBytes(GROUP6) };
  writeChecksum(packet, { start: 0, end: packet.length }, config, endpoints);
}

/** "accepted" or the reason. Throws when the filter would have dropped what the rules accept. */
export function judge(config: VrrpInstanceConfig, packet: Uint8Array): string {
  const decoded = decode(packet, headerFor(config));
  const verdict = decoded.ok
    ? validate(config, decoded.value, {
        ownSource: OURS[config.family],
        keyed: createAuthentication(config, KEYS),
        lastSource: null,
      })
    : decoded;
  if (!verdict.ok) {
    if (verdict.error.detail === "") throw new Error(`no detail for ${verdict.error.reason}`);
    return verdict.error.reason;
  }
  // The engine gives it packets of this virtual router only.
  const ours = decoded.ok && decoded.value.virtualRouterId === config.virtualRouterId;
  if (ours && !passesFilter(config, packet)) throw new Error("the filter drops what the rules accept");
  return "accepted";
}

const programs = new Map<VrrpInstanceConfig, ReturnType<typeof receiveFilter>>();

function passesFilter(config: VrrpInstanceConfig, packet: Uint8Array): boolean {
  let program = programs.get(config);
  if (program === undefined) {
    const { virtualRouterId, version, family, transport, authHmac } = config;
    const known = transport.kind === "unicast" && transport.checkSource;
    const expected = {
      virtualRouterId,
      version,
      tail: family === 4 && version === 2 ? 8 : 0,
      trailer: authHmac === null ? null : TRAILER_BYTES,
      sources: known ? transport.peers.map(ipBytes) : null,
    };
    const offset = channelOf(config) === "ah" ? 24 : 0;
    program = receiveFilter([expected], { family, offset, tightness: "shut", unknownToo: false });
    programs.set(config, program);
  }
  if (program === null) return true;
  const header = headerFor(config);
  const whole = header === null ? packet : withIpv6Header(packet, header);
  return runFilter(program, { data: packet, whole }) !== 0;
}

function withIpv6Header(payload: Uint8Array, { source, destination }: Ipv6Header): Uint8Array {
  const whole = new Uint8Array(40 + payload.length);
  whole.set(source, 8);
  whole.set(destination, 24);
  whole.set(payload, 40);
  return whole;
}
