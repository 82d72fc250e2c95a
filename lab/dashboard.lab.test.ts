// The dashboard in real Chromium: it signs in, follows a failover without being loaded again, in both languages, on a phone.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Page, Response } from "playwright-core";
import { expect, test } from "vitest";
import { type LabHost, VIP } from "../src/lab/lab.ts";
import { HOLDFAST_PROGRAM } from "../src/lab/paths.ts";
import { instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { collectComplaints, hasChromium, screenshot, startBrowser } from "./browser.ts";
import { instanceWhen } from "./holdfast-client.ts";
import { describeStage, type Stage } from "./stage.ts";

const PORT = 9_180;
const MOST_PACKED_BYTES = 150_000;
const DESK = { width: 1_280, height: 900 };
const PHONE = { width: 360, height: 740 };

function certificate(folder: string, address: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, "api.pem"), join(folder, "api.key")];
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=lab".split(" ");
  execFileSync("openssl", [...words, "-addext", `subjectAltName=IP:${address}`, "-keyout", key, "-out", cert], {
    stdio: "ignore",
  });
  return { cert, key };
}

function linkBlock(own: LabHost, peer: LabHost, key: string): string {
  const file = join(own.directory, "peer.key");
  writeFileSync(file, `hex:${key}\n`, { mode: 0o600 });
  return `peer_link {\n listen ${own.address}\n peer ${peer.address}\n key 1 file:${file}\n active_key 1\n}\n`;
}

interface Pair {
  readonly url: string;
  readonly token: string;
  stopMaster(): Promise<void>;
}

/** db1 holds the address; the page comes from db2, over TLS, with a token that may only look. */
async function startPair(stage: Stage, folder: string): Promise<Pair> {
  const [one, two] = [stage.host("db1"), stage.host("db2")];
  const { cert, key } = certificate(folder, two.address);
  const tokens = join(folder, "tokens");
  const words = ["token", "add", "alice", "--file", tokens];
  const token = (await two.exec([process.execPath, HOLDFAST_PROGRAM, ...words])).stdout.trim();
  const secret = randomBytes(32).toString("hex");
  const api = `api {\n listen ${two.address} ${PORT}\n tls_cert ${cert}\n tls_key ${key}\n token_file ${tokens}\n dashboard on\n}\n`;
  const db1 = stage.start("db1", linkBlock(one, two, secret) + instanceBlock({ priority: 150 }));
  await instanceWhen(db1, "VI_1", (view) => view.holding);
  const db2 = stage.start("db2", linkBlock(two, one, secret) + instanceBlock({ priority: 100 }) + api);
  await instanceWhen(db2, "VI_1", (view) => view.state === "BACKUP");
  return { url: `https://${two.address}:${PORT}/`, token, stopMaster: () => db1.stop().then(() => undefined) };
}

const scrollsSideways = (page: Page): Promise<boolean> =>
  page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth") as Promise<boolean>;

async function signIn(page: Page, token: string): Promise<void> {
  await page.locator("#token").fill(token);
  await page.locator("form button").click();
  await page.locator('[data-connection="live"]').waitFor();
}

describeStage("the dashboard", (stage) => {
  test.skipIf(!hasChromium())(
    "follows a failover without being loaded again, in both languages and on a phone",
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "holdfast-dashboard-"));
      const { url, token, stopMaster } = await startPair(stage, folder);
      const { browser, close } = await startBrowser(stage.host("client"));
      try {
        const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: DESK, locale: "en-GB" });
        const page = await context.newPage();
        const complaints = collectComplaints(page, [401]);
        const answers: Response[] = [];
        page.on("response", (response) => answers.push(response));
        await page.goto(url);
        await signIn(page, token);

        const state = page.locator('tr[data-instance="VI_1"]');
        await page.locator(`[data-vip="${VIP}"][data-holder="${stage.host("db1").address}"]`).waitFor();
        expect(await state.getAttribute("data-state")).toBe("BACKUP");
        expect(await page.locator("[data-node] h3").allTextContents()).toEqual(["db2", "db1"]);
        const packed = await Promise.all(
          answers
            .filter((one) => one.url().includes("/dashboard/"))
            .map(async (one) => gzipSync(await one.body()).length),
        );
        expect(packed.length).toBeGreaterThanOrEqual(3);
        expect(packed.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(MOST_PACKED_BYTES);
        expect(answers.every((one) => one.url().startsWith(url) && !one.url().includes(token))).toBe(true);

        await page.evaluate("window.same = true");
        await stopMaster();
        await page.locator(`[data-vip="${VIP}"][data-holder="own"]`).waitFor();
        expect(await state.getAttribute("data-state")).toBe("MASTER");
        expect(await page.evaluate("window.same")).toBe(true);
        expect(await page.locator('[aria-live="assertive"]').textContent()).toBe("VI_1 is now MASTER.");
        expect(await state.textContent()).toContain("resigned (priority 0)");

        await screenshot(page, "dashboard.en.png");

        await page.locator('[data-language="zh-CN"]').click();
        await page.getByRole("heading", { name: "拓扑" }).waitFor();
        expect(await page.locator("html").getAttribute("lang")).toBe("zh-CN");
        expect(await state.textContent()).toContain("已让位");
        await screenshot(page, "dashboard.zh-CN.png");
        await page.setViewportSize(PHONE);
        expect(await scrollsSideways(page)).toBe(false);
        expect(complaints).toEqual([]);
      } finally {
        await close();
        rmSync(folder, { recursive: true });
      }
    },
  );
});
