import { describe, expect, it } from "vitest";
import { readAttributes, readMessages } from "../netlink/message.ts";
import { ip } from "../vrrp/example-config.ts";
import { counter, drop, duplicate, equals, isIn, loadMeta, loadNetwork, mapRegister2 } from "./expressions.ts";
import {
  changeElements,
  newChain,
  newRule,
  newSet,
  newTable,
  readTable,
  removesFrom,
  type TableOrder,
  writeBatch,
} from "./messages.ts";
import { changeTable, DEFAULT_FIREWALL, type FirewallNeeds, replaceTable, tablesFor } from "./ruleset.ts";

/** What nft 1.0.6 sends for the same rules (strace -e sendmsg), one message each. */
const NFT = {
  table:
    "40000000000a01000100000000000000020000000f0001006b656570616c697665640000080002000000000014000600" +
    "000e686f6c6466617374203132333400",
  chainOut:
    "54000000030a01040200000000000000020000000f0001006b656570616c697665640000080003006f7574000b000700" +
    "66696c7465720000080005000000000114000480080001000000000308000200ffffffff",
  map:
    "7c000000090a01040400000000000000020000000f0001006b656570616c6976656400000d000200766d61635f6d6170" +
    "000000000800030000000008080004000000001408000500000000040800060000000014080007000000000408000a00" +
    "0000000116000d000004010000000104010000000604000000000000",
  vips:
    "5c000000090a01040600000000000000020000000f0001006b656570616c697665640000090002007669707300000000" +
    "08000300000000000800040000000007080005000000000408000a00000000020a000d000004020000000000",
  vipElems:
    "5c0000000c0a01040700000000000000020000000f0001006b656570616c697665640000090002007669707300000000" +
    "080004000000000224000380100001800c000180080001000a630064100002800c000180080001000a630065",
  igmpRule:
    "e4010000060a010c0800000000000000020000000f0001006b656570616c697665640000080002006f757400b8010480" +
    "340001800c0001007061796c6f6164002400028008000100000000010800020000000001080003000000000908000400" +
    "000000012c00018008000100636d700020000280080001000000000108000200000000000c0003800500010002000000" +
    "24000180090001006d6574610000000014000280080002000000001b08000100000000013800018008000100636d7000" +
    "2c0002800800010000000001080002000000000018000380140001006d6163766c616e00000000000000000034000180" +
    "0c0001007061796c6f616400240002800800010000000001080002000000000108000300000000100800040000000004" +
    "24000180090001006d6574610000000014000280080002000000000508000100000000023c0001800b0001006c6f6f6b" +
    "757000002c000280080002000000000208000300000000020d000100766d61635f6d6170000000000800040000000001" +
    "2000018008000100647570001400028008000100000000010800020000000002140001800c000100636f756e74657200" +
    "04000280300001800e000100696d6d6564696174650000001c0002800800010000000000100002800c00028008000100" +
    "00000000",
  saddrRule:
    "c4000000060a010c0900000000000000020000000f0001006b656570616c697665640000080002006f75740098000480" +
    "340001800c0001007061796c6f6164002400028008000100000000010800020000000001080003000000000c08000400" +
    "00000004300001800b0001006c6f6f6b7570000020000280080002000000000109000100766970730000000008000400" +
    "00000002300001800e000100696d6d6564696174650000001c0002800800010000000000100002800c00028008000100" +
    "00000000",
} as const;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const BATCH_CONTROL_BYTES = 20;

/** The message alone, without the acknowledgement that the last one of a batch asks for. */
function alone(order: TableOrder | undefined, sequence: number): string {
  if (order === undefined) throw new Error("no order");
  const batch = writeBatch([order], sequence - 1);
  const message = batch.slice(BATCH_CONTROL_BYTES, batch.length - BATCH_CONTROL_BYTES);
  message[6] = (message[6] ?? 0) & ~0x04;
  return hex(message);
}

const PLACE = { family: "ip", table: "keepalived" } as const;
const MAP = { name: "vmac_map", id: 1 };
const VIPS = { name: "vips", id: 2 };
const MACVLAN = Uint8Array.from(Buffer.from("macvlan".padEnd(16, "\0")));

describe("messages are nft's, byte for byte", () => {
  it("a table with its comment", () => {
    const ours = alone(newTable("ip", "keepalived", "holdfast 1234"), 1);
    // nft asks for no NLM_F_CREATE here, the kernel creates either way.
    expect(ours.slice(0, 12)).toBe(NFT.table.slice(0, 12));
    expect(ours.slice(16)).toBe(NFT.table.slice(16));
  });

  it("a base chain", () => {
    const chain = { name: "out", hook: { point: "output", priority: -1 } } as const;
    expect(alone(newChain("ip", "keepalived", chain), 2)).toBe(NFT.chainOut);
  });

  it("a set of addresses and its elements", () => {
    expect(alone(newSet("ip", "keepalived", { ...VIPS, key: "ipv4_addr" }), 6)).toBe(NFT.vips);
    const elements = ["10.99.0.100", "10.99.0.101"].map((text) => ({ key: Uint8Array.from(text.split("."), Number) }));
    expect(alone(changeElements(PLACE, VIPS, "add", elements)[0], 7)).toBe(
      // nft numbers the elements of a list; the kernel does not look.
      NFT.vipElems.replace("10000280", "10000180"),
    );
  });

  it("a map of interfaces, but for nft's own remark on intervals", () => {
    const ours = alone(newSet("ip", "keepalived", { ...MAP, key: "iface_index", value: "iface_index" }), 4);
    expect(ours.slice(8, 200)).toBe(NFT.map.slice(8, 200));
  });

  it("the rule that closes an address", () => {
    expect(alone(newRule(PLACE, "out", [loadNetwork(12, 4), isIn(VIPS), drop()]), 9)).toBe(NFT.saddrRule);
  });

  it("the rule that moves reports to the base, with a counter", () => {
    const match = [loadNetwork(9, 1), equals(Uint8Array.of(2)), loadMeta("oifkind"), equals(MACVLAN)];
    const move = [loadNetwork(16, 4), loadMeta("oif", 2), mapRegister2(MAP), duplicate(), counter(), drop()];
    const ours = newRule(PLACE, "out", [...match, ...move]);
    // nft leaves an empty counter without its nested mark's padding: the same attributes.
    expect(alone(ours, 8)).toBe(NFT.igmpRule);
  });

  it("a table is read back with its owner's comment", () => {
    const [message] = readMessages(unhex(NFT.table));
    expect(message && readTable(message)).toEqual({ family: "ip", name: "keepalived", comment: "holdfast 1234" });
  });
});

const needs = (changes: Partial<FirewallNeeds> = {}): FirewallNeeds => ({ closed: [], virtual: [], ...changes });
const VIP = { address: ip("192.0.2.100"), interfaceIndex: 3 };
const VIRTUAL = { index: 7, base: 3, ipv6: false };

describe("which rules there are", () => {
  it("none when nothing needs any", () => {
    expect(tablesFor(DEFAULT_FIREWALL, needs())).toEqual([]);
  });

  it("a closed IPv4 address has no table of IPv6, a virtual MAC alone has no input chain", () => {
    const [closed, ...rest] = tablesFor(DEFAULT_FIREWALL, needs({ closed: [VIP] }));
    expect(rest).toEqual([]);
    expect(closed?.chains.map(({ name }) => name)).toEqual(["out", "in"]);
    const [virtual] = tablesFor(DEFAULT_FIREWALL, needs({ virtual: [VIRTUAL] }));
    expect(virtual?.chains.map(({ name }) => name)).toEqual(["out"]);
  });

  it("closed IPv6 addresses leave neighbour discovery open, before anything is dropped", () => {
    const local = { address: ip("fe80::99"), interfaceIndex: 3 };
    const [table] = tablesFor(DEFAULT_FIREWALL, needs({ closed: [{ ...VIP, address: ip("2001:db8::7") }, local] }));
    expect(table?.family).toBe("ip6");
    const input = table?.rules.filter(({ chain }) => chain === "in").map(({ expressions }) => expressions.at(-1)?.name);
    expect(input).toHaveLength(3);
    expect(table?.sets.map(({ set, elements }) => `${set.name} ${elements.length}`)).toEqual([
      "vips 1",
      "neighbor-discovery 2",
      "vips_link_local 1",
    ]);
  });

  it("a takeover changes elements only; another form of the table makes it anew", () => {
    const [one] = tablesFor(DEFAULT_FIREWALL, needs({ closed: [VIP] }));
    const [two] = tablesFor(DEFAULT_FIREWALL, needs({ closed: [VIP, { ...VIP, address: ip("192.0.2.101") }] }));
    const [other] = tablesFor(DEFAULT_FIREWALL, needs({ closed: [VIP], virtual: [VIRTUAL] }));
    if (one === undefined || two === undefined || other === undefined) throw new Error("no table");
    expect(changeTable(one, one)).toEqual([]);
    expect(changeTable(one, two)).toHaveLength(1);
    expect(changeTable(one, other)).toBeNull();
    expect(
      replaceTable(other, -1, "x")
        .slice(0, 3)
        .map(({ message }) => message),
    ).toEqual([0, 2, 0]);
  });

  it("counters stand in every rule, before its verdict", () => {
    const [table] = tablesFor({ ...DEFAULT_FIREWALL, counters: true }, needs({ closed: [VIP] }));
    for (const { expressions } of table?.rules ?? []) expect(expressions.at(-2)?.name).toBe("counter");
  });
});

describe("removals by others", () => {
  const deleted = (message: number, table: string) => {
    const [, order] = readMessages(
      writeBatch([{ message, flags: 0, family: "ip", attributes: [{ type: 1, value: Buffer.from(`${table}\0`) }] }], 1),
    );
    if (order === undefined) throw new Error("no message");
    return order;
  };

  it("of a rule or a table of that name, and of no other", () => {
    expect(removesFrom(deleted(8, "keepalived"), "keepalived")).toBe(true);
    expect(removesFrom(deleted(2, "keepalived"), "keepalived")).toBe(true);
    expect(removesFrom(deleted(8, "filter"), "keepalived")).toBe(false);
    expect(removesFrom(deleted(6, "keepalived"), "keepalived")).toBe(false);
    expect(readAttributes(deleted(8, "x").payload, 4).size).toBe(1);
  });
});
