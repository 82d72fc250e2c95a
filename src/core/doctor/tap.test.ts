import { expect, test } from "vitest";
import { ipBytes } from "../lib/ip.ts";
import { configWith, ip, virtualAddress } from "../vrrp/example-config.ts";
import { encodeAdvert } from "../vrrp/packet.ts";
import { readTap } from "./tap.ts";

const [source, destination] = [ip("192.0.2.1"), ip("224.0.0.18")];

/** A packet of IPv6 as the wire has it: RFC 8200 section 3. */
function onWire(payload: Uint8Array, from: string, to: string): Uint8Array {
  const packet = new Uint8Array(40 + payload.length);
  packet.set([0x60, 0, 0, 0, payload.length >> 8, payload.length & 0xff, 112, 255]);
  packet.set(ipBytes(ip(from)), 8);
  packet.set(ipBytes(ip(to)), 24);
  packet.set(payload, 40);
  return packet;
}

test("IPv4, with the padding of short frames, and behind an authentication header", () => {
  const plain = encodeAdvert(configWith({ virtualRouterId: 7 }), { source, destination, priority: 90 });
  const padded = new Uint8Array(plain.length + 6);
  padded.set(plain);
  expect(readTap(padded)).toMatchObject({ virtualRouterId: 7, priority: 90, source, ttl: 255, trailer: null });
  const keyed = configWith({ authentication: { kind: "ah", password: [1, 2, 3, 4, 5, 6, 7, 8] } });
  expect(readTap(encodeAdvert(keyed, { source, destination, priority: 90 }))?.ah).not.toBeNull();
});

test("IPv6", () => {
  const [from, to] = ["fe80::1", "ff02::12"];
  const config = configWith({
    family: 6,
    version: 3,
    transport: { kind: "multicast", group: ip(to) },
    advertised: [virtualAddress("fe80::64")],
  });
  const payload = encodeAdvert(config, { source: ip(from), destination: ip(to), priority: 90 });
  expect(readTap(onWire(payload, from, to))).toMatchObject({ family: 6, source: from, destination: to, ttl: 255 });
});

test("what is no advert is nothing, whatever its length", () => {
  const plain = encodeAdvert(configWith(), { source, destination, priority: 90 });
  for (let length = 0; length < 28; length++) expect(readTap(plain.slice(0, length))).toBeNull();
  for (let length = 0; length < 48; length++) expect(readTap(new Uint8Array(length).fill(0x60))).toBeNull();
});
