import fc from "fast-check";
import { expect, test } from "vitest";
import { runFilter } from "../bytes/bpf-machine.suite.ts";
import { type ExpectedAdvert, type ReceiveFilterOptions, receiveFilter } from "./receive-filter.ts";

const IPV4: ReceiveFilterOptions = { family: 4, offset: 0, tightness: "open", unknownToo: false };
const SHUT: ReceiveFilterOptions = { ...IPV4, tightness: "shut" };

const plain = (virtualRouterId: number, changes: Partial<ExpectedAdvert> = {}): ExpectedAdvert => ({
  virtualRouterId,
  version: 2,
  tail: 8,
  trailer: null,
  sources: null,
  ...changes,
});

interface Made {
  readonly vrid: number;
  readonly version?: number;
  readonly count?: number;
  readonly bytes?: number;
  readonly source?: readonly number[];
  readonly options?: number;
  readonly ah?: number;
}

/** An IPv4 packet of which only what a filter reads is set. */
function ipv4({ vrid, version = 2, count = 1, bytes = 20, source = [10, 0, 0, 2], options = 0, ah = 0 }: Made) {
  const header = 20 + options;
  const data = new Uint8Array(header + ah + bytes);
  data[0] = 0x40 | (header / 4);
  data[2] = data.length >> 8;
  data[3] = data.length & 0xff;
  data.set(source, 12);
  data.set([(version << 4) | 1, vrid, 100, count].slice(0, bytes), header + ah);
  return { data, whole: data };
}

function ipv6({ vrid, version = 3, count = 1, bytes = 24, source = [] }: Made) {
  const whole = new Uint8Array(40 + bytes);
  whole.set(source, 8);
  whole.set([(version << 4) | 1, vrid, 100, count], 40);
  return { data: whole.subarray(40), whole };
}

const passes = (
  expected: readonly ExpectedAdvert[],
  options: ReceiveFilterOptions,
  packet: ReturnType<typeof ipv4>,
) => {
  const program = receiveFilter(expected, options);
  if (program === null) throw new Error("no program");
  return runFilter(program, packet) !== 0;
};

test("only virtual routers of the socket pass, whatever else is wrong with the packet", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 255 }), { maxLength: 255 }), (ids) => {
      const program =
        receiveFilter(
          ids.map((id) => plain(id)),
          IPV4,
        ) ?? [];
      for (let vrid = 0; vrid < 256; vrid++) {
        expect(runFilter(program, ipv4({ vrid, version: 7, bytes: 9 })) !== 0).toBe(ids.includes(vrid));
      }
    }),
    { numRuns: 30 },
  );
});

test("every other virtual router of 255 still fits into the kernel's limit, tight as well", () => {
  const all = Array.from({ length: 128 }, (_, at) => plain(at * 2 + 1, { version: at % 2 === 0 ? 2 : 3 }));
  expect(receiveFilter(all, SHUT)?.length).toBeLessThan(1_000);
});

test("log_unknown_vrids lets strangers' virtual routers through, but not during a flood", () => {
  expect(passes([plain(1)], { ...IPV4, unknownToo: true }, ipv4({ vrid: 2 }))).toBe(true);
  expect(passes([plain(1)], { ...SHUT, unknownToo: true }, ipv4({ vrid: 2 }))).toBe(false);
});

test("shut: version and length are looked at, options of the IPv4 header counted", () => {
  const ours = [plain(51), plain(52, { version: 3, tail: 0, trailer: 28 })];
  expect(passes(ours, SHUT, ipv4({ vrid: 51 }))).toBe(true);
  expect(passes(ours, SHUT, ipv4({ vrid: 51, options: 8 }))).toBe(true);
  expect(passes(ours, SHUT, ipv4({ vrid: 51, version: 3 }))).toBe(false);
  expect(passes(ours, SHUT, ipv4({ vrid: 51, count: 2 }))).toBe(false);
  expect(passes(ours, SHUT, ipv4({ vrid: 51, bytes: 48 }))).toBe(false);
  expect(passes(ours, SHUT, ipv4({ vrid: 52, version: 3, bytes: 12 }))).toBe(true);
  expect(passes(ours, SHUT, ipv4({ vrid: 52, version: 3, bytes: 40 }))).toBe(true);
  expect(passes(ours, SHUT, ipv4({ vrid: 52, version: 3, bytes: 13 }))).toBe(false);
});

test("shut: a short advert that counts its Ethernet padding is left to the rules", () => {
  expect(passes([plain(51)], SHUT, ipv4({ vrid: 51, bytes: 26 }))).toBe(true);
});

test("shut: only sources that are believed, where they are known", () => {
  const sources = [Uint8Array.of(10, 0, 0, 2), Uint8Array.of(10, 0, 0, 200)];
  const ours = [plain(51, { sources })];
  expect(passes(ours, SHUT, ipv4({ vrid: 51, source: [10, 0, 0, 200] }))).toBe(true);
  expect(passes(ours, SHUT, ipv4({ vrid: 51, source: [10, 0, 0, 3] }))).toBe(false);
  expect(passes(ours, IPV4, ipv4({ vrid: 51, source: [10, 0, 0, 3] }))).toBe(true);
});

test("the message behind an authentication header is found", () => {
  const options = { ...SHUT, offset: 24 };
  expect(passes([plain(51)], options, ipv4({ vrid: 51, ah: 24 }))).toBe(true);
  expect(passes([plain(51)], options, ipv4({ vrid: 52, ah: 24 }))).toBe(false);
  expect(passes([plain(51)], options, ipv4({ vrid: 51, ah: 24, count: 3 }))).toBe(false);
});

test("IPv6: the socket sees the message, the source stands in the header before it", () => {
  const peer = Uint8Array.from({ length: 16 }, (_, at) => at + 1);
  const options: ReceiveFilterOptions = { ...SHUT, family: 6 };
  const ours = [plain(51, { version: 3, tail: 0, sources: [peer] })];
  expect(passes(ours, options, ipv6({ vrid: 51, source: [...peer] }))).toBe(true);
  expect(passes(ours, options, ipv6({ vrid: 51, source: [...peer.slice(0, 15), 9] }))).toBe(false);
  expect(passes(ours, options, ipv6({ vrid: 52, source: [...peer] }))).toBe(false);
  expect(passes(ours, options, ipv6({ vrid: 51, source: [...peer], bytes: 12 }))).toBe(false);
  expect(passes(ours, { ...options, tightness: "open" }, ipv6({ vrid: 51, bytes: 12 }))).toBe(true);
});

test("no bytes make a program run past its end or read what was never written", () => {
  const programs = [IPV4, SHUT, { ...SHUT, family: 6 as const }, { ...SHUT, offset: 24 }].map(
    (options) => receiveFilter([plain(3, { sources: [new Uint8Array(16)] }), plain(7, { version: 3 })], options) ?? [],
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (data) => {
      for (const program of programs) runFilter(program, { data, whole: data });
    }),
  );
});

test("too many peers to name: no program, rather than one the kernel refuses", () => {
  const sources = Array.from({ length: 2_000 }, (_, at) => Uint8Array.of(10, 0, at >> 8, at & 255));
  expect(receiveFilter([plain(51, { sources })], SHUT)).toBe(null);
});
