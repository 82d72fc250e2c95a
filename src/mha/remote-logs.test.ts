// A host that is asked for its logs says how they are called and how long they are; one in foreign hands must not write elsewhere by that.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MAGIC } from "../core/mha/binlog.ts";
import { ManagerFiles } from "./files.ts";
import { fetchSeries, findLogs, type RemoteShell } from "./remote-logs.ts";

const HEAD = Buffer.from([...MAGIC]);
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "remote-logs-"));
  mkdirSync(join(folder, "into"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Answers whatever it is asked with those bytes. */
function shellThatSays(bytes: Buffer): RemoteShell {
  const answer = join(folder, "answer");
  writeFileSync(answer, bytes);
  return {
    words: () => ["cat", answer],
    run: async () => ({ code: 0, stdout: bytes, stderr: "", problem: null }),
  };
}

const entry = (name: string, numbers: string, body = HEAD): Buffer =>
  Buffer.concat([Buffer.from(`${name} ${numbers}\n`), body]);

const fetch = (bytes: Buffer, file = "bin.000001") =>
  fetchSeries(shellThatSays(bytes), {
    from: { file, offset: 4 },
    directories: ["/var/lib/mysql"],
    into: join(folder, "into"),
    prefix: "saved",
  });

describe("logs of another host", () => {
  it("are kept under their names, in order", async () => {
    const parcel = Buffer.concat([
      entry("bin.000002", "0 4 4", Buffer.concat([HEAD, HEAD])),
      entry("bin.000001", "4 4 0"),
    ]);
    const files = await fetch(parcel);
    expect(files.map(({ name }) => name)).toEqual(["bin.000001", "bin.000002"]);
    expect(readFileSync(join(folder, "into", "saved.bin.000001"))).toEqual(HEAD);
  });

  it.each([
    ["a path", "x/../../../planted.000001", "bin.000001"],
    ["a path, where the server itself has called its log so", "x/../../planted.000001", "x/../../planted.000001"],
    ["another series", "other.000001", "bin.000001"],
    ["no number", "bin.index", "bin.000001"],
  ])("that are called by %s are refused, and nothing is written", async (_what, name, asked) => {
    mkdirSync(join(folder, "into", "saved.x"), { recursive: true });
    await expect(fetch(entry(name, "0 4 0"), asked)).rejects.toThrow("is no binary log");
    expect(existsSync(join(folder, "planted.000001"))).toBe(false);
    expect(readdirSync(join(folder, "into"))).toEqual(["saved.x"]);
  });

  it.each(["0 9007199254740990 0", "0 -4 0", "0 4 NaN", "0 4"])("with lengths %s are refused", async (numbers) => {
    await expect(fetch(entry("bin.000001", numbers))).rejects.toThrow("is no binary log");
  });

  it("do not go through a link that somebody has put in their place", async () => {
    const other = join(folder, "other");
    writeFileSync(other, "precious");
    for (const name of ["saved.parcel", "saved.bin.000001"]) symlinkSync(other, join(folder, "into", name));
    await fetch(entry("bin.000001", "0 4 0"));
    expect(readFileSync(other, "utf8")).toBe("precious");
    expect(lstatSync(join(folder, "into", "saved.bin.000001")).isFile()).toBe(true);
  });

  it("that are found by a listing are never paths", async () => {
    const listing = Buffer.from("/var/lib/mysql\nx/../../planted.000001\n");
    const found = await findLogs(shellThatSays(listing), ["/var/lib/mysql"], "x/../../planted.000001");
    expect(found.names).toEqual([]);
  });
});

describe("the manager's own files", () => {
  it("are not written through a link either", () => {
    const [workdir, other] = [join(folder, "into"), join(folder, "other")];
    writeFileSync(other, "precious");
    const files = new ManagerFiles("/etc/mha/app1.cnf", workdir);
    for (const path of [files.paths.complete, files.paths.error, `${files.paths.status}.${process.pid}`]) {
      symlinkSync(other, path);
    }
    files.mark("complete");
    files.mark("error");
    files.setStatus("PING_OK");
    expect(readFileSync(other, "utf8")).toBe("precious");
    expect(files.readStatus()?.record).toMatchObject({ word: "PING_OK" });
  });
});
