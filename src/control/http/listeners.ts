/**
 * The HTTP listeners of the block `api`: opened, closed and kept as the configuration says, while the Unix socket serves on. A
 * certificate that was renewed is taken up at a reload without closing anything. What cannot be opened is told and tried again at
 * the next reload; the daemon runs without it.
 */
import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { FastifyInstance, FastifyServerFactory } from "fastify";
import { type ApiConfig, type ApiListen, isLoopback } from "../../core/api/config.ts";
import { sameSettings } from "../../core/config/same-settings.ts";
import type { HostEventBody } from "../../core/events/host-events.ts";
import { err, ok, type Result } from "../../core/lib/result.ts";
import { addGatekeeper } from "./gatekeeper.ts";

export interface ListenersOptions {
  /** The application with all routes, on a server of ours. */
  readonly build: (parts: ListenerParts) => Promise<FastifyInstance>;
  readonly publish: (body: HostEventBody) => void;
  /** Milliseconds of a clock that never steps. */
  readonly now: () => number;
}

export interface ListenerParts {
  readonly serverFactory: FastifyServerFactory;
  /** Adds its hooks before the routes. */
  readonly guard: (app: FastifyInstance) => void;
  readonly withDashboard: boolean;
}

export interface HttpListeners {
  /** Resolves when everything is as wanted, or told why not. */
  configure(config: ApiConfig | null): Promise<void>;
  close(): Promise<void>;
}

/** Beyond it a client that opens connections and says nothing keeps others out, but not the daemon's descriptors. */
const MOST_CONNECTIONS = 256;
/** One client that does so must not keep the others out. */
const MOST_OF_ONE_ADDRESS = 64;
const HEADERS_MILLIS = 5_000;
const REQUEST_MILLIS = 10_000;
/** How often Node looks for connections that are beyond those; its own half minute would be the real limit. */
const CHECK_MILLIS = 1_000;

interface Open {
  readonly app: FastifyInstance;
  readonly server: HttpServer | HttpsServer;
  readonly settings: Omit<ApiConfig, "listen">;
}

export function createHttpListeners(options: ListenersOptions): HttpListeners {
  const open = new Map<string, Open>();
  let turn = Promise.resolve();

  /** Closes what is no longer wanted as it is; returns the names that stay. */
  const keep = async (config: ApiConfig | null): Promise<ReadonlySet<string>> => {
    const kept = new Set<string>();
    for (const [name, one] of open) {
      const wanted = config?.listen.some((listen) => nameOf(listen) === name) === true;
      if (wanted && sameSettings(one.settings, settingsOf(config))) {
        renew(name, one);
        kept.add(name);
        continue;
      }
      open.delete(name);
      await shut(one);
      const { tls } = one.settings;
      options.publish({ kind: "api-listener", action: "closed", address: name, tls: tls !== null, detail: "" });
    }
    return kept;
  };

  const change = async (config: ApiConfig | null): Promise<void> => {
    const kept = await keep(config);
    if (config === null) return;
    for (const listen of config.listen) {
      const name = nameOf(listen);
      if (kept.has(name)) continue;
      const opened = await start(listen, settingsOf(config), options);
      if (opened.ok) open.set(name, opened.value);
      const [action, detail] = opened.ok ? (["listening", ""] as const) : (["failed", opened.error] as const);
      options.publish({ kind: "api-listener", action, address: name, tls: config.tls !== null, detail });
    }
  };

  const renew = (name: string, { server, settings }: Open): void => {
    if (settings.tls === null || !("setSecureContext" in server)) return;
    const context = readTls(settings.tls);
    if (context.ok) server.setSecureContext(context.value);
    else options.publish({ kind: "api-listener", action: "failed", address: name, tls: true, detail: context.error });
  };

  return {
    configure(config) {
      turn = turn.then(() => change(config));
      return turn;
    },
    async close() {
      await turn;
      const all = [...open.values()];
      open.clear();
      await Promise.all(all.map(shut));
    },
  };
}

const settingsOf = ({ listen: _, ...settings }: ApiConfig): Omit<ApiConfig, "listen"> => settings;

const nameOf = ({ address, port }: ApiListen): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

async function start(
  { address, port }: ApiListen,
  settings: Omit<ApiConfig, "listen">,
  { build, publish, now }: ListenersOptions,
): Promise<Result<Open, string>> {
  const context = settings.tls === null ? ok(null) : readTls(settings.tls);
  if (!context.ok) return context;
  let server: HttpServer | HttpsServer | null = null;
  try {
    const app = await build({
      serverFactory: (handler) => {
        server = serverFor(context.value, handler as RequestListener);
        return server as HttpServer;
      },
      guard: (instance) => addGatekeeper(instance, { ...settings, now, publish }),
      withDashboard: settings.dashboard ?? isLoopback(address),
    });
    await app.ready();
    const made = server as HttpServer | HttpsServer | null;
    if (made === null) return err("no server was made");
    const problem = await bind(made, address, port);
    if (problem === null) return ok({ app, server: made, settings });
    await app.close();
    return err(problem);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly minVersion: "TLSv1.2";
}

function serverFor(tls: TlsFiles | null, handler: RequestListener): HttpServer | HttpsServer {
  const limits = {
    headersTimeout: HEADERS_MILLIS,
    requestTimeout: REQUEST_MILLIS,
    connectionsCheckingInterval: CHECK_MILLIS,
    maxHeaderSize: 8_192,
  };
  const server =
    tls === null
      ? createHttpServer(limits, handler)
      : createHttpsServer({ ...limits, ...tls, handshakeTimeout: HEADERS_MILLIS }, handler);
  server.maxConnections = MOST_CONNECTIONS;
  limitEachAddress(server);
  return server;
}

function limitEachAddress(server: HttpServer | HttpsServer): void {
  const open = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const count = (open.get(address) ?? 0) + 1;
    if (count > MOST_OF_ONE_ADDRESS) {
      socket.destroy();
      return;
    }
    open.set(address, count);
    socket.once("close", () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
  });
}

function readTls({ cert, key }: NonNullable<ApiConfig["tls"]>): Result<TlsFiles, string> {
  try {
    return ok({ cert: readFileSync(cert), key: readFileSync(key), minVersion: "TLSv1.2" });
  } catch (error) {
    return err(`${(error as NodeJS.ErrnoException).path ?? cert} cannot be read: ${(error as Error).message}`);
  }
}

/** Null when it listens; otherwise what is wrong and what helps. */
function bind(server: HttpServer | HttpsServer, host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const { code = error.message } = error;
      const help: Readonly<Record<string, string>> = {
        EADDRINUSE: "another program has that port: end it (ss -ltnp shows it) or take another port, then reload",
        EADDRNOTAVAIL: "this host has no such address: correct `listen`, then reload",
        EACCES: "ports below 1024 need CAP_NET_BIND_SERVICE: take a higher one, then reload",
      };
      resolve(help[code] === undefined ? code : `${code}; ${help[code]}`);
    };
    server.once("error", failed);
    server.listen({ host, port, ipv6Only: true }, () => {
      server.off("error", failed);
      // An accept that fails later (EMFILE) must not end the daemon.
      server.on("error", () => undefined);
      resolve(null);
    });
  });
}

async function shut({ app, server }: Open): Promise<void> {
  server.close();
  server.closeAllConnections();
  await app.close();
}
