// A witness and the stores of two hosts over real TLS on the loopback interface; its records on a real disk.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { IpAddress } from "../../core/lib/ip.ts";
import { instant, millis, seconds } from "../../core/lib/units.ts";
import type { WitnessConfig, WitnessStoreConfig } from "../../core/quorum/config.ts";
import { createRecordFiles } from "../../linux/record-files.ts";
import { WitnessRecords } from "./records.ts";
import { Witness } from "./serving.ts";
import { WitnessStore } from "./store.ts";

const HOST = "127.0.0.1" as IpAddress;
const SECRET = Array.from({ length: 32 }, (_, at) => at);
const OTHER = SECRET.map((byte) => byte + 1);
const KEY = "/holdfast/redis/cache";
const ABSENT = { revision: "0", value: null };

let directory: string;
let port: number;
const closers: (() => void)[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "holdfast-witness-"));
  port = await freePort();
});
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
  rmSync(directory, { recursive: true, force: true });
});

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, HOST, () => {
      const { port: free } = server.address() as { port: number };
      server.close(() => resolve(free));
    });
  });
const myself = (host: string) => ({ host, version: "1.2.3", boot: host });

function serve(changes: Partial<WitnessConfig> = {}): { readonly witness: Witness; readonly log: string[] } {
  const log: string[] = [];
  const witness = new Witness({
    config: { listen: { address: HOST, port }, clients: [], keys: [{ id: 1, secret: SECRET }], ...changes },
    myself: myself("db3"),
    records: new WitnessRecords(createRecordFiles(directory)),
    log: (level, text) => log.push(`${level}: ${text}`),
    onListening: () => undefined,
  });
  closers.push(() => witness.close());
  return { witness, log };
}

function storeOf(host: string, changes: Partial<WitnessStoreConfig> = {}): WitnessStore {
  const config: WitnessStoreConfig = {
    kind: "witness",
    place: { address: HOST, port },
    prefix: "/holdfast",
    keys: [{ id: 1, secret: SECRET }],
    activeKey: 1,
    ttl: seconds(4),
    renew: millis(500),
    timeout: millis(1_500),
    ...changes,
  };
  const store = new WitnessStore({
    config,
    myself: myself(host),
    clock: { now: () => instant(performance.now() * 1_000) },
  });
  closers.push(() => store.close());
  return store;
}

const granted = <T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown },
): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};

describe("records", () => {
  test("of two that saw the same only one is written, and the other is told what stands there", async () => {
    serve();
    const [one, other] = [storeOf("db1"), storeOf("db2")];
    expect(granted(await one.read(KEY))).toEqual(ABSENT);
    const swaps = await Promise.all([
      one.swap({ key: KEY, expected: ABSENT, value: "one" }),
      other.swap({ key: KEY, expected: ABSENT, value: "other" }),
    ]);
    const [first, second] = swaps.map(granted);
    const done = [first, second].filter((swap) => swap?.done === true);
    expect(done).toEqual([{ done: true, revision: "1" }]);
    const winner = first?.done === true ? "one" : "other";
    const now = { revision: "1", value: winner };
    expect([first, second]).toContainEqual({ done: false, now });
    expect(granted(await other.read(KEY))).toEqual(now);
    const stale = await one.swap({ key: KEY, expected: { revision: "1", value: "neither" }, value: "x" });
    expect(granted(stale)).toEqual({ done: false, now });
    expect(granted(await one.swap({ key: KEY, expected: now, value: "next" }))).toEqual({ done: true, revision: "2" });
    expect(one.endpoint).toBe(`127.0.0.1:${port}`);
  });

  test("outlive the witness; keys that look alike are two", async () => {
    const first = serve();
    const store = storeOf("db1");
    granted(await store.swap({ key: KEY, expected: ABSENT, value: "kept" }));
    granted(await store.swap({ key: "/holdfast/redis_cache", expected: ABSENT, value: "another" }));
    first.witness.close();
    serve();
    await vi.waitFor(
      async () => expect(granted(await store.read(KEY))).toEqual({ revision: "1", value: "kept" }),
      5_000,
    );
    expect(granted(await store.read("/holdfast/redis_cache"))).toEqual({ revision: "1", value: "another" });
  });

  test("a damaged one answers nothing and names the file and the remedy; others go on", async () => {
    const first = serve();
    const store = storeOf("db1");
    granted(await store.swap({ key: KEY, expected: ABSENT, value: "kept" }));
    first.witness.close();
    const [name] = readdirSync(directory);
    writeFileSync(join(directory, name ?? ""), '{"key":"/holdf');
    serve();
    await vi.waitFor(async () => {
      const read = await store.read(KEY);
      expect(read).toMatchObject({ ok: false, error: { kind: "unable" } });
      expect(JSON.stringify(read)).toContain(`${name}): remove that file`);
    }, 5_000);
    expect(await store.swap({ key: KEY, expected: ABSENT, value: "x" })).toMatchObject({ ok: false });
    expect(granted(await store.read("/holdfast/mysql/orders"))).toEqual(ABSENT);
  });

  test("what cannot be written is not done, and answers and log say so", async () => {
    const { log } = serve();
    const store = storeOf("db1");
    granted(await store.read(KEY));
    rmSync(directory, { recursive: true });
    writeFileSync(directory, "no directory");
    const swap = await store.swap({ key: KEY, expected: ABSENT, value: "lost" });
    expect(swap).toMatchObject({ ok: false, error: { kind: "unable" } });
    expect(JSON.stringify(swap)).toMatch(/cannot be (read|used)/);
    expect(log).toContainEqual(expect.stringMatching(/^error: .*cannot be (read|used)/));
    rmSync(directory);
    expect(granted(await store.read(KEY))).toEqual(ABSENT);
  });
});

describe("who may ask", () => {
  test("another key, or an address that is no client: turned away, told once, and named to who asks", async () => {
    const { witness, log } = serve();
    const stranger = storeOf("db9", { keys: [{ id: 1, secret: OTHER }] });
    const refused = await stranger.read(KEY);
    expect(refused).toMatchObject({ ok: false, error: { kind: "unreachable" } });
    expect(JSON.stringify(refused)).toMatch(/key/);
    expect(log.filter((line) => line.includes("its key may be another one"))).toHaveLength(1);
    stranger.close();
    witness.configure({
      listen: { address: HOST, port },
      clients: ["192.0.2.1" as IpAddress],
      keys: [{ id: 1, secret: SECRET }],
    });
    expect(await storeOf("db1").read(KEY)).toMatchObject({ ok: false, error: { kind: "unreachable" } });
    expect(log.join("\n")).toContain("127.0.0.1 was turned away: it is not a `client` of witness");
    expect(log.join("\n")).not.toContain(String(SECRET));
  });

  test("another place to listen at: who is connected goes on, new ones come there, and who is let in is told once", async () => {
    const { witness, log } = serve();
    const one = storeOf("db1");
    granted(await one.swap({ key: KEY, expected: ABSENT, value: "kept" }));
    const former = port;
    port = await freePort();
    witness.configure({ listen: { address: HOST, port }, clients: [], keys: [{ id: 1, secret: SECRET }] });
    await vi.waitFor(() => expect(log.filter((line) => line.includes("listening at"))).toHaveLength(2), 5_000);
    const now = { revision: "1", value: "kept" };
    expect(granted(await one.swap({ key: KEY, expected: now, value: "next" }))).toEqual({ done: true, revision: "2" });
    expect(granted(await storeOf("db2").read(KEY))).toEqual({ revision: "2", value: "next" });
    const late = storeOf("db3", { place: { address: HOST as IpAddress, port: former } });
    expect(await late.read(KEY)).toMatchObject({ ok: false, error: { kind: "unreachable" } });
    expect(log.filter((line) => line.includes("is let in"))).toEqual(["info: 127.0.0.1 is let in"]);
    // A place of before is kept as long as somebody is connected there.
    expect(witness.retired).toBe(1);
    one.close();
    await vi.waitFor(() => expect(witness.retired).toBe(0), 5_000);
  });

  test("a key of the peer link opens nothing here: what keys are derived for differs", async () => {
    serve();
    const { connect } = await import("node:tls");
    const { clientSecurity } = await import("../keyed-link/security.ts");
    const { PEER_LINK } = await import("../peer-link/protocol.ts");
    const security = clientSecurity(PEER_LINK.purpose, { keys: [{ id: 1, secret: SECRET }], activeKey: 1 });
    const socket = connect({ ...security, host: HOST, port });
    await expect(
      new Promise((resolve, reject) => {
        socket.on("secureConnect", resolve);
        socket.on("error", reject);
      }),
    ).rejects.toThrow();
    socket.destroy();
  });

  test("a successor of the key: both are taken while hosts are changed one after the other", async () => {
    serve({
      keys: [
        { id: 1, secret: SECRET },
        { id: 2, secret: OTHER },
      ],
    });
    expect(granted(await storeOf("db1").read(KEY))).toEqual(ABSENT);
    const changed = storeOf("db2", { keys: [{ id: 2, secret: OTHER }], activeKey: 2 });
    expect(granted(await changed.read(KEY))).toEqual(ABSENT);
  });
});

describe("a witness that does not answer", () => {
  test("nobody listens: unreachable, and found as soon as it is there", async () => {
    const store = storeOf("db1", { timeout: millis(300) });
    expect(await store.read(KEY)).toMatchObject({ ok: false, error: { kind: "unreachable" } });
    serve();
    await vi.waitFor(async () => expect(granted(await store.read(KEY))).toEqual(ABSENT), 5_000);
  });

  test("frozen: an answer that does not come is a timeout or no connection, in time, and the connection is made again", async () => {
    const { witness } = serve();
    const front = await forwarder(port);
    const store = storeOf("db1", { place: { address: HOST, port: front.port }, timeout: millis(300) });
    expect(granted(await store.read(KEY))).toEqual(ABSENT);
    front.freeze();
    const before = performance.now();
    expect(await store.read(KEY)).toMatchObject({ ok: false, error: { kind: "timeout" } });
    expect(performance.now() - before).toBeGreaterThan(290);
    front.thaw();
    await vi.waitFor(async () => expect(granted(await store.read(KEY))).toEqual(ABSENT), 5_000);
    witness.close();
  });
});

/** A way to the witness that can be frozen without being closed. */
async function forwarder(to: number) {
  const { connect } = await import("node:net");
  const sockets = new Set<Socket>();
  let frozen = false;
  const server: Server = createServer((client) => {
    const behind = connect(to, HOST);
    for (const socket of [client, behind]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    client.on("data", (data) => !frozen && behind.write(data));
    behind.on("data", (data) => !frozen && client.write(data));
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as { port: number }).port,
    freeze: () => {
      frozen = true;
    },
    thaw: () => {
      frozen = false;
    },
  };
}
