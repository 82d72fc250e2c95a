import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/core/config/load.ts";
import { memorySource } from "../../src/core/config/memory-source.ts";
import { createLvs, type Lvs } from "../../src/engine/lvs/lvs.ts";
import { freshTable } from "../../src/engine/testing/fresh-table.ts";
import { until } from "../../src/lab/processes.ts";
import { createArena } from "../../src/linux/arena.ts";
import { createIpvsPort } from "../../src/linux/ipvs-opening.ts";
import { createTimers } from "../../src/linux/timers.ts";
import { type Connection, countServers, type Method, openMany, SERVERS, SOURCES, Stage, set, VIP } from "./stage.ts";

const stage = new Stage();
const directors = { d1: director("d1"), d2: director("d2") };

function director(name: string): Lvs {
  return createLvs({
    ipvs: createIpvsPort(createArena(1024 * 1024), name),
    timers: createTimers(),
    publish: () => undefined,
  });
}

async function serve(lvs: Lvs, text: string): Promise<void> {
  const { config } = loadConfig(memorySource({ "/k.conf": text }), "/k.conf", { lint: false });
  lvs.configure(config);
  lvs.want(freshTable(config));
  await until(() => lvs.table.settled || undefined, "the table settles", 10_000);
  expect(lvs.table.state()).toMatchObject({ refused: [] });
}

/**
 * Weights 1 : 2 : 3; in hundreds, far from what makes lblc and lblcr leave a server for its load, but for sh, which gives a server as many of
 * its 256 places as it weighs.
 */
function config(scheduler: string, method: Method, ...lines: string[]): string {
  const port = method === "NAT" ? 8080 : 80;
  const unit = scheduler === "sh" ? 1 : 100;
  const servers = SERVERS.map((address, at) => `real_server ${address} ${port} {\nweight ${unit * (at + 1)}\n}`);
  const head = ["protocol TCP", `lvs_sched ${scheduler}`, `lvs_method ${method}`, ...lines];
  return `virtual_server ${VIP} 80 {\n${[...head, ...servers].join("\n")}\n}\n`;
}

const open: Connection[] = [];
async function spread(number = 24): Promise<readonly Connection[]> {
  const connections = await openMany(number);
  open.push(...connections);
  return connections;
}

beforeAll(() => stage.open(), 120_000);
afterAll(async () => {
  for (const lvs of Object.values(directors)) await lvs.stopped?.();
  stage.close();
});
afterEach(() => {
  for (const connection of open.splice(0)) connection.close();
});

/** What 24 held connections become with weights 1 : 2 : 3; "one": all go to one server. */
const EXPECTED: Readonly<Record<string, readonly number[] | "one" | "by source">> = {
  rr: [8, 8, 8],
  wrr: [4, 8, 12],
  lc: [8, 8, 8],
  wlc: [4, 8, 12],
  sed: [4, 8, 12],
  nq: [4, 8, 12],
  lblc: "one",
  lblcr: "one",
  dh: "one",
  sh: "by source",
};

function checkSpread(scheduler: string, connections: readonly Connection[]): void {
  const counts = countServers(connections);
  expect(counts.reduce((sum, one) => sum + one, 0)).toBe(connections.length);
  const expected = EXPECTED[scheduler];
  if (expected === "one") expect([...counts].sort()).toEqual([0, 0, connections.length].sort());
  else if (expected === "by source") {
    for (const source of SOURCES) {
      const servers = new Set(connections.filter((one) => one.source === source).map(({ server }) => server));
      expect(servers.size).toBe(1);
    }
    // Hashing spreads eight clients over more than one server.
    expect(counts.filter((one) => one > 0).length).toBeGreaterThan(1);
  } else
    for (const [at, one] of (expected ?? []).entries())
      expect(Math.abs(one - (counts[at] ?? 0))).toBeLessThanOrEqual(1);
}

describe.each(["NAT", "DR", "TUN"] as const)("VS/%s", (method) => {
  beforeAll(() => {
    stage.moveTo("d1");
    stage.prepare(method);
  });
  afterAll(() => stage.unprepare(method));

  it.each(Object.keys(EXPECTED))(
    "%s spreads connections as it should, and the kernel counts the same",
    async (scheduler) => {
      await serve(directors.d1, "");
      await serve(directors.d1, config(scheduler, method));
      const connections = await spread();
      checkSpread(scheduler, connections);
      const servers = directors.d1.status().services[0]?.servers ?? [];
      const counted = SERVERS.map((address) => servers.find(({ server }) => server.startsWith(`${address}:`))?.active);
      expect(counted).toEqual(countServers(connections));
    },
  );
});

describe("on the way", () => {
  beforeAll(() => {
    stage.moveTo("d1");
    stage.prepare("DR");
  });
  afterAll(() => stage.unprepare("DR"));

  it("persistence keeps each client on its server", async () => {
    await serve(directors.d1, "");
    await serve(directors.d1, config("rr", "DR", "persistence_timeout 60"));
    const connections = await spread();
    for (const source of SOURCES) {
      expect(new Set(connections.filter((one) => one.source === source).map(({ server }) => server)).size).toBe(1);
    }
    expect(countServers(connections).filter((one) => one > 0)).toHaveLength(3);
  });

  it("a reload that changes a weight and a restart that finds its table break no connection; draining keeps them, too", async () => {
    await serve(directors.d1, "");
    await serve(directors.d1, config("rr", "DR"));
    const connections = await spread(6);
    await serve(directors.d1, config("wrr", "DR").replace("weight 100", "weight 50"));
    const again = director("d1");
    await serve(again, config("wrr", "DR"));
    expect(again.drain({ service: null, server: `${SERVERS[0]}:80` })).toBe(1);
    for (const connection of connections) expect(await connection.answers("still here")).toBe(true);
    expect(countServers(await spread(8))[0]).toBe(0);
  });

  it("connections outlive their director: the other one has learned them", async () => {
    const sync = "global_defs {\nlvs_sync_daemon eth1 id 7\n}\n";
    for (const name of ["d1", "d2"]) set(name, "ipv4/vs/sync_threshold", "'1 2'");
    await serve(directors.d1, "");
    await serve(directors.d1, sync + config("rr", "DR"));
    await serve(directors.d2, sync + config("rr", "DR"));
    const connections = await spread(6);
    for (const connection of connections)
      for (const text of ["one", "two", "three"]) expect(await connection.answers(text)).toBe(true);
    // The sender gathers connections for up to 2 s.
    const learned = (): boolean =>
      (directors.d2.status().services[0]?.servers ?? []).reduce((sum, one) => sum + one.active + one.inactive, 0) >= 6;
    await until(() => learned() || undefined, "the other director knows the connections", 20_000);
    stage.moveTo("d2");
    for (const connection of connections) expect(await connection.answers("after")).toBe(true);
  });
});
