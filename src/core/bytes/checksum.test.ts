import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addWords, finish, internetChecksum } from "./checksum.ts";

describe("RFC 1071: the Internet checksum", () => {
  it("section 3: sums the example of the RFC to ddf2 before the complement", () => {
    const example = Uint8Array.from([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
    expect(internetChecksum(example)).toBe(~0xddf2 & 0xffff);
  });

  it("section 4.1: an odd last byte is the high half of a word", () => {
    expect(internetChecksum(Uint8Array.from([0xab]))).toBe(~0xab00 & 0xffff);
  });

  it("section 2: is the one's complement sum computed word by word with end-around carry", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        let sum = 0;
        for (let at = 0; at < bytes.length; at += 2) {
          sum += bytes[at]! * 256 + (bytes[at + 1] ?? 0);
          if (sum > 0xffff) sum -= 0xffff;
        }
        expect(internetChecksum(bytes)).toBe(0xffff - sum);
      }),
    );
  });

  it("is the same whether summed at once or in pieces of even length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(100), (bytes, half) => {
        const cut = Math.min(half * 2, bytes.length - (bytes.length % 2));
        const first = addWords(0, bytes, 0, cut);
        expect(finish(addWords(first, bytes, cut, bytes.length))).toBe(internetChecksum(bytes));
      }),
    );
  });
});
