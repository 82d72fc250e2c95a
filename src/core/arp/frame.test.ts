import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { IpAddress } from "../lib/ip.ts";
import { gratuitousArp, readArp } from "./frame.ts";

const MAC = Uint8Array.from([0x02, 0x42, 0xac, 0x11, 0x00, 0x02]);

describe("gratuitous ARP", () => {
  it("is keepalived's: a broadcast request, sender and target address the virtual one, target MAC all ones", () => {
    expect(Buffer.from(gratuitousArp(MAC, "10.99.0.100" as IpAddress)).toString("hex")).toBe(
      "ffffffffffff0242ac1100020806" + "0001080006040001" + "0242ac1100020a630064" + "ffffffffffff0a630064",
    );
  });

  it("is read back, padded to the smallest Ethernet frame too", () => {
    const padded = new Uint8Array(60);
    padded.set(gratuitousArp(MAC, "10.99.0.100" as IpAddress));
    expect(readArp(padded)).toEqual({
      operation: 1,
      senderMac: MAC,
      senderAddress: "10.99.0.100",
      targetMac: new Uint8Array(6).fill(0xff),
      targetAddress: "10.99.0.100",
    });
  });

  it("random frames never throw, and short ones are no ARP", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (frame) => {
        const read = readArp(frame);
        if (frame.length < 42) expect(read).toBeNull();
      }),
    );
  });
});
