/** A connected descriptor as a Node stream, with TLS if it is wanted. SSL_GET checks certificates only when the file names authorities. */
import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Finding } from "../core/lvs/findings.ts";
import type { Probe, ProbeTls, StreamEvents } from "../ports/probes.ts";

type Begin = (done: (outcome: number | Finding) => void) => Probe;

export function openStream(begin: Begin, tls: ProbeTls | null, events: StreamEvents): Probe {
  let socket: Socket | null = null;
  let ended = false;
  const end = (): boolean => {
    const first = !ended;
    ended = true;
    return first;
  };
  const connecting = begin((outcome) => {
    if (ended) return;
    if (typeof outcome !== "number") {
      if (end()) events.onFailure(outcome);
      return;
    }
    const plain = new Socket({ fd: outcome, readable: true, writable: true });
    socket = plain;
    if (tls === null) {
      serve(plain, { events, end });
      return;
    }
    socket = secure(plain, tls, { events, end });
  });
  return {
    cancel() {
      ended = true;
      connecting.cancel();
      socket?.destroy();
    },
  };
}

interface Serving {
  readonly events: StreamEvents;
  /** True for the first that calls it. */
  readonly end: () => boolean;
}

function serve(socket: Socket, { events, end }: Serving): void {
  socket.on("data", (bytes: Buffer) => events.onData(bytes));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    socket.destroy();
    if (end()) events.onEnd(error.code ?? error.message);
  });
  socket.on("end", () => {
    socket.destroy();
    if (end()) events.onEnd(null);
  });
  events.onOpen({
    write: (bytes) => void socket.write(bytes),
    close() {
      end();
      socket.destroy();
    },
  });
}

function secure(plain: Socket, tls: ProbeTls, { events, end }: Serving): Socket {
  const fail = (detail: string): void => {
    plain.destroy();
    if (end()) events.onFailure({ kind: "tls", detail });
  };
  try {
    const socket = connectTls({
      socket: plain,
      ...(tls.serverName === null ? {} : { servername: tls.serverName }),
      ...material(tls),
      rejectUnauthorized: tls.ca !== null,
      // Without a name to compare, a certificate by the named authorities is enough.
      ...(tls.serverName === null ? { checkServerIdentity: () => undefined } : {}),
    });
    let open = false;
    socket.once("secureConnect", () => {
      open = true;
      serve(socket, { events, end });
    });
    socket.on("error", (error) => {
      if (!open) fail(error.message);
    });
    socket.once("close", () => {
      if (!open) fail("the connection was closed during the handshake");
    });
    return socket;
  } catch (error) {
    // A file that cannot be read, or a key that does not fit.
    setImmediate(() => fail(error instanceof Error ? error.message : String(error)));
    return plain;
  }
}

const material = ({ ca, certificate, key, passphrase }: ProbeTls) => ({
  ...(ca === null ? {} : { ca: readFileSync(ca) }),
  ...(certificate === null ? {} : { cert: readFileSync(certificate) }),
  ...(key === null ? {} : { key: readFileSync(key) }),
  ...(passphrase === null ? {} : { passphrase }),
});
