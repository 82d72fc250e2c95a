/**
 * IPv6 as keepalived 2.2.7: the same file run by both on one host, one after the other, gives the same frames and the same addresses;
 * a mixed pair fails over both ways; and what Holdfast promises beyond that holds for IPv6 as well.
 */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { DaemonKind } from "../src/lab/daemon.ts";
import { createLab, type Lab } from "../src/lab/lab.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { Capture, type Frame } from "./capture.ts";
import { DAEMON, describeHoldfast, describeLab } from "./support.ts";

const VIP6 = "fe80::51";
const hosts = ["db1", "db2", "client"] as const;
/** Hardware addresses are fixed, so that every byte of a frame can be compared. */
const MACS = { db1: "02:00:00:00:00:81", db2: "02:00:00:00:00:82", client: "02:00:00:00:00:10" } as const;

const ENABLE = `
  set -e
  ip link set eth0 down; ip link set eth0 address "$1"
  for name in all default eth0 lo; do echo 0 >/proc/sys/net/ipv6/conf/$name/disable_ipv6; done
  echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad
  echo 0 >/proc/sys/net/ipv6/conf/eth0/router_solicitations
  ip link set eth0 up
  ip -6 addr add "$2/64" dev eth0`;

/** Another interface, which has nothing but its link-local address. */
const ONLY_IPV6 = `
  set -e
  ip link add only6 address 02:00:00:00:06:81 type veth peer name other6
  for name in only6 other6; do
    echo 0 >/proc/sys/net/ipv6/conf/$name/disable_ipv6
    echo 0 >/proc/sys/net/ipv6/conf/$name/accept_dad
    ip link set $name up
  done`;

async function createLabWithIpv6(): Promise<Lab> {
  const lab = await createLab();
  for (const name of hosts) {
    const { address } = lab.host(name);
    const global = `2001:db8:11::${address.split(".")[3]}`;
    await lab.host(name).execOrThrow(["sh", "-c", ENABLE, "sh", MACS[name], global]);
  }
  return lab;
}

interface Ipv6Case {
  readonly title: string;
  readonly vips: readonly string[];
  readonly excluded?: readonly string[];
  readonly lines?: readonly string[];
  readonly interface?: string;
  readonly virtualRouterId?: number;
  readonly seconds?: number;
  readonly version?: 2;
}

const SAME_NUMBER = 1;
const many = Array.from({ length: 100 }, (_, at) => `2001:db8:11:7::${(at + 1).toString(16)}/64`);
const CASES: readonly Ipv6Case[] = [
  { title: "link-local address first", vips: ["fe80::101", "2001:db8:11::101/64"] },
  { title: "IPv4 with the same number", virtualRouterId: SAME_NUMBER, vips: ["192.168.11.101"] },
  {
    title: "unicast",
    vips: ["2001:db8:11::103"],
    lines: ["unicast_src_ip 2001:db8:11::81", "unicast_peer {", "    2001:db8:11::10", "}"],
  },
  {
    title: "unicast_ttl",
    vips: ["2001:db8:11::104/64"],
    lines: ["unicast_src_ip 2001:db8:11::81", "unicast_ttl 9", "unicast_peer {", "    2001:db8:11::10", "}"],
  },
  {
    title: "excluded addresses of both families",
    vips: ["fe80::105"],
    excluded: ["192.168.11.105/24", "2001:db8:11::105/64", "2001:db8:99::105"],
  },
  { title: "another group", vips: ["fe80::106"], lines: ["mcast_dst_ip ff02::66"] },
  { title: "a hundred addresses", vips: many },
  { title: "an interface without IPv4", vips: ["fe80::108/64"], interface: "only6" },
  { title: "IPv4 that carries IPv6 along", vips: ["192.168.11.109"], excluded: ["2001:db8:11::109/64"] },
  { title: "version 2", vips: ["fe80::110"], version: 2, seconds: 1 },
  { title: "mcast_src_ip", vips: ["fe80::111"], lines: ["mcast_src_ip 2001:db8:11::81"] },
];

function block(one: Ipv6Case, index: number): string {
  const list = (keyword: string, entries: readonly string[]): readonly string[] =>
    entries.length === 0 ? [] : [`${keyword} {`, ...entries.map((entry) => `    ${entry}`), "}"];
  return [
    `vrrp_instance VI_${index + 1} {`,
    `interface ${one.interface ?? "eth0"}`,
    `virtual_router_id ${one.virtualRouterId ?? index + 1}`,
    `priority ${100 + index}`,
    ...(one.version === 2 ? ["version 2"] : one.vips[0]?.includes(":") ? [] : ["version 3"]),
    `advert_int ${one.seconds ?? 0.2}`,
    "garp_master_delay 1",
    ...list("virtual_ipaddress", one.vips),
    ...list("virtual_ipaddress_excluded", one.excluded ?? []),
    ...(one.lines ?? []),
    "}",
    "",
  ].join("\n");
}

const addressOf = (entry: string): string => entry.split("/")[0] ?? "";
const allAddresses = (one: Ipv6Case): readonly string[] => [...one.vips, ...(one.excluded ?? [])].map(addressOf);

const onEth0 = CASES.filter((one) => one.interface === undefined);
const isIpv6Case = (one: Ipv6Case): boolean => one.vips[0]?.includes(":") === true;
/** IPv6 addresses that are announced where the client hears it, and the numbers of the routers it hears. */
const ANNOUNCED = onEth0.flatMap(allAddresses).filter((address) => address.includes(":"));
const NUMBERS = onEth0.filter(isIpv6Case).map((one) => CASES.indexOf(one) + 1);

interface Heard {
  readonly frames: readonly Frame[];
  /** `ip -o addr` of the whole host while it was master of everything, lifetimes aside. */
  readonly addresses: readonly string[];
}

async function addressLines(lab: Lab): Promise<readonly string[]> {
  const text = await lab.host("db1").execOrThrow(["ip", "-o", "addr", "show"]);
  // keepalived's addresses last for ever, ours for the lease; nothing else may differ.
  return text.split("\n").map((line) =>
    line
      .replace(/\\?\s+valid_lft.*$/, "")
      .replace(/ dynamic\b/, "")
      .replace(/\s+/g, " "),
  );
}

/** From the first to the last word of one daemon. */
async function hear(lab: Lab, kind: DaemonKind): Promise<Heard> {
  const capture = await Capture.start(lab.host("client"), kind, "ip6 proto 112 or icmp6 or arp");
  const daemon = new VrrpCluster(lab).start("db1", kind, CASES.map(block).join(""));
  const wanted = CASES.flatMap(allAddresses);
  const settled = async () => {
    const held = (await addressLines(lab)).join("\n");
    return wanted.every((address) => held.includes(` ${address}/`)) || undefined;
  };
  await until(settled, `${kind} holds every address`, 40_000).catch(async (error) => {
    const held = (await addressLines(lab)).join("\n");
    throw new Error(`${String(error)}\n${wanted.filter((it) => !held.includes(` ${it}/`))}\n${daemon.program.text}`);
  });
  // The second burst of advertisements comes garp_master_delay after the first: five and five frames.
  const heard = () => ({ frames: capture.frames(), addresses: [] });
  const announced = () => ANNOUNCED.every((it) => announcements(heard(), it).length >= 10) || undefined;
  await until(announced, `${kind} has announced every address twice`, 30_000);
  const addresses = await addressLines(lab);
  await daemon.stop();
  const resigned = () => NUMBERS.every((number) => adverts(heard(), number).length >= 2) || undefined;
  await until(resigned, `${kind} has resigned everywhere`, 30_000);
  await capture.stop();
  return { frames: capture.frames(), addresses };
}

const isIpv6 = ({ bytes }: Frame): boolean => bytes.length >= 62 && bytes.readUInt16BE(12) === 0x86dd;
const VRRP = 112;

/** Each different advert of a router once, in order of first appearance: the whole frame. */
function adverts({ frames }: Heard, virtualRouterId: number): readonly string[] {
  const own = frames.filter((it) => isIpv6(it) && it.bytes[20] === VRRP && it.bytes[55] === virtualRouterId);
  // Traffic class and hop limit among them; the flow label is the kernel's hash of the addresses.
  return [...new Set(own.map(({ bytes }) => bytes.toString("hex")))];
}

/** The unsolicited advertisements of an address, the whole frames. */
function announcements({ frames }: Heard, address: string): readonly string[] {
  const target = packed(address);
  return frames
    .filter((it) => isIpv6(it) && it.bytes[20] === 58 && it.bytes[54] === 136)
    .filter(({ bytes }) => bytes.subarray(62, 78).equals(target) && bytes.subarray(0, 2).toString("hex") === "3333")
    .map(({ bytes }) => bytes.toString("hex"));
}

function packed(address: string): Buffer {
  const [head = "", tail = ""] = address.split("::");
  const words = (text: string) => text.split(":").filter(Boolean);
  const groups = [words(head), words(tail)] as const;
  const zeros = new Array<string>(8 - groups[0].length - groups[1].length).fill("0");
  return Buffer.from([...groups[0], ...zeros, ...groups[1]].map((it) => it.padStart(4, "0")).join(""), "hex");
}

describeLab("IPv6 as keepalived", () => {
  let lab: Lab;
  const runs = new Map<DaemonKind, Heard>();
  const heardFrom = (kind: DaemonKind): Heard => runs.get(kind) ?? { frames: [], addresses: [] };

  beforeAll(async () => {
    lab = await createLabWithIpv6();
    await lab.host("db1").execOrThrow(["sh", "-c", ONLY_IPV6]);
    for (const kind of ["keepalived", DAEMON] as const) runs.set(kind, await hear(lab, kind));
  });
  afterAll(() => lab.destroy());

  CASES.forEach((one, index) => {
    if (!NUMBERS.includes(index + 1)) return;
    test(`${one.title}: adverts and the resignation are the same frames`, () => {
      const theirs = adverts(heardFrom("keepalived"), index + 1);
      expect(theirs.length).toBe(2);
      expect(adverts(heardFrom(DAEMON), index + 1)).toEqual(theirs);
    });
  });

  test("neighbour advertisements are the same frames, and as many", () => {
    for (const address of ANNOUNCED) {
      const theirs = announcements(heardFrom("keepalived"), address);
      expect(theirs.length, address).toBe(10);
      expect(announcements(heardFrom(DAEMON), address), address).toEqual(theirs);
    }
  });

  test("the addresses are the same: prefix, scope, flags, and the order inside an instance", () => {
    const theirs = heardFrom("keepalived").addresses;
    const ours = heardFrom(DAEMON).addresses;
    expect(theirs.length).toBeGreaterThan(110);
    // Which instance was master first is a matter of milliseconds.
    expect([...ours].sort()).toEqual([...theirs].sort());
    const hundred = (lines: readonly string[]) => lines.filter((line) => line.includes("2001:db8:11:7::"));
    expect(hundred(ours)).toEqual(hundred(theirs));
  });
});

const pairConfig = (lines: readonly string[] = []): string =>
  [
    "vrrp_instance VI_6 {",
    "nopreempt",
    "interface eth0",
    "virtual_router_id 61",
    "advert_int 0.3",
    ...lines,
    `virtual_ipaddress {\n    ${VIP6}\n    2001:db8:11::51/64\n}`,
    "virtual_ipaddress_excluded {\n    192.168.11.51/24\n}",
    "}",
    "",
  ].join("\n");

const unicast = (own: string, peer: string): readonly string[] => [
  `unicast_src_ip 2001:db8:11::${own}`,
  "check_unicast_src",
  `unicast_peer {\n    2001:db8:11::${peer}\n}`,
];

describeHoldfast("an IPv6 pair", () => {
  let lab: Lab;
  let cluster: VrrpCluster;
  const vip = { vip: VIP6, timeoutMs: 30_000 };
  beforeAll(async () => {
    lab = await createLabWithIpv6();
    cluster = new VrrpCluster(lab);
  });
  afterEach(() => cluster.stopAll());
  afterAll(() => lab.destroy());

  test.sequential.each([
    ["multicast", pairConfig(), pairConfig()],
    ["unicast", pairConfig(unicast("81", "82")), pairConfig(unicast("82", "81"))],
  ])("%s: fails over both ways with keepalived", async (_, first, second) => {
    const ours = cluster.start("db1", "holdfast", first);
    await cluster.heldBy(["db1"], vip);
    const theirs = cluster.start("db2", "keepalived", second);
    await sleep(1_500);
    expect(await cluster.holders(VIP6)).toEqual(["db1"]);
    await ours.stop();
    await cluster.heldBy(["db2"], vip);
    const again = cluster.start("db1", "holdfast", first);
    await sleep(1_500);
    expect(await cluster.holders(VIP6)).toEqual(["db2"]);
    await theirs.stop();
    await cluster.heldBy(["db1"], vip);
    await again.stop();
    await cluster.heldBy([], vip);
  });

  test.sequential("both processes killed: every address goes with its lease", async () => {
    const daemon = cluster.start("db1", "holdfast", pairConfig());
    const all = [VIP6, "2001:db8:11::51", "192.168.11.51"];
    for (const vip of all) await cluster.heldBy(["db1"], { vip, timeoutMs: 30_000 });
    await daemon.killBoth();
    // The lease is one second, which the kernel may overrun by one more; without it they would stay for ever.
    for (const vip of all) await cluster.heldBy([], { vip, timeoutMs: 15_000 });
    // The route of the prefix stays: the host has an address of its own in it.
    expect(await lab.host("db1").execOrThrow(["ip", "-6", "route"])).toMatch(/^2001:db8:11::\/64 dev eth0/m);
  });

  test.sequential("the keeper killed: control takes the addresses off and resigns over IPv6", async () => {
    const capture = await Capture.start(lab.host("client"), "guard", "ip6 proto 112");
    const daemon = cluster.start("db1", "holdfast", pairConfig());
    await cluster.heldBy(["db1"], vip);
    const before = await daemon.keeperPid();
    // Control learns our source address with its next question.
    await sleep(500);
    process.kill(before, "SIGKILL");
    const resigned = () => capture.frames().some(({ bytes }) => bytes[55] === 61 && bytes[56] === 0) || undefined;
    await until(() => resigned(), "priority 0 over IPv6", 20_000);
    await cluster.heldBy(["db1"], vip);
    expect(await daemon.keeperPid()).not.toBe(before);
    await daemon.stop();
    await capture.stop();
  });

  test.sequential("another host that advertises a held address is told", async () => {
    const daemon = cluster.start("db1", "holdfast", pairConfig());
    await cluster.heldBy(["db1"], vip);
    // With ndisc_notify a kernel advertises its addresses anew when the hardware address changes.
    const there = lab.host("db2");
    await there.execOrThrow(["sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/eth0/ndisc_notify"]);
    await there.execOrThrow(["ip", "-6", "addr", "add", `${VIP6}/128`, "dev", "eth0", "nodad"]);
    await there.execOrThrow(["sh", "-c", "ip link set eth0 address 02:00:00:00:00:83"]);
    await daemon.program.line(/fe80::51 is in use elsewhere: neighbour advertisement from 02:00:00:00:00:8/, {
      timeoutMs: 30_000,
    });
    await there.execOrThrow(["ip", "-6", "addr", "del", `${VIP6}/128`, "dev", "eth0"]);
  });

  test.sequential("at boot, while duplicate address detection goes on, an instance waits in INIT and tells no FAULT", async () => {
    const host = lab.host("db1");
    const conf = "/proc/sys/net/ipv6/conf/eth0";
    const boots = `ip link set eth0 down; echo 1 >${conf}/accept_dad; echo 4 >${conf}/dad_transmits; ip link set eth0 up`;
    await host.execOrThrow(["sh", "-c", boots]);
    const daemon = cluster.start("db1", "holdfast", pairConfig());
    await cluster.heldBy(["db1"], vip);
    expect(daemon.program.lines.filter(({ text }) => text.includes("FAULT"))).toEqual([]);
    await daemon.stop();
    await host.execOrThrow(["sh", "-c", `echo 0 >${conf}/accept_dad; echo 1 >${conf}/dad_transmits`]);
  });

  test.sequential("a source address that is not usable yet is waited for", async () => {
    const host = lab.host("db1");
    await host.execOrThrow(["sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/eth0/accept_dad; ip link set eth0 down"]);
    const daemon = cluster.start("db1", "holdfast", pairConfig());
    await daemon.program.line(/FAULT/, { timeoutMs: 30_000 });
    await host.execOrThrow(["ip", "link", "set", "eth0", "up"]);
    await cluster.heldBy(["db1"], vip);
    await daemon.stop();
    await host.execOrThrow(["sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad"]);
  });
});
