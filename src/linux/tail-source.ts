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
import { type Heard, PacketReader } from "../core/mysql/source-packets.ts";
import type { SourceOffer, SourcePort } from "../ports/tail.ts";
import { isOfServer } from "./database-host.ts";

const HOST = "127.0.0.1";
/** What a receiver says is short. */
const PACKET_MAX = 1 << 20;
const CONNECTIONS_MAX = 4;
const SCRAMBLE_BYTES = 20;
/** Half of the shortest slave_net_timeout, which is a second. */
const HEARTBEAT_MILLIS = 500;

/** Whose end of a connection it is. */
type IsOfServer = typeof isOfServer;

export function createTailSource(isOwn: IsOfServer = isOfServer): SourcePort {
  const servers = new Map<number, () => void>();
  return {
    async open(offer) {
      const source = new TailSource(offer, isOwn);
      const port = await source.listen();
      if (!port.ok) return port;
      servers.set(port.value, () => source.close());
      return ok({
        host: HOST,
        port: port.value,
        connected: () => source.connected,
        problem: () => source.problem,
        refuse: () => source.refuse(),
      });
    },
    close(port) {
      servers.get(port)?.();
      servers.delete(port);
    },
  };
}

class TailSource {
  readonly #offer: SourceOffer;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #taken = false;
  #refuses = false;
  connected = false;
  problem: string | null = null;

  constructor(offer: SourceOffer, isOwn: IsOfServer) {
    this.#offer = offer;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => socket.destroy());
      // Somebody else of this host is no reason to give up: whoever it is hears nothing.
      if (this.#refuses || !isOwn(offer.dataDirectory, portsOf(socket))) socket.destroy();
      else this.#serve(socket);
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  listen(): Promise<Result<number, string>> {
    return listening(this.#server);
  }

  refuse(): void {
    this.#refuses = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.refuse();
    this.#server.close();
  }

  #take(): boolean {
    if (this.#taken) this.problem ??= "the receiver has asked for it twice: its connection broke while it received";
    const first = !this.#taken;
    this.#taken = true;
    return first;
  }

  #serve(socket: Socket): void {
    this.connected = true;
    const { tail, product, gtid } = this.#offer;
    const scramble = Uint8Array.from(randomBytes(SCRAMBLE_BYTES), (byte) => byte || 1);
    const unixSeconds = Math.floor(Date.now() / 1_000);
    const take = (): boolean => this.#take();
    const dialogue = new SourceDialogue({ tail, product, gtid, scramble, unixSeconds, crc32, take });
    const reader = new PacketReader(PACKET_MAX);
    socket.setNoDelay(true);
    for (const packet of dialogue.greeting) socket.write(packet);
    // One answer after the other: a tail is handed out as fast as it is taken.
    let turn: Promise<void> = Promise.resolve();
    socket.on("data", (chunk: Buffer) => {
      const heard = reader.push(chunk);
      if (heard === null) socket.destroy();
      for (const one of heard ?? []) turn = turn.then(() => answer(socket, dialogue, one));
    });
  }
}

function listening(server: Server): Promise<Result<number, string>> {
  return new Promise((resolve) => {
    server.on("error", (error: NodeJS.ErrnoException) =>
      resolve(err(`no source can be opened on ${HOST}: ${error.code ?? error.message}`)),
    );
    // It may stay until a channel is pointed back, and must not keep a daemon that ends.
    server.unref();
    server.listen({ host: HOST, port: 0 }, () => {
      const address = server.address();
      if (address === null || typeof address === "string") resolve(err("the source has no port"));
      else resolve(ok(address.port));
    });
  });
}

/** Of the connection, as the one who connected has it. */
const portsOf = ({ remotePort, localPort }: Socket) => ({ local: remotePort ?? 0, remote: localPort ?? 0 });

async function answer(socket: Socket, dialogue: SourceDialogue, heard: Heard): Promise<void> {
  const said = dialogue.hear(heard);
  await send(socket, said);
  if (!said.handsOut || socket.destroyed) return;
  const beat = setInterval(() => {
    // What is not taken waits; a beat says nothing more than that does.
    if (socket.writableLength > 0) return;
    for (const bytes of dialogue.heartbeat()) socket.write(bytes);
  }, HEARTBEAT_MILLIS);
  socket.once("close", () => clearInterval(beat));
}

async function send(socket: Socket, { send, ends }: Answer): Promise<void> {
  for (const bytes of send) {
    if (socket.destroyed) return;
    if (!socket.write(bytes)) await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => undefined);
  }
  if (ends !== null) socket.end();
}
