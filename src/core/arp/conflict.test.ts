import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FilterStep } from "../bytes/bpf.ts";
import type { IpAddress } from "../lib/ip.ts";
import { ipv4FromBytes } from "../lib/ip.ts";
import { conflictFilter, FILTERED_ADDRESSES_MAX, readConflict } from "./conflict.ts";
import { gratuitousArp } from "./frame.ts";

const OTHER = Uint8Array.from([0x02, 0x42, 0xac, 0x11, 0x00, 0x02]);
const OWN = Uint8Array.from([0x02, 0x42, 0xac, 0x11, 0x00, 0x01]);
const VIP = "10.99.0.100" as IpAddress;
const OWN_MACS = new Set(["02:42:ac:11:00:01"]);

/** An ARP reply: the other's address asked for, told to whoever asked. */
function reply(address: IpAddress, mac: Uint8Array = OTHER): Uint8Array {
  const frame = gratuitousArp(mac, address);
  frame[21] = 2;
  frame.set([10, 99, 0, 7], 38);
  return frame;
}

/** The kernel's machine, as far as our filters use it: how many bytes of the frame are received. */
function runFilter(program: readonly FilterStep[], frame: Uint8Array): number {
  let loaded: number | null = 0;
  let at = 0;
  for (;;) {
    const { code, k, jumpTrue, jumpFalse } = program[at] as FilterStep;
    expect(Math.max(jumpTrue, jumpFalse)).toBeLessThan(256);
    if (code === 0x06) return k;
    if (code === 0x15) at += loaded === k ? jumpTrue : jumpFalse;
    else loaded = load(frame, k, code === 0x20 ? 4 : 2);
    if (loaded === null) return 0;
    at++;
  }
}

/** Null beyond the end of the frame. */
function load(frame: Uint8Array, offset: number, size: number): number | null {
  if (offset + size > frame.length) return null;
  return frame.subarray(offset, offset + size).reduce((value, byte) => value * 256 + byte, 0);
}

const passes = (addresses: readonly IpAddress[], frame: Uint8Array) => runFilter(conflictFilter(addresses), frame) > 0;
const address = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => ipv4FromBytes(bytes, 0));
const addresses = (count: number) =>
  Array.from({ length: count }, (_, number) => `10.1.${number >> 8}.${number & 255}` as IpAddress);

describe("the filter", () => {
  it("lets requests and replies of a watched address through, whole, and no other frame", () => {
    expect(runFilter(conflictFilter([VIP]), gratuitousArp(OTHER, VIP))).toBe(42);
    expect(passes([VIP], reply(VIP))).toBe(true);
    expect(passes([VIP], reply("10.99.0.101" as IpAddress))).toBe(false);
    const ipv6 = gratuitousArp(OTHER, VIP).fill(0xdd, 16, 18);
    expect(passes([VIP], ipv6)).toBe(false);
    expect(passes([VIP], gratuitousArp(OTHER, VIP).subarray(0, 30))).toBe(false);
  });

  it("lets nothing through while nothing is held", () => {
    expect(passes([], gratuitousArp(OTHER, VIP))).toBe(false);
  });

  it.each([1, 2, FILTERED_ADDRESSES_MAX])("finds each of %d addresses and not the one behind them", (count) => {
    const watched = addresses(count + 1).slice(0, count);
    for (const one of watched) expect(passes(watched, reply(one))).toBe(true);
    expect(passes(watched, reply(addresses(count + 1)[count] as IpAddress))).toBe(false);
  });

  it("lets every ARP frame through, and only ARP, when there are too many to compare", () => {
    const watched = addresses(FILTERED_ADDRESSES_MAX + 1);
    expect(passes(watched, reply(VIP))).toBe(true);
    expect(passes(watched, gratuitousArp(OTHER, VIP).fill(0xdd, 16, 18))).toBe(false);
    expect(passes(watched, gratuitousArp(OTHER, VIP).fill(0xdd, 18, 20))).toBe(false);
  });

  it("never drops what the reader would call a conflict", () => {
    fc.assert(
      fc.property(
        fc.array(address, { maxLength: 250 }),
        fc.uint8Array({ maxLength: 64 }),
        address,
        (held, noise, one) => {
          const frames = [noise, reply(one), gratuitousArp(OTHER, held[0] ?? one)];
          for (const frame of frames) {
            if (readConflict(frame, new Set(held), OWN_MACS) !== null) expect(passes(held, frame)).toBe(true);
          }
          if (held[0] !== undefined) expect(passes(held, frames[2] as Uint8Array)).toBe(true);
        },
      ),
    );
  });
});

describe("the reader", () => {
  const held = new Set([VIP]);

  it("names the address and the other's MAC, in requests and in replies", () => {
    const conflict = { address: VIP, mac: "02:42:ac:11:00:02" };
    expect(readConflict(gratuitousArp(OTHER, VIP), held, OWN_MACS)).toEqual(conflict);
    expect(readConflict(reply(VIP), held, OWN_MACS)).toEqual(conflict);
  });

  it("takes no notice of our own frames, of other addresses, and of a probe that only asks", () => {
    expect(readConflict(gratuitousArp(OWN, VIP), held, OWN_MACS)).toBe(null);
    expect(readConflict(reply("10.99.0.101" as IpAddress), held, OWN_MACS)).toBe(null);
    expect(readConflict(gratuitousArp(OTHER, VIP).fill(0, 28, 32), held, OWN_MACS)).toBe(null);
  });

  it("random frames never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (frame) => {
        const conflict = readConflict(frame, held, OWN_MACS);
        if (frame.length < 42) expect(conflict).toBe(null);
      }),
    );
  });
});
