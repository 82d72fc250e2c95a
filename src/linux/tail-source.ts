/**
 * A source of replication on the loopback interface, for the own database server alone: a connection of any other process is turned away before it
 * is greeted. What is said is core/mysql/source-dialogue.ts.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { crc32 } from "node:zlib";
import { err, ok, type Result } from "../core/lib/result.ts";
import { type Answer, SourceDialogue } from "../core/mysql/source-dialogue.ts";
import { PacketReader } from "../core/mysql/source-packets.ts";
import type { OpenSource, SourceOffer, SourcePort } from "../ports/tail.ts";
import { isOfServer } from "./database-host.ts";

const HOST = "127.0.0.1";
/** What a receiver says is short. */
const PACKET_MAX = 1 << 20;
const CONNECTIONS_MAX = 4;
const SCRAMBLE_BYTES = 20;

export function createTailSource(): SourcePort {
  return { open: (offer) => openSource(offer) };
}

async function openSource(offer: SourceOffer): Promise<Result<OpenSource, string>> {
  let problem: string | null = null;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    if (!isOfServer(offer.dataDirectory, portsOf(socket))) {
      problem ??= "another process than the own server connected to the source, or the host does not say which";
      socket.destroy();
    } else serve(socket, offer);
  });
  server.maxConnections = CONNECTIONS_MAX;
  const port = await listening(server);
  if (!port.ok) return port;
  return ok({
    host: HOST,
    port: port.value,
    problem: () => problem,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
}

function listening(server: Server): Promise<Result<number, string>> {
  return new Promise((resolve) => {
    server.on("error", (error: NodeJS.ErrnoException) =>
      resolve(err(`no source can be opened on ${HOST}: ${error.code ?? error.message}`)),
    );
    server.listen({ host: HOST, port: 0 }, () => {
      const address = server.address();
      if (address === null || typeof address === "string") resolve(err("the source has no port"));
      else resolve(ok(address.port));
    });
  });
}

/** Of the connection, as the one who connected has it. */
const portsOf = ({ remotePort, localPort }: Socket) => ({ local: remotePort ?? 0, remote: localPort ?? 0 });

function serve(socket: Socket, { tail, product, gtid }: SourceOffer): void {
  const scramble = Uint8Array.from(randomBytes(SCRAMBLE_BYTES), (byte) => byte || 1);
  const unixSeconds = Math.floor(Date.now() / 1_000);
  const dialogue = new SourceDialogue({ tail, product, gtid, scramble, unixSeconds, crc32 });
  const reader = new PacketReader(PACKET_MAX);
  socket.setNoDelay(true);
  for (const packet of dialogue.greeting) socket.write(packet);
  // One answer after the other: a tail is handed out as fast as it is taken.
  let turn: Promise<void> = Promise.resolve();
  socket.on("data", (chunk: Buffer) => {
    const heard = reader.push(chunk);
    if (heard === null) socket.destroy();
    for (const one of heard ?? []) turn = turn.then(() => send(socket, dialogue.hear(one)));
  });
}

async function send(socket: Socket, { send, ends }: Answer): Promise<void> {
  for (const bytes of send) {
    if (socket.destroyed) return;
    if (!socket.write(bytes)) await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => undefined);
  }
  if (ends !== null) socket.end();
}
