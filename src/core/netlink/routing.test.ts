import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { memorySource } from "../config/memory-source.ts";
import type { Route, Rule } from "../routing/model.ts";
import { readMessages } from "./message.ts";
import { isSameRoute, readRoute, writeRoute } from "./routes.ts";
import { isSameRule, readRule, writeRule } from "./rules.ts";

const hex = (bytes: Uint8Array | null): string => (bytes === null ? "null" : Buffer.from(bytes).toString("hex"));
const unhex = (text: string): string => text.replaceAll(" ", "");
const deviceIndex = (name: string): number | null => (name === "eth0" ? 3 : null);

function parse(block: string, line: string) {
  const text = `${block} {\n${line}\n}\n`;
  return loadConfig(memorySource({ "/k.conf": text }), "/k.conf").config.host.statics;
}
const route = (line: string): Route => parse("static_routes", line).routes[0] as Route;
const rule = (line: string): Rule => parse("static_rules", line).rules[0] as Rule;

describe("requests for routes", () => {
  it("a plain route is what `ip route prepend ... proto 18` sends, attribute for attribute", () => {
    expect(
      hex(writeRoute(route("10.50.0.0/16 via 10.9.0.2 dev eth0 metric 5"), "add", { sequence: 9, deviceIndex })),
    ).toBe(
      unhex(
        "3c000000 1800 0504 09000000 00000000 02 10 00 00 fe 12 00 01 00000000 0800 0100 0a320000 0800 0500 0a090002 0800 0400 03000000 0800 0600 05000000",
      ),
    );
  });

  it("a removal leaves the scope open", () => {
    const message = writeRoute(route("10.50.0.0/16 dev eth0"), "remove", { sequence: 9, deviceIndex });
    expect(hex(message).slice(0, 48)).toBe(unhex("2c000000 1900 0500 09000000 00000000 02 10 00 00 fe 12 ff 01"));
  });

  it("a table from 256 on goes into its own attribute, a gateway of the other family into RTA_VIA", () => {
    const other = {
      ...route("10.50.0.0/16 dev eth0 table 1000"),
      gateway: route("default via fe80::1 dev eth0").gateway,
    };
    const text = hex(writeRoute(other, "add", { sequence: 9, deviceIndex }));
    expect(text).toContain(unhex("0800 0f00 e8030000"));
    expect(text).toContain(unhex("1600 1200 0a00 fe80000000000000 0000000000000001"));
  });

  it("metrics nest, with the lock last; next hops stand one after another", () => {
    const metrics = hex(writeRoute(route("10.1.0.0/16 dev eth0 mtu lock 1400"), "add", { sequence: 1, deviceIndex }));
    expect(metrics).toContain(unhex("1400 0880 0800 0200 78050000 0800 0100 04000000"));
    const line = "10.1.0.0/16 nexthop via 10.9.0.3 weight 2 nexthop via 10.9.0.4 dev eth0 onlink";
    expect(hex(writeRoute(route(line), "add", { sequence: 1, deviceIndex }))).toContain(
      unhex("2400 0900 1000 00 01 00000000 0800 0500 0a090003 1000 04 00 03000000 0800 0500 0a090004"),
    );
  });

  it("encapsulations: MPLS labels end with the bottom bit, tunnel keys are in network order", () => {
    const encap = (text: string) =>
      hex(writeRoute(route(`10.1.0.0/16 dev eth0 encap ${text}`), "add", { sequence: 1, deviceIndex }));
    expect(encap("mpls 100/200")).toContain(unhex("1000 1680 0c00 0100 00064000 000c8100 0600 1500 0100"));
    expect(encap("ip id 5 dst 10.9.0.3 ttl 9")).toContain(
      unhex("2000 1680 0c00 0100 0000000000000005 0800 0200 0a090003 0500 0400 09000000 0600 1500 0200"),
    );
    expect(encap("ila 2001:db8:0:1")).toContain(unhex("1000 1680 0c00 0100 20010db800000001 0600 1500 0300"));
  });

  it("an interface that does not exist makes no request", () => {
    expect(writeRoute(route("10.1.0.0/16 dev gone"), "add", { sequence: 1, deviceIndex })).toBeNull();
    expect(writeRoute(route("10.1.0.0/16 nexthop dev gone"), "add", { sequence: 1, deviceIndex })).toBeNull();
  });
});

describe("requests for rules", () => {
  it("a plain rule is exclusive and ours", () => {
    expect(hex(writeRule(rule("from 10.9.0.10 table 100 priority 100"), "add", 9))).toBe(
      unhex(
        "34000000 2000 0506 09000000 00000000 02 00 20 00 64 00 00 01 00000000 0800 0200 0a09000a 0800 0600 64000000 0500 1500 12000000",
      ),
    );
  });

  it("ports and user ids are pairs in the host's order", () => {
    const text = hex(writeRule(rule("from all table 5 priority 5 sport 10-20 uidrange 5-6"), "add", 9));
    expect(text).toContain(unhex("0800 1700 0a001400"));
    expect(text).toContain(unhex("0c00 1400 05000000 06000000"));
  });
});

describe("what the kernel says", () => {
  const octet = fc.nat(255);
  const routeLine = fc
    .record({ a: octet, b: octet, length: fc.integer({ min: 0, max: 32 }), metric: fc.nat(99), table: fc.nat(2000) })
    .map(({ a, b, length, metric, table }) => `10.${a}.${b}.1/${length} dev eth0 metric ${metric} table ${table + 1}`);

  it("a route that was written is recognised when it is read", () => {
    fc.assert(
      fc.property(routeLine, (line) => {
        const wanted = route(line);
        const [message] = readMessages(writeRoute(wanted, "add", { sequence: 1, deviceIndex }) as Uint8Array);
        const record = message === undefined ? null : readRoute(message);
        expect(record !== null && isSameRoute(wanted, record, deviceIndex)).toBe(true);
        expect(record !== null && isSameRoute({ ...wanted, table: wanted.table + 1 }, record, deviceIndex)).toBe(false);
        expect(record !== null && isSameRoute(wanted, { ...record, protocol: 4 }, deviceIndex)).toBe(false);
      }),
    );
  });

  it("a rule that was written is recognised when it is read", () => {
    const line = fc
      .record({ a: octet, priority: fc.nat(9999), table: fc.integer({ min: 1, max: 2000 }), mark: fc.nat(9) })
      .map(
        ({ a, priority, table, mark }) =>
          `from 10.${a}.0.0/16 priority ${priority} table ${table} fwmark ${mark} iif eth0`,
      );
    fc.assert(
      fc.property(line, (text) => {
        const wanted = rule(text);
        const [message] = readMessages(writeRule(wanted, "add", 1));
        const record = message === undefined ? null : readRule(message);
        expect(record !== null && isSameRule(wanted, record)).toBe(true);
        expect(record !== null && isSameRule({ ...wanted, priority: wanted.priority + 1 }, record)).toBe(false);
      }),
    );
  });

  it("random bytes are read or refused, never thrown at", () => {
    const type = fc.constantFrom(24, 25, 32, 33);
    fc.assert(
      fc.property(type, fc.uint8Array({ maxLength: 200 }), (kind, payload) => {
        const message = { type: kind, flags: 0, sequence: 0, port: 0, payload };
        const read = kind < 30 ? readRoute(message) : readRule(message);
        expect(read === null || read.family === 4 || read.family === 6).toBe(true);
      }),
    );
  });
});
