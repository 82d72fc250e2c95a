import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadConfig } from "../core/config/load.ts";
import { createConfigSource } from "./config-source.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

function put(name: string, text: string, mode = 0o644): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const source = createConfigSource();

test("wildcards, sets and braces find files in order; hidden files stay hidden", () => {
  for (const name of ["d/b.conf", "d/a.conf", "d/c1.txt", "d/c2.txt", "d/c3.txt", "d/.hidden.conf"]) put(name, "");
  const names = (pattern: string) => source.glob(pattern, folder).map((path) => path.slice(folder.length + 1));
  expect(names("d/*.conf")).toEqual(["d/a.conf", "d/b.conf"]);
  expect(names("d/c[1-2].txt")).toEqual(["d/c1.txt", "d/c2.txt"]);
  expect(names("d/c[!1-2].txt")).toEqual(["d/c3.txt"]);
  expect(names("{d/b,d/a}.conf")).toEqual(["d/b.conf", "d/a.conf"]);
  expect(names("d/?.conf")).toEqual(["d/a.conf", "d/b.conf"]);
  expect(names("none/*")).toEqual([]);
});

test("what cannot be read is named by its errno", () => {
  expect(source.readFile(join(folder, "absent"))).toEqual({ ok: false, error: "ENOENT" });
  expect(source.readFile(folder)).toEqual({ ok: false, error: "EISDIR" });
  expect(source.readFile("/dev/zero")).toEqual({ ok: false, error: "not a regular file" });
});

test("a script's status: absent, not executable, found in PATH, writable by others", () => {
  expect(source.script(join(folder, "absent")).file).toBeNull();
  expect((source.script(put("plain", "")).file?.mode ?? 0) & 0o111).toBe(0);
  expect(source.script("sh")).toMatchObject({ file: { kind: "file" } });
  const open = put("open", "#!/bin/sh\n", 0o757);
  expect(source.script(open).writableByOthers).toBe(open);
});

test("a configuration of several real files compiles", () => {
  put("vip.conf", "virtual_ipaddress {\n 192.0.2.1\n}\n");
  const main = put("k.conf", "vrrp_instance A {\n interface eth0\n virtual_router_id 1\n include vip.conf\n}\n");
  const { config, files, diagnostics } = loadConfig(source, main);
  expect(config.instances[0]?.vrrp.advertised).toMatchObject([{ address: "192.0.2.1" }]);
  expect([...files.keys()]).toEqual([main, join(folder, "vip.conf")]);
  expect(diagnostics.filter((one) => one.severity === "error")).toEqual([]);
});

test("processors are those that the kernel has online", () => {
  const cpus = readFileSync("/proc/cpuinfo", "utf8").match(/^processor\s*: (\d+)/gm) ?? [];
  for (const line of cpus) expect(source.hasProcessor(Number(line.split(":")[1]))).toBe(true);
  expect(source.hasProcessor(1_023)).toBe(false);
});
