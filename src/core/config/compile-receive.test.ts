import { expect, test } from "vitest";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";

function load(body: string, globals = "") {
  const head = globals === "" ? "" : `global_defs {\n${globals}\n}\n`;
  const text = `${head}vrrp_instance A {\n interface eth0\n virtual_router_id 7\n${body}\n virtual_ipaddress {\n 192.0.2.1\n }\n}\n`;
  const { config, diagnostics } = loadConfig(memorySource({ "/k.conf": text }), "/k.conf");
  return { vrrp: config.instances[0]?.vrrp, codes: diagnostics.map((one) => one.code) };
}

test.each([
  ["vrrp_rx_bufs_policy MTU", { kind: "mtu", count: 3 }],
  ["vrrp_rx_bufs_policy advert\nvrrp_rx_bufs_multiplier 5", { kind: "adverts", count: 5 }],
  ["vrrp_rx_bufs_policy ADVERT MTU", { kind: "mtu", count: 3 }],
  ["vrrp_rx_bufs_policy 65536 MTU", { kind: "bytes", bytes: 65_536 }],
  ["vrrp_rx_bufs_multiplier 5", { kind: "default" }],
])("%s", (globals, buffer) => {
  expect(load("", globals)).toMatchObject({ vrrp: { receive: { buffer } }, codes: [] });
});

test("kernel_rx_buf_size of an instance goes before the policy of the file", () => {
  const { vrrp } = load("kernel_rx_buf_size 4096", "vrrp_rx_bufs_policy MTU");
  expect(vrrp?.receive.buffer).toEqual({ kind: "bytes", bytes: 4_096 });
});

test.each([["vrrp_rx_bufs_policy"], ["vrrp_rx_bufs_policy SOME"], ["vrrp_rx_bufs_policy 0"]])(
  "%s is reported",
  (line) => {
    expect(load("", line).codes).toHaveLength(1);
  },
);

test("skip_check_adv_addr, debug and log_unknown_vrids reach the instance", () => {
  expect(load("debug 2", "vrrp_skip_check_adv_addr\nlog_unknown_vrids").vrrp?.receive).toMatchObject({
    skipCheckAdvAddr: true,
    logUnknownVrids: true,
    debug: 2,
  });
  expect(load("skip_check_adv_addr off", "vrrp_skip_check_adv_addr").vrrp?.receive.skipCheckAdvAddr).toBe(false);
});

const peers = (...lines: readonly string[]): string => `unicast_peer {\n${lines.join("\n")}\n}`;

test("min_ttl and max_ttl of a peer turn the source check on", () => {
  const { vrrp, codes } = load(peers("192.0.2.2 min_ttl 200", "192.0.2.3 max_ttl 64 min_ttl 60", "192.0.2.4"));
  expect(codes).toEqual([]);
  expect(vrrp?.transport).toMatchObject({
    checkSource: true,
    peerTtls: [
      { peer: "192.0.2.2", min: 200, max: 255 },
      { peer: "192.0.2.3", min: 60, max: 64 },
    ],
  });
  expect(load(peers("192.0.2.2")).vrrp?.transport).toMatchObject({ checkSource: false, peerTtls: [] });
});

test.each([
  ["192.0.2.2 min_ttl", "bad-value"],
  ["192.0.2.2 min_ttl 256", "bad-value"],
  ["192.0.2.2 ttl 3", "bad-value"],
  ["192.0.2.2 min_ttl 9 max_ttl 8", "ttl-range-empty"],
])("%s is reported", (line, code) => {
  expect(load(peers(line)).codes).toEqual([code]);
});

test.each([
  ["", "auto", []],
  ["old_unicast_checksum", "old", []],
  ["old_unicast_checksum never", "new", []],
  ["old_unicast_checksum sometimes", "auto", ["bad-value"]],
])("%s", (line, checksum, codes) => {
  expect(load(`${peers("192.0.2.2")}\n${line}`)).toMatchObject({ vrrp: { transport: { checksum } }, codes });
});
