/** Our wording against lines recorded from keepalived 2.2.7 (conformance/log). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, describe as group, test } from "vitest";
import type { IpAddress } from "../lib/ip.ts";
import { parseIp } from "../lib/ip.ts";
import type { VrrpReport } from "../vrrp/reports.ts";
import { describe } from "./describe.ts";
import { asctime, formatJson, formatLine, isoTime } from "./log-line.ts";
import type { HoldfastEvent, HoldfastEventBody } from "./vocabulary.ts";

const FOLDER = join(import.meta.dirname, "../../../conformance/log");
const recorded = (name: string): string[] => readFileSync(join(FOLDER, name), "utf8").split("\n");
const withoutTime = (line: string): string => line.slice("Mon Nov 23 01:38:38 2026: ".length);
const of = (...names: readonly string[]) => new Set(names.flatMap((name) => recorded(name).map(withoutTime)));
const PLAIN = of("two-nodes.log", "sync-group.log");
const DETAIL = of("two-nodes-detail.log", "sync-group-detail.log");
const SYSLOG = new Set(recorded("starts-and-stops.syslog").map((line) => line.replace(/^<\d> (\w+)\[\d+\]: /, "$1: ")));

const ip = (text: string): IpAddress => {
  const address = parseIp(text);
  if (address === null) throw new Error(text);
  return address;
};
const PEER = ip("192.168.11.82");
const VIP = ip("192.168.11.100");
const event = (body: HoldfastEventBody): HoldfastEvent => ({ at: 5, time: 1_795_397_918_000, origin: "vrrp", body });
const linesOf = (body: HoldfastEventBody) => describe(event(body)).lines;
const report = (value: VrrpReport): HoldfastEventBody => ({ kind: "vrrp", instance: "VI_82", report: value });
const check = (over: Partial<Extract<HoldfastEventBody, { kind: "check" }>>): HoldfastEventBody => ({
  kind: "check",
  script: "vs_mysql_82",
  standing: "failed",
  changed: true,
  outcome: { kind: "exit", code: 1 },
  lastError: null,
  durationMillis: 3,
  ...over,
});
const drop = (over: Partial<Extract<HoldfastEventBody, { kind: "drop" }>>): HoldfastEventBody => ({
  kind: "drop",
  instance: "VI_82",
  reason: "auth-fail",
  source: PEER,
  detail: "",
  ...over,
});

/** What happened, and the lines that keepalived printed for it, with and without -D. */
const SAME: readonly (readonly [string, HoldfastEventBody, readonly string[]])[] = [
  [
    "the election begins",
    report({ kind: "state", from: "INIT", to: "BACKUP", cause: { code: "ready" }, priority: 100 }),
    ["(VI_82) Entering BACKUP STATE"],
  ],
  [
    "a silent master is replaced",
    report({
      kind: "state",
      from: "BACKUP",
      to: "MASTER",
      cause: { code: "master-down", lastMaster: null },
      priority: 100,
    }),
    ["(VI_82) Receive advertisement timeout", "(VI_82) Entering MASTER STATE"],
  ],
  [
    "a master that resigned is replaced",
    report({
      kind: "state",
      from: "BACKUP",
      to: "MASTER",
      cause: { code: "master-resigned", lastMaster: PEER },
      priority: 100,
    }),
    [
      "(VI_82) Backup received priority 0 advertisement",
      "(VI_82) Receive advertisement timeout",
      "(VI_82) Entering MASTER STATE",
    ],
  ],
  [
    "a higher master is heard",
    report({
      kind: "state",
      from: "MASTER",
      to: "BACKUP",
      cause: { code: "higher-priority-advert", from: PEER, priority: 150 },
      priority: 100,
    }),
    [
      "(VI_82) Master received advert from 192.168.11.82 with higher priority 150, ours 100",
      "(VI_82) Entering BACKUP STATE",
    ],
  ],
  [
    "an equal master with the higher address is heard",
    report({
      kind: "state",
      from: "MASTER",
      to: "BACKUP",
      cause: { code: "equal-priority-higher-address", from: PEER, priority: 100 },
      priority: 100,
    }),
    [
      "(VI_82) Master received advert from 192.168.11.82 with same priority 100 but higher IP address than ours",
      "(VI_82) Entering BACKUP STATE",
    ],
  ],
  [
    "a master falls into FAULT",
    report({
      kind: "state",
      from: "MASTER",
      to: "FAULT",
      cause: { code: "fault", faults: [{ kind: "script", key: "vs_mysql_82" }] },
      priority: 100,
      resigned: true,
    }),
    ["(VI_82) Entering FAULT STATE", "(VI_82) sent 0 priority"],
  ],
  [
    "a claim ends in FAULT",
    report({
      kind: "state",
      from: "BACKUP",
      to: "FAULT",
      cause: { code: "fault", faults: [{ kind: "script", key: "vs_mysql_82" }] },
      priority: 100,
      resigned: true,
    }),
    ["(VI_82) Entering FAULT STATE", "(VI_82) sent 0 priority"],
  ],
  [
    "FAULT is left",
    report({ kind: "state", from: "FAULT", to: "BACKUP", cause: { code: "recovered" }, priority: 100 }),
    ["(VI_82) Entering BACKUP STATE"],
  ],
  [
    "a master stops",
    report({ kind: "state", from: "MASTER", to: "STOP", cause: { code: "stop" }, priority: 100, resigned: true }),
    ["(VI_82) sent 0 priority"],
  ],
  [
    "a weight changes the priority",
    report({ kind: "priority", from: 100, to: 80 }),
    ["(VI_82) Changing effective priority from 100 to 80"],
  ],
  [
    "a master hears a lower one",
    report({ kind: "lower-priority-advert", source: PEER, priority: 50, ours: 100, state: "MASTER" }),
    ["(VI_82) Received advert from 192.168.11.82 with lower priority 50, ours 100, forcing new election"],
  ],
  [
    "addresses come",
    { kind: "addresses", instance: "VI_82", action: "added", addresses: [VIP] },
    ["(VI_82) setting VIPs."],
  ],
  [
    "addresses go",
    { kind: "addresses", instance: "VI_82", action: "removed", addresses: [VIP] },
    ["(VI_82) removing VIPs."],
  ],
  [
    "addresses come that adverts name, and others",
    { kind: "addresses", instance: "A", action: "added", addresses: [VIP, PEER], excluded: [PEER] },
    ["(A) setting VIPs.", "(A) setting E-VIPs."],
  ],
  [
    "addresses go that adverts name, and others",
    { kind: "addresses", instance: "A", action: "removed", addresses: [VIP, PEER], excluded: [PEER] },
    ["(A) removing VIPs.", "(A) removing E-VIPs."],
  ],
  [
    "an address is announced",
    { kind: "announcement", instance: "VI_82", interface: "eth0", addresses: [VIP], frames: 1 },
    [
      "(VI_82) Sending/queueing gratuitous ARPs on eth0 for 192.168.11.100",
      "Sending gratuitous ARP on eth0 for 192.168.11.100",
    ],
  ],
  ["the link goes", { kind: "link", interface: "eth0", state: "down" }, ["Netlink reports eth0 down"]],
  ["the link comes", { kind: "link", interface: "eth0", state: "up" }, ["Netlink reports eth0 up"]],
  ["a script fails", check({}), ["VRRP_Script(vs_mysql_82) failed (exited with status 1)"]],
  ["a script fails once, fall 2", check({ changed: false, standing: "ok" }), ["Script `vs_mysql_82` now returning 1"]],
  [
    "a script succeeds",
    check({ standing: "ok", outcome: { kind: "exit", code: 0 } }),
    ["VRRP_Script(vs_mysql_82) succeeded"],
  ],
  [
    "a script hangs",
    check({ outcome: { kind: "timeout", afterMillis: 2_000 } }),
    ["VRRP_Script(vs_mysql_82) timed_out"],
  ],
  [
    "a script crashes",
    check({ outcome: { kind: "signal", signal: "SIGSEGV" } }),
    ["VRRP_Script(vs_mysql_82) failed (due to signal 11)"],
  ],
  ["a wrong password", drop({}), ["(VI_82) received an invalid passwd!"]],
  [
    "a wrong TTL",
    drop({ reason: "ttl", numbers: { theirs: 64, ours: 255 } }),
    ["(VI_82) invalid TTL/HL. Received 64 and expect 255"],
  ],
  [
    "a wrong interval",
    drop({
      reason: "interval",
      numbers: { theirs: 5, ours: 1 },
    }),
    ["(VI_82) advertisement interval mismatch mine=1 sec rcv'd=5 sec"],
  ],
  ["a reload begins", { kind: "reload-begun" }, ["Reloading ..."]],
  ["a reload ends", { kind: "reload", outcome: "applied", detail: "" }, ["Reload complete"]],
  ["VRRP waits", { kind: "startup-delay", delayMillis: 2_500, over: false }, ["Delaying startup for 2.5 seconds"]],
  [
    "a group has fallen into FAULT",
    {
      kind: "sync-group",
      group: "G1",
      from: "MASTER",
      to: "FAULT",
      cause: { code: "fault", faults: [] },
      instance: "A",
    },
    ["VRRP_Group(G1) Syncing instances to FAULT state"],
  ],
  [
    "a group begins when its checks have reported",
    { kind: "sync-group", group: "G1", from: "INIT", to: "BACKUP", cause: { code: "ready" }, instance: "A" },
    ["VRRP_Group(G1) Syncing instances to BACKUP state"],
  ],
  ["the stop begins", { kind: "stopping", signal: "SIGTERM" }, ["Stopping"]],
];

group("lines are keepalived's", () => {
  test.each(SAME)("when %s", (_what, body, expected) => {
    expect(linesOf(body).map((line) => line.text)).toEqual(expected);
  });

  test.each(SAME)("and were recorded, at the level at which they are shown, when %s", (_what, body) => {
    for (const line of linesOf(body)) {
      expect(DETAIL, line.text).toContain(line.text);
      expect(PLAIN.has(line.text), `without -D: ${line.text}`).toBe(line.level !== "detail");
    }
  });

  test("under keepalived's idents", () => {
    expect(SYSLOG).toContain("Keepalived: Stopping");
    expect(SYSLOG).toContain("Keepalived_vrrp: (VI_82) Entering MASTER STATE");
    expect(SYSLOG).toContain("Keepalived_vrrp: (VI_82) entering FAULT state");
    expect(linesOf({ kind: "stopping", signal: "SIGTERM" })[0]?.ident).toBe("Keepalived");
    expect(linesOf(check({}))[0]?.ident).toBe("Keepalived_vrrp");
  });

  test("when an instance starts on an interface that is down", () => {
    const cause = { code: "fault", faults: [{ kind: "interface", interface: "eth0", problem: "down" }] } as const;
    const lines = linesOf(report({ kind: "state", from: "INIT", to: "FAULT", cause, priority: 100 }));
    for (const line of lines) expect(SYSLOG).toContain(`Keepalived_vrrp: ${line.text}`);
    expect(lines).toHaveLength(2);
  });

  test("when a BACKUP that will preempt hears a lower master", () => {
    const body = report({ kind: "lower-priority-advert", source: PEER, priority: 50, ours: 100, state: "BACKUP" });
    expect(SYSLOG).toContain(`Keepalived_vrrp: ${linesOf(body)[0]?.text}`);
  });

  test("when the keeper dies", () => {
    const lines = linesOf({ kind: "keeper-lost", pid: 129, how: "signal SIGKILL" }).map((line) => line.text);
    expect(SYSLOG).toContain(`Keepalived: ${lines[1]}`);
    expect(linesOf({ kind: "keeper-started", pid: 129, restart: 0 })[0]?.text).toBe(
      "Starting VRRP child process, pid=129",
    );
    expect(SYSLOG).toContain("Keepalived: Starting VRRP child process, pid=129");
  });

  test("and start and stop begin like keepalived's, with our own name behind", () => {
    const started = linesOf({ kind: "daemon-started", version: "0.1.0", file: "k.conf", pid: 1, instances: [] });
    expect(started[0]?.text).toBe("Starting Keepalived v2.2.7 (Holdfast 0.1.0)");
    const stopped = linesOf({ kind: "stopped" }).map((line) => line.text);
    expect(stopped).toEqual(["Stopped", "Stopped Keepalived v2.2.7 (Holdfast)"]);
    expect([...PLAIN].some((line) => line.startsWith("Stopped Keepalived v2.2.7 ("))).toBe(true);
  });
});

test("a group, and an instance, that begin without a check to wait for", () => {
  const cause = { code: "start" } as const;
  const begin = { from: "INIT", to: "BACKUP", cause } as const;
  expect(linesOf({ kind: "sync-group", group: "G1", ...begin, instance: "A" })).toEqual([]);
  const [line] = linesOf(report({ kind: "state", ...begin, priority: 100 }));
  expect(line?.text).toBe("(VI_82) Entering BACKUP STATE (init)");
  expect(SYSLOG).toContain(`Keepalived_vrrp: ${line?.text}`);
});

test("an announcement of several addresses has keepalived's order: each with its first frame, then the rounds", () => {
  const evips = [ip("10.0.0.100"), ip("10.0.0.101"), ip("fd00::101")];
  const lines = linesOf({ kind: "announcement", instance: "A", interface: "eth0", addresses: evips, frames: 6 });
  const recording = recorded("sync-group-detail.log").map(withoutTime);
  const first = recording.indexOf("(A) Sending/queueing gratuitous ARPs on eth0 for 10.0.0.100");
  expect(lines.map(({ text }) => text)).toEqual(recording.slice(first, first + lines.length));
  expect(lines).toHaveLength(9);
});

test("the reason that a check script gave is in the log", () => {
  const texts = linesOf(check({ lastError: "libmysqlclient.so.21: cannot open shared object file" })).map(
    (l) => l.text,
  );
  expect(texts.at(-1)).toContain("libmysqlclient.so.21: cannot open shared object file");
});

test("an address in use elsewhere is a warning that names MAC, interface and remedy, in log and history alike", () => {
  const mac = "02:42:ac:11:00:02";
  const body = { kind: "address-conflict", instance: "VI_82", interface: "eth0", address: VIP, mac } as const;
  const { lines, sentence } = describe(event(body));
  expect(lines).toHaveLength(1);
  expect(lines[0]?.level).toBe("warning");
  expect(lines[0]?.text).toMatch(
    /^\(VI_82\) 192\.168\.11\.100 is in use elsewhere: ARP from 02:42:ac:11:00:02 on eth0; /,
  );
  for (const text of [lines[0]?.text, sentence]) {
    expect(text).toContain("find 02:42:ac:11:00:02 (`ip neigh`, the switch's table)");
    expect(text).toContain("look at the firewall");
  }
});

test("a line on standard error begins as keepalived -l begins it", () => {
  const first = recorded("two-nodes.log")[1] ?? "";
  const line = { ident: "Keepalived", level: "info", text: withoutTime(first) } as const;
  expect(formatLine(line, Date.UTC(2026, 10, 23, 1, 38, 38), 0)).toBe(first);
});

test("a day below ten is padded with a blank, and the local zone counts", () => {
  expect(asctime(Date.UTC(2026, 2, 4, 23, 5, 9), 120)).toBe("Thu Mar  5 01:05:09 2026");
});

test("times agree with the calendar at any instant", () => {
  const clock = { min: Date.UTC(1970, 0, 1), max: Date.UTC(2400, 0, 1) };
  fc.assert(
    fc.property(fc.integer(clock), (time) => {
      const date = new Date(time);
      expect(isoTime(time)).toBe(date.toISOString());
      expect(asctime(time, 0).slice(0, 3)).toBe(date.toUTCString().slice(0, 3));
    }),
  );
});

test("as JSON an event is one line with words and values", () => {
  const happened = event(check({ lastError: "two\nlines" }));
  const text = formatJson(happened, describe(happened));
  expect(text).not.toContain("\n");
  expect(JSON.parse(text)).toMatchObject({ ident: "Keepalived_vrrp", level: "info", event: happened.body, at: 5 });
});

test("what another host says neither begins a line of its own in the log nor steers a terminal", () => {
  const forged = "db2\nNov 23 01:38:38 db1 Keepalived_vrrp[7]: (VI_82) Entering MASTER STATE\u001b[2J\u009b1m";
  const body = {
    kind: "peer-link",
    peer: "192.0.2.2:8112",
    action: "lost",
    host: forged,
    version: "1",
    detail: forged,
  };
  const { lines, sentence } = describe(event(body as HoldfastEventBody));
  const shown = [...lines.map(({ text }) => text), sentence];
  expect(shown.join("")).toContain("Entering MASTER STATE");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  for (const text of shown) expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
});
