import { describe, expect, test } from "vitest";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import type { Instant } from "../core/lib/units.ts";
import { type Finding, OK } from "../core/lvs/findings.ts";
import type { CheckerStatus, PoolServerStatus, PoolStatus } from "../engine/checkers/pool-status.ts";
import type { LvsStatus, ServerStatus, ServiceStatus } from "../engine/lvs/lvs-status.ts";
import * as lvsSchemas from "./contract/lvs-schemas.ts";
import * as schemas from "./contract/schemas.ts";
import type { ServiceExplanation } from "./contract/types.ts";
import { EventCounts } from "./metrics/event-counts.ts";
import { buildApi } from "./server.ts";
import { eventAt, fakeClock, masterStatus, sampleConfig, sampleModel } from "./testing/samples.ts";

const SERVICE = "[192.0.2.1]:tcp:3306";
const LAGS: Finding = { kind: "trouble", text: "it lags 40 s behind, and max_lag is 30" };
const NAMES = ["192.0.2.11:3306", "192.0.2.12:3306", "192.0.2.13:3306"] as const;
/** Of a day that is not today's. */
const DATE = /\d{4}-\d\d-\d\d /g;
const FORWARD = { id: "lvs-forward", severity: "error", server: null, what: "w", why: "y", fix: "sysctl" } as const;
const nameOf = (server: string): string => `[${server.split(":")[0]}]:tcp:3306`;

function serverStatus(server: string, changes: Partial<ServerStatus> = {}): ServerStatus {
  const rates = { connectionRate: 1, inByteRate: 0, outByteRate: 0, inBytes: 1_000, outBytes: 9_000 };
  const counted = { weight: 1, active: 2, inactive: 0, connections: 7 };
  return { server, realServer: nameOf(server), state: "up", method: "nat", ...counted, ...rates, ...changes };
}

function rig(quorumUp = true) {
  const clock = fakeClock();
  const readModel = sampleModel(clock);
  const at = (secondsAgo: number): Instant => (clock.now() - secondsAgo * 1e6) as Instant;
  const checker = (changes: Partial<CheckerStatus> = {}): CheckerStatus => ({
    checker: "mysql",
    up: true,
    since: at(300),
    lastRunAt: at(1),
    finding: OK,
    output: null,
    retries: 0,
    retry: 1,
    intervalSeconds: 2,
    ...changes,
  });
  const standing = (server: string, alive: boolean, checkers: readonly CheckerStatus[]): PoolServerStatus => ({
    server: nameOf(server),
    alive,
    since: at(alive ? 300 : 12),
    weight: 1,
    rising: false,
    checkers,
  });
  const service: ServiceStatus = {
    service: "TCP 192.0.2.1:3306",
    virtualServer: SERVICE,
    scheduler: "wlc",
    persistence: null,
    onlyOnMaster: null,
    present: true,
    connections: 9,
    connectionRate: 0,
    inByteRate: 0,
    outByteRate: 0,
    inBytes: 5,
    outBytes: 6,
    servers: [
      serverStatus(NAMES[0]),
      serverStatus(NAMES[1], { state: "down", weight: 0 }),
      serverStatus(NAMES[2], { state: "drained", weight: 0 }),
    ],
  };
  const pool: PoolStatus = {
    service: SERVICE,
    quorumUp,
    quorum: 1,
    liveWeight: 2,
    sorryAlive: !quorumUp,
    checking: true,
    servers: [
      standing(NAMES[0], true, [checker({ finding: LAGS, retries: 1 })]),
      standing(NAMES[1], false, [checker({ up: false, since: at(12), finding: LAGS })]),
      standing(NAMES[2], true, [
        checker({ checker: "misc", finding: { kind: "exit", status: 1 }, up: false, output: "no such table" }),
      ]),
    ],
  };
  const lvs: LvsStatus = {
    kernel: "ready",
    version: "1.2.1",
    detail: "",
    foreign: 0,
    refused: [],
    sync: [],
    services: [service],
  };
  const tell = (body: HoldfastEventBody): void => void readModel.record(eventAt(clock, body));
  const turn = { kind: "real-server", service: SERVICE, server: nameOf(NAMES[1]), inhibit: false } as const;
  tell({ ...turn, up: false, cause: { kind: "connect", problem: "refused", detail: "" } });
  tell({ ...turn, up: true, cause: OK });
  tell({ ...turn, up: false, cause: LAGS });
  tell({ ...turn, server: nameOf(NAMES[0]), up: true, cause: OK });
  const actions = {
    status: async () => [masterStatus(clock)],
    reload: async () => ({ outcome: "applied" as const, changes: [], diagnostics: [], detail: "" }),
    lvs: () => lvs,
    pools: () => [pool],
    examineLvs: async () => [FORWARD],
  };
  const counts = new EventCounts();
  for (const entry of readModel.recent()) counts.record(entry);
  const process = () => ({ cpuSeconds: 0, residentBytes: 0, loopLag: { p50: 0, p99: 0, max: 0 } });
  const get = async (url: string): Promise<{ status: number; body: string }> => {
    const app = await buildApi({ readModel, actions, meters: { counts, process } });
    const { statusCode, body } = await app.inject({ url });
    await app.close();
    return { status: statusCode, body };
  };
  return { get, readModel };
}

const explained = async (get: ReturnType<typeof rig>["get"], query = ""): Promise<readonly ServiceExplanation[]> =>
  schemas.ExplainReply.parse(JSON.parse((await get(`/v1/explain${query}`)).body)).services;

describe("virtual servers in the API", () => {
  test("the status has each checker with its standing, since when, and what its last run found", async () => {
    const { body } = await rig().get("/v1/lvs");
    const [service] = lvsSchemas.LvsStatusReply.parse(JSON.parse(body)).services;
    expect(service?.quorum).toEqual({ up: true, needed: 1, weight: 2, sorry: false });
    const now = JSON.parse(body).now as number;
    expect(service?.servers[1]?.pool).toMatchObject({ alive: false, since: now - 12_000 });
    expect(service?.servers[1]?.pool?.checkers[0]).toMatchObject({
      checker: "MYSQL_CHECK",
      up: false,
      ok: false,
      since: now - 12_000,
      lastRunAt: now - 1_000,
      finding: "it lags 40 s behind, and max_lag is 30",
    });
  });

  test("a server is explained by its checker and by what was before", async () => {
    const services = await explained(rig().get, "?server=192.0.2.12:3306");
    expect(services.map(({ headline }) => headline)).toEqual(["TCP 192.0.2.1:3306 is served by 1 of 3 servers."]);
    expect(services[0]?.because.map(({ depth, text }) => `${depth} ${text.replaceAll(DATE, "")}`)).toEqual([
      "1 192.0.2.12:3306 is out of the pool since 11:59:48 (12 s)",
      "2 MYSQL_CHECK fails since 11:59:48 (12 s): it lags 40 s behind, and max_lag is 30; last run 1 s ago",
      "3 it runs every 2 s",
      "2 before that, at 12:00:00: [192.0.2.12]:tcp:3306 serves [192.0.2.1]:tcp:3306",
      "2 before that, at 12:00:00: [192.0.2.12]:tcp:3306 is out of [192.0.2.1]:tcp:3306: it refuses connections",
    ]);
    expect(services[0]?.outlook).toEqual(["MYSQL_CHECK has to succeed for 192.0.2.12:3306 to come back"]);
  });

  test("a failure that does not count yet, the drain of an operator, and the last line of a script are told", async () => {
    const text = (await explained(rig().get, "?server=192.0.2.1:3306"))[0]?.because.map((line) => line.text).join("\n");
    expect(text).toContain("but its last run failed (1 of 1 retries): it lags 40 s behind");
    expect(text).toContain("192.0.2.13:3306 gets no new connections, because an operator drains it");
    expect(text).toContain("the command ended with 1, last line: 'no such table'");
  });

  test("without a question only what is amiss is told, and an instance asks for nothing else", async () => {
    const { get } = rig();
    const all = await explained(get);
    expect(all[0]?.because.filter(({ depth }) => depth === 1)).toHaveLength(2);
    expect(await explained(get, "?instance=VI_82")).toEqual([]);
    expect((await get("/v1/explain?server=192.0.2.99:3306")).status).toBe(404);
  });

  test("a lost quorum is the headline", async () => {
    const [service] = await explained(rig(false).get);
    expect(service?.state).toBe("without-quorum");
    expect(service?.headline).toContain("the sorry server stands in");
  });

  test("history is asked for one real server, or for a service", async () => {
    const { get } = rig();
    const kinds = async (server: string): Promise<number> =>
      JSON.parse((await get(`/v1/history?server=${encodeURIComponent(server)}`)).body).events.length;
    expect(await kinds("192.0.2.12:3306")).toBe(3);
    expect(await kinds("192.0.2.11:3306")).toBe(1);
    expect(await kinds("TCP 192.0.2.1:3306")).toBe(4);
    expect(await kinds("192.0.2.99")).toBe(0);
  });

  test("doctor has what is wrong with the host, and what of the file is served otherwise than written", async () => {
    const { get, readModel } = rig();
    const span = { file: "/etc/keepalived/keepalived.conf", line: 7, column: 1, length: 1 };
    const message = "port 3307 is ignored: with DR it is that of the service";
    const adjusted = { code: "server-adjusted", severity: "warning", span, message, remedy: "use NAT" } as const;
    readModel.setConfig(sampleConfig(), [adjusted, { ...adjusted, code: "unknown-keyword" }]);
    const { findings } = schemas.DoctorReply.parse(JSON.parse((await get("/v1/lvs/doctor")).body));
    expect(findings.map(({ id, fix }) => `${id}: ${fix}`)).toEqual(["lvs-forward: sysctl", "lvs-adjusted: use NAT"]);
  });

  test("metrics count by service, server and checker", async () => {
    const lines = (await rig().get("/metrics")).body.split("\n");
    const of = 'service="TCP 192.0.2.1:3306"';
    for (const line of [
      "holdfast_lvs_kernel_ready 1",
      `holdfast_lvs_service_connections_total{${of}} 9`,
      `holdfast_lvs_server_up{${of},server="192.0.2.12:3306"} 0`,
      `holdfast_lvs_server_alive{${of},server="192.0.2.13:3306"} 1`,
      `holdfast_lvs_server_drained{${of},server="192.0.2.13:3306"} 1`,
      `holdfast_lvs_server_weight{${of},server="192.0.2.11:3306"} 1`,
      `holdfast_lvs_server_out_bytes_total{${of},server="192.0.2.11:3306"} 9000`,
      `holdfast_lvs_checker_up{${of},server="192.0.2.12:3306",checker="MYSQL_CHECK",number="1"} 0`,
      `holdfast_lvs_server_changes_total{service="${SERVICE}",server="[192.0.2.12]:tcp:3306",to="down"} 2`,
    ])
      expect(lines).toContain(line);
  });
});
