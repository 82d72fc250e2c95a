/** The exchange of data directories, on real files: nothing is lost by it, whatever is in the way. */
import {
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createServerCopy } from "./server-copy.ts";

const copies = createServerCopy();
let root = "";
const path = (...names: readonly string[]): string => join(root, ...names);
const places = (changes = {}) => ({ data: path("mysql"), binlog: null, relay: null, elsewhere: [], ...changes });

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "server-copy-"));
  mkdirSync(path("mysql"), { mode: 0o750 });
  writeFileSync(path("mysql", "ibdata1"), "old");
  writeFileSync(path("mysql", "server-key.pem"), "key");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("a data directory", () => {
  it("is exchanged by two renames: the old one is kept whole, keys and mode go over", async () => {
    expect((await copies.examine(places())).ok).toBe(true);
    expect(await copies.begin(places(), path("copy"), "daemon")).toEqual({ ok: true, value: undefined });
    writeFileSync(path("copy", "ibdata1"), "new");
    mkdirSync(path("log"));
    for (const name of ["m1.000001", "m1.index", "m1-other.000001"]) writeFileSync(path("log", name), name);
    const exchanged = await copies.exchange({
      places: places({ binlog: path("log", "m1") }),
      directory: path("copy"),
      stamp: "T",
      files: [
        { path: path("log", "m1.state"), text: "0-1-7\n" },
        { path: path("mysql", "m2.state"), text: "inside" },
      ],
    });
    expect(exchanged).toEqual({ ok: true, value: path("mysql.before-T") });
    expect(readFileSync(path("mysql.before-T", "ibdata1"), "utf8")).toBe("old");
    expect(readdirSync(path("mysql")).sort()).toEqual(["ibdata1", "m2.state", "server-key.pem"]);
    expect(readFileSync(path("mysql", "ibdata1"), "utf8")).toBe("new");
    expect(statSync(path("mysql")).mode & 0o777).toBe(0o750);
    // The new server would take the old logs for its own.
    expect(readdirSync(path("log")).sort()).toEqual(["m1-other.000001", "m1.before-T", "m1.state"]);
    expect(readdirSync(path("log", "m1.before-T")).sort()).toEqual(["m1.000001", "m1.index"]);
  });

  it("that is a link, or not all there, is not exchanged", async () => {
    symlinkSync(path("mysql"), path("link"));
    expect(await copies.examine(places({ data: path("link") }))).toMatchObject({
      ok: false,
      error: expect.stringContaining("is a link"),
    });
    expect(await copies.examine(places({ elsewhere: ["innodb_undo_directory"] }))).toMatchObject({
      error: expect.stringContaining("innodb_undo_directory lead elsewhere"),
    });
    expect(await copies.examine(places({ data: path("none") }))).toMatchObject({
      error: expect.stringContaining("ENOENT"),
    });
    const again = await copies.begin(places(), path("mysql"), "daemon");
    expect(again).toMatchObject({ ok: false, error: expect.stringContaining("EEXIST") });
  });
});

describe.runIf(process.getuid?.() === 0)("the server's user, to whom the data directory belongs,", () => {
  const SERVER = 4_711;
  const order = { directory: "", stamp: "T", files: [] as { path: string; text: string }[] };
  beforeEach(() => {
    chownSync(path("mysql"), SERVER, SERVER);
    writeFileSync(path("secret"), "of root", { mode: 0o600 });
    order.directory = path("copy");
  });

  it("cannot change what root unpacks into", async () => {
    await copies.begin(places(), path("copy"), "daemon");
    expect(statSync(path("copy"))).toMatchObject({ uid: 0, mode: 0o40700 });
    await copies.begin(places(), path("clone"), "server");
    expect(statSync(path("clone")).uid).toBe(SERVER);
  });

  it("does not get to read what a link in it leads to", async () => {
    symlinkSync(path("secret"), path("mysql", "client.pem"));
    await copies.begin(places(), path("copy"), "daemon");
    expect((await copies.exchange({ ...order, places: places() })).ok).toBe(true);
    expect(readdirSync(path("mysql"))).toEqual(["server-key.pem"]);
    expect(statSync(path("mysql", "server-key.pem"))).toMatchObject({ uid: SERVER, mode: 0o100600 });
    expect(await copies.read(path("mysql.before-T", "client.pem"))).toBeNull();
  });

  it("does not get a file of root's by links where files are written or given to him", async () => {
    await copies.begin(places(), path("copy"), "daemon");
    for (const name of ["server-key.pem", "more"]) symlinkSync(path("secret"), path("copy", name));
    mkdirSync(path("log"));
    symlinkSync(path("secret"), path("log", "m1.state"));
    const files = [{ path: path("log", "m1.state"), text: "0-1-7\n" }];
    expect((await copies.exchange({ ...order, files, places: places() })).ok).toBe(true);
    expect(readFileSync(path("secret"), "utf8")).toBe("of root");
    expect(statSync(path("secret")).uid).toBe(0);
    expect(lstatSync(path("log", "m1.state"))).toMatchObject({ uid: SERVER });
    expect(readFileSync(path("log", "m1.state"), "utf8")).toBe("0-1-7\n");
  });

  it("does not get another directory by a link in place of his clone", async () => {
    await copies.begin(places(), path("place"), "server");
    mkdirSync(path("etc"));
    writeFileSync(path("etc", "shadow"), "");
    symlinkSync(path("etc"), path("place", "data"));
    const exchanged = await copies.exchange({ ...order, directory: path("place", "data"), places: places() });
    expect(exchanged.ok).toBe(false);
    expect(statSync(path("etc", "shadow")).uid).toBe(0);
    expect(readFileSync(path("mysql", "ibdata1"), "utf8")).toBe("old");
  });
});

describe("an operator's command", () => {
  it("says in its last words why it failed; one that leaves a server running does not hold anything up", async () => {
    expect(await copies.run(["/bin/sh", "-c", "echo one >&2; echo two >&2; exit 3"], 0)).toEqual({
      ok: false,
      error: "/bin/sh: two",
    });
    expect(await copies.run(["/nowhere/at-all"], 0)).toMatchObject({ ok: false });
    expect(await copies.run(["/bin/sh", "-c", "sleep 2 & exit 0"], 0)).toEqual({ ok: true, value: undefined });
    expect(await copies.run(["/bin/sleep", "60"], 100)).toMatchObject({
      ok: false,
      error: expect.stringContaining("SIGKILL"),
    });
  });
});
