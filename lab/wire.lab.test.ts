/**
 * The same file run by keepalived 2.2.7 and by Holdfast, each alone on a host of a lab of its own, heard by another host:
 * every byte that the protocol fixes must be the same.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DaemonKind } from "../src/lab/daemon.ts";
import { createLab, type Lab } from "../src/lab/lab.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { GLOBALS, VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { Capture, type CapturedAdvert, type CapturedArp } from "./capture.ts";
import { DAEMON, describeLab } from "./support.ts";

interface WireCase {
  readonly title: string;
  readonly version: 2 | 3;
  readonly seconds: number;
  readonly vips: readonly string[];
  readonly excluded?: readonly string[];
  readonly priority?: number;
  readonly state?: "BACKUP" | "MASTER";
  readonly lines?: readonly string[];
}

const REFRESHING = "garp_master_repeat, delay and refresh";
/** Came with keepalived 2.3; 2.2.7 ignores the line, so there only the checksum differs. */
const CHECKSUM_AS_V2 = "v3 with checksum as v2";
const SECOND_ADDRESS = "192.168.11.181";
const pass = (word: string): readonly string[] => [
  "authentication {",
  "    auth_type PASS",
  `    auth_pass ${word}`,
  "}",
];
const many = Array.from({ length: 20 }, (_, index) => `192.168.11.${220 - index}`);

/** One instance each, numbered from virtual_router_id 1; all run at once, so batches are tried as well. */
const CASES: readonly WireCase[] = [
  { title: "v2 plain", version: 2, seconds: 1, vips: ["192.168.11.101"] },
  { title: "v2 with PASS", version: 2, seconds: 1, vips: ["192.168.11.102"], lines: pass("1111") },
  {
    title: "v2, two addresses in the file's order",
    version: 2,
    seconds: 1,
    vips: ["192.168.11.104", "192.168.11.103"],
  },
  { title: "v3 at 0.1 s", version: 3, seconds: 0.1, vips: ["192.168.11.105"] },
  {
    title: "v3 unicast to two peers",
    version: 3,
    seconds: 0.2,
    vips: ["192.168.11.106"],
    lines: ["unicast_peer {", "    192.168.11.10", "    192.168.11.82", "}"],
  },
  {
    title: "v2 unicast with unicast_ttl",
    version: 2,
    seconds: 1,
    vips: ["192.168.11.107"],
    lines: ["unicast_src_ip 192.168.11.81", "unicast_ttl 64", "unicast_peer {", "    192.168.11.10", "}"],
  },
  { title: CHECKSUM_AS_V2, version: 3, seconds: 0.5, vips: ["192.168.11.108"], lines: ["v3_checksum_as_v2"] },
  {
    title: "excluded addresses",
    version: 2,
    seconds: 1,
    vips: ["192.168.11.109"],
    excluded: ["192.168.11.110", "192.168.11.111/24"],
  },
  {
    title: "mcast_src_ip",
    version: 3,
    seconds: 0.3,
    vips: ["192.168.11.112"],
    lines: [`mcast_src_ip ${SECOND_ADDRESS}`],
  },
  {
    title: "mcast_src_ip that the host does not have",
    version: 2,
    seconds: 1,
    vips: ["192.168.11.198"],
    lines: ["mcast_src_ip 192.168.11.199"],
  },
  {
    title: "v2 with a password of more than eight characters",
    version: 2,
    seconds: 1,
    vips: ["192.168.11.113"],
    lines: pass("longpassword"),
  },
  {
    title: "v2, the address owner's first advert at the longest interval",
    version: 2,
    seconds: 255,
    vips: ["192.168.11.114"],
    priority: 255,
    state: "MASTER",
  },
  {
    title: "v3, the address owner's first advert at the longest interval",
    version: 3,
    seconds: 40.95,
    vips: ["192.168.11.115"],
    priority: 255,
    state: "MASTER",
  },
  { title: "v2, twenty addresses", version: 2, seconds: 1, vips: many },
  {
    title: "address with prefix, broadcast, scope and label",
    version: 3,
    seconds: 0.2,
    vips: ["192.168.11.116/24 brd 192.168.11.255 dev eth0 label eth0:x", "10.9.8.7/16 dev eth0 scope site"],
  },
  {
    title: REFRESHING,
    version: 3,
    seconds: 0.2,
    vips: ["192.168.11.117"],
    lines: ["garp_master_repeat 2", "garp_master_delay 2", "garp_master_refresh 1", "garp_master_refresh_repeat 2"],
  },
];

function block(wire: WireCase, index: number): string {
  const list = (keyword: string, entries: readonly string[]): readonly string[] =>
    entries.length === 0 ? [] : [`${keyword} {`, ...entries.map((entry) => `    ${entry}`), "}"];
  return [
    `vrrp_instance VI_${index + 1} {`,
    `state ${wire.state ?? "BACKUP"}`,
    "interface eth0",
    `version ${wire.version}`,
    `virtual_router_id ${index + 1}`,
    `priority ${wire.priority ?? 100 + index}`,
    `advert_int ${wire.seconds}`,
    ...(wire.title === REFRESHING ? [] : ["garp_master_delay 1"]),
    ...list("virtual_ipaddress", wire.vips),
    ...list("virtual_ipaddress_excluded", wire.excluded ?? []),
    ...(wire.lines ?? []),
    "}",
    "",
  ].join("\n");
}

const addressOf = (entry: string): string => entry.split(/[/ ]/)[0] ?? "";
const allAddresses = (wire: WireCase): readonly string[] => [...wire.vips, ...(wire.excluded ?? [])].map(addressOf);
const CONFIG = GLOBALS + CASES.map(block).join("");

interface Heard {
  readonly log: string;
  readonly adverts: readonly CapturedAdvert[];
  readonly arps: readonly CapturedArp[];
  /** `ip -o addr` while it was master of everything, lifetimes aside. */
  readonly addresses: readonly string[];
}

/** From the first to the last word of one daemon. */
async function hear(lab: Lab, kind: DaemonKind): Promise<Heard> {
  const host = lab.host("db1");
  await host.execOrThrow(["ip", "addr", "add", `${SECOND_ADDRESS}/24`, "dev", "eth0"]);
  const capture = await Capture.start(lab.host("client"));
  const daemon = new VrrpCluster(lab).start("db1", kind, CONFIG);
  const wanted = CASES.flatMap(allAddresses);
  const settled = async () => {
    const held = await host.addresses();
    return wanted.every((address) => held.includes(address)) || undefined;
  };
  await until(settled, `${kind} holds every address`, 15_000).catch(async (error) => {
    const held = await host.addresses();
    const missing = wanted.filter((address) => !held.includes(address)).join(" ");
    throw new Error(`${String(error)}; missing: ${missing}\n${daemon.program.text}`);
  });
  // The second burst of gratuitous ARP comes garp_master_delay after the first.
  await sleep(3_000);
  const text = await host.execOrThrow(["ip", "-4", "-o", "addr", "show", "dev", "eth0"]);
  await daemon.stop();
  await sleep(200);
  await capture.stop();
  return {
    log: daemon.program.text,
    adverts: capture.adverts(),
    arps: capture.arps(),
    addresses: withoutLifetimes(text),
  };
}

/** keepalived's addresses last for ever, ours for the lease; nothing else may differ. */
function withoutLifetimes(text: string): readonly string[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines
    .map((line) =>
      line
        .replace(/\\?\s+valid_lft.*$/, "")
        .replace(/ dynamic\b/, "")
        .replace(/\s+/g, " "),
    )
    .sort();
}

const runs = new Map<DaemonKind, Heard>();
const heardFrom = (kind: DaemonKind): Heard => {
  const found = runs.get(kind);
  if (found === undefined) throw new Error(`${kind} was not heard`);
  return found;
};

/** Each different advert once, in order of first appearance, without what differs between any two runs. */
function advertsOf(kind: DaemonKind, virtualRouterId: number): readonly string[] {
  const texts = heardFrom(kind)
    .adverts.filter((advert) => advert.virtualRouterId === virtualRouterId)
    .map(({ at: _, ethernetDestination, ...fields }) =>
      // Unicast goes to the peer's own MAC, which is new in every lab.
      JSON.stringify(fields.destination === "224.0.0.18" ? { ethernetDestination, ...fields } : fields),
    );
  return [...new Set(texts)];
}

const withoutChecksum = (text: string): string => text.replace(/("payload":".{12})..../, "$1....");

/** RFC 1071: all ones for a message with the right checksum. */
function onesComplementSum(message: string): number {
  const words = (message.match(/.{4}/g) ?? []).map((word) => Number.parseInt(word, 16));
  return words.reduce((sum, word) => ((sum + word) % 0x10000) + (sum + word >= 0x10000 ? 1 : 0), 0);
}

const gratuitous = (kind: DaemonKind, address: string): readonly string[] =>
  heardFrom(kind)
    .arps.filter((arp) => arp.senderAddress === address)
    .map((arp) => arp.text);

/** Times that it became master: Holdfast begins anew when the whole machine stood still for longer than Master_Down. */
function claims(kind: DaemonKind, virtualRouterId: number): number {
  const entries = heardFrom(kind).log.match(new RegExp(`\\(VI_${virtualRouterId}\\) Entering MASTER STATE`, "g")) ?? [];
  const pauses = new RegExp(
    `\\(VI_${virtualRouterId}\\) (the process itself stood still|the kernel lease ran out)`,
    "g",
  );
  expect(entries.length).toBe(1 + (heardFrom(kind).log.match(pauses) ?? []).length);
  return entries.length;
}

describeLab("on the wire as keepalived", () => {
  const labs: Lab[] = [];

  beforeAll(async () => {
    const kinds: readonly DaemonKind[] = ["keepalived", DAEMON];
    labs.push(...(await Promise.all(kinds.map(() => createLab()))));
    await Promise.all(
      kinds.map(async (kind, index) => {
        const lab = labs[index];
        if (lab !== undefined) runs.set(kind, await hear(lab, kind));
      }),
    );
  });
  afterAll(async () => {
    await Promise.all(labs.map((lab) => lab.destroy()));
  });

  CASES.forEach((wire, index) => {
    describe(wire.title, () => {
      test("adverts and the resignation at the stop are the same, byte for byte", () => {
        const theirs = advertsOf("keepalived", index + 1);
        expect(theirs.length).toBeGreaterThanOrEqual(wire.priority === 255 ? 1 : 2);
        const ours = advertsOf(DAEMON, index + 1);
        if (wire.title !== CHECKSUM_AS_V2) expect(ours).toEqual(theirs);
        else expect(ours.map(withoutChecksum)).toEqual(theirs.map(withoutChecksum));
      });

      test("gratuitous ARP frames are the same, and as many", () => {
        for (const address of allAddresses(wire)) {
          const theirs = gratuitous("keepalived", address);
          const ours = gratuitous(DAEMON, address);
          expect(theirs.length, address).toBeGreaterThanOrEqual(4);
          const each = theirs.length / claims("keepalived", index + 1);
          expect([...new Set(ours)], address).toEqual([...new Set(theirs)]);
          // A refresh every second may fall on either side of the stop.
          if (wire.title !== REFRESHING) expect(ours.length / claims(DAEMON, index + 1), address).toBe(each);
        }
      });

      test("the first advert goes before the first gratuitous ARP", () => {
        const { adverts, arps } = heardFrom(DAEMON);
        const advert = adverts.find((one) => one.virtualRouterId === index + 1)?.at ?? Number.POSITIVE_INFINITY;
        const arp = arps.find((one) => one.senderAddress === allAddresses(wire)[0])?.at ?? 0;
        expect(advert).toBeLessThan(arp);
      });
    });
  });

  test("v3_checksum_as_v2 leaves the pseudo-header out of the sum", () => {
    const number = CASES.findIndex((wire) => wire.title === CHECKSUM_AS_V2) + 1;
    const adverts = heardFrom(DAEMON).adverts.filter((advert) => advert.virtualRouterId === number);
    expect(adverts.length).toBeGreaterThan(1);
    if (DAEMON === "holdfast")
      expect(adverts.map(({ payload }) => onesComplementSum(payload))).toEqual(adverts.map(() => 0xffff));
  });

  test("one advert of priority 0 for each virtual router and destination", () => {
    const resignations = (kind: DaemonKind) => {
      const all = heardFrom(kind).adverts.filter((advert) => advert.priority === 0);
      const sent = all.map((advert) => `${advert.virtualRouterId} to ${advert.destination}`);
      const times = (one: string) =>
        sent.filter((other) => other === one).length / claims(kind, Number.parseInt(one, 10));
      return [...new Set(sent)].sort().map((one) => `${one}: ${times(one)}`);
    };
    expect(resignations("keepalived").length).toBeGreaterThanOrEqual(CASES.length);
    expect(resignations(DAEMON)).toEqual(resignations("keepalived"));
  });

  test("the addresses as the kernel shows them are the same, lifetimes aside", () => {
    const theirs = heardFrom("keepalived").addresses;
    expect(theirs.length).toBeGreaterThan(CASES.length);
    expect(heardFrom(DAEMON).addresses).toEqual(theirs);
  });
});
