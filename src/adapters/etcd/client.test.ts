// The client against members that answer late, wrongly, or as somebody else; a real etcd is in the lab.
import { createServer, type Server } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { millis, seconds } from "../../core/lib/units.ts";
import type { EtcdConfig } from "../../core/quorum/config.ts";
import { openEtcd } from "./client.ts";

interface Member {
  readonly cluster?: string;
  readonly status?: number;
  readonly body?: string;
  readonly delayMillis?: number;
}

const servers: Server[] = [];
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const KEY = "/holdfast/redis/cache";
const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");

async function start({ cluster = "1", status = 200, body, delayMillis = 0 }: Member = {}) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const kvs = [{ key: base64(KEY), mod_revision: "7", value: base64("record") }];
    const text = body ?? JSON.stringify({ header: { cluster_id: cluster, revision: "9" }, kvs });
    setTimeout(() => response.writeHead(status).end(text), delayMillis);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, asked };
}

function open(urls: readonly string[], changes: Partial<EtcdConfig> = {}) {
  const store = openEtcd({
    kind: "etcd",
    endpoints: urls.map((url) => ({ url, tls: url.startsWith("https") })),
    prefix: "/holdfast",
    credentials: null,
    tlsCa: null,
    tlsCert: null,
    tlsKey: null,
    ttl: seconds(4),
    renew: millis(500),
    timeout: millis(600),
    ...changes,
  });
  closers.push(() => store.close());
  return store;
}

const RECORD = { ok: true, value: { revision: "7", value: "record" } };
/** Nobody listens there. */
const NOBODY = "http://127.0.0.1:9";

describe("several members", () => {
  test("one that is down is passed over, and who answered is asked first the next time", async () => {
    const [first, second] = [await start(), await start()];
    const store = open([NOBODY, second.url, first.url]);
    expect(await store.read(KEY)).toEqual(RECORD);
    expect(store.endpoint).toBe(second.url);
    expect(await store.read(KEY)).toEqual(RECORD);
    expect([first.asked.length, second.asked.length]).toEqual([0, 2]);
  });

  test("one that is slow has its share of the time, then the next is asked as well", async () => {
    const [slow, good] = [await start({ delayMillis: 3_000 }), await start()];
    const store = open([slow.url, good.url]);
    expect(await store.read(KEY)).toEqual(RECORD);
    expect(store.endpoint).toBe(good.url);
  });

  test("one of another cluster is told as such, and what it says does not count", async () => {
    const [own, stranger] = [await start(), await start({ cluster: "2" })];
    const store = open([own.url, stranger.url]);
    expect(await store.read(KEY)).toEqual(RECORD);
    servers[0]?.closeAllConnections();
    servers[0]?.close();
    const read = await store.read(KEY);
    expect(read).toMatchObject({ ok: false, error: { kind: "other-store" } });
    expect(JSON.stringify(read)).toContain("is a member of cluster 2");
  });
});

describe("answers that are none", () => {
  test.each<[string, Member, string]>([
    ["no leader", { status: 503, body: '{"error":"etcdserver: no leader","code":14}' }, "unable"],
    ["no space", { status: 429, body: '{"message":"etcdserver: mvcc: database space exceeded"}' }, "unable"],
    [
      "a wrong password",
      { status: 400, body: '{"error":"authentication failed, invalid user ID or password"}' },
      "denied",
    ],
    ["a web server", { status: 404, body: "<html>" }, "other-store"],
    ["half a text", { body: '{"header":' }, "other-store"],
    ["numbers that are none", { body: '{"header":{"cluster_id":"x","revision":1}}' }, "other-store"],
    ["a megabyte", { body: "x".repeat(1_048_576) }, "unreachable"],
    ["nothing in time", { delayMillis: 5_000 }, "timeout"],
  ])("%s", async (_what, member, kind) => {
    const { url } = await start(member);
    expect(await open([url]).read(KEY)).toMatchObject({ ok: false, error: { kind } });
    expect(await open([url]).swap({ key: KEY, expected: { revision: "0", value: null }, value: "x" })).toMatchObject({
      ok: false,
      error: { kind },
    });
  });

  test("what node refuses before it is sent is an answer, too, and does not end the daemon", async () => {
    for (const url of ["https://192.168.11.900:2379", "http://[1:2]:2379"])
      expect(await open([url]).read(KEY)).toMatchObject({ ok: false, error: { kind: "setup" } });
    const store = open([NOBODY], { tlsCa: "/nonexistent.pem" });
    expect(await store.read(KEY)).toMatchObject({ ok: false, error: { kind: "setup" } });
    expect(await store.read(KEY)).toMatchObject({ ok: false, error: { kind: "setup" } });
  });
});
