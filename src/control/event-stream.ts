/**
 * Events as server-sent events: first what the ring holds after `since`, then live. A reader that does not keep up is cut
 * off rather than kept in memory; it comes back with Last-Event-ID.
 */
import type { Socket } from "node:net";
import type { FastifyReply } from "fastify";
import { eventInWords } from "../core/events/explain.ts";
import type { EventEntry } from "./contract/types.ts";
import { type EventFilter, matches } from "./events-filter.ts";
import type { ReadModel } from "./read-model.ts";

const KEEP_ALIVE_MILLIS = 15_000;
const MOST_UNSENT_BYTES = 1_048_576;

/** With the sentence that `history` shows. */
export const withWords = (entry: EventEntry): EventEntry => ({ ...entry, words: eventInWords(entry.body) });

export interface StreamQuery extends EventFilter {
  readonly words?: "1" | undefined;
}

/** Connections that carry a stream: one asks for nothing more, because nothing else can be answered on it. */
const streaming = new WeakSet<Socket>();

export function streamEvents(readModel: ReadModel, reply: FastifyReply, filter: StreamQuery): void {
  reply.hijack();
  const out = reply.raw;
  const { socket } = reply.request.raw;
  // A second request that came behind the first would get a response that never hears of the connection's end.
  if (streaming.has(socket) || socket.destroyed) {
    socket.destroy();
    return;
  }
  streaming.add(socket);
  out.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const send = (entry: EventEntry): void => {
    if (!matches(entry, filter, readModel.config)) return;
    const told = filter.words === undefined ? entry : withWords(entry);
    out.write(`id: ${entry.sequence}\nevent: ${entry.body.kind}\ndata: ${JSON.stringify(told)}\n\n`);
    if (out.writableLength > MOST_UNSENT_BYTES) socket.destroy();
  };
  // A comment at once: the reader knows that it is connected before anything happens.
  out.write(": holdfast\n\n");
  for (const entry of readModel.recent(filter.since)) send(entry);
  const unsubscribe = readModel.subscribe(send);
  const keepAlive = setInterval(() => {
    // A token that was taken away ends what it has begun.
    if (reply.request.stillAllowed?.() === false) socket.destroy();
    else out.write(":\n\n");
  }, KEEP_ALIVE_MILLIS);
  keepAlive.unref();
  const end = (): void => {
    clearInterval(keepAlive);
    unsubscribe();
  };
  socket.once("close", end);
  out.on("error", end);
}
