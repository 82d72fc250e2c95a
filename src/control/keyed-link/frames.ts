/**
 * Frames of a link between daemons: four bytes length (big-endian), then that many bytes of JSON in UTF-8. A frame that claims to be longer than
 * allowed ends the connection before a byte of it is kept.
 */
import { err, ok, type Result } from "../../core/lib/result.ts";

const LENGTH_BYTES = 4;

export function encodeFrame(value: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(value), "utf8");
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + body.length);
  frame.writeUInt32BE(body.length, 0);
  body.copy(frame, LENGTH_BYTES);
  return frame;
}

/** Puts a stream together into frames; after an error it must not be used any more. */
export class FrameReader {
  readonly #most: number;
  #chunks: Buffer[] = [];
  #have = 0;

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  /** The values that are whole now. */
  push(chunk: Buffer): Result<readonly unknown[], string> {
    this.#chunks.push(chunk);
    this.#have += chunk.length;
    const values: unknown[] = [];
    for (;;) {
      const next = this.#next();
      if (!next.ok) return next;
      if (next.value === null) return ok(values);
      values.push(next.value.json);
    }
  }

  #next(): Result<{ readonly json: unknown } | null, string> {
    if (this.#have < LENGTH_BYTES) return ok(null);
    const length = this.#peek(LENGTH_BYTES).readUInt32BE(0);
    if (length > this.#most) return err(`a frame of ${length} bytes, at most ${this.#most} are allowed`);
    if (this.#have < LENGTH_BYTES + length) return ok(null);
    const frame = this.#peek(LENGTH_BYTES + length);
    const rest = frame.subarray(LENGTH_BYTES + length);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#have = rest.length;
    try {
      return ok({ json: JSON.parse(frame.toString("utf8", LENGTH_BYTES, LENGTH_BYTES + length)) as unknown });
    } catch {
      return err("a frame that is not JSON");
    }
  }

  /** At least that many bytes in one piece; a large frame is joined once, when it is whole. */
  #peek(bytes: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= bytes) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }
}
