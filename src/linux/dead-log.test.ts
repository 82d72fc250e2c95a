import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ServerHome } from "../core/mysql/home.ts";
import { LogFileModel } from "../core/mysql/tail.suite.ts";
import { cutTail } from "../core/mysql/tail.ts";
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

it("a source turns away whoever is not the own server, before a word is said", async () => {
  const log = new LogFileModel(crc32);
  const tail = cutTail([log.part(log.transaction(1))], { crc32, ownServerId: 2 });
  if (!tail.ok) throw new Error(tail.error);
  const offer = { tail: tail.value, product: "mariadb", gtid: true, dataDirectory: home.dataDirectory } as const;
  const source = await createTailSource().open(offer);
  if (!source.ok) throw new Error(source.error);
  expect([source.value.host, source.value.problem()]).toEqual(["127.0.0.1", null]);
  const socket = connect(source.value.port, source.value.host);
  const heard: Buffer[] = [];
  socket.on("data", (chunk) => heard.push(chunk)).on("error", () => undefined);
  await new Promise((resolve) => socket.once("close", resolve));
  expect(Buffer.concat(heard)).toHaveLength(0);
  expect(source.value.problem()).toContain("another process");
  source.value.close();
});
