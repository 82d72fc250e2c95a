/**
 * Routes, rules, static objects and links that come and go, on the real kernel. keepalived 2.2.7 is the measure: with the same file the
 * kernel must hold the same objects, as MASTER and after the release. Each host is off the switch: it hears nobody and answers for itself.
 */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Daemon, type DaemonKind, startDaemon } from "../src/lab/daemon.ts";
import { createLab, type Lab, type LabHost } from "../src/lab/lab.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { GLOBALS } from "../src/lab/vrrp-cluster.ts";
import { Capture } from "./capture.ts";
import { describeHoldfast } from "./support.ts";

const TOPOLOGY = {
  prefixLength: 24,
  gateway: null,
  hosts: [
    { name: "ours", address: "192.168.11.81" },
    { name: "theirs", address: "192.168.11.82" },
  ],
};

/** What each configuration puts into its instance; N is its number, so that none meets another's objects. */
const CONFIGURATIONS: Readonly<Record<string, string>> = {
  "a route by gateway": "virtual_routes {\n 10.N.0.0/16 via 192.168.11.9 dev eth0\n}",
  "metrics with lock":
    "virtual_routes {\n 10.N.0.0/16 dev eth0 metric 5 mtu lock 1400 advmss 1300 hoplimit 9 window 1000 cwnd lock 5 initcwnd 6 initrwnd 7 reordering 8 ssthresh lock 9\n}",
  times:
    "virtual_routes {\n 10.N.0.0/16 dev eth0 rtt 300ms rttvar 1s rto_min 0.25s\n 10.N.1.0/24 dev eth0 rtt 4000 rto_min 20\n}",
  "source and scope": "virtual_routes {\n 10.N.0.0/16 dev eth0 scope link src 10.200.N.1\n}",
  "table by name and number":
    "virtual_routes {\n default via 192.168.11.9 dev eth0 table 1N\n 10.N.0.0/16 dev eth0 table 10N\n 10.N.1.0/24 dev eth0 table local scope link\n}",
  "next hops":
    "virtual_routes {\n 10.N.0.0/16 no_track nexthop via 192.168.11.7 weight 2 nexthop via 192.168.11.8 dev eth0 onlink\n 10.N.1.0/24 via 192.168.11.7 or 192.168.11.8\n}",
  "kinds without gateway":
    "virtual_routes {\n blackhole 10.N.0.0/24 no_track\n unreachable 10.N.1.0/24 no_track\n prohibit 10.N.2.0/24 no_track\n throw 10.N.3.0/24 table 1N no_track\n}",
  "tos, realms, quickack":
    "virtual_routes {\n 10.N.0.0/16 dev eth0 tos 0x10 realms 5/6\n 10.N.0.0/16 dev eth0 features ecn quickack 1 congctl lock cubic fastopen_no_cookie 1\n}",
  "protocol and placement":
    "virtual_routes {\n 10.N.0.0/16 dev eth0 protocol static no_track\n 10.N.0.0/16 via 192.168.11.7 dev eth0 append\n 10.N.1.0/24 dev eth0 add\n}",
  "IPv6 routes":
    "virtual_routes {\n 2001:db8:N::/48 via 2001:db8:9::9 dev eth0 metric 5 mtu 1400\n 2001:db8:1N::/48 dev eth0 pref high no_track\n}",
  "rules by source":
    "virtual_rules {\n from 10.N.0.0/16 table 1N priority 2N\n not to 10.N.1.0/24 lookup main preference 3N\n}",
  "rule selectors":
    "virtual_rules {\n from all fwmark 0x10/0xff tos 0x10 iif eth0 oif lo table 1N priority 2N\n from all ipproto udp sport 10-20 dport 30-40 uidrange 5-6 tunnel-id 7 table 10N priority 3N\n}",
  "rule actions":
    "virtual_rules {\n from 10.N.0.0/16 goto 20N priority 2N\n from 10.N.1.0/24 blackhole priority 3N\n from 10.N.2.0/24 prohibit priority 4N\n from 10.N.3.0/24 nop priority 5N\n}",
  "rule suppressors":
    "virtual_rules {\n from all table main priority 2N suppress_prefixlength 0 suppress_ifgroup 5\n from all table 1N priority 3N realms 5/6\n iif eth0 table 1N priority 4N inet6\n}",
  "rules without tracking": "virtual_rules {\n from 10.N.0.0/16 table 1N priority 2N no_track\n}",
  "address options":
    "virtual_ipaddress_excluded {\n 10.N.0.1/24 brd + label eth0:N\n 10.N.1.1/24 noprefixroute scope link\n 10.N.2.1/24 brd -\n 10.N.3.1/32 home\n 2001:db8:N::1/64\n 2001:db8:N::2/128\n 2001:db8:N::3/64 preferred_lft 0\n}",
};

const NUMBERED = Object.entries(CONFIGURATIONS).map(([title, block], position) => {
  const number = position + 20;
  return { title, number, block: block.replaceAll("N", String(number)) };
});

const instanceOf = (number: number, block: string, extra: string): string => `
vrrp_instance V${number} {
    interface eth0
    virtual_router_id ${number}
    priority 255
    advert_int 1
    garp_master_delay 0
    ${extra}
    virtual_ipaddress {
        10.200.${number}.1/32
    }
    ${block.replaceAll("\n", "\n    ")}
}
`;

const STATICS = `
static_ipaddress {
    10.210.0.1/24 dev eth0
}
static_routes {
    10.211.0.0/16 via 192.168.11.9 dev eth0
    blackhole 10.212.0.0/16 no_track
}
static_rules {
    from 10.211.0.0/16 table 61 preference 6100
}
`;

let lab: Lab;
let daemons: Daemon[] = [];
let started = 0;

async function stopAll(): Promise<void> {
  const stopping = daemons;
  daemons = [];
  await Promise.all(stopping.map((daemon) => daemon.stop()));
}

function run(host: LabHost, kind: DaemonKind, config: string): Daemon {
  started += 1;
  const daemon = startDaemon(host, { kind, config: GLOBALS + config, name: `d${started}` });
  daemons.push(daemon);
  return daemon;
}

const ip = (host: LabHost, ...words: readonly string[]): Promise<string> => host.execOrThrow(["ip", ...words]);

/** Everything the kernel has, one line each, without what differs between hosts or from second to second. */
async function snapshot(host: LabHost): Promise<readonly string[]> {
  const texts = await Promise.all([
    ip(host, "-d", "route", "show", "table", "all"),
    ip(host, "-d", "-6", "route", "show", "table", "all"),
    ip(host, "-d", "rule", "show"),
    ip(host, "-d", "-6", "rule", "show"),
    ip(host, "-d", "addr", "show", "dev", "eth0"),
  ]);
  return texts
    .flatMap((text) => text.replaceAll("\n\t", " ").split("\n"))
    .map((line) =>
      line
        .replaceAll(host.address, "HOST")
        .replace(/expires \d+sec/, "expires")
        .trim(),
    )
    .filter((line) => line !== "" && !/fe80|ff00|link\/ether|^\d+: eth0|promiscuity|multicast/.test(line))
    .sort();
}

const hasRoute = async (host: LabHost, prefix: string, table = "main"): Promise<boolean> =>
  (await ip(host, "route", "show", "table", table)).split("\n").some((line) => line.startsWith(`${prefix} `));

const said = (daemon: Daemon): string => daemon.program.lines.map(({ text }) => text).join("\n");
const count = (daemon: Daemon, words: string): number => said(daemon).split(words).length - 1;

async function eventually(check: () => Promise<boolean> | boolean, what: string, daemon?: Daemon): Promise<void> {
  await until(async () => (await check()) || undefined, what, 20_000).catch((error) => {
    throw new Error(`${String(error)}\n${daemon === undefined ? "" : said(daemon)}`);
  });
}

describeHoldfast("objects of the kernel", () => {
  beforeAll(async () => {
    lab = await createLab(TOPOLOGY);
    for (const host of lab.hosts) {
      await lab.cutLink(host.name, "silent");
      const enable = "for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 0 > $f; done";
      await host.execOrThrow(["sh", "-c", enable]);
      await ip(host, "-6", "addr", "add", "2001:db8:9::1/64", "dev", "eth0", "nodad");
    }
  });
  afterEach(stopAll);
  afterAll(() => lab?.destroy());

  test(`${NUMBERED.length} configurations: the kernel holds what it holds under keepalived, as MASTER and after the release`, async () => {
    const ours = lab.host("ours");
    const theirs = lab.host("theirs");
    const bare = [await snapshot(ours), await snapshot(theirs)];
    expect(bare[0]).toEqual(bare[1]);
    // Leases show as lifetimes: they are Holdfast's own and compared elsewhere.
    const text = (extra: string) =>
      STATICS + NUMBERED.map(({ number, block }) => instanceOf(number, block, extra)).join("");
    const holdfast = run(ours, "holdfast", text("vip_lease off"));
    const keepalived = run(theirs, "keepalived", text(""));
    for (const [host, daemon] of [
      [ours, holdfast],
      [theirs, keepalived],
    ] as const) {
      const all = () => count(daemon, "Entering MASTER STATE") >= NUMBERED.length;
      await eventually(all, `${host.name} is MASTER of all`, daemon);
    }
    const settled = async () => {
      const [one, other] = [await snapshot(ours), await snapshot(theirs)];
      return JSON.stringify(one) === JSON.stringify(other);
    };
    await until(async () => (await settled()) || undefined, "both kernels hold the same", 5_000).catch(() => undefined);
    const held = await snapshot(ours);
    expect(held).toEqual(await snapshot(theirs));
    for (const { title, number } of NUMBERED) {
      const mark = new RegExp(`10\\.${number}\\.|db8:1?${number}:|\\b1?${number}\\b|[2-5]${number}:`);
      expect([title, held.some((line) => mark.test(line))]).toEqual([title, true]);
    }
    await stopAll();
    expect(await snapshot(ours)).toEqual(bare[0]);
    expect(await snapshot(theirs)).toEqual(bare[1]);
  });

  test("deleted by hand: a tracked route costs the mastership for a moment, no_track nothing, static objects come back", async () => {
    const host = lab.host("ours");
    const block =
      "virtual_routes {\n 10.50.0.0/16 dev eth0\n 10.51.0.0/16 dev eth0 no_track\n}\nvirtual_rules {\n from 10.50.0.0/16 table 5 preference 50\n}";
    const daemon = run(host, "holdfast", STATICS + instanceOf(50, block, ""));
    await eventually(() => hasRoute(host, "10.51.0.0/16"), "the routes are there", daemon);
    await eventually(() => count(daemon, "Entering MASTER STATE") === 1, "MASTER", daemon);

    await ip(host, "route", "del", "10.51.0.0/16");
    await ip(host, "route", "del", "10.211.0.0/16");
    await ip(host, "rule", "del", "preference", "6100");
    await ip(host, "addr", "del", "10.210.0.1/24", "dev", "eth0");
    await eventually(() => hasRoute(host, "10.211.0.0/16"), "the static route is back", daemon);
    await eventually(async () => (await ip(host, "rule")).includes("6100:"), "the static rule is back", daemon);
    await eventually(async () => (await ip(host, "addr")).includes("10.210.0.1/24"), "the address is back", daemon);
    expect(count(daemon, "Entering BACKUP STATE")).toBe(0);
    expect(await hasRoute(host, "10.51.0.0/16")).toBe(false);

    await ip(host, "route", "del", "10.50.0.0/16");
    await eventually(() => count(daemon, "Entering MASTER STATE") === 2, "MASTER again", daemon);
    await eventually(() => hasRoute(host, "10.50.0.0/16"), "the route is back", daemon);
    await ip(host, "rule", "del", "preference", "50");
    await eventually(() => count(daemon, "Entering MASTER STATE") === 3, "MASTER again", daemon);
    await eventually(async () => (await ip(host, "rule")).includes("50:"), "the rule is back", daemon);
    expect(said(daemon)).toContain("somebody removed the route 10.50.0.0/16 dev eth0");
  });

  test("killed without a word: the routes stay, and the next start takes off its own and nobody else's", async () => {
    const host = lab.host("ours");
    const block =
      "virtual_routes {\n 10.50.0.0/16 dev eth0\n}\nvirtual_rules {\n from 10.50.0.0/16 table 5 preference 50\n}";
    const first = run(host, "holdfast", instanceOf(50, block, ""));
    await eventually(() => hasRoute(host, "10.50.0.0/16"), "the route is there", first);
    await ip(host, "route", "add", "10.59.0.0/16", "dev", "eth0", "proto", "18");
    await first.killBoth();
    daemons = [];
    expect(await hasRoute(host, "10.50.0.0/16")).toBe(true);
    // A BACKUP that waits for a master that never was: long enough to look.
    const second = run(
      host,
      "holdfast",
      instanceOf(50, block, "").replace("priority 255", "priority 100\n    advert_int 9"),
    );
    await eventually(() => count(second, "found left over and removed") === 2, "swept", second);
    expect(await hasRoute(host, "10.50.0.0/16")).toBe(false);
    expect(await ip(host, "rule")).not.toContain("50:");
    expect(await hasRoute(host, "10.59.0.0/16")).toBe(true);
    await ip(host, "route", "del", "10.59.0.0/16");
  });

  test("the keeper dies: control takes routes and rules off with the addresses, and leaves static objects to the next keeper", async () => {
    const host = lab.host("ours");
    const block = "virtual_routes {\n 10.50.0.0/16 dev eth0\n}";
    const daemon = run(host, "holdfast", STATICS + instanceOf(50, block, ""));
    await eventually(() => hasRoute(host, "10.50.0.0/16"), "the route is there", daemon);
    const keeper = await daemon.keeperPid();
    process.kill(keeper, "SIGSTOP");
    await eventually(() => count(daemon, "control spoke for the dead keeper") === 1, "control speaks", daemon);
    expect(await hasRoute(host, "10.211.0.0/16")).toBe(true);
    await eventually(() => count(daemon, "Entering MASTER STATE") === 2, "MASTER again", daemon);
    expect(await hasRoute(host, "10.50.0.0/16")).toBe(true);
  });

  test("an interface comes late, is renamed, goes and comes back with another index", async () => {
    const host = lab.host("ours");
    const config = instanceOf(50, "virtual_routes {\n 10.50.0.0/16 dev eth7\n}", "").replace(
      "interface eth0",
      "interface eth7",
    );
    const daemon = run(host, "holdfast", `global_defs {\n dynamic_interfaces\n}\n${config}`);
    const states = (name: string) => said(daemon).split(new RegExp(`entering ${name} state`, "i")).length - 1;
    await eventually(() => states("FAULT") === 1, "FAULT without its interface", daemon);
    const appear = async (): Promise<void> => {
      await ip(host, "link", "add", "eth7", "type", "veth", "peer", "name", "far7");
      await ip(host, "addr", "add", "10.77.0.1/24", "dev", "eth7");
      await ip(host, "link", "set", "far7", "up");
      await ip(host, "link", "set", "eth7", "up");
    };
    await appear();
    await eventually(() => states("MASTER") === 1, "MASTER when it has come", daemon);
    await eventually(() => hasRoute(host, "10.50.0.0/16"), "the route is there", daemon);
    await ip(host, "link", "set", "eth7", "down");
    await ip(host, "link", "set", "eth7", "name", "eth8");
    await ip(host, "link", "set", "eth8", "up");
    await eventually(() => states("FAULT") === 2, "FAULT under another name", daemon);
    await ip(host, "link", "set", "eth8", "down");
    await ip(host, "link", "set", "eth8", "name", "eth7");
    await ip(host, "link", "set", "eth7", "up");
    await eventually(() => states("MASTER") === 2, "MASTER under its name", daemon);
    await ip(host, "link", "del", "eth7");
    await eventually(() => states("FAULT") === 3, "FAULT when it has gone", daemon);
    await appear();
    await eventually(() => states("MASTER") === 3, "MASTER on the new one", daemon);
    await eventually(() => hasRoute(host, "10.50.0.0/16"), "the route is there again", daemon);
    await ip(host, "link", "del", "eth7");
  });

  test("thirty thousand changes of a tracked link delay no advert: none is missing, and the peer hears no silence", async () => {
    const host = lab.host("ours");
    const peer = lab.host("theirs");
    await ip(host, "link", "add", "eth6", "type", "veth", "peer", "name", "far6");
    for (const name of ["far6", "eth6"]) await ip(host, "link", "set", name, "up");
    for (const name of ["ours", "theirs"]) await lab.restoreLink(name);
    const config = instanceOf(50, "track_interface {\n eth6 weight 10\n}", "").replace("priority 255", "priority 100");
    const standby = run(
      peer,
      "keepalived",
      config.replace("priority 100", "priority 50").replace("track_interface {\n     eth6 weight 10\n    }", ""),
    );
    // A buffer of two notices: most of the storm is lost, and what counts must be read again.
    const small = "global_defs {\n vrrp_netlink_monitor_rcv_bufs 2304\n}\n";
    const daemon = run(host, "holdfast", small + config);
    await eventually(() => count(daemon, "Entering MASTER STATE") === 1, "MASTER", daemon);
    await eventually(() => count(standby, "Entering BACKUP STATE") >= 1, "the peer is BACKUP", standby);
    const capture = await Capture.start(peer);
    // It may have served until ours was up.
    const before = count(standby, "Entering MASTER STATE");
    const change = Array.from({ length: 5_000 }, (_, at) => `link set eth6 mtu ${1400 + (at % 2)}`).join("\n");
    for (let round = 0; round < 6; round++) {
      const last = round === 5 ? "\nlink set eth6 down" : "";
      await host.execOrThrow(["ip", "-batch", "-"], { input: change + last, timeoutMs: 60_000 });
    }
    await eventually(() => said(daemon).includes("Netlink reports eth6 down"), "the end of the storm is known", daemon);
    // Two adverts at least, however short the storm was.
    await sleep(2_200);
    await capture.stop();
    expect(count(standby, "Entering MASTER STATE")).toBe(before);
    expect(count(daemon, "Entering MASTER STATE")).toBe(1);
    const times = capture.adverts().flatMap(({ at, priority }) => (priority >= 100 ? [at] : []));
    const gaps = times.slice(1).map((at, position) => at - (times[position] as number));
    expect(times.length).toBeGreaterThan(1);
    // One second apart; two would mean that one is missing.
    expect(Math.max(...gaps)).toBeLessThan(2);
    for (const name of ["ours", "theirs"]) await lab.cutLink(name, "silent");
    await ip(host, "link", "del", "eth6");
  });
});
