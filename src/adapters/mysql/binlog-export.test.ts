/** What an export says when it cannot be made, and that it leaves nothing behind; with real servers it is in lab/rejoin.lab.test.ts. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { BinlogExport } from "../../ports/binlog-export.ts";
import { createBinlogExporter } from "./binlog-export.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "export-"));
  writeFileSync(join(root, "login.cnf"), '[client]\nuser = h\npassword = "s3cret # \\\\ x"\n', { mode: 0o600 });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A tool that writes what it was told, and its options file. */
function tool(text: string): string {
  const path = join(root, "tool");
  writeFileSync(path, `#!/bin/sh\n[ "$1" = --version ] && { echo "tool Ver 9.7 MySQL"; exit; }\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

const order = (changes: Partial<BinlogExport>): BinlogExport => ({
  product: "mysql",
  program: null,
  server: {
    address: { socket: null, host: "192.0.2.1", port: 3307, reservedPort: null },
    credentials: join(root, "login.cnf"),
    tls: { mode: "off", ca: null, cert: null, key: null },
  },
  ranges: [
    { file: "m1.000001", from: 4, to: 9 },
    { file: "m1.000002", from: 4, to: 7 },
  ],
  file: "x.sql",
  head: ["first"],
  line: (text) => text,
  ...changes,
});

test("each range is one run, in one private file; the password is in no argument and its file is gone afterwards", async () => {
  const program = tool('echo "ARGS $*"; cat "$(echo "$1" | cut -d= -f2)"');
  const done = await createBinlogExporter(join(root, "out")).run(order({ program }));
  expect(done).toEqual({ ok: true, value: join(root, "out", "x.sql") });
  const text = readFileSync(join(root, "out", "x.sql"), "utf8");
  const runs = text.split("\n").filter((line) => line.startsWith("ARGS"));
  expect(runs).toHaveLength(2);
  expect(runs[0]).toMatch(/--host=192\.0\.2\.1 --port=3307 .*--start-position=4 --stop-position=9 m1\.000001$/);
  expect(runs.join()).not.toContain("s3cret");
  expect(text).toContain('password = "s3cret # \\\\ x"');
  expect(text.startsWith("-- first\n")).toBe(true);
  expect(statSync(join(root, "out", "x.sql")).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(root, "out"))).toEqual(["x.sql"]);
});

test("a tool that fails is quoted with its last words; without a file to be kept none is made", async () => {
  const exporter = createBinlogExporter(join(root, "out"));
  const program = tool('echo "ERROR: Access denied" >&2; exit 1');
  expect(await exporter.run(order({ program, file: null }))).toMatchObject({
    ok: false,
    error: expect.stringContaining("on m1.000001: ERROR: Access denied"),
  });
  expect(readdirSync(join(root, "out"))).toEqual([]);
});

test("the wrong product's tool, a missing one, and credentials that others may read are refused with the remedy", async () => {
  const exporter = createBinlogExporter(join(root, "out"));
  const program = tool("exit 0");
  expect(await exporter.run(order({ program, product: "mariadb" }))).toMatchObject({
    error: expect.stringContaining("is the one of MySQL: install mariadb-client"),
  });
  expect(await exporter.run(order({ program: "/nowhere" }))).toMatchObject({
    error: expect.stringContaining("/nowhere cannot be run: install the client programs of MySQL"),
  });
  chmodSync(join(root, "login.cnf"), 0o644);
  expect(await exporter.run(order({ program }))).toMatchObject({ ok: false, error: expect.stringContaining("0600") });
});

test.each(["--result-file=/etc/cron.d/x", "-r/tmp/x", "../m1.000001", ""])(
  "a log called %j is not asked for",
  async (file) => {
    const exporter = createBinlogExporter(join(root, "out"));
    const ran = await exporter.run(
      order({ program: tool(`touch ${join(root, "ran")}`), ranges: [{ file, from: 4, to: 9 }] }),
    );
    expect(ran).toMatchObject({ ok: false, error: expect.stringContaining("no such name is asked for") });
  },
);
