// Two daemons' ends of the peer link over real TLS on the loopback interface; strangers, wrong keys and nonsense are turned away.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect as connectPlain, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer as createTlsServer, type TLSSocket } from "node:tls";
import { afterEach, expect, test, vi } from "vitest";
import type { PeerEventBody } from "../../core/events/peer-events.ts";
import type { IpAddress } from "../../core/lib/ip.ts";
import { instant, millis } from "../../core/lib/units.ts";
import type { PeerLinkConfig } from "../../core/peer-link/config.ts";
import type { WriterRecord } from "../../core/peer-link/questions.ts";
import { encodeFrame, FrameReader } from "../keyed-link/frames.ts";
import { clientSecurity } from "../keyed-link/security.ts";
import type { PeerHandlers } from "./handlers.ts";
import { PeerLinkService } from "./link.ts";
import { PEER_LINK } from "./protocol.ts";
import { QUESTIONS } from "./schemas.ts";

const A = "127.0.0.41" as IpAddress;
const B = "127.0.0.42" as IpAddress;
const KEY = Array.from({ length: 32 }, (_, at) => at);
const OTHER_KEY = KEY.map((byte) => byte + 1);
const VIP = "192.0.2.100" as IpAddress;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, A, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

function configOf(
  own: IpAddress,
  peer: IpAddress,
  port: number,
  changes: Partial<PeerLinkConfig> = {},
): PeerLinkConfig {
  return {
    listen: { address: own, port },
    peers: [{ address: peer, port }],
    keys: [{ id: 1, secret: KEY }],
    activeKey: 1,
    interval: millis(100),
    timeout: millis(2_000),
    ...changes,
  };
}

const WRITER: WriterRecord = { group: "orders", epoch: 7, role: "writer", time: 1, detail: "" };

const HANDLERS: PeerHandlers = {
  state: () => ({ instances: [], writers: [WRITER] }),
  "advert-test": ({ virtualRouterId }) => ({
    interface: "eth0",
    arrived: virtualRouterId === 82,
    delivered: null,
    problem: null,
    ah: false,
    wallMillis: 1_000,
  }),
  "who-answers": ({ address }) => ({
    own: address === VIP,
    interface: "eth0",
    macs: ["02:00:00:00:00:01"],
    problem: null,
  }),
  report: () => ({ json: "{}" }),
  "dead-log": () => ({ data: "", size: 0, next: null }),
  "writer-record": ({ group }) => {
    if (group === "broken") throw new Error("the disk is gone");
    return { record: group === WRITER.group ? WRITER : null };
  },
};

function start(config: PeerLinkConfig, handlers: PeerHandlers = HANDLERS) {
  const events: PeerEventBody[] = [];
  const service = new PeerLinkService({
    myself: { host: `host-${config.listen.address}`, version: "1.2.3", boot: "boot" },
    handlers,
    clock: { now: () => instant(performance.now() * 1_000) },
    publish: (body) => events.push(body),
  });
  service.configure(config);
  closers.push(() => service.close());
  const told = (action: PeerEventBody["action"]): Promise<PeerEventBody> =>
    until(() => events.find((one) => one.action === action));
  return { service, events, told };
}

const until = <T>(look: () => T | undefined): Promise<T> =>
  vi.waitUntil(look, { timeout: 15_000, interval: 10 }) as Promise<T>;

async function pair() {
  const port = await freePort();
  const [a, b] = [start(configOf(A, B, port)), start(configOf(B, A, port))];
  await Promise.all([a.told("connected"), b.told("connected")]);
  return { a, b, port, peer: { address: B, port } };
}

/** A client that has the key and may say what it likes. */
function intruder(port: number, secret = KEY): Promise<{ socket: TLSSocket; next: () => Promise<unknown> }> {
  const config = configOf(B, A, port, { keys: [{ id: 1, secret }] });
  const way = { host: A, port, localAddress: B };
  const socket = connect({ ...clientSecurity(PEER_LINK.purpose, config), ...way });
  closers.push(() => socket.destroy());
  const reader = new FrameReader(5_000_000);
  const heard: unknown[] = [];
  socket.on("data", (chunk: Buffer) => {
    const values = reader.push(chunk);
    if (values.ok) heard.push(...values.value);
  });
  const next = () => until(() => heard.shift());
  return new Promise((resolve, reject) => {
    socket.once("secureConnect", () => resolve({ socket, next }));
    socket.on("error", reject);
  });
}

const HELLO = { hello: { protocol: { least: 1, most: 1 }, host: "b", version: "1", boot: "x" } };
const gone = (socket: TLSSocket): Promise<void> => new Promise((resolve) => socket.once("close", () => resolve()));

test("two daemons find each other, know each other's names and epochs, and answer questions both ways", async () => {
  const { a, b, port, peer } = await pair();
  await until(() => a.service.peers()[0]?.last ?? undefined);
  expect(a.service.peers()[0]).toMatchObject({ connected: true, node: { host: `host-${B}`, version: "1.2.3" } });
  expect(a.service.peers()[0]?.last?.answer.writers).toEqual([WRITER]);
  expect(await a.service.ask(peer, "writer-record", { group: "orders" })).toEqual({
    ok: true,
    value: { record: WRITER },
  });
  expect(await a.service.ask(peer, "writer-record", { group: "other" })).toEqual({ ok: true, value: { record: null } });
  const back = await b.service.ask({ address: A, port }, "who-answers", { address: VIP });
  expect(back).toMatchObject({ ok: true, value: { own: true, macs: ["02:00:00:00:00:01"] } });
});

test("a handler that fails is an answer, and the connection stays", async () => {
  const { a, peer } = await pair();
  const failed = await a.service.ask(peer, "writer-record", { group: "broken" });
  expect(failed).toEqual({ ok: false, error: { code: "failed", detail: "the disk is gone" } });
  expect(await a.service.ask(peer, "writer-record", { group: "orders" })).toMatchObject({ ok: true });
});

test("a peer that ends is told once, and found again when it is back", async () => {
  const { a, b, port } = await pair();
  a.events.length = 0;
  b.service.close();
  const lost = await a.told("lost");
  expect(lost.peer).toBe(`${B}:${port}`);
  expect(a.service.peers()[0]).toMatchObject({ connected: false });
  a.events.length = 0;
  start(configOf(B, A, port));
  await a.told("connected");
});

test("a peer that answers nothing any more is lost after the timeout, although its connection stays", async () => {
  const port = await freePort();
  let frozen = false;
  const handlers = { ...HANDLERS, state: () => (frozen ? new Promise<never>(() => undefined) : HANDLERS.state({})) };
  start(configOf(B, A, port), handlers as PeerHandlers);
  const a = start(configOf(A, B, port, { timeout: millis(300) }));
  await a.told("connected");
  frozen = true;
  const lost = await a.told("lost");
  expect(lost.detail).toBe("no answer for 0.3 s");
});

test("another key gets no further than the handshake, on both sides in words that name the key", async () => {
  const port = await freePort();
  const a = start(configOf(A, B, port));
  const b = start(configOf(B, A, port, { keys: [{ id: 1, secret: OTHER_KEY }] }));
  const refused = await a.told("refused");
  expect(refused).toMatchObject({ peer: B });
  expect(refused.detail).toContain("its key may be another one");
  const why = await until(() => b.service.peers()[0]?.detail ?? undefined);
  expect(why).toContain("key");
  expect(a.events.filter(({ action }) => action === "connected")).toEqual([]);
});

test("a key is changed on one host after the other", async () => {
  const port = await freePort();
  const both = [
    { id: 1, secret: KEY },
    { id: 2, secret: OTHER_KEY },
  ];
  const a = start(configOf(A, B, port, { keys: both, activeKey: 1 }));
  const b = start(configOf(B, A, port, { keys: both, activeKey: 2 }));
  await Promise.all([a.told("connected"), b.told("connected")]);
});

test("an address that is no peer is turned away before TLS", async () => {
  const port = await freePort();
  const a = start(configOf(A, B, port));
  await a.told("listening");
  const socket = connectPlain({ host: A, port, localAddress: "127.0.0.99" });
  await new Promise((resolve) => socket.once("close", resolve));
  expect(await a.told("refused")).toMatchObject({ peer: "127.0.0.99", detail: "it is not a `peer` of peer_link" });
});

test("a question of a newer version is answered as unknown, and what it adds to a known one is ignored", async () => {
  const port = await freePort();
  await start(configOf(A, B, port)).told("listening");
  const { socket, next } = await intruder(port);
  socket.write(encodeFrame({ hello: { ...HELLO.hello, protocol: { least: 1, most: 9 }, more: true } }));
  expect(await next()).toMatchObject({ hello: { protocol: { least: 1, most: 1 } } });
  socket.write(encodeFrame({ id: 1, ask: "weather", question: {} }));
  expect(await next()).toMatchObject({ id: 1, error: { code: "unknown-question" } });
  socket.write(encodeFrame({ id: 2, ask: "writer-record", question: { group: "orders", shape: "round" }, more: 1 }));
  expect(await next()).toMatchObject({ id: 2, answer: { record: WRITER } });
  socket.write(encodeFrame({ id: 3, ask: "who-answers", question: { address: "nonsense" } }));
  expect(await next()).toMatchObject({ id: 3, error: { code: "failed" } });
});

test.each([
  [
    "a version of the protocol that this one does not speak",
    encodeFrame({ hello: { ...HELLO.hello, protocol: { least: 2, most: 3 } } }),
    "bring both to versions that overlap",
  ],
  ["no hello", encodeFrame({ id: 1, ask: "state", question: {} }), "it did not begin with hello"],
  ["a frame that claims to be huge", Buffer.from([0x7f, 0xff, 0xff, 0xff]), "at most 65536 are allowed"],
  ["a frame that is not JSON", Buffer.from([0, 0, 0, 1, 0x7b]), "not JSON"],
])("a peer that begins with %s is cut off", async (_what, bytes, words) => {
  const port = await freePort();
  const a = start(configOf(A, B, port));
  await a.told("listening");
  const { socket } = await intruder(port);
  const closed = gone(socket);
  socket.write(bytes);
  await closed;
  expect((await a.told("refused")).detail).toContain(words);
});

test("a flood of questions is answered with busy beyond the rate, and nothing is lost", async () => {
  const port = await freePort();
  await start(configOf(A, B, port)).told("listening");
  const { socket, next } = await intruder(port);
  socket.write(encodeFrame(HELLO));
  await next();
  const count = 600;
  for (let id = 0; id < count; id++) {
    socket.write(encodeFrame({ id, ask: "writer-record", question: { group: "orders" } }));
  }
  const replies: { error?: { code: string } }[] = [];
  while (replies.length < count) replies.push((await next()) as { error?: { code: string } });
  expect(replies.filter(({ error }) => error?.code === "busy").length).toBeGreaterThan(0);
  expect(replies.filter(({ error }) => error === undefined).length).toBeGreaterThan(0);
});

test("a listen address that is in use is told, and taken when it is free", async () => {
  const port = await freePort();
  const blocker = createServer().listen(port, A);
  await new Promise((resolve) => blocker.once("listening", resolve));
  const a = start(configOf(A, B, port));
  expect((await a.told("not-listening")).detail).toBe("EADDRINUSE");
  await new Promise((resolve) => blocker.close(resolve));
  await a.told("listening");
});

test("a server that shows a certificate instead of the key is no peer, even if an authority vouches for it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-link-"));
  closers.push(() => rmSync(folder, { recursive: true }));
  const [keyFile, certFile] = [join(folder, "key"), join(folder, "cert")];
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
  const files = ["-subj", "/CN=elsewhere.example", "-keyout", keyFile, "-out", certFile];
  execFileSync("openssl", [...words, ...files], { stdio: "ignore" });
  const [key, cert] = [readFileSync(keyFile), readFileSync(certFile)];
  const port = await freePort();
  const server = createTlsServer({ key, cert, minVersion: "TLSv1.3" }, (socket) => socket.on("error", () => undefined));
  server.listen(port, A);
  closers.push(() => server.close());
  const security = clientSecurity(PEER_LINK.purpose, configOf(B, A, port));
  // None is believed; with the one of this server put in, as if its file were in the system's store, it is refused all the same.
  for (const trusted of [security, { ...security, ca: [...[security.ca ?? []].flat(), cert] }]) {
    const socket = connect({ ...trusted, host: A, port });
    closers.push(() => socket.destroy());
    const outcome = await new Promise((resolve) => {
      socket.once("secureConnect", () => resolve("connected"));
      socket.once("error", ({ message }) => resolve(message));
    });
    expect(outcome).toMatch(/certificate/);
  }
  expect(security.ca).toEqual([]);
});

test("a program on the peer's host that only opens connections does not use up the descriptors", async () => {
  const port = await freePort();
  const a = start(configOf(A, B, port));
  await a.told("listening");
  let ended = 0;
  for (let at = 0; at < 40; at++) {
    const socket = connectPlain({ host: A, port, localAddress: B });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      ended += 1;
    });
    closers.push(() => socket.destroy());
  }
  const refused = await a.told("refused");
  expect(refused).toMatchObject({ peer: B, detail: "it opens connections and does not prove the key" });
  await until(() => ended >= 20 || undefined);
});

test("strangers from many addresses do not fill the journal", async () => {
  const port = await freePort();
  const a = start(configOf(A, B, port));
  await a.told("listening");
  const ends = Array.from({ length: 150 }, (_, at) => {
    const socket = connectPlain({ host: A, port, localAddress: `127.0.1.${at + 1}` });
    socket.on("error", () => undefined);
    return new Promise((resolve) => socket.once("close", resolve));
  });
  await Promise.all(ends);
  expect(a.events.filter(({ action }) => action === "refused").length).toBe(100);
});

test("an epoch that nobody can count up to is not believed: the next one would not be a number", () => {
  const answer = (epoch: number) => QUESTIONS["writer-record"].answer.safeParse({ record: { ...WRITER, epoch } });
  expect(answer(2 ** 40).success).toBe(true);
  expect(answer(Number.MAX_SAFE_INTEGER).success).toBe(false);
});
