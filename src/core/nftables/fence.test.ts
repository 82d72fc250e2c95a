import { describe, expect, it } from "vitest";
import type { IpAddress } from "../lib/ip.ts";
import { readAttributes, readMessages, readText } from "../netlink/message.ts";
import { buildFence, changeFence, type FenceEntry, removeFence, renewFence } from "./fence.ts";
import { type TableOrder, writeBatch } from "./messages.ts";

const TABLE = { name: "holdfast_fence_7", comment: "holdfast 7", arp: true };
const entry = (address: string, openMillis = 2_000): FenceEntry => ({
  address: address as IpAddress,
  interfaceIndex: 3,
  openMillis,
});
const ALL = [entry("192.0.2.100"), entry("2001:db8::7"), entry("fe80::7")];

const NEW_RULE = 6;
const NEW_ELEMENTS = 12;
const DELETE_ELEMENTS = 14;

/** As the kernel reads it: `+ family set [bytes of the keys] [milliseconds]`. */
function changes(orders: readonly TableOrder[]): readonly string[] {
  return readMessages(writeBatch(orders, 1)).flatMap(({ type, payload }) => {
    const message = type & 0xff;
    if (type >> 8 === 0 || (message !== NEW_ELEMENTS && message !== DELETE_ELEMENTS)) return [];
    const attributes = readAttributes(payload, 4);
    const list = readAttributes(attributes.get(3) ?? new Uint8Array(), 0);
    const element = readAttributes(list.get(1) ?? new Uint8Array(), 0);
    const key = readAttributes(element.get(1) ?? new Uint8Array(), 0).get(1);
    const lasts = element.get(4);
    const time = lasts === undefined ? "" : ` ${Buffer.from(lasts).readBigUInt64BE()}`;
    const name = readText(attributes.get(2) ?? new Uint8Array());
    return [`${message === NEW_ELEMENTS ? "+" : "-"} ${payload[0]} ${name} ${key?.length}${time}`];
  });
}

describe("the fence", () => {
  it("holds each address in the set of its kind; in the family arp IPv4 only", () => {
    expect(changes(buildFence(TABLE, ALL))).toEqual([
      "+ 1 held 4",
      "+ 1 open 4 2000",
      "+ 1 held6 16",
      "+ 1 open6 16 2000",
      "+ 1 held_local 20",
      "+ 1 open_local 20 2000",
      "+ 3 held 4",
      "+ 3 open 4 2000",
    ]);
    expect(changes(buildFence({ ...TABLE, arp: false }, ALL)).some((text) => text.includes(" 3 "))).toBe(false);
  });

  it("has a rule for each kind in each direction, all there when no address is", () => {
    const rules = buildFence(TABLE, []).filter(({ message }) => message === NEW_RULE);
    expect(rules.map(({ family }) => family)).toEqual([...Array(6).fill("inet"), "arp", "arp"]);
    expect(changes(buildFence(TABLE, []))).toEqual([]);
  });

  it("an address whose time is over, or nearly so, is behind it, and closed; fractions of a millisecond are given away", () => {
    for (const nothing of [0, 9.99]) {
      expect(changes(buildFence({ ...TABLE, arp: false }, [entry("192.0.2.100", nothing)]))).toEqual(["+ 1 held 4"]);
      expect(renewFence(TABLE, [entry("192.0.2.100", nothing)])).toEqual([]);
    }
    expect(changes(renewFence({ ...TABLE, arp: false }, [entry("192.0.2.100", 1_999.9)]))).toEqual([
      "- 1 open 4",
      "+ 1 open 4 1999",
    ]);
  });

  it("is renewed by taking out and putting in: the kernel refuses both when there is nothing to take out", () => {
    expect(changes(renewFence(TABLE, ALL))).toEqual([
      "- 1 open 4",
      "+ 1 open 4 2000",
      "- 1 open6 16",
      "+ 1 open6 16 2000",
      "- 1 open_local 20",
      "+ 1 open_local 20 2000",
      "- 3 open 4",
      "+ 3 open 4 2000",
    ]);
  });

  it("addresses come and go from both sets", () => {
    expect(changes(changeFence({ ...TABLE, arp: false }, "add", ALL.slice(0, 1)))).toEqual([
      "+ 1 held 4",
      "+ 1 open 4 2000",
    ]);
    expect(changes(changeFence({ ...TABLE, arp: false }, "remove", ALL.slice(0, 1)))).toEqual([
      "- 1 held 4",
      "- 1 open 4",
    ]);
  });

  it("goes whole", () => {
    expect(removeFence(TABLE).map(({ message, family }) => [message, family])).toEqual([
      [0, "inet"],
      [2, "inet"],
      [0, "arp"],
      [2, "arp"],
    ]);
  });
});
