import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import {
  AH_SEQUENCE_MAX,
  type AhDigest,
  ahCounterOfMaster,
  ahDigestRight,
  FRESH_AH_COUNTER,
  heardAhSequence,
  nextAhCounter,
  readAhHeader,
  resyncAhCounter,
  sealAh,
  writeAhHeader,
} from "./ah.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const digest =
  (password: string): AhDigest =>
  (message) =>
    createHmac("md5", Buffer.from(password.padEnd(8, "\0")))
      .update(message)
      .digest();

/** What keepalived 2.2.7 sent first, with auth_pass s3cret from 10.99.0.1; checksum of the IPv4 header left to the kernel. */
const IP = "45c0 0040 0001 0000 ff33 0000 0a630001 e0000012";
const AH = "70040000 0a630001 00000001 e45dae89bd7e3f1190f7774a";
const MESSAGE = "210dfa010201d81b 0a630071 0000000000000000";

test("the digest is keepalived's, byte for byte", () => {
  const packet = hex(IP + "00".repeat(24) + MESSAGE);
  writeAhHeader(packet, 20, 112);
  sealAh(packet, 1, { unicast: false }, digest("s3cret"));
  expect(Buffer.from(packet).toString("hex")).toBe(Buffer.from(hex(IP + AH + MESSAGE)).toString("hex"));
});

test("a packet as it arrives is believed, with the header checksum that the kernel made", () => {
  const packet = hex(IP + AH + MESSAGE);
  packet.set([0x12, 0x34], 10);
  expect(ahDigestRight(packet, 20, { unicast: false }, digest("s3cret"))).toBe(true);
  expect(ahDigestRight(packet, 20, { unicast: false }, digest("s3creT"))).toBe(false);
  expect(readAhHeader(packet, 20)).toEqual({ sequence: 1, spiIsSource: true, nextHeader: 112 });
});

test("in multicast the TTL is covered, in unicast it may have changed on the way", () => {
  const packet = hex(IP + AH + MESSAGE);
  packet[8] = 254;
  expect(ahDigestRight(packet, 20, { unicast: false }, digest("s3cret"))).toBe(false);
  sealAh(packet, 7, { unicast: true }, digest("s3cret"));
  packet[8] = 3;
  expect(ahDigestRight(packet, 20, { unicast: true }, digest("s3cret"))).toBe(true);
});

test("any byte of message, addresses, sequence or identification that changes is noticed", () => {
  const right = hex(IP + AH + MESSAGE);
  const mutable = new Set([1, 6, 7, 10, 11]);
  for (let at = 0; at < right.length; at++) {
    if (mutable.has(at)) continue;
    const packet = right.slice();
    packet[at] = (packet[at] as number) ^ 1;
    expect(ahDigestRight(packet, 20, { unicast: false }, digest("s3cret"))).toBe(false);
  }
});

test("the SPI must be the sender's address", () => {
  const packet = hex(IP + AH + MESSAGE);
  packet[24] = 11;
  expect(readAhHeader(packet, 20).spiIsSource).toBe(false);
});

test("the first number is 1, and what was heard is not heard again", () => {
  const first = nextAhCounter(FRESH_AH_COUNTER);
  expect(first.sequence).toBe(1);
  const heard = heardAhSequence(first, 500);
  expect(heard).toEqual({ sequence: 500, cycled: false });
  expect(heardAhSequence(heard ?? first, 500)).toBe(null);
  expect(heardAhSequence(heard ?? first, 499)).toBe(null);
  expect(heardAhSequence(heard ?? first, 501)?.sequence).toBe(501);
});

test("after a take-over the numbers go on behind the old master's", () => {
  const backup = heardAhSequence(FRESH_AH_COUNTER, 41) ?? FRESH_AH_COUNTER;
  expect(nextAhCounter(ahCounterOfMaster(backup)).sequence).toBe(42);
});

test("a MASTER that hears a lower priority answers with a number that router believes", () => {
  const resynced = resyncAhCounter({ sequence: 5, cycled: false }, 1_000);
  expect(nextAhCounter(resynced).sequence).toBe(1_002);
});

test("used-up numbers are not sent again; the next MASTER begins anew, and is believed", () => {
  let counter = { sequence: AH_SEQUENCE_MAX, cycled: false };
  counter = nextAhCounter(counter);
  counter = nextAhCounter(counter);
  expect(counter).toEqual({ sequence: AH_SEQUENCE_MAX + 1, cycled: true });
  expect(heardAhSequence(counter, 1)).toEqual({ sequence: 1, cycled: false });
  expect(nextAhCounter(ahCounterOfMaster(counter)).sequence).toBe(1);
});
