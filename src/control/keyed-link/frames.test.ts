import { expect, test } from "vitest";
import { encodeFrame, FrameReader } from "./frames.ts";

test("frames come out whole, whatever pieces they arrive in", () => {
  const values = [{ a: 1 }, { text: "ä".repeat(500) }, [], { b: null }];
  const bytes = Buffer.concat(values.map(encodeFrame));
  for (const size of [1, 2, 3, 5, 7, 64, bytes.length]) {
    const reader = new FrameReader(4_096);
    const seen: unknown[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      const read = reader.push(bytes.subarray(at, at + size));
      if (read.ok) seen.push(...read.value);
    }
    expect(seen).toEqual(values);
  }
});

test("a frame longer than allowed is refused by its length alone", () => {
  const reader = new FrameReader(16);
  expect(reader.push(Buffer.from([0, 0, 0, 17]))).toEqual({
    ok: false,
    error: "a frame of 17 bytes, at most 16 are allowed",
  });
});
