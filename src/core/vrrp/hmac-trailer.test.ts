import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  acceptSequence,
  isAfter,
  nextSequence,
  type SenderMarks,
  type Sequence,
  type Signed,
  sequenceOfClock,
  sign,
  type TrailerDigest,
  verify,
} from "./hmac-trailer.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const KEY = Uint8Array.from({ length: 32 }, (_, at) => at);
const digest: TrailerDigest = (id, message) => (id === 1 ? createHmac("sha256", KEY).update(message).digest() : null);
const MONOTONIC = { window: null };
const TIME = { window: 5 };

/** The wire images of the draft's appendix: key 00..1f, virtual router 51, priority 200, sequence 0x6800000080000000. */
const IPV4: Signed = {
  family: 4,
  source: Uint8Array.of(198, 51, 100, 10),
  message: hex("3133c80100644402c0000264"),
  trailer: hex("010100006800000080000000 1b84bc4e8e43892dc6d98448f8ee2265"),
};
const IPV6: Signed = {
  family: 6,
  source: hex("fe800000000000000000000000000010"),
  message: hex("3133c8010064a2e9 fe800000000000000000000000000100"),
  trailer: hex("010100006800000080000000 c8c56146ebfd66ee10ec4d8186461b78"),
};
const copy = (signed: Signed): Signed => ({
  ...signed,
  message: signed.message.slice(),
  trailer: signed.trailer.slice(),
});
const flip = (bytes: Uint8Array, at: number): void => {
  bytes[at] = (bytes[at] as number) ^ 1;
};
const AT = 0x6800_0000 * 1e6;

test.each([IPV4, IPV6])("the draft's images are believed, and made, byte for byte (IPv$family)", (image) => {
  expect(verify(image, 0, MONOTONIC, digest)).toMatchObject({
    ok: true,
    sequence: { high: 0x6800_0000, low: 0x8000_0000 },
  });
  const made = copy(image);
  made.trailer.fill(0xee);
  sign(made, 1, { high: 0x6800_0000, low: 0x8000_0000 }, digest);
  expect(made.trailer).toEqual(image.trailer);
});

test("whatever is changed is noticed, but for the checksum, which the kernel may write", () => {
  for (const image of [IPV4, IPV6]) {
    for (let at = 0; at < image.message.length; at++) {
      const changed = copy(image);
      flip(changed.message, at);
      expect(verify(changed, 0, MONOTONIC, digest).ok).toBe(at === 6 || at === 7);
    }
    for (let at = 0; at < image.trailer.length; at++) {
      const changed = copy(image);
      flip(changed.trailer, at);
      expect(verify(changed, 0, MONOTONIC, digest).ok).toBe(false);
    }
    const elsewhere = { ...copy(image), source: image.source.map((byte, at) => (at === 3 ? byte ^ 1 : byte)) };
    expect(verify(elsewhere, 0, MONOTONIC, digest)).toMatchObject({ problem: "bad-hmac" });
  }
});

test("each fault has its own name", () => {
  const problem = (change: (signed: Signed) => void, at = AT): string => {
    const changed = copy(IPV4);
    change(changed);
    const verdict = verify(changed, at, TIME, digest);
    return verdict.ok ? "ok" : verdict.problem;
  };
  expect(problem(() => undefined)).toBe("ok");
  expect(problem(({ trailer }) => flip(trailer, 0))).toBe("malformed");
  expect(problem(({ trailer }) => flip(trailer, 3))).toBe("malformed");
  expect(problem(({ trailer }) => trailer.fill(9, 1, 2))).toBe("unknown-key");
  expect(problem(({ trailer }) => flip(trailer, 27))).toBe("bad-hmac");
  expect(problem(() => undefined, AT + 5.9e6)).toBe("ok");
  expect(problem(() => undefined, AT + 6e6)).toBe("stale");
  expect(problem(() => undefined, AT - 6e6)).toBe("stale");
});

test("a stale trailer is refused without computing anything", () => {
  let computed = 0;
  const counting: TrailerDigest = () => {
    computed++;
    return null;
  };
  expect(verify(IPV4, AT + 60e6, TIME, counting)).toMatchObject({ problem: "stale", skew: 60 });
  expect(computed).toBe(0);
});

test("without its key nothing is signed that anybody could believe", () => {
  const made = copy(IPV4);
  sign(made, 2, { high: 1, low: 1 }, digest);
  expect(made.trailer.subarray(12)).toEqual(new Uint8Array(16));
});

test("sequence numbers of one sender always grow, however the clock stands still", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3_000_000 }), { minLength: 1 }), (readings) => {
      let last: Sequence = { high: 0, low: 0 };
      for (const reading of readings) {
        const next = nextSequence(last, reading, MONOTONIC);
        expect(isAfter(next, last)).toBe(true);
        last = next;
      }
    }),
  );
});

test("the counter carries into the time when it is full", () => {
  expect(nextSequence({ high: 7, low: 0xffff_ffff }, 0, MONOTONIC)).toEqual({ high: 8, low: 0 });
  expect(nextSequence({ high: 0xffff_ffff, low: 0xffff_ffff }, 0xffff_ffff * 1e6, MONOTONIC)).toEqual({
    high: 0,
    low: 0,
  });
});

test("numbers are compared as RFC 1982 has it, across the end of their range", () => {
  expect(isAfter({ high: 0, low: 0 }, { high: 0xffff_ffff, low: 0xffff_ffff })).toBe(true);
  expect(isAfter({ high: 0xffff_ffff, low: 5 }, { high: 0, low: 0 })).toBe(false);
  expect(isAfter({ high: 3, low: 0 }, { high: 2, low: 0xffff_ffff })).toBe(true);
  expect(isAfter({ high: 3, low: 9 }, { high: 3, low: 9 })).toBe(false);
});

test("a clock that was set back: time mode follows it, monotonic mode goes on growing", () => {
  const stranded = sequenceOfClock(3_600e6 + AT);
  expect(nextSequence(stranded, AT, TIME)).toEqual(sequenceOfClock(AT));
  expect(nextSequence(stranded, AT, MONOTONIC)).toEqual({ high: stranded.high, low: stranded.low + 1 });
  // Within the window nobody refuses it: growing is safer than going back.
  const little = sequenceOfClock(AT + 3e6);
  expect(nextSequence(little, AT, TIME)).toEqual({ high: little.high, low: little.low + 1 });
});

const accept = (marks: SenderMarks, sender: string, high: number, options: { window?: number; now?: number } = {}) =>
  acceptSequence(
    marks,
    sender,
    { high, low: 0 },
    { window: options.window ?? null, micros: (options.now ?? 0) * 1e6, limit: 4 },
  );

test("a replayed number is refused, of each sender by itself", () => {
  const marks: SenderMarks = new Map();
  expect(accept(marks, "a", 10)).toBe(true);
  expect(accept(marks, "a", 10)).toBe(false);
  expect(accept(marks, "a", 9)).toBe(false);
  expect(accept(marks, "b", 9)).toBe(true);
  expect(accept(marks, "a", 11)).toBe(true);
});

test("four senders of a group are remembered; the one not heard for longest is forgotten", () => {
  const marks: SenderMarks = new Map();
  for (const sender of ["a", "b", "c", "d", "a"]) accept(marks, sender, sender === "a" ? 10 + marks.size : 10);
  accept(marks, "e", 10);
  expect([...marks.keys()]).toEqual(["c", "d", "a", "e"]);
  expect(accept(marks, "a", 10)).toBe(false);
});

test("a mark that a corrected clock left beyond the window is forgotten in time mode, kept in monotonic mode", () => {
  const marks: SenderMarks = new Map([["a", { high: 10_000, low: 0 }]]);
  expect(accept(marks, "a", 100, { window: 5, now: 100 })).toBe(true);
  expect(accept(marks, "a", 100, { window: 5, now: 100 })).toBe(false);
  expect(accept(new Map([["a", { high: 10_000, low: 0 }]]), "a", 100, { now: 100 })).toBe(false);
});
