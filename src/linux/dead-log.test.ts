import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ServerHome } from "../core/mysql/home.ts";
import { PacketReader } from "../core/mysql/source-packets.ts";
import { LogFileModel } from "../core/mysql/tail.suite.ts";
import { cutTail } from "../core/mysql/tail.ts";
import { falseIfGone } from "./database-host.ts";
import { readDeadLog } from "./dead-log.ts";
import { createTailSource } from "./tail-source.ts";

let folder = "";
let home: ServerHome;
let server: ChildProcess | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dead-log-"));
  const data = join(folder, "data");
  mkdirSync(data);
  home = { serverId: "1", dataDirectory: `${data}/`, basename: join(data, "bin"), index: join(data, "bin.index") };
  writeFileSync(home.index, `${data}/bin.000001\n./bin.000002\nbin.000003\n${data}/gone.000004\n`);
  for (const number of [1, 2, 3]) writeFileSync(join(data, `bin.00000${number}`), `contents ${number}`);
});
afterEach(() => {
  server?.kill("SIGKILL");
  server = null;
  rmSync(folder, { recursive: true, force: true });
});

/** A process that looks like a server. */
async function alive(cwd: string, stdin: number | "ignore"): Promise<void> {
  server = spawn("/bin/sleep", ["60"], { argv0: "mariadbd", cwd, stdio: [stdin, "ignore", "ignore"] });
  await new Promise((resolve) => server?.once("spawn", resolve));
}

const read = (file: string, offset = 0, length = 100) => readDeadLog(home, { file, offset, length });

it("reads a piece of a listed file, and says how long it is and which follows", async () => {
  const piece = await read("bin.000001", 2, 5);
  expect(piece).toMatchObject({ ok: true, value: { size: 10, next: "bin.000002" } });
  if (piece.ok) expect(Buffer.from(piece.value.data).toString()).toBe("ntent");
  expect(await read("bin.000002", 10)).toMatchObject({
    ok: true,
    value: { data: Buffer.alloc(0), next: "bin.000003" },
  });
  expect(await read("bin.000003", 100)).toMatchObject({ ok: true, value: { data: Buffer.alloc(0) } });
});

it.each(["../../etc/passwd", "bin.index", "bin.000009", "", "/etc/passwd"])("reads nothing else: %s", async (file) => {
  expect((await read(file)).ok).toBe(false);
});

it("follows no link, and says why a file cannot be read", async () => {
  rmSync(join(folder, "data/bin.000002"));
  symlinkSync("/etc/passwd", join(folder, "data/bin.000002"));
  expect(await read("bin.000002")).toEqual({ ok: false, error: "bin.000002 cannot be read: ELOOP" });
  expect(await read("gone.000004")).toEqual({ ok: false, error: "gone.000004 cannot be read: ENOENT" });
});

it("reads nothing while a server works in that directory, or has the list of logs open", async () => {
  await alive(join(folder, "data"), "ignore");
  expect(await read("bin.000001")).toEqual({ ok: false, error: "its server runs, starts or ends" });
  server?.kill("SIGKILL");
  await new Promise((resolve) => server?.once("exit", resolve));
  expect((await read("bin.000001")).ok).toBe(true);
  const index = openSync(home.index, "r");
  await alive("/", index);
  closeSync(index);
  expect(await read("bin.000001")).toEqual({ ok: false, error: "a server has its binary log open" });
});

it("a process that cannot be looked into may be the server: only one that has ended is not", () => {
  expect(["ENOENT", "ESRCH"].map((code) => falseIfGone({ code }))).toEqual([false, false]);
  expect(() => falseIfGone(Object.assign(new Error("no"), { code: "EACCES" }))).toThrow("no");
});

async function sourceFor(isOwn?: () => boolean) {
  const log = new LogFileModel(crc32);
  const tail = cutTail([log.part(log.transaction(1))], { crc32, ownServerId: 2 });
  if (!tail.ok) throw new Error(tail.error);
  const offer = { tail: tail.value, product: "mariadb", gtid: true, dataDirectory: home.dataDirectory } as const;
  const port = createTailSource(isOwn);
  const opened = await port.open(offer);
  if (!opened.ok) throw new Error(opened.error);
  return { source: opened.value, close: () => port.close(opened.value.port), end: tail.value.end };
}

function receiver(port: number) {
  const socket = connect(port, "127.0.0.1");
  const heard: Buffer[] = [];
  socket.on("data", (chunk) => heard.push(chunk)).on("error", () => undefined);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const payloads = () => new PacketReader(1 << 24).push(Buffer.concat(heard)) ?? [];
  const say = (sequence: number, ...payload: number[]) =>
    socket.write(Uint8Array.of(payload.length, 0, 0, sequence, ...payload));
  const until = async (wanted: () => boolean) => {
    while (!wanted()) await once(socket, "data");
  };
  return { socket, payloads, say, until, closed };
}

it("a source turns away whoever is not the own server, before a word is said, and goes on", async () => {
  const { source, close } = await sourceFor();
  const { payloads, closed } = receiver(source.port);
  await closed;
  expect([payloads(), source.connected(), source.problem()]).toEqual([[], false, null]);
  close();
});

it("a source hands out once, stays alive while that is executed, and keeps its port until it is closed", async () => {
  const { source, close, end } = await sourceFor(() => true);
  const dump = async () => {
    const one = receiver(source.port);
    await one.until(() => one.payloads().length === 1);
    one.say(1, 1, 2, 3);
    await one.until(() => one.payloads().length === 2);
    one.say(0, 18, 0, 0, 0, 0);
    return one;
  };
  const first = await dump();
  const beats = () => first.payloads().filter(({ payload }) => payload[5] === 27);
  await first.until(() => beats().length >= 2);
  expect(Buffer.from(beats()[1]?.payload ?? []).readUInt32LE(14)).toBe(end.offset);
  expect([source.connected(), source.problem()]).toEqual([true, null]);
  const second = await dump();
  await second.until(() => second.payloads().length === 3);
  expect(second.payloads()[2]?.payload[0]).toBe(0xff);
  expect(source.problem()).toContain("asked for it twice");

  source.refuse();
  await first.closed;
  const late = receiver(source.port);
  await late.closed;
  expect(late.payloads()).toEqual([]);
  const taken = createServer().listen(source.port, "127.0.0.1");
  const [error] = await once(taken, "error");
  expect(error).toMatchObject({ code: "EADDRINUSE" });
  close();
  const free = createServer().listen(source.port, "127.0.0.1");
  await once(free, "listening");
  free.close();
});
