// The page against the real listener and routes, with a read pool that this machine's kernel need not have, and with hostile texts.
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createHttpListeners, type HttpListeners } from "../src/control/http/listeners.ts";
import { buildApi } from "../src/control/server.ts";
import { ip, masterStatus, sampleModel } from "../src/control/testing/samples.ts";
import type { LvsStatus, ServerChoice, ServerStatus } from "../src/engine/lvs/lvs-status.ts";
import { collectComplaints, hasChromium, type LabBrowser, startBrowser } from "./browser.ts";

/** The page follows what it is told: a text may be of the moment before. */
const POLL = { timeout: 10_000 };
const PAGES = fileURLToPath(new URL("../dist/bundle/dashboard/", import.meta.url));
const TOKEN = "the-token-of-carol";
const HOSTILE = '<img src="x" onerror="window.broken = true"><script>window.broken = true</script>';

const drains: (ServerChoice & { readonly drain: boolean })[] = [];

function lvs(): LvsStatus {
  const none = { connections: 0, connectionRate: 0, inByteRate: 0, outByteRate: 0, inBytes: 0, outBytes: 0 };
  const server = (address: string, weight: number): ServerStatus => {
    const drained = drains.some((one) => one.server === address && one.drain);
    const state = drained ? "drained" : "up";
    return { server: address, realServer: null, state, method: "DR", weight, active: 4, inactive: 1, ...none };
  };
  const servers = [server("192.0.2.11:3306", 3), server("192.0.2.12:3306", 1), server(HOSTILE, 1)];
  const service = { service: "192.0.2.100:3306 tcp", virtualServer: null, scheduler: "wrr", persistence: null };
  return {
    ...{ kernel: "ready", version: "1.2.1", detail: "", foreign: 0, refused: [], sync: [] },
    services: [{ ...service, onlyOnMaster: null, present: true, ...none, servers }],
  };
}

let folder: string;
let listeners: HttpListeners;
let browser: LabBrowser;
let port: number;

beforeAll(async () => {
  if (!hasChromium()) return;
  folder = mkdtempSync(join(tmpdir(), "holdfast-page-"));
  const clock = { now: () => performance.now() * 1_000, wallMillis: Date.now };
  const tokens = join(folder, "tokens");
  writeFileSync(tokens, `carol operate sha256:${createHash("sha256").update(TOKEN).digest("hex")}\n`, { mode: 0o600 });
  const options = {
    readModel: sampleModel(clock),
    actions: {
      status: async () => [masterStatus(clock)],
      reload: async () => ({ outcome: "unchanged", changes: [], diagnostics: [], detail: "" }) as const,
      lvs,
      drain(choice: ServerChoice, drain: boolean): number {
        drains.push({ ...choice, drain });
        return 1;
      },
    },
  };
  listeners = createHttpListeners({
    build: (parts) => buildApi(options, { ...parts, dashboardFolder: PAGES }),
    publish: () => undefined,
    now: () => performance.now(),
  });
  port = await freePort();
  const listen = [{ address: ip("127.0.0.1"), port }];
  await listeners.configure({ listen, tls: null, tokenFile: tokens, dashboard: true, rateLimit: 1_000 });
  browser = await startBrowser(null);
});

afterAll(async () => {
  await browser?.close();
  await listeners?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });

test.skipIf(!hasChromium())(
  "drains a server after asking, zooms by keys, and shows hostile texts as texts",
  async () => {
    const context = await browser.browser.newContext({ locale: "zh-CN" });
    const page = await context.newPage();
    const complaints = collectComplaints(page, /status of 401/);
    await page.goto(`http://127.0.0.1:${port}/`);
    // A Chinese browser is spoken to in Chinese.
    await page.getByRole("heading", { name: "登录" }).waitFor();
    await page.locator('[data-language="en"]').click();
    await page.locator("#token").fill("wrong");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.getByRole("alert").textContent(), POLL).toBe("the token is unknown");
    await page.locator("#token").fill(TOKEN);
    await page.keyboard.press("Enter");

    const row = page.locator('tr[data-server="192.0.2.11:3306"]');
    await expect.poll(() => row.textContent(), POLL).toContain("4 active, 1 inactive");
    await row.getByRole("button", { name: "Drain" }).click();
    await expect.poll(() => page.locator("dialog").textContent(), POLL).toContain("It gets no new connections");
    expect(drains).toEqual([]);
    await page.locator("[data-confirm]").click();
    await page.locator("dialog .good").waitFor();
    expect(drains).toEqual([{ service: "192.0.2.100:3306 tcp", server: "192.0.2.11:3306", drain: true }]);
    await page.keyboard.press("Escape");
    await row.getByRole("button", { name: "Take back" }).waitFor();

    const chart = page.locator(".chart");
    const range = async (): Promise<string> => (await chart.locator("svg").getAttribute("aria-label")) ?? "";
    const pressed = page.locator('.buttons.small [aria-pressed="true"]');
    await expect.poll(() => pressed.textContent(), POLL).toBe("10 min");
    await chart.focus();
    await page.keyboard.press("+");
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => pressed.count()).toBe(0);
    const past = await range();
    expect(past).toMatch(/^from .+ to .+\. VI_82: /);
    await page.keyboard.press("Home");
    await expect.poll(range).not.toBe(past);

    await expect.poll(() => page.locator(`tr[data-server] th`).allTextContents(), POLL).toContain(HOSTILE);
    expect(await page.evaluate("window.broken")).toBeUndefined();
    const kept = (await page.evaluate(
      "JSON.stringify([location.href, document.cookie, { ...localStorage }])",
    )) as string;
    expect(kept).not.toContain(TOKEN);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.locator("#token").waitFor();
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
    expect(complaints).toEqual([]);
  },
);
