import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runs, SEARCH_TIMEOUT } from "../../../tools/test-runs.ts";
import { readAddress } from "./addresses.ts";
import { dumpLinks, readLink } from "./links.ts";
import { readAttributes, readErrno, readMessages, readText, writeMessage, writeText, writeUint32 } from "./message.ts";

const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

// Index 5, up and running, MTU 1500, ae:aa:9a:b2:44:2a, "eth0": the kernel's own order of attributes, shortened.
const LINK = unhex(
  "44000000 1000 0000 00000000 00000000" +
    "00000100 05000000 43100100 00000000" +
    "09000300 65746830 00000000" +
    "08000400 dc050000" +
    "0a000100 aeaa9ab2442a 0000" +
    "04000000",
);

describe("netlink framing", () => {
  it("several messages in a datagram are read one by one, each with its own payload", () => {
    const one = writeMessage({ type: 20, flags: 1, sequence: 7 }, unhex("0102030405060708"), []);
    const two = writeMessage({ type: 21, flags: 2, sequence: 8 }, unhex("09"), []);
    const read = readMessages(Uint8Array.from([...one, ...two]));
    expect(read.map(({ type, flags, sequence }) => [type, flags, sequence])).toEqual([
      [20, 1, 7],
      [21, 2, 8],
    ]);
    expect(read[0]?.payload).toEqual(unhex("0102030405060708"));
  });

  it("a length beyond the datagram ends the walk", () => {
    const whole = writeMessage({ type: 20, flags: 1, sequence: 7 }, unhex("01020304"), []);
    expect(readMessages(whole.subarray(0, whole.length - 1))).toEqual([]);
  });

  it("a length of zero ends the walk instead of repeating it for ever", () => {
    expect(readMessages(new Uint8Array(64))).toEqual([]);
    expect(readAttributes(new Uint8Array(64), 0).size).toBe(0);
  });

  it("an acknowledgement is errno 0, a refusal a positive errno, anything else none", () => {
    const answer = (code: number) =>
      readMessages(writeMessage({ type: 2, flags: 0, sequence: 1 }, writeUint32(code >>> 0), [])).map(readErrno);
    expect(answer(0)).toEqual([0]);
    expect(answer(-17)).toEqual([17]);
    expect(readMessages(LINK).map(readErrno)).toEqual([null]);
  });

  it("text survives the way there and back, with its zero", () => {
    expect(writeText("eth0")).toEqual(unhex("6574683000"));
    expect(readText(writeText("eth0:1"))).toBe("eth0:1");
  });
});

describe("links", () => {
  it("reads name, state, address and MTU", () => {
    const [message] = readMessages(LINK);
    expect(message && readLink(message)).toEqual({
      index: 5,
      name: "eth0",
      usable: true,
      mac: unhex("aeaa9ab2442a"),
      mtu: 1500,
    });
  });

  it.each([
    ["administratively down", "42100100"],
    ["without carrier", "03100000"],
  ])("a link that is %s is not usable", (_, flags) => {
    const bytes = Uint8Array.from(LINK);
    bytes.set(unhex(flags), 24);
    const [message] = readMessages(bytes);
    expect(message && readLink(message)?.usable).toBe(false);
  });

  it("the request leaves statistics out", () => {
    expect(Buffer.from(dumpLinks(1)).toString("hex")).toBe(
      "280000001200010301000000000000000000000000000000000000000000000008001d0008000000",
    );
  });
});

describe("hostile bytes", () => {
  it(
    "random datagrams never throw, and never yield more than they hold",
    () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 512 }), (bytes) => {
          for (const message of readMessages(bytes)) {
            readLink(message);
            readAddress(message);
            readErrno(message);
            expect(message.payload.length).toBeLessThan(bytes.length);
          }
        }),
        { numRuns: runs(2_000, 500_000) },
      );
    },
    SEARCH_TIMEOUT,
  );

  it(
    "a kernel message with any bytes changed and any tail cut never throws",
    () => {
      const edits = fc.array(fc.tuple(fc.nat(LINK.length - 1), fc.nat(255)), { maxLength: 8 });
      fc.assert(
        fc.property(edits, fc.nat(LINK.length), fc.constantFrom(16, 17, 20, 21), (changes, length, type) => {
          const bytes = Uint8Array.from(LINK);
          bytes[4] = type;
          for (const [position, value] of changes) bytes[position] = value;
          for (const message of readMessages(bytes.subarray(0, length))) {
            readLink(message);
            readAddress(message);
          }
        }),
        { numRuns: runs(2_000, 500_000) },
      );
    },
    SEARCH_TIMEOUT,
  );
});
