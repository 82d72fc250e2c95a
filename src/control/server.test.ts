import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ControlActions } from "./actions.ts";
import { AdvertTestReply } from "./contract/doctor-schemas.ts";
import * as schemas from "./contract/schemas.ts";
import { buildApi, startApi } from "./server.ts";
import { eventAt, failedCheck, fakeClock, faultStatus, masterStatus, sampleModel } from "./testing/samples.ts";

const never = new Promise<never>(() => {});

function setUp(changes: Partial<ControlActions> = {}) {
  const clock = fakeClock();
  const readModel = sampleModel(clock);
  const actions: ControlActions = {
    status: async () => [masterStatus(clock)],
    reload: async (dryRun) => ({
      outcome: dryRun ? "would-apply" : "applied",
      changes: ["VI_82: priority 100 -> 90"],
      diagnostics: [],
      detail: "",
    }),
    ...changes,
  };
  return { clock, readModel, actions };
}

describe("the API's answers", () => {
  it("keep the contract: status, explain, history, health and reload", async () => {
    const { clock, ...parts } = setUp();
    parts.readModel.record(eventAt(clock, failedCheck));
    const app = await buildApi(parts);
    const get = async (url: string) => (await app.inject({ url })).json();
    expect(schemas.StatusReply.parse(await get("/v1/status")).instances[0]?.holding).toBe(true);
    expect(schemas.ExplainReply.parse(await get("/v1/explain?instance=VI_82")).explanations).toHaveLength(1);
    const { events } = schemas.HistoryReply.parse(await get("/v1/history?kind=check"));
    expect(events.map((entry) => entry.body.kind)).toEqual(["check"]);
    expect(schemas.HealthReply.parse(await get("/v1/health"))).toEqual({ api: 1, healthy: true, problems: [] });
    const reload = await app.inject({ method: "POST", url: "/v1/reload", payload: { dryRun: true } });
    expect(schemas.ReloadReply.parse(reload.json()).outcome).toBe("would-apply");
    await app.close();
  });

  it("have the peers asked about a test advert, in the contract's form", async () => {
    const heard = { interface: "eth0", arrived: true, delivered: false, problem: null, ah: false };
    const asked: unknown[] = [];
    const { clock, ...parts } = setUp({
      advertTest: async (test) => {
        asked.push(test);
        return [{ peer: "192.0.2.2:8112", heard, problem: null, clockOffset: 4 }];
      },
    });
    const app = await buildApi(parts);
    const post = (payload: object) => app.inject({ method: "POST", url: "/v1/doctor/advert-test", payload });
    const test = { virtualRouterId: 82, family: 4, nonce: "10.1.2.3" };
    expect(AdvertTestReply.parse((await post(test)).json()).peers[0]?.heard).toEqual(heard);
    expect(asked).toEqual([test]);
    for (const wrong of [{ virtualRouterId: 0 }, { nonce: "here" }, { family: 5 }])
      expect((await post({ ...test, ...wrong })).statusCode).toBe(400);
    expect(asked).toHaveLength(1);
    await app.close();
  });

  it("show the last known state, marked as such, when the keeper does not answer", async () => {
    const { clock, ...parts } = setUp({ status: () => never });
    parts.readModel.setSnapshot([masterStatus(clock)]);
    const app = await buildApi({ ...parts, statusTimeoutMillis: 10 });
    const reply = schemas.StatusReply.parse((await app.inject({ url: "/v1/status" })).json());
    expect(reply.stale).toBe(true);
    expect(reply.instances[0]?.name).toBe("VI_82");
    expect((await app.inject({ url: "/v1/health" })).statusCode).toBe(503);
    await app.close();
  });

  it("never go on saying that a dead keeper's address is held", async () => {
    const { clock, ...parts } = setUp({ status: async () => null });
    parts.readModel.setSnapshot([masterStatus(clock)]);
    parts.readModel.record(eventAt(clock, { kind: "keeper-lost", pid: 4712, how: "signal SIGKILL" }));
    const released = { kind: "guard-released", instances: ["VI_82"], addresses: [] } as const;
    parts.readModel.record(eventAt(clock, released));
    const app = await buildApi(parts);
    const reply = schemas.StatusReply.parse((await app.inject({ url: "/v1/status" })).json());
    expect(reply.instances[0]).toMatchObject({ phase: "INIT", holding: false, leaseRemainingMillis: null });
    expect(reply.instances[0]?.reason).toBe("its keeper is gone; the next one begins anew");
    await app.close();
  });

  it("name FAULT as a reason for bad health", async () => {
    const clock = fakeClock();
    const { readModel, actions } = setUp({ status: async () => [faultStatus(clock)] });
    const app = await buildApi({ readModel, actions });
    const health = schemas.HealthReply.parse((await app.inject({ url: "/v1/health" })).json());
    expect(health.problems).toEqual(["VI_82 is in FAULT: script vs_mysql_82 fails"]);
    await app.close();
  });

  it("tell an unforeseen error in full on the Unix socket only", async () => {
    const broken = setUp({ reload: () => Promise.reject(new Error("open '/etc/secret'")) });
    const ask = async (setting: Parameters<typeof buildApi>[1]) => {
      const app = await buildApi(broken, setting);
      const reply = await app.inject({ method: "POST", url: "/v1/reload", payload: { dryRun: true } });
      await app.close();
      return [reply.statusCode, reply.body.includes("/etc/secret"), reply.json().error.code];
    };
    expect(await ask({})).toEqual([500, true, "internal"]);
    expect(await ask({ guard: () => undefined })).toEqual([500, false, "internal"]);
  });

  it("refuse what is not understood, and say what is there instead", async () => {
    const app = await buildApi(setUp());
    for (const [url, status, text] of [
      ["/v1/explain?instance=VI_9", 404, "VI_82"],
      ["/v1/history?limit=many", 400, "limit"],
      ["/v2/status", 404, "/v1"],
    ] as const) {
      const response = await app.inject({ url });
      expect(response.statusCode).toBe(status);
      expect(schemas.ErrorReply.parse(response.json())).toBeDefined();
      expect(response.body).toContain(text);
    }
    await app.close();
  });

  it("say that a refused reload was refused", async () => {
    const refused = { outcome: "refused", changes: [], diagnostics: [], detail: "line 3" } as const;
    const app = await buildApi(setUp({ reload: async () => refused }));
    const response = await app.inject({ method: "POST", url: "/v1/reload", payload: {} });
    expect(response.statusCode).toBe(422);
    expect(schemas.ReloadReply.parse(response.json()).outcome).toBe("refused");
    await app.close();
  });
});

describe("the API's socket", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-api-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("may be used by its owner alone, and goes with the server", async () => {
    const socketPath = join(folder, "s");
    const started = await startApi({ ...setUp(), socketPath });
    if (!started.ok) throw new Error(started.error.message);
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    await started.value.close();
    expect(() => statSync(socketPath)).toThrow("ENOENT");
  });

  it("is taken over when nobody answers", async () => {
    const socketPath = join(folder, "s");
    // A socket file without a listener is what a killed daemon leaves.
    const { spawnSync } = await import("node:child_process");
    const script = `require("net").createServer().listen(${JSON.stringify(socketPath)}, () => process.kill(process.pid, 9))`;
    spawnSync(process.execPath, ["-e", script]);
    expect(statSync(socketPath).isSocket()).toBe(true);
    const started = await startApi({ ...setUp(), socketPath });
    expect(started.ok).toBe(true);
    if (started.ok) await started.value.close();
  });

  it("is left to the daemon that answers there", async () => {
    const socketPath = join(folder, "s");
    const other = createServer().listen(socketPath);
    await new Promise((resolve) => other.once("listening", resolve));
    const started = await startApi({ ...setUp(), socketPath });
    expect(started).toMatchObject({ ok: false, error: { code: "in-use" } });
    expect(statSync(socketPath).isSocket()).toBe(true);
    await new Promise((resolve) => other.close(resolve));
  });

  it("never replaces a file that is no socket, and names paths that cannot be used", async () => {
    const file = join(folder, "precious");
    writeFileSync(file, "text");
    expect(await startApi({ ...setUp(), socketPath: file })).toMatchObject({ error: { code: "not-a-socket" } });
    const missing = join(folder, "no", "s");
    expect(await startApi({ ...setUp(), socketPath: missing })).toMatchObject({ error: { code: "unusable-path" } });
    const long = join(folder, "x".repeat(120));
    expect(await startApi({ ...setUp(), socketPath: long })).toMatchObject({ error: { code: "path-too-long" } });
  });
});
