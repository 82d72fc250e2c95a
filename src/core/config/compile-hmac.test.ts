import { expect, test } from "vitest";
import { err, ok } from "../lib/result.ts";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";
import type { ConfigSource } from "./source.ts";

const HEX = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const BYTES = Array.from({ length: 32 }, (_, at) => Number.parseInt(HEX.slice(at * 2, at * 2 + 2), 16));

function load(body: string, overrides: Partial<ConfigSource> = {}) {
  const text = `vrrp_instance A {\n interface eth0\n virtual_router_id 7\n${body}\n virtual_ipaddress {\n 192.0.2.1\n }\n}\n`;
  const { config, diagnostics } = loadConfig(memorySource({ "/k.conf": text }, overrides), "/k.conf");
  return { vrrp: config.instances[0]?.vrrp, diagnostics, codes: diagnostics.map((one) => one.code) };
}

const block = (...lines: readonly string[]): string => `auth_hmac {\n${lines.join("\n")}\n}`;

test("defaults: enforced, by time, three adverts and at least 5 s", () => {
  const { vrrp, codes } = load(block(`key 1 hex:${HEX}`, "active_key 1"));
  expect(codes).toEqual([]);
  expect(vrrp?.authHmac).toEqual({ keys: [{ id: 1, secret: BYTES }], activeKey: 1, timeWindow: 5, mode: "enforce" });
  expect(load(`advert_int 4\n${block(`key 1 hex:${HEX}`, "active_key 1")}`).vrrp?.authHmac?.timeWindow).toBe(12);
});

test("everything can be said", () => {
  const lines = [`key 1 hex:${HEX}`, "key 255 abcdefghijklmnopqrstuvwxyz012345", "active_key 255", "mode permissive"];
  const monotonic = load(block(...lines, "anti_replay monotonic", "time_window 9")).vrrp?.authHmac;
  expect(monotonic).toMatchObject({ activeKey: 255, timeWindow: null, mode: "permissive" });
  expect(monotonic?.keys.map(({ id, secret }) => [id, secret.length])).toEqual([
    [1, 32],
    [255, 32],
  ]);
  expect(load(block(...lines, "time_window 300", "mode receive-only")).vrrp?.authHmac).toMatchObject({
    timeWindow: 300,
    mode: "receive-only",
  });
});

test("whoever has one other host only, which proves its adverts, is its successor", () => {
  const key = (mode: string) => block(`key 1 hex:${HEX}`, "active_key 1", `mode ${mode}`);
  const peers = (...addresses: readonly string[]) => `unicast_peer {\n${addresses.join("\n")}\n}`;
  const sole = (body: string) => load(body).vrrp?.soleSuccessor;
  expect(sole(`${peers("192.0.2.2")}\n${key("enforce")}`)).toBe(true);
  expect(sole(`${peers("192.0.2.2")}\n${key("permissive")}`)).toBe(false);
  expect(sole(peers("192.0.2.2"))).toBe(false);
  expect(sole(`${peers("192.0.2.2", "192.0.2.3")}\n${key("enforce")}`)).toBe(false);
  expect(sole(key("enforce"))).toBe(false);
});

test("a key may stand in a file, in either form, with its newline", () => {
  const files: Partial<ConfigSource> = {
    readFile: (path) => (path === "/k.conf" ? memoryText : path === "/key" ? ok(`hex:${HEX}\n`) : err("ENOENT")),
    script: (path) => ({ path, file: { kind: "file", mode: 0o600, uid: 0, gid: 0 }, writableByOthers: null }),
  };
  const memoryText = ok(
    `vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\n${block("key 1 file:/key", "active_key 1")}\nvirtual_ipaddress {\n192.0.2.1\n}\n}\n`,
  );
  const { vrrp, codes } = load("", files);
  expect(codes).toEqual([]);
  expect(vrrp?.authHmac?.keys[0]?.secret).toEqual(BYTES);
  const open = load("", {
    ...files,
    script: (path) => ({ path, file: { kind: "file", mode: 0o644, uid: 0, gid: 0 }, writableByOthers: null }),
  });
  expect(open.codes).toEqual(["key-file-readable"]);
});

test.each([
  ["no key", block("active_key 1")],
  ["no active_key", block(`key 1 hex:${HEX}`)],
  ["an active_key that is none of them", block(`key 1 hex:${HEX}`, "active_key 2")],
  ["31 bytes", block(`key 1 hex:${HEX.slice(2)}`, "active_key 1")],
  ["65 bytes", block(`key 1 ${"x".repeat(65)}`, "active_key 1")],
  ["half a byte", block(`key 1 hex:${HEX}0`, "active_key 1")],
  ["the same key twice", block(`key 1 hex:${HEX}`, `key 1 hex:${HEX}`, "active_key 1")],
  ["key 0", block(`key 0 hex:${HEX}`, "active_key 1")],
  ["key 256", block(`key 256 hex:${HEX}`, "active_key 1")],
  ["a key without value", block("key 1", "active_key 1")],
  ["a file that is not there", block("key 1 file:/nowhere", "active_key 1")],
])("%s: the instance is left out rather than run unsigned", (_what, body) => {
  const { vrrp, codes } = load(body);
  expect(vrrp).toBeUndefined();
  expect(codes).toContain("hmac-unusable");
});

test("no message contains a key", () => {
  const { diagnostics } = load(block("key 1 Sup3rS3cretButTooShort", "active_key 1"));
  expect(JSON.stringify(diagnostics)).not.toContain("Sup3rS3cret");
});

test("it takes the place of authentication, whose block is ignored with a word", () => {
  const auth = "authentication {\nauth_type PASS\nauth_pass 1111\n}\n";
  const { vrrp, codes } = load(auth + block(`key 1 hex:${HEX}`, "active_key 1"));
  expect(vrrp?.authentication).toEqual({ kind: "none" });
  expect(codes).toEqual(["auth-ignored"]);
});

test("auth_type AH: version 2 keeps it, version 3 ignores it, state MASTER is cleared", () => {
  const auth = "authentication {\nauth_type AH\nauth_pass s3cret\n}\n";
  expect(load(auth).vrrp?.authentication).toEqual({ kind: "ah", password: [...Buffer.from("s3cret\0\0")] });
  expect(load(`version 3\n${auth}`)).toMatchObject({
    vrrp: { authentication: { kind: "none" } },
    codes: ["auth-ignored"],
  });
  expect(load(`state MASTER\n${auth}`)).toMatchObject({
    vrrp: { initialState: "BACKUP" },
    codes: ["ah-clears-owner"],
  });
  expect(load(`state MASTER\npriority 100\n${auth}`).codes).toEqual(["ah-clears-master"]);
});
