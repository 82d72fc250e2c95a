import { createHmac } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import type { AuthHmac, VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { configWith, ip } from "../core/vrrp/example-config.ts";
import { decode, encodeAdvert, type Packet } from "../core/vrrp/packet.ts";
import { validate } from "../core/vrrp/validate.ts";
import type { KeyPorts } from "../ports/digest.ts";
import { createAuthentication } from "./vrrp-authentication.ts";

const OURS = ip("192.0.2.1");
const PEER = ip("192.0.2.2");
const GROUP = ip("224.0.0.18");
const bytes = (address: string): Uint8Array => Uint8Array.from(address.split("."), Number);

let micros: number;
const ports: KeyPorts = {
  digests: { hmac: (algorithm, key, message) => createHmac(algorithm, key).update(message).digest() },
  wallClock: { micros: () => micros },
};
beforeEach(() => {
  micros = 1_800_000_000e6;
});

const AH = configWith({ authentication: { kind: "ah", password: [1, 2, 3, 4, 5, 6, 7, 8] } });
const KEYS = [1, 2].map((id) => ({ id, secret: Array.from({ length: 32 }, (_, at) => at + id) }));
const hmac = (changes: Partial<AuthHmac> = {}, rest: Partial<VrrpInstanceConfig> = {}): VrrpInstanceConfig =>
  configWith({ authHmac: { keys: KEYS, activeKey: 1, timeWindow: 5, mode: "enforce", ...changes }, ...rest });

/** A peer that seals what it sends. */
function peer(config: VrrpInstanceConfig) {
  const keys = createAuthentication(config, ports);
  const seal = keys.sealFor(bytes(PEER));
  return {
    keys,
    send(priority = 90): Uint8Array {
      const packet = encodeAdvert(config, { source: PEER, destination: GROUP, priority });
      seal?.([packet]);
      return packet;
    },
  };
}

function read(packet: Uint8Array): Packet {
  const decoded = decode(packet, null);
  if (!decoded.ok) throw new Error(decoded.error.detail);
  return decoded.value;
}

function receiver(config: VrrpInstanceConfig) {
  const keyed = createAuthentication(config, ports);
  return {
    keyed,
    hear(packet: Uint8Array): string {
      const result = validate(config, read(packet), { ownSource: OURS, keyed, lastSource: null });
      return result.ok ? (result.value.notices[0]?.reason ?? "ok") : result.error.reason;
    },
  };
}

test("AH: what a peer seals is believed once, and in order only", () => {
  const sender = peer(AH);
  const { hear } = receiver(AH);
  const [first, second] = [sender.send(), sender.send()];
  expect(hear(first)).toBe("ok");
  expect(hear(first)).toBe("ah-replay");
  expect(hear(second)).toBe("ok");
  expect(hear(first)).toBe("ah-replay");
});

test("AH: a packet that was changed, or sealed with another password, is not believed", () => {
  const { hear } = receiver(AH);
  const changed = peer(AH).send();
  changed[20 + 24 + 2] = 254;
  expect(hear(changed)).toBe("ah-digest");
  const other = configWith({ authentication: { kind: "ah", password: [8, 7, 6, 5, 4, 3, 2, 1] } });
  expect(hear(peer(other).send())).toBe("ah-digest");
});

test("AH and no AH do not understand each other, both ways", () => {
  expect(receiver(AH).hear(peer(configWith()).send())).toBe("auth-type");
  expect(receiver(configWith()).hear(peer(AH).send())).toBe("auth-type");
});

test("AH: after a take-over the numbers go on, and the old master that comes back is answered with one it believes", () => {
  const master = peer(AH);
  const backup = receiver(AH);
  for (let count = 0; count < 20; count++) backup.hear(master.send());
  const seal = backup.keyed.sealFor(bytes(OURS));
  const packet = encodeAdvert(AH, { source: OURS, destination: GROUP, priority: 100 });
  seal?.([packet]);
  expect(read(packet).ah?.sequence).toBe(21);
  // The old master advertises with a number far ahead: our answer is behind it in its eyes, unless we go on from there.
  const late = createAuthentication(AH, ports, 500).sealFor(bytes(PEER));
  const lower = encodeAdvert(AH, { source: PEER, destination: GROUP, priority: 50 });
  late?.([lower]);
  expect(backup.hear(lower)).toBe("ok");
  backup.keyed.heardLower(read(lower));
  seal?.([packet]);
  expect(read(packet).ah?.sequence).toBe(503);
});

test("one number for all peers of an advert", () => {
  const seal = createAuthentication(AH, ports).sealFor(bytes(OURS));
  const packets = [PEER, ip("192.0.2.3")].map((destination) =>
    encodeAdvert(AH, { source: OURS, destination, priority: 100 }),
  );
  seal?.(packets);
  expect(packets.map((packet) => read(packet).ah?.sequence)).toEqual([1, 1]);
});

test.each([2, 3] as const)("auth_hmac, version %i: signed adverts are believed once", (version) => {
  const config = hmac({}, { version });
  const { hear } = receiver(config);
  const sender = peer(config);
  const packet = sender.send();
  expect(hear(packet)).toBe("ok");
  expect(hear(packet)).toBe("hmac-replay");
  expect(hear(sender.send())).toBe("ok");
});

test("auth_hmac: who enforces believes nothing unsigned, who permits notices it, who only receives says nothing", () => {
  const unsigned = peer(configWith()).send();
  expect(receiver(hmac()).hear(unsigned)).toBe("hmac-missing");
  expect(receiver(hmac({ mode: "permissive" })).hear(unsigned)).toBe("hmac-unsigned");
  expect(receiver(hmac({ mode: "receive-only" })).hear(unsigned)).toBe("ok");
});

test("auth_hmac: a trailer that is there must be right in every mode", () => {
  for (const mode of ["enforce", "permissive", "receive-only"] as const) {
    const forged = peer(hmac()).send();
    forged[22] = 254;
    expect(receiver(hmac({ mode })).hear(forged)).toBe("hmac-digest");
  }
});

test("auth_hmac: without it a signed advert is too long, as for every older keepalived", () => {
  expect(receiver(configWith()).hear(peer(hmac()).send())).toBe("length");
});

test("auth_hmac: receive-only sends exactly what a host without keys sends", () => {
  const config = hmac({ mode: "receive-only" });
  expect(peer(config).send()).toEqual(peer(configWith()).send());
  expect(createAuthentication(config, ports).sealFor(bytes(OURS))).toBe(null);
});

test("auth_hmac: keys are changed without a gap", () => {
  const { hear } = receiver(hmac());
  expect(hear(peer(hmac({ activeKey: 2 })).send())).toBe("ok");
  const unknown = hmac({ keys: [{ id: 3, secret: KEYS[0]?.secret ?? [] }], activeKey: 3 });
  expect(hear(peer(unknown).send())).toBe("hmac-unknown-key");
});

test("auth_hmac: an old capture is stale, a clock that drifts is told before it matters", () => {
  const packet = peer(hmac()).send();
  micros += 3e6;
  expect(receiver(hmac()).hear(packet)).toBe("hmac-skew");
  micros += 3e6;
  expect(receiver(hmac()).hear(packet)).toBe("hmac-stale");
  expect(receiver(hmac({ timeWindow: null })).hear(packet)).toBe("ok");
});

test("auth_hmac: the same trailer serves every peer", () => {
  const config = hmac({}, { version: 3 });
  const packets = [GROUP, PEER].map((destination) => encodeAdvert(config, { source: PEER, destination, priority: 90 }));
  createAuthentication(config, ports).sealFor(bytes(PEER))?.(packets);
  expect(packets[0]?.subarray(-28)).toEqual(packets[1]?.subarray(-28));
  expect(receiver(config).hear(packets[0] as Uint8Array)).toBe("ok");
});

test("a reload keeps the numbers that were used", () => {
  const sender = peer(AH);
  const { keyed, hear } = receiver(AH);
  const packet = sender.send();
  hear(packet);
  keyed.reconfigure(AH);
  expect(hear(packet)).toBe("ah-replay");
  expect(keyed.ahSequence).toBe(1);
});
