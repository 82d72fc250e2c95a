import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { IpAddress } from "../lib/ip.ts";
import { neighbourAdvertisement, readNeighbourAdvertisement } from "./advertisement.ts";

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);
const VIP = "fe80::51" as IpAddress;

/** Captured from keepalived 2.2.7 on an interface with the MAC 02:00:00:00:00:01. */
const GOLDEN =
  "33330000000102000000000186dd" +
  "6000000000203afffe800000000000000000000000000051ff020000000000000000000000000001" +
  "880056fb20000000fe8000000000000000000000000000510201020000000001";

describe("unsolicited neighbour advertisements", () => {
  it("are keepalived 2.2.7's, byte for byte", () => {
    expect(Buffer.from(neighbourAdvertisement(MAC, VIP, false)).toString("hex")).toBe(GOLDEN);
  });

  it("RFC 4861 section 7.2.6: a router says that it is one, and the checksum follows", () => {
    const frame = neighbourAdvertisement(MAC, VIP, true);
    expect(frame[58]).toBe(0xa0);
    expect(frame[56]! * 256 + frame[57]!).toBe(0x56fb - 0x8000 + 0xffff);
  });

  it("are read back", () => {
    expect(readNeighbourAdvertisement(neighbourAdvertisement(MAC, VIP, false).subarray(54))).toEqual({
      target: VIP,
      mac: MAC,
    });
  });

  it("without the option no hardware address is named", () => {
    const message = neighbourAdvertisement(MAC, VIP, false).subarray(54, 78);
    expect(readNeighbourAdvertisement(message)).toEqual({ target: VIP, mac: null });
  });

  it("other messages and options without a length are nothing", () => {
    const message = neighbourAdvertisement(MAC, VIP, false).slice(54);
    message[25] = 0;
    expect(readNeighbourAdvertisement(message)).toBeNull();
    expect(readNeighbourAdvertisement(message.fill(135, 0, 1))).toBeNull();
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (noise) => void readNeighbourAdvertisement(noise)));
  });
});
