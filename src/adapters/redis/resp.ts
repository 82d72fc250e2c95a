/** RESP2 as bytes: commands out, replies in as they arrive in pieces (redis.io/docs/reference/protocol-spec). Owns no socket. */
import { err, ok, type Result } from "../../core/lib/result.ts";
import type { Command, Reply } from "../../core/redis/reply.ts";

export const encodeCommand = (command: Command): string =>
  `*${command.length}\r\n${command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;

/**
 * More than a server ever says to what is asked here (INFO, single settings); a stream that claims more is not that of a server. What is not
 * complete is read again with the next piece, so these also bound how long one that never ends holds this process up.
 */
const LARGEST = 4 * 1024 * 1024;
const MOST_ENTRIES = 10_000;
const DEEPEST = 16;

type Read = { readonly reply: Reply; readonly next: number } | "incomplete";

class Malformed extends Error {}

export class ReplyReader {
  #pending: Buffer = Buffer.alloc(0);

  /** The replies that are complete now. The error says what came instead of one; then nothing after it can be trusted. */
  push(bytes: Buffer): Result<readonly Reply[], string> {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const replies: Reply[] = [];
    let at = 0;
    try {
      while (at < this.#pending.length) {
        const read = readReply(this.#pending, at, 0);
        if (read === "incomplete") break;
        replies.push(read.reply);
        at = read.next;
      }
    } catch (error) {
      if (error instanceof Malformed) return err(error.message);
      throw error;
    }
    this.#pending = this.#pending.subarray(at);
    if (this.#pending.length > LARGEST) return err(`a reply of more than ${LARGEST} bytes`);
    return ok(replies);
  }
}

function readReply(bytes: Buffer, at: number, depth: number): Read {
  const end = bytes.indexOf("\r\n", at);
  const type = String.fromCharCode(bytes[at] ?? 0);
  if (!"+-:$*".includes(type) || depth > DEEPEST)
    throw new Malformed("what answers does not speak the protocol of Redis");
  if (end < 0) return "incomplete";
  const line = bytes.toString("utf8", at + 1, end);
  const next = end + 2;
  switch (type) {
    case "+":
      return { reply: { kind: "text", text: line }, next };
    case "-":
      return { reply: { kind: "error", error: errorOf(line) }, next };
    case ":":
      return { reply: { kind: "number", value: whole(line) }, next };
    case "$":
      return readBulk(bytes, next, whole(line));
    default:
      return readList(bytes, next, { length: whole(line), depth });
  }
}

function errorOf(line: string): { readonly code: string; readonly text: string } {
  const [, code, text] = /^([A-Z]+)(?: (.*))?$/s.exec(line) ?? [null, "ERR", line];
  return { code: code ?? "ERR", text: text ?? "" };
}

function whole(line: string): number {
  if (!/^-?\d{1,19}$/.test(line)) throw new Malformed(`"${line.slice(0, 40)}" where a number must be`);
  return Number(line);
}

function readBulk(bytes: Buffer, from: number, length: number): Read {
  if (length === -1) return { reply: { kind: "nothing" }, next: from };
  if (length < 0 || length > LARGEST) throw new Malformed(`a text of ${length} bytes`);
  const end = from + length;
  if (bytes.length < end + 2) return "incomplete";
  return { reply: { kind: "text", text: bytes.toString("utf8", from, end) }, next: end + 2 };
}

function readList(
  bytes: Buffer,
  from: number,
  { length, depth }: { readonly length: number; readonly depth: number },
): Read {
  if (length === -1) return { reply: { kind: "nothing" }, next: from };
  if (length < 0 || length > MOST_ENTRIES) throw new Malformed(`a list of ${length} entries`);
  const items: Reply[] = [];
  let next = from;
  for (let at = 0; at < length; at++) {
    if (next >= bytes.length) return "incomplete";
    const read = readReply(bytes, next, depth + 1);
    if (read === "incomplete") return read;
    items.push(read.reply);
    next = read.next;
  }
  return { reply: { kind: "list", items }, next };
}
