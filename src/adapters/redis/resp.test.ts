import fc from "fast-check";
import { expect, test } from "vitest";
import type { Reply } from "../../core/redis/reply.ts";
import { encodeCommand, ReplyReader } from "./resp.ts";

function encode(reply: Reply): string {
  switch (reply.kind) {
    case "text":
      return `$${Buffer.byteLength(reply.text)}\r\n${reply.text}\r\n`;
    case "number":
      return `:${reply.value}\r\n`;
    case "nothing":
      return "$-1\r\n";
    case "error":
      return `-${reply.error.code} ${reply.error.text}\r\n`;
    case "list":
      return `*${reply.items.length}\r\n${reply.items.map(encode).join("")}`;
  }
}

const replies = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    fc.record({ kind: fc.constant("text" as const), text: fc.string({ unit: "grapheme" }) }),
    fc.record({ kind: fc.constant("number" as const), value: fc.integer() }),
    fc.constant<Reply>({ kind: "nothing" }),
    fc.record({
      kind: fc.constant("error" as const),
      error: fc.record({
        code: fc.constantFrom("ERR", "LOADING", "NOAUTH"),
        text: fc.stringMatching(/^[a-z ]{1,20}$/),
      }),
    }),
    fc.record({ kind: fc.constant("list" as const), items: fc.array(tie("reply"), { maxLength: 4 }) }),
  ),
})).reply;

test("replies are read whatever pieces they arrive in", () => {
  fc.assert(
    fc.property(fc.array(replies, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 9 })), (sent, cuts) => {
      const bytes = Buffer.from(sent.map(encode).join(""));
      const reader = new ReplyReader();
      const read: Reply[] = [];
      let at = 0;
      for (let piece = 0; at < bytes.length; piece++) {
        const length = cuts[piece % Math.max(1, cuts.length)] ?? bytes.length;
        const result = reader.push(bytes.subarray(at, at + length));
        if (!result.ok) throw new Error(result.error);
        read.push(...result.value);
        at += length;
      }
      expect(read).toEqual(sent);
    }),
  );
});

test("whatever comes, the reader ends with replies or an error", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (pieces) => {
      const reader = new ReplyReader();
      for (const piece of pieces) {
        const result = reader.push(Buffer.from(piece));
        if (!result.ok) return;
      }
    }),
  );
});

test("another protocol is told as such", () => {
  expect(new ReplyReader().push(Buffer.from("HTTP/1.1 400 Bad Request\r\n"))).toMatchObject({ ok: false });
  expect(new ReplyReader().push(Buffer.from("$99999999999\r\n"))).toMatchObject({ ok: false });
});

test("a command counts bytes, not characters", () => {
  expect(encodeCommand(["AUTH", "ä"])).toBe("*2\r\n$4\r\nAUTH\r\n$2\r\nä\r\n");
});

test.each([
  ["a list without end", `*20000000\r\n${":1\r\n".repeat(10)}`],
  ["a text without end", `$40000000\r\n${"x".repeat(10)}`],
  ["a line without end", `+${"x".repeat(5 * 1024 * 1024)}`],
])("%s is refused before it fills the memory", (_what, text) => {
  expect(new ReplyReader().push(Buffer.from(text)).ok).toBe(false);
});
