import { expect, test } from "vitest";
import { loadConfig } from "../core/config/load.ts";
import { memorySource } from "../core/config/memory-source.ts";
import { startedDespite, toParsed } from "./config-reading.ts";

const GOOD = "vrrp_instance A {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n 192.0.2.1\n }\n}\n";
const read = (text: string) => loadConfig(memorySource({ "/k.conf": text }), "/k.conf");

test("a start with a file that no reload would take says so, with the place that the reload names", () => {
  const bad = read(
    GOOD.replace(" interface", " interfce x\n interface").replace("192.0.2.1\n", "192.0.2.1\n 192.0.2.300\n"),
  );
  const why = "2 error(s) in the configuration, the first: /k.conf:2: unknown keyword `interfce` in vrrp_instance";
  expect(bad.config.instances).toHaveLength(1);
  expect(toParsed({ file: "/k.conf" }, bad).unusable).toBe(why);
  expect(startedDespite(bad)).toBe(
    `Started without the lines that are wrong; every reload will be refused until they are corrected: ${why}`,
  );
});

test("a file with warnings alone is silent, and a reload takes it", () => {
  const warned = read(GOOD.replace("virtual_router_id 1", "virtual_router_id 1\n state MASTER\n nopreempt"));
  expect(warned.diagnostics.some(({ severity }) => severity === "warning")).toBe(true);
  expect([startedDespite(warned), toParsed({ file: "/k.conf" }, warned).unusable]).toEqual([null, null]);
});
