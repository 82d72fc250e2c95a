// What clients of the HTTP listener that mean no good can use up, or set going from a browser.
import { createHash } from "node:crypto";
import { chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fastify from "fastify";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ApiConfig } from "../../core/api/config.ts";
import { streamEvents } from "../event-stream.ts";
import { addProbes } from "../metrics/routes.ts";
import { freePort } from "../testing/free-port.ts";
import { fakeClock, ip, masterStatus, sampleModel } from "../testing/samples.ts";
import { createHttpListeners, type HttpListeners } from "./listeners.ts";
import { TokenStore } from "./token-store.ts";

let listeners: HttpListeners;
let port: number;
let questions: number;
let readers: number;
let folder: string;
const sockets: Socket[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-hostile-"));
  port = await freePort();
  questions = 0;
  readers = 0;
  const clock = fakeClock();
  const readModel = sampleModel(clock);
  const subscribe = readModel.subscribe.bind(readModel);
  vi.spyOn(readModel, "subscribe").mockImplementation((listener) => {
    const end = subscribe(listener);
    readers += 1;
    return () => {
      readers -= 1;
      end();
    };
  });
  const status = async () => {
    questions += 1;
    return [masterStatus(clock)];
  };
  listeners = createHttpListeners({
    build: async ({ serverFactory, guard }) => {
      const app = fastify({ serverFactory });
      guard(app);
      addProbes(app, { readModel, actions: { status } as never });
      app.get("/v1/status", async () => "ok");
      app.get("/v1/events", (_request, reply) => streamEvents(readModel, reply, { since: 0 }));
      return app;
    },
    publish: () => undefined,
    now: () => performance.now(),
  });
});

afterEach(async () => {
  vi.useRealTimers();
  for (const socket of sockets.splice(0)) socket.destroy();
  await listeners.close();
  rmSync(folder, { recursive: true });
});

const config = (changes: Partial<ApiConfig> = {}): ApiConfig => ({
  listen: [{ address: ip("127.0.0.1"), port }],
  tls: null,
  tokenFile: null,
  dashboard: null,
  rateLimit: 1_000,
  ...changes,
});

const get = (path: string, headers: IncomingHttpHeaders = {}): Promise<number> =>
  new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, headers, agent: false }, (reply) => {
      reply.resume();
      reply.on("end", () => resolve(reply.statusCode ?? 0));
    });
    asked.on("error", reject);
    asked.end();
  });

function open(text = "", localAddress = "127.0.0.1"): Socket {
  const socket = connect({ host: "127.0.0.1", port, localAddress });
  socket.on("error", () => undefined);
  socket.resume();
  socket.write(text);
  sockets.push(socket);
  return socket;
}
const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once("close", () => resolve()));
const until = (look: () => boolean): Promise<unknown> => vi.waitUntil(look, { timeout: 12_000, interval: 20 });

describe("a client that uses things up", () => {
  it("and opens many connections does not keep other addresses out", async () => {
    await listeners.configure(config());
    let ended = 0;
    for (let at = 0; at < 300; at++) void closed(open("GET /healthz HTTP/1.1\r\n")).then(() => ended++);
    await until(() => ended >= 300 - 64);
    const other = open("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n", "127.0.0.77");
    const heard = await new Promise((resolve) => other.once("data", (data) => resolve(String(data))));
    expect(heard).toContain("200 OK");
  });

  it("and never ends its question is cut off in seconds, not in half a minute", async () => {
    await listeners.configure(config());
    const begun = performance.now();
    await Promise.all([closed(open()), closed(open("GET /v1/status HTTP/1.1\r\nhost: localhost\r\n"))]);
    // 5 s, looked at every second; Node by itself looks every 30 s.
    expect(performance.now() - begun).toBeLessThan(20_000);
  }, 40_000);

  it("and asks for readiness without end has the keeper asked now and then", async () => {
    await listeners.configure(config({ rateLimit: 1 }));
    const statuses = await Promise.all(Array.from({ length: 40 }, () => get("/readyz")));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(questions).toBeLessThan(20);
  });

  it("and asks for many streams in one connection leaves none behind", async () => {
    await listeners.configure(config());
    const stream = "GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n";
    await closed(open(stream.repeat(30)));
    await until(() => readers === 0);
    const one = open(stream);
    await until(() => readers === 1);
    one.destroy();
    await until(() => readers === 0);
  });
});

describe("a page from elsewhere in a browser of this host", () => {
  it.each([
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
    { origin: "http://127.0.0.1.evil.example" },
    { origin: "null" },
  ])("asks nothing: %j", async (headers) => {
    await listeners.configure(config());
    expect(await get("/v1/status", headers)).toBe(403);
  });

  it("is told from the daemon's own, and from programs", async () => {
    await listeners.configure(config());
    const own = { "sec-fetch-site": "same-origin", origin: `http://127.0.0.1:${port}` };
    expect(await get("/v1/status", own)).toBe(200);
    expect(await get("/v1/status", { "sec-fetch-site": "none" })).toBe(200);
    expect(await get("/v1/status")).toBe(200);
  });
});

describe("a token", () => {
  const line = `bob read sha256:${createHash("sha256").update("bobs-token").digest("hex")}\n`;

  it("that is taken away ends the streams that it has begun", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const tokenFile = join(folder, "tokens");
    writeFileSync(tokenFile, line, { mode: 0o600 });
    await listeners.configure(config({ tokenFile }));
    const headers = "host: db1\r\nauthorization: Bearer bobs-token\r\n";
    open(`GET /v1/events HTTP/1.1\r\n${headers}\r\n`);
    await until(() => readers === 1);
    vi.advanceTimersByTime(60_000);
    expect(readers).toBe(1);
    writeFileSync(tokenFile, "# nobody\n");
    vi.advanceTimersByTime(15_000);
    await until(() => readers === 0);
  });

  it.runIf(process.getuid?.() === 0)("in a file of another user lets nobody in", () => {
    const path = join(folder, "tokens");
    writeFileSync(path, line, { mode: 0o600 });
    expect(new TokenStore(path).find("bobs-token")).toMatchObject({ ok: true, value: { name: "bob" } });
    chownSync(path, 4_711, 4_711);
    expect(new TokenStore(path).find("bobs-token")).toMatchObject({
      ok: false,
      error: expect.stringContaining("chown root"),
    });
  });
});
