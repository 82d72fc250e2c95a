/** A tracked database server as status, explain and the terminal tell it. */
import { expect, test } from "vitest";
import { renderStatus } from "../cli/render-status.ts";
import { plain } from "../cli/terminal.ts";
import type { Trouble } from "../core/database/trouble.ts";
import { describe } from "../core/events/describe.ts";
import { instant } from "../core/lib/units.ts";
import type { VrrpInstanceStatus } from "../core/vrrp/status.ts";
import type { MysqlStatus } from "../engine/mysql-engine.ts";
import { configOf } from "../engine/testing/configs.ts";
import { StatusReply } from "./contract/schemas.ts";
import { concerns } from "./events-filter.ts";
import { explainInstance } from "./explain.ts";
import { clockText } from "./server.ts";
import { fakeClock, NOON, sampleConfig, sampleModel, sampleStatus } from "./testing/samples.ts";

const GONE: Trouble = { kind: "dead", detail: "connect ECONNREFUSED 127.0.0.1:3306" };
const LAGS: Trouble = { kind: "lagging", channel: "", seconds: 90, limit: 30 };

function told(server: Partial<MysqlStatus>, instance: Partial<VrrpInstanceStatus>, weight = 0, credentials = "") {
  const clock = fakeClock();
  const model = sampleModel(clock);
  const config = sampleConfig();
  const [first] = config.instances;
  if (first === undefined) throw new Error("no instance");
  const vrrp = { ...first.vrrp, trackScripts: [], trackMysql: [{ key: "orders", weight, reverse: false }] };
  const { mysql } = configOf(`mysql orders {\n${credentials === "" ? "" : `credentials ${credentials}`}\n}\n`);
  model.setConfig({ ...config, mysql, instances: [{ ...first, vrrp }] }, []);
  model.setSnapshot([sampleStatus(clock, instance)]);
  model.setMysql([
    {
      name: "orders",
      server: "127.0.0.1:3306",
      version: null,
      standing: "failed",
      trouble: GONE,
      findings: [],
      replicas: [],
      since: instant(clock.now()),
      lookedAt: instant(clock.now()),
      intervalMillis: 1_000,
      ...server,
    },
  ]);
  clock.advance(4_000);
  const status = model.status();
  const [view] = status.instances;
  if (view === undefined) throw new Error("no view");
  const input = { view, status, config: model.config, events: [], clockText: (time: number) => clockText(time, NOON) };
  return { status, explanation: explainInstance(input) };
}

test("a dead server: since when, which, and what has to happen", () => {
  const { explanation, status } = told(
    {},
    { state: "FAULT", phase: "FAULT", faults: [{ kind: "mysql", key: "orders", trouble: GONE }] },
  );
  expect(explanation.because.slice(0, 3)).toEqual([
    {
      depth: 1,
      text: "mysql orders fails since 12:00:00 (4 s): the server is gone: its connection broke and nobody listens (connect ECONNREFUSED 127.0.0.1:3306)",
    },
    { depth: 2, text: "it is looked at every 1 s, last 4 s ago" },
    { depth: 2, text: "the server is 127.0.0.1:3306" },
  ]);
  expect(explanation.outlook[0]).toBe("To leave FAULT: mysql orders: the server has to be started.");
  expect(status.mysql[0]).toMatchObject({ trackedBy: [{ instance: "VI_82", weight: 0 }], cause: { kind: "dead" } });
  expect(StatusReply.safeParse(status).success).toBe(true);
  const screen = { width: 100, paint: plain };
  expect(renderStatus(status, screen)).toContain(
    "\nmysql orders (127.0.0.1:3306): FAILED for 4 s\n  the server is gone",
  );
});

test("a refused login names the file that it is read from", () => {
  const denied: Trouble = { kind: "denied", detail: "error 1045: Access denied for user 'holdfast'@'localhost'" };
  const fault = { kind: "mysql", key: "orders", trouble: denied } as const;
  const file = "/etc/holdfast/orders.cnf";
  const { explanation } = told({ trouble: denied }, { state: "FAULT", phase: "FAULT", faults: [fault] }, 0, file);
  expect(explanation.because).toContainEqual({
    depth: 2,
    text: `it logs in with ${file}, which is read anew at every connection`,
  });
  const gone = told({}, { state: "FAULT", phase: "FAULT", faults: [{ ...fault, trouble: GONE }] }, 0, file);
  expect(JSON.stringify(gone.explanation)).not.toContain(file);
});

test("with a weight it is named with what it did to the priority, but not where it does not count", () => {
  const unfit = { standing: "unfit", trouble: LAGS } as const;
  const { explanation } = told(unfit, { priority: 70 }, -30);
  expect(explanation.because.map(({ text }) => text)).toContain(
    "mysql orders (weight -30) fails: replication lags 90 s behind, max_lag is 30 s",
  );
  const master = told({ ...unfit, trouble: LAGS }, { state: "MASTER", phase: "MASTER", priority: 90 }, -30);
  expect(master.explanation.because.map(({ text }) => text)).toContain("mysql orders (weight -30) is fine");
});

test("a server in quarantine is part of the explanation, once, whether its own server fails or not", () => {
  const group = ["192.0.2.2:3306 stays in quarantine: it has 1 transaction more"];
  const texts = (server: Partial<MysqlStatus>, instance: Partial<VrrpInstanceStatus>) =>
    told({ group, ...server }, instance).explanation.because.filter(({ text }) => text.includes("quarantine"));
  const [remark] = group;
  expect(texts({ standing: "ok", trouble: null }, {})).toEqual([{ depth: 1, text: `mysql orders: ${remark}` }]);
  const faults = [{ kind: "mysql", key: "orders", trouble: GONE }] as const;
  expect(texts({}, { state: "FAULT", phase: "FAULT", faults })).toEqual([{ depth: 2, text: `besides: ${remark}` }]);
});

test("what does not count is shown all the same", () => {
  const findings = [{ trouble: { kind: "read-only", variable: "read_only" }, counts: "ignore" }] as const;
  const { status, explanation } = told({ standing: "ok", trouble: null, findings }, {});
  expect(status.mysql[0]?.remarks).toEqual(["it takes no writes (read_only)"]);
  expect(explanation.because).toContainEqual({ depth: 1, text: "mysql orders: it takes no writes (read_only)" });
  expect(renderStatus(status, { width: 100, paint: plain })).toContain(
    "): ok for 4 s\n  it takes no writes (read_only)",
  );
});

test("its events concern who tracks it", () => {
  const config = sampleConfig();
  const event = (name: string) =>
    ({ kind: "mysql", name, server: "127.0.0.1:3306", standing: "ok", trouble: null }) as const;
  const trackMysql = [{ key: "orders", weight: 0, reverse: false }];
  const instances = config.instances.map((one) => ({ ...one, vrrp: { ...one.vrrp, trackMysql } }));
  expect(concerns(event("orders"), "VI_82", { ...config, instances })).toBe(true);
  expect(concerns(event("other"), "VI_82", { ...config, instances })).toBe(false);
});

test("the log says which server, and why", () => {
  const body = { kind: "mysql", name: "orders", server: "127.0.0.1:3306" } as const;
  const line = (standing: "ok" | "unfit", trouble: Trouble | null) =>
    describe({ at: 0, time: 0, origin: "vrrp", body: { ...body, standing, trouble } }).lines[0];
  expect(line("ok", null)).toMatchObject({ level: "info", text: "mysql orders (127.0.0.1:3306) is fine" });
  expect(line("unfit", LAGS)).toMatchObject({
    level: "warning",
    text: "mysql orders (127.0.0.1:3306) is not fit to take over: replication lags 90 s behind, max_lag is 30 s",
  });
});
