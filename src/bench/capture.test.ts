import { expect, test } from "vitest";
import { byRouter, type CapturedAdvert, PcapReader } from "./capture.ts";

/** A capture of link type SLL2 with one advert of virtual router 7 and one packet of another family. */
function savefile(): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b23c4d, 0);
  header.writeUInt32LE(276, 20);
  const ipv4 = Buffer.alloc(28);
  ipv4[0] = 0x45;
  ipv4.set([192, 0, 2, 9], 12);
  ipv4.set([0x31, 7, 200], 20);
  const ipv6 = Buffer.alloc(48);
  ipv6[0] = 0x60;
  return Buffer.concat([header, record(ipv4, 10, 250_000_000), record(ipv6, 11, 0)]);
}

function record(packet: Buffer, seconds: number, nanoseconds: number): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(seconds, 0);
  header.writeUInt32LE(nanoseconds, 4);
  header.writeUInt32LE(20 + packet.length, 8);
  return Buffer.concat([header, Buffer.alloc(20), packet]);
}

test("a capture is read in pieces of any size", () => {
  for (const size of [1, 7, 40, 1_000]) {
    const adverts: CapturedAdvert[] = [];
    const reader = new PcapReader((advert) => adverts.push(advert));
    const file = savefile();
    for (let start = 0; start < file.length; start += size) reader.push(file.subarray(start, start + size));
    expect(adverts).toEqual([{ at: 10_250, source: "192.0.2.9", virtualRouterId: 7, priority: 200 }]);
  }
});

test("a capture of another kind is refused", () => {
  const file = savefile();
  file.writeUInt32LE(0xa1b2c3d4, 0);
  expect(() => new PcapReader(() => undefined).push(file)).toThrow("another kind of capture");
});

test("one virtual router id on two segments is two routers", () => {
  const advert = { at: 1, source: "192.0.2.9", virtualRouterId: 7, priority: 200 };
  const rows = byRouter([advert, { ...advert, source: "198.51.100.9" }, { ...advert, at: 2 }]);
  expect([...rows.values()].map((row) => row.length)).toEqual([2, 1]);
});
