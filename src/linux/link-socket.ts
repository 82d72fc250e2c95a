/**
 * The keeper's end of the socket pair: whole lines in, lines out, never waiting for control. What control does not
 * read is queued up to a bound; while anything is queued droppable lines (heartbeats) are not sent at all, and beyond the bound
 * other lines are dropped too, counted and reported once there is room.
 *
 * It knows lines, not messages.
 */
import type { Arena } from "./arena.ts";
import { ERRNO, errnoName, ppoll, recv, send } from "./libc.ts";
import type { Reactor } from "./reactor.ts";
import { MSG_DONTWAIT, MSG_NOSIGNAL } from "./sockets.ts";

export const LINE_BYTES_MAX = 16 * 1024 * 1024;
export const QUEUE_BYTES_MAX = 8 * 1024 * 1024;

const CHUNK_BYTES = 64 * 1024;
/** Chunks read in one wake-up, so that a talkative control cannot keep the loop from its deadlines. */
const CHUNKS_MAX = 16;
const NEWLINE = 0x0a;
/** How long drain() waits for control to read its last lines, in steps of one poll. */
const DRAIN_STEPS = 10;
const DRAIN_STEP_NANOSECONDS = 50_000_000;

export interface LinkSocket {
  /** Sends a line (without its end). Droppable ones are skipped while control does not keep up. */
  send(line: string, droppable: boolean): void;
  /** Before leaving: waits a moment, at most half a second, for control to take what is queued. */
  drain(): void;
}

export interface LinkSocketOptions {
  readonly arena: Arena;
  readonly reactor: Reactor;
  readonly descriptor: number;
  readonly onLine: (line: string) => void;
  /** The other end is closed, broken, or sent a line beyond all bounds. Called once, after the last whole line. */
  readonly onClose: (reason: string) => void;
  /** Lines had to be dropped while control did not read; called when it reads again. */
  readonly onLost?: (lines: number) => void;
}

export function openLinkSocket(options: LinkSocketOptions): LinkSocket {
  const { arena, reactor, descriptor, onLine, onClose } = options;
  let open = true;

  const closed = (reason: string): void => {
    if (!open) return;
    open = false;
    reactor.unwatch(descriptor);
    onClose(reason);
  };

  const reader = createReader(arena, descriptor, onLine);
  const writer = createWriter(arena, descriptor, (waiting) => {
    if (open) reactor.watchWritable(descriptor, waiting ? resume : null);
  });
  const resume = (): void => {
    const lost = writer.resume();
    if (lost > 0) options.onLost?.(lost);
  };

  reactor.watch(descriptor, () => {
    const end = reader.read(() => open);
    if (end !== null) closed(end);
  });

  return {
    send(line, droppable) {
      if (open) writer.write(line, droppable);
    },
    drain() {
      if (open) writer.drain();
    },
  };
}

interface Reader {
  /** Reads what is there; the reason when no more can come. */
  read(goOn: () => boolean): string | null;
}

function createReader(arena: Arena, descriptor: number, onLine: (line: string) => void): Reader {
  const offset = arena.allocate(CHUNK_BYTES);
  const chunk = Buffer.from(arena.bytes.buffer, offset, CHUNK_BYTES);
  let partial: Buffer[] = [];
  let partialBytes = 0;

  const take = (start: number, end: number): string => {
    if (partialBytes === 0) return chunk.toString("utf8", start, end);
    const whole = Buffer.concat([...partial, chunk.subarray(start, end)]).toString("utf8");
    partial = [];
    partialBytes = 0;
    return whole;
  };

  /** The chunk's lines; what is left begins the next one. */
  const split = (length: number): void => {
    // Copied out first: a handler may lead back here and read over the chunk.
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0 && end < length; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(take(start, end));
      start = end + 1;
    }
    if (start < length) {
      partial.push(Buffer.from(chunk.subarray(start, length)));
      partialBytes += length - start;
    }
    for (const line of lines) onLine(line);
  };

  /** Null: there may be more. Empty: nothing more for now. Otherwise the reason why there will be none. */
  const readChunk = (): string | null => {
    const length = recv(descriptor, arena.at(offset), CHUNK_BYTES, MSG_DONTWAIT);
    if (length === -ERRNO.EAGAIN || length === -ERRNO.EINTR) return "";
    if (length === 0) return "end of file";
    if (length < 0) return errnoName(length);
    split(length);
    return partialBytes > LINE_BYTES_MAX ? `a line longer than ${LINE_BYTES_MAX} bytes` : null;
  };

  return {
    read(goOn) {
      for (let count = 0; count < CHUNKS_MAX && goOn(); count++) {
        const outcome = readChunk();
        if (outcome !== null) return outcome === "" ? null : outcome;
      }
      return null;
    },
  };
}

interface Writer {
  write(line: string, droppable: boolean): void;
  /** Sends what is queued as far as it goes; lines lost since the last time, once the queue is empty. */
  resume(): number;
  drain(): void;
}

function createWriter(arena: Arena, descriptor: number, onWaiting: (waiting: boolean) => void): Writer {
  const offset = arena.allocate(CHUNK_BYTES);
  const chunk = Buffer.from(arena.bytes.buffer, offset, CHUNK_BYTES);
  const poll = arena.allocate(64);
  let queue: Buffer[] = [];
  let queuedBytes = 0;
  let lost = 0;

  const sendBytes = (length: number): number => {
    const sent = send(descriptor, arena.at(offset), length, MSG_DONTWAIT | MSG_NOSIGNAL);
    // A broken connection is the reader's to report; what cannot be sent any more is as good as sent.
    return sent === -ERRNO.EAGAIN || sent === -ERRNO.EINTR ? 0 : sent < 0 ? length : sent;
  };

  const enqueue = (bytes: Buffer): void => {
    if (queue.length === 0) onWaiting(true);
    queue.push(bytes);
    queuedBytes += bytes.length;
  };

  /** True when the queue is empty afterwards. */
  const flush = (): boolean => {
    let head = queue[0];
    while (head !== undefined) {
      const length = head.copy(chunk, 0, 0, CHUNK_BYTES);
      const sent = sendBytes(length);
      queuedBytes -= sent;
      if (sent === head.length) queue.shift();
      else queue[0] = head.subarray(sent);
      if (sent < length) return false;
      head = queue[0];
    }
    return true;
  };

  const waitWritable = (): void => {
    const POLLOUT = 4;
    arena.view.setInt32(poll, descriptor, true);
    arena.view.setUint32(poll + 4, POLLOUT, true);
    arena.words.fill(0, (poll + 16) >>> 2, (poll + 32) >>> 2);
    arena.view.setUint32(poll + 24, DRAIN_STEP_NANOSECONDS, true);
    ppoll(arena.at(poll), 1, arena.at(poll + 16), 0);
  };

  return {
    write(line, droppable) {
      if (queue.length > 0) {
        if (droppable) return;
        if (queuedBytes + line.length > QUEUE_BYTES_MAX) lost++;
        else enqueue(Buffer.from(`${line}\n`));
        return;
      }
      // UTF-8 needs at most three bytes for each unit of a string.
      if (line.length * 3 + 1 > CHUNK_BYTES) {
        enqueue(Buffer.from(`${line}\n`));
        if (flush()) onWaiting(false);
        return;
      }
      const length = chunk.write(line) + 1;
      chunk[length - 1] = NEWLINE;
      const sent = sendBytes(length);
      if (sent < length) enqueue(Buffer.from(chunk.subarray(sent, length)));
    },
    resume() {
      if (!flush()) return 0;
      onWaiting(false);
      const count = lost;
      lost = 0;
      return count;
    },
    drain() {
      for (let step = 0; step < DRAIN_STEPS && !flush(); step++) waitWritable();
      queue = [];
    },
  };
}
