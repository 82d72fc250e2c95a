import { expect, test } from "vitest";
import { millis, seconds } from "../lib/units.ts";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";

const HEX = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const BYTES = Array.from({ length: 32 }, (_, at) => Number.parseInt(HEX.slice(at * 2, at * 2 + 2), 16));

function load(...lines: readonly string[]) {
  const { config, diagnostics } = loadConfig(memorySource({ "/k.conf": lines.join("\n") }), "/k.conf");
  const told = diagnostics.filter(({ severity }) => severity === "error");
  return { config, codes: told.map(({ code }) => code), text: told.map(({ message }) => message).join("\n") };
}

test("a witness: where it listens, its keys, who may ask", () => {
  const { config, codes } = load(
    "witness {",
    "  listen 192.0.2.9",
    `  key 1 hex:${HEX}`,
    `  key 2 abcdefghijklmnopqrstuvwxyz012345`,
    "  client 192.0.2.1 192.0.2.2",
    "  client 2001:db8::1 192.0.2.1",
    "}",
  );
  expect(codes).toEqual([]);
  expect(config.witness).toMatchObject({
    listen: { address: "192.0.2.9", port: 8_113 },
    clients: ["192.0.2.1", "192.0.2.2", "2001:db8::1"],
    keys: [{ id: 1, secret: BYTES }, { id: 2 }],
  });
  expect(load("").config.witness).toBeNull();
});

test("a witness that anybody with the key may ask, and one with two places to listen at, are warned of and work", () => {
  const warned = (...lines: readonly string[]) => {
    const { config, diagnostics } = loadConfig(
      memorySource({ "/k.conf": ["witness {", `key 1 hex:${HEX}`, ...lines, "}"].join("\n") }),
      "/k.conf",
    );
    return { witness: config.witness, codes: diagnostics.map(({ code }) => code) };
  };
  expect(warned("listen 192.0.2.9", "client 192.0.2.1").codes).toEqual([]);
  expect(warned("listen 192.0.2.9")).toMatchObject({ witness: { clients: [] }, codes: ["witness-open"] });
  const twice = warned("listen 192.0.2.9", "listen 192.0.2.8", "client 192.0.2.1");
  expect(twice).toMatchObject({ witness: { listen: { address: "192.0.2.8" } }, codes: ["witness-listen"] });
});

test.each([
  ["it does not say where to listen", [`key 1 hex:${HEX}`]],
  ["names no key", ["listen 192.0.2.9"]],
  ["`db1` is not the address of a host", ["listen 192.0.2.9", `key 1 hex:${HEX}`, "client db1"]],
  ["`0.0.0.0` is not the address of a host", ["listen 0.0.0.0", `key 1 hex:${HEX}`]],
  ["it must have 32 to 64", ["listen 192.0.2.9", "key 1 short"]],
])("no witness: %s", (why, lines) => {
  const { config, codes, text } = load("witness {", ...lines, "}");
  expect(config.witness).toBeNull();
  expect(codes).toEqual(["witness-unusable"]);
  expect(text).toContain(why);
  expect(text).not.toContain(HEX);
});

const store = (...lines: readonly string[]) => load("quorum_store witness {", ...lines, "}");
const KEY = [`key 3 hex:${HEX}`, "active_key 3"];

test("a store that is a witness: its place, keys and times", () => {
  const { config, codes } = store("endpoint 192.0.2.9 9000", ...KEY, "prefix /orders", "ttl 6");
  expect(codes).toEqual([]);
  expect(config.quorum).toEqual({
    kind: "witness",
    place: { address: "192.0.2.9", port: 9_000 },
    keys: [{ id: 3, secret: BYTES }],
    activeKey: 3,
    prefix: "/orders",
    ttl: seconds(6),
    renew: millis(500),
    timeout: millis(700),
  });
});

test.each([
  ["it names no endpoint", KEY],
  ["a witness is one host: two can disagree", ["endpoint 192.0.2.9", "endpoint 192.0.2.8", ...KEY]],
  ["is not the address of a host", ["endpoint http://192.0.2.9:2379", ...KEY]],
  ["quorum_store names no key", ["endpoint 192.0.2.9"]],
  ["names no active_key", ["endpoint 192.0.2.9", `key 3 hex:${HEX}`]],
  ["`tls_ca` is for etcd", ["endpoint 192.0.2.9", ...KEY, "tls_ca /ca.pem"]],
])("no store: %s", (why, lines) => {
  const { config, codes, text } = store(...lines);
  expect(config.quorum).toBeNull();
  expect(codes).toEqual(["quorum-unusable"]);
  expect(text).toContain(why);
  expect(text).not.toContain(HEX);
});

test("what belongs to a witness is refused beside etcd", () => {
  const { codes, text } = load("quorum_store etcd {", "endpoint http://192.0.2.9:2379", ...KEY, "}");
  expect(codes).toEqual(["quorum-unusable"]);
  expect(text).toContain("`key` is for witness");
});
