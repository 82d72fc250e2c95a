// The HTTP listener on real sockets: who gets in, who does not, and what the journal hears of it.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ApiConfig } from "../../core/api/config.ts";
import type { HostEventBody } from "../../core/events/host-events.ts";
import { EventCounts } from "../metrics/event-counts.ts";
import { buildApi } from "../server.ts";
import { freePort } from "../testing/free-port.ts";
import { fakeClock, ip, masterStatus, sampleModel } from "../testing/samples.ts";
import { createHttpListeners, type HttpListeners } from "./listeners.ts";

const ADMIN = "the-token-of-alice";
const READER = "the-token-of-bob";
const OPERATOR = "the-token-of-carol";

let folder: string;
let listeners: HttpListeners;
let events: HostEventBody[];
let millis: number;
let port: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-http-"));
  events = [];
  millis = 0;
  port = await freePort();
  const clock = fakeClock();
  const options = {
    readModel: sampleModel(clock),
    actions: {
      status: async () => [masterStatus(clock)],
      reload: async () => ({ outcome: "applied", changes: [], diagnostics: [], detail: "" }) as const,
      switchover: async () => ({ steps: [], end: "moved", to: "db2", closedMillis: 3 }),
    },
    meters: {
      counts: new EventCounts(),
      process: () => ({ cpuSeconds: 1, residentBytes: 2, loopLag: { p50: 0, p99: 0, max: 0 } }),
    },
  };
  listeners = createHttpListeners({
    build: ({ withDashboard, ...parts }) =>
      buildApi(options, { ...parts, ...(withDashboard && { dashboardFolder: folder }) }),
    publish: (body) => events.push(body),
    now: () => millis,
  });
});

afterEach(async () => {
  await listeners.close();
  rmSync(folder, { recursive: true });
});

const config = (changes: Partial<ApiConfig> = {}): ApiConfig => ({
  listen: [{ address: ip("127.0.0.1"), port }],
  tls: null,
  tokenFile: null,
  dashboard: null,
  rateLimit: 1_000,
  ...changes,
});

function tokens(...extra: readonly string[]): string {
  const path = join(folder, "tokens");
  const line = (name: string, role: string, token: string): string =>
    `${name} ${role} sha256:${createHash("sha256").update(token).digest("hex")}`;
  const lines = [line("alice", "admin", ADMIN), line("bob", "read", READER), line("carol", "operate", OPERATOR)];
  writeFileSync(path, `${[...lines, ...extra].join("\n")}\n`, { mode: 0o600 });
  return path;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

interface Question {
  readonly method?: string;
  readonly token?: string;
  readonly host?: string;
  readonly body?: string;
  readonly ca?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function ask(path: string, { method = "GET", token, host, body, ca, headers: more }: Question = {}): Promise<Answer> {
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(host === undefined ? {} : { host }),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...more,
  };
  const send = ca === undefined ? httpRequest : httpsRequest;
  const options = { host: "127.0.0.1", port, path, method, headers, agent: false, ...(ca === undefined ? {} : { ca }) };
  return new Promise((resolve, reject) => {
    const asked = send({ ...options, servername: "localhost" }, (reply) => {
      let text = "";
      reply.on("data", (data) => {
        text += data;
      });
      reply.on("end", () => resolve({ status: reply.statusCode ?? 0, text, headers: reply.headers }));
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

const change = (token?: string): Promise<Answer> =>
  ask("/v1/reload", { method: "POST", body: "{}", ...(token === undefined ? {} : { token }) });
const kinds = (): string[] => events.map((event) => ("action" in event ? String(event.action) : event.kind));

describe("a listener on loopback without tokens", () => {
  beforeEach(() => listeners.configure(config()));

  it("shows status, metrics and health, and changes nothing", async () => {
    expect((await ask("/v1/status")).status).toBe(200);
    expect((await ask("/metrics")).text).toContain('holdfast_vrrp_state{instance="VI_82",state="MASTER"} 1');
    expect(await ask("/healthz")).toMatchObject({ status: 200, text: "ok\n" });
    const refused = await change();
    expect(refused.status).toBe(403);
    expect(refused.text).toContain("token_file");
    expect(kinds()).toEqual(["listening", "refused"]);
  });

  it("answers to loopback names only: a page whose name was made to point here reads nothing", async () => {
    expect((await ask("/v1/status", { host: `localhost:${port}` })).status).toBe(200);
    expect((await ask("/v1/status", { host: "evil.example" })).status).toBe(421);
    expect((await ask("/v1/status", { host: "127.0.0.1.evil.example" })).status).toBe(421);
  });

  it("goes with the configuration, and says why it cannot come back", async () => {
    await listeners.configure(null);
    await expect(ask("/healthz")).rejects.toThrow("ECONNREFUSED");
    const other = createServer().listen(port, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    await listeners.configure(config());
    expect(kinds()).toEqual(["listening", "closed", "failed"]);
    expect(events.at(-1)).toMatchObject({ detail: expect.stringContaining("EADDRINUSE") });
    await new Promise((resolve) => other.close(resolve));
    await listeners.configure(config());
    expect((await ask("/healthz")).status).toBe(200);
  });

  it("refuses a body that is too large, and headers that never end", async () => {
    const body = JSON.stringify({ name: "x".repeat(100_000), dryRun: true });
    await listeners.configure(config({ tokenFile: tokens() }));
    const answer = await ask("/v1/mysql/switchover", { method: "POST", body, token: ADMIN });
    expect(answer.status).toBe(413);
    const refused = await ask("/healthz", { token: "x".repeat(20_000) });
    expect(refused.status).toBe(431);
  });
});

describe("a listener with tokens", () => {
  beforeEach(() => listeners.configure(config({ tokenFile: tokens() })));

  it("lets in whom it knows, each as far as the role goes", async () => {
    expect((await ask("/v1/status")).status).toBe(401);
    expect((await ask("/v1/status", { token: "wrong" })).status).toBe(401);
    expect((await ask("/metrics", { token: READER })).status).toBe(200);
    const move = { method: "POST", body: '{"name":"orders","dryRun":false}' };
    expect((await ask("/v1/mysql/switchover", { ...move, token: READER })).status).toBe(403);
    expect((await ask("/v1/mysql/switchover", { ...move, token: OPERATOR })).status).toBe(200);
    expect((await change(OPERATOR)).status).toBe(403);
    expect((await change(ADMIN)).status).toBe(200);
  });

  it("records who asked for a change before it is done, and how it ended", async () => {
    await change(ADMIN);
    const request = { kind: "api-request", who: "alice", from: "127.0.0.1", more: 0 };
    expect(events.slice(1)).toEqual([
      { ...request, action: "asked", request: "POST /v1/reload {}", detail: "" },
      { ...request, action: "answered", request: "POST /v1/reload", detail: "200" },
    ]);
    expect(JSON.stringify(events)).not.toContain(ADMIN);
  });

  it("tells of one refusal per address in ten seconds, and counts the others", async () => {
    for (let times = 0; times < 3; times++) await ask("/v1/status", { token: "wrong" });
    expect(kinds()).toEqual(["listening", "refused"]);
    millis += 11_000;
    await ask("/v1/status", { token: "wrong" });
    expect(events.at(-1)).toMatchObject({ action: "refused", more: 2 });
  });

  it("reads the file anew when it changes, and lets nobody in when it must not be believed", async () => {
    const path = tokens(`dave read sha256:${createHash("sha256").update("new").digest("hex")}`);
    expect((await ask("/v1/status", { token: "new" })).status).toBe(200);
    chmodSync(path, 0o644);
    const refused = await ask("/v1/status", { token: ADMIN });
    expect(refused.status).toBe(503);
    // A stranger need not hear what the file is called, the log does.
    expect(refused.text).not.toContain(path);
    expect(events.at(-1)).toMatchObject({ action: "refused", detail: expect.stringContaining(`chmod 600 ${path}`) });
    rmSync(path);
    expect((await ask("/v1/status", { token: ADMIN })).status).toBe(503);
  });

  it("turns away who asks too often or guesses, and goes on answering health", async () => {
    await listeners.configure(config({ tokenFile: tokens(), rateLimit: 2 }));
    const statuses: number[] = [];
    for (let times = 0; times < 3; times++) statuses.push((await ask("/v1/status", { token: "wrong" })).status);
    expect(statuses).toEqual([401, 429, 429]);
    expect((await ask("/healthz")).status).toBe(200);
    millis += 10_000;
    expect((await ask("/v1/status", { token: READER })).status).toBe(200);
  });
});

describe("the dashboard", () => {
  beforeEach(() => {
    for (const name of ["index.html", "app.js", "style.css", "icon.svg"]) writeFileSync(join(folder, name), name);
  });

  it("is served on loopback, elsewhere by order, and not where it is switched off", async () => {
    await listeners.configure(config());
    expect((await ask("/")).headers.location).toBe("/dashboard/");
    expect((await ask("/dashboard/")).text).toBe("index.html");
    await listeners.configure(config({ dashboard: false }));
    expect((await ask("/dashboard/")).status).toBe(404);
  });

  it("gives its files to anyone and what they show to tokens alone", async () => {
    await listeners.configure(config({ tokenFile: tokens() }));
    expect((await ask("/dashboard/app.js")).text).toBe("app.js");
    expect((await ask("/v1/session")).status).toBe(401);
    const session = JSON.parse((await ask("/v1/session", { token: OPERATOR })).text);
    expect(session).toMatchObject({ who: "carol", role: "operate" });
  });

  it("lets the browser take nothing from elsewhere, and ask each time whether it is still the same", async () => {
    await listeners.configure(config());
    const { headers } = await ask("/dashboard/");
    expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(headers["content-security-policy"]).not.toMatch(/unsafe|http|\*/);
    expect(headers).toMatchObject({ "cache-control": "no-cache", "x-frame-options": "DENY" });
    const again = await ask("/dashboard/", { headers: { "if-none-match": headers.etag ?? "" } });
    expect([again.status, again.text]).toEqual([304, ""]);
  });

  it("counts requests for it, and says what helps when its files are not there", async () => {
    await listeners.configure(config({ rateLimit: 1 }));
    const statuses: number[] = [];
    for (let times = 0; times < 6; times++) statuses.push((await ask("/dashboard/app.js")).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    millis += 10_000;
    rmSync(join(folder, "style.css"));
    expect((await ask("/dashboard/style.css")).text).toContain("install Holdfast again");
  });

  it("tells each event with a sentence when it is asked to", async () => {
    await listeners.configure(config());
    const { events: told } = JSON.parse((await ask("/v1/history?words=1")).text);
    expect(told.length).toBeGreaterThan(0);
    expect(told.every((entry: { words?: string }) => (entry.words ?? "") !== "")).toBe(true);
    expect((await ask("/v1/history")).text).not.toContain('"words"');
  });
});

describe("a listener with TLS", () => {
  const certificate = (name: string): { cert: string; key: string } => {
    const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
    const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    execFileSync("openssl", [...words, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
    return { cert, key };
  };

  it("takes up a renewed certificate without closing, and keeps the old one when the new is broken", async () => {
    const { readFileSync, copyFileSync } = await import("node:fs");
    const [first, second] = [certificate("first"), certificate("second")];
    const used = { cert: join(folder, "used.pem"), key: join(folder, "used.key") };
    const install = (one: { cert: string; key: string }): void => {
      copyFileSync(one.cert, used.cert);
      copyFileSync(one.key, used.key);
    };
    install(first);
    const wanted = config({ tls: used, tokenFile: tokens() });
    await listeners.configure(wanted);
    const with1 = { ca: readFileSync(first.cert, "utf8") };
    const with2 = { ca: readFileSync(second.cert, "utf8") };
    expect((await ask("/healthz", with1)).status).toBe(200);
    install(second);
    await listeners.configure(wanted);
    expect((await ask("/healthz", with2)).status).toBe(200);
    await expect(ask("/healthz", with1)).rejects.toThrow();
    rmSync(used.cert);
    await listeners.configure(wanted);
    expect(kinds()).toEqual(["listening", "failed"]);
    expect((await ask("/healthz", with2)).status).toBe(200);
  });
});
