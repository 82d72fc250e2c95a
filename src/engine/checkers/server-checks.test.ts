import { expect, test } from "vitest";
import { loadConfig } from "../../core/config/load.ts";
import { memorySource } from "../../core/config/memory-source.ts";
import { describeLvs } from "../../core/events/describe-lvs.ts";
import type { IpAddress } from "../../core/lib/ip.ts";
import { seconds } from "../../core/lib/units.ts";
import { type Finding, OK } from "../../core/lvs/findings.ts";
import type { WantedTable } from "../../core/lvs/table.ts";
import type { ProbePort } from "../../ports/probes.ts";
import { createFakeSpawner } from "../testing/fake-spawner.ts";
import { NO_PROBES } from "../testing/no-probes.ts";
import { createVirtualTimers } from "../testing/virtual-timers.ts";
import { createServerChecks } from "./server-checks.ts";

const REFUSED: Finding = { kind: "connect", problem: "refused", detail: "" };
const never = (): never => {
  throw new Error("no database here");
};

function rig() {
  const timers = createVirtualTimers();
  const spawner = createFakeSpawner();
  const log: string[] = [];
  const told: string[] = [];
  let table: WantedTable = [];
  const tables: WantedTable[] = [];
  const down = new Set<string>();
  const addresses = new Set<string>();
  const probes: string[] = [];
  const port: ProbePort = {
    ...NO_PROBES,
    connect({ address }, done) {
      probes.push(address);
      const timer = timers.schedule(seconds(0.001), () => done(down.has(address) ? REFUSED : OK));
      return { cancel: () => timer.cancel() };
    },
    hasAddress: (address) => addresses.has(address),
    addresses: () => [...addresses] as IpAddress[],
  };
  const checks = createServerChecks({
    tools: {
      port,
      commands: { timers, spawner },
      sql: { open: never },
      redis: { open: never, login: never },
      random: () => 0.5,
    },
    publish: (body) => log.push(...describeLvs(body).map(({ text }) => text)),
    tell: ({ line, alert }) => told.push(line?.trimEnd() ?? `mail: ${alert?.subject}`),
    want(wanted) {
      table = wanted;
      tables.push(wanted);
    },
  });
  const configure = (text: string): void => {
    checks.configure(loadConfig(memorySource({ "/k.conf": text }), "/k.conf").config);
  };
  const weights = (): readonly string[] =>
    table.flatMap(({ destinations }) => destinations.map(({ address, weight }) => `${address}/${weight}`));
  return { timers, spawner, log, told, tables, down, addresses, probes, checks, configure, weights };
}

const SERVER = (octet: number, lines = ""): string =>
  `real_server 192.0.2.${octet} 80 {\n${lines}\nTCP_CHECK {\n}\n}\n`;
const SERVICE = (lines: string, head = "192.0.2.1 80"): string =>
  `virtual_server ${head} {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\ndelay_loop 10\nwarmup 4\n${lines}}\n`;

test("a server that dies leaves the table after its retry, and comes back with its first success", async () => {
  const { configure, timers, down, weights, log, told } = rig();
  configure(SERVICE(SERVER(10) + SERVER(11)));
  expect(weights()).toEqual(["192.0.2.10/1", "192.0.2.11/1"]);
  await timers.advance(seconds(3));
  down.add("192.0.2.10");
  await timers.advance(seconds(11));
  expect(weights()).toEqual(["192.0.2.11/1"]);
  expect(log.slice(-2)).toEqual([
    "TCP_CHECK on service [192.0.2.10]:tcp:80 failed after 1 retries.",
    "Removing service [192.0.2.10]:tcp:80 from VS [192.0.2.1]:tcp:80",
  ]);
  down.clear();
  await timers.advance(seconds(11));
  expect(weights()).toEqual(["192.0.2.10/1", "192.0.2.11/1"]);
  expect(told.filter((line) => line.startsWith("RS"))).toEqual([
    "RS [192.0.2.10]:tcp:80 [192.0.2.1]:tcp:80 DOWN",
    "RS [192.0.2.10]:tcp:80 [192.0.2.1]:tcp:80 UP",
  ]);
});

test("services that have not changed are the same objects in the next table", async () => {
  const { configure, timers, down, tables } = rig();
  configure(SERVICE(SERVER(10)) + SERVICE(SERVER(11), "192.0.2.2 80"));
  down.add("192.0.2.10");
  await timers.advance(seconds(12));
  const [first, second] = [tables.at(0), tables.at(-1)];
  expect(second).not.toBe(first);
  expect(second?.[0]).not.toBe(first?.[0]);
  expect(second?.[1]).toBe(first?.[1]);
});

test("a reload keeps what is known, and a server that is down stays out", async () => {
  const { configure, timers, down, weights, probes } = rig();
  down.add("192.0.2.10");
  configure(SERVICE(SERVER(10) + SERVER(11)));
  await timers.advance(seconds(5));
  expect(weights()).toEqual(["192.0.2.11/1"]);
  const before = probes.length;
  configure(SERVICE(SERVER(10) + SERVER(11, "weight 5")));
  expect(weights()).toEqual(["192.0.2.11/5"]);
  expect(probes.length).toBe(before);
  configure("");
  expect(weights()).toEqual([]);
});

test("scripts run one after the other in the order of what happened", async () => {
  const { configure, timers, down, spawner } = rig();
  configure(SERVICE(`quorum_down "/bin/q down"\n${SERVER(10, 'notify_down "/bin/rs down"')}`));
  down.add("192.0.2.10");
  await timers.advance(seconds(3));
  expect(spawner.started.map(({ argv }) => argv[0])).toEqual(["/bin/rs"]);
  spawner.started[0]?.end(0);
  await timers.advance(seconds(0.1));
  expect(spawner.started.map(({ argv }) => argv[0])).toEqual(["/bin/rs", "/bin/q"]);
});

test("ha_suspend checks only while the address is here", async () => {
  const { configure, timers, addresses, probes, log } = rig();
  configure(SERVICE(`ha_suspend\n${SERVER(10)}`));
  expect(log).toContain("Deactivating healthchecker for service [192.0.2.10]:tcp:80 for VS [192.0.2.1]:tcp:80");
  await timers.advance(seconds(30));
  expect(probes).toEqual([]);
  addresses.add("192.0.2.1");
  await timers.advance(seconds(12));
  expect(probes.length).toBeGreaterThan(0);
  addresses.clear();
  await timers.advance(seconds(2));
  const before = probes.length;
  await timers.advance(seconds(30));
  expect(probes.length).toBe(before);
});

test("slow_start raises the weight second by second", async () => {
  const { configure, timers, down, tables } = rig();
  configure(SERVICE(`slow_start 4\nweight 100\n${SERVER(10)}${SERVER(11)}`));
  down.add("192.0.2.10");
  await timers.advance(seconds(3));
  down.clear();
  const before = tables.length;
  await timers.advance(seconds(30));
  const risen = tables
    .slice(before)
    .flatMap(([service]) =>
      (service?.destinations ?? []).flatMap(({ address, weight }) => (address === "192.0.2.10" ? [weight] : [])),
    );
  expect(risen).toEqual([1, 25, 50, 75, 100]);
});

test("a stop ends the checks first, and tells with omega", async () => {
  const { configure, timers, checks, probes, log, told } = rig();
  configure(SERVICE(`omega\n${SERVER(10)}`));
  await timers.advance(seconds(3));
  void checks.stop();
  const before = probes.length;
  await timers.advance(seconds(60));
  expect(probes.length).toBe(before);
  await checks.stopped?.();
  expect(log.at(-1)).toBe("Shutting down service [192.0.2.10]:tcp:80 from VS [192.0.2.1]:tcp:80");
  expect(told.slice(-3)).toEqual([
    "RS [192.0.2.10]:tcp:80 [192.0.2.1]:tcp:80 DOWN",
    "mail: Realserver [192.0.2.10]:tcp:80 of virtual server [192.0.2.1]:tcp:80 - DOWN",
    "VS [192.0.2.1]:tcp:80 DOWN",
  ]);
});

test("the status of a pool tells of each checker since when it stands so and what its last run found, also before it counts", async () => {
  const { configure, timers, down, checks } = rig();
  configure(SERVICE(SERVER(10) + SERVER(11)));
  const look = () => checks.pools[0]?.status().servers[0];
  expect(look()).toMatchObject({ alive: true, checkers: [{ checker: "tcp", since: null, finding: null }] });
  await timers.advance(seconds(3));
  const since = look()?.checkers[0]?.since;
  expect(look()?.checkers[0]).toMatchObject({ up: true, finding: OK, retries: 0, retry: 1, intervalSeconds: 10 });
  down.add("192.0.2.10");
  await timers.advance(seconds(10));
  expect(look()).toMatchObject({ alive: true, checkers: [{ up: true, since, finding: REFUSED, retries: 1 }] });
  await timers.advance(seconds(1.5));
  const fallen = look();
  expect(fallen).toMatchObject({ alive: false, checkers: [{ up: false, finding: REFUSED, retries: 0 }] });
  expect(fallen?.since).toBe(fallen?.checkers[0]?.since);
  expect(fallen?.since).toBeGreaterThan(since ?? 0);
  expect(checks.pools[0]?.status()).toMatchObject({ quorumUp: true, liveWeight: 1, sorryAlive: false });
});
