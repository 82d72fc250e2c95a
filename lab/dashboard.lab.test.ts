// The dashboard in real Chromium: it signs in, follows a failover without being loaded again, in both languages, on a phone.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Page, Response } from "playwright-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LabHost, VIP } from "../src/lab/lab.ts";
import { HOLDFAST_PROGRAM } from "../src/lab/paths.ts";
import { fileCheck, instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { accessibilityFindings, collectComplaints, hasChromium, screenshot, startBrowser } from "./browser.ts";
import { holdfast, instanceOf, instanceWhen, mayTakeOver } from "./holdfast-client.ts";
import { ManagedPair, serving } from "./managed-pair.ts";
import { describeStage } from "./stage.ts";

const PORT = 9_180;
const POLL = { timeout: 10_000 };
const MOST_PACKED_BYTES = 150_000;
/** Before it has a token, and while its daemon is gone. */
const ON_PURPOSE = /status of 401|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING/;
const DESK = { width: 1_280, height: 980 };
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

interface Served {
  readonly url: string;
  readonly token: string;
  /** Block `api` of the host that serves the page. */
  readonly block: string;
}

/** The page comes over TLS from that host, to who has this token. */
async function serve(host: LabHost, folder: string, role: string): Promise<Served> {
  const { cert, key } = certificate(folder, host.address);
  const tokens = join(folder, "tokens");
  const words = ["token", "add", "alice", "--role", role, "--file", tokens];
  const token = (await host.exec([process.execPath, HOLDFAST_PROGRAM, ...words])).stdout.trim();
  const lines = [`listen ${host.address} ${PORT}`, `tls_cert ${cert}`, `tls_key ${key}`, `token_file ${tokens}`];
  const block = `api {\n${[...lines, "dashboard on"].join("\n")}\n}\n`;
  return { url: `https://${host.address}:${PORT}/`, token, block };
}

const secret = randomBytes(32).toString("hex");

const scrollsSideways = (page: Page): Promise<boolean> =>
  page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth") as Promise<boolean>;

async function signIn(page: Page, token: string): Promise<void> {
  await page.locator("#token").fill(token);
  await page.locator("form button").click();
  await page.locator('[data-connection="live"]').waitFor();
}

const text = (page: Page, selector: string): Promise<string | null> => page.locator(selector).textContent();

/** A page whose breaches of its own policy, script errors and requests to others are an error at the end. */
async function onPage(host: LabHost, use: (page: Page, answers: readonly Response[]) => Promise<void>): Promise<void> {
  const { browser, close } = await startBrowser(host);
  try {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      viewport: DESK,
      locale: "en-GB",
      reducedMotion: "reduce" as const,
    });
    const page = await context.newPage();
    const complaints = collectComplaints(page, ON_PURPOSE);
    const answers: Response[] = [];
    page.on("response", (response) => answers.push(response));
    await use(page, answers);
    expect(complaints).toEqual([]);
  } finally {
    await close();
  }
}

describeStage("the dashboard", (stage) => {
  let folder: string;
  let pair: ManagedPair | null = null;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-dashboard-"));
  });
  afterEach(async () => {
    await pair?.end();
    rmSync(folder, { recursive: true });
  });

  test.skipIf(!hasChromium())(
    "follows a failover without being loaded again, in both languages, on a phone",
    async () => {
      const [one, two] = [stage.host("db1"), stage.host("db2")];
      const { url, token, block } = await serve(two, folder, "read");
      const flag = join(folder, "well");
      writeFileSync(flag, "");
      const check = fileCheck("chk", flag);
      const db1 = stage.start("db1", linkBlock(one, two, secret) + instanceBlock({ priority: 150 }));
      await instanceWhen(db1, "VI_1", (view) => view.holding);
      const tracked = instanceBlock({ priority: 100, lines: ["track_script {", "chk", "}"] });
      const db2 = stage.start("db2", linkBlock(two, one, secret) + check + tracked + block);
      await instanceWhen(db2, "VI_1", (view) => view.state === "BACKUP");
      await onPage(stage.host("client"), async (page, answers) => {
        await page.goto(url);
        await page.locator("#token").waitFor();
        expect(await accessibilityFindings(page)).toEqual([]);
        await signIn(page, token);
        const state = page.locator('tr[data-instance="VI_1"]');
        await page.locator(`[data-vip="${VIP}"][data-holder="${one.address}"]`).waitFor();
        await expect.poll(() => state.getAttribute("data-state"), POLL).toBe("BACKUP");
        await expect.poll(() => page.locator("[data-node] h3").allTextContents(), POLL).toEqual(["db2", "db1"]);
        const files = answers.filter((answer) => answer.url().includes("/dashboard/"));
        const packed = await Promise.all(files.map(async (file) => gzipSync(await file.body()).length));
        expect(packed.length).toBeGreaterThanOrEqual(3);
        expect(packed.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(MOST_PACKED_BYTES);
        expect(answers.every((one) => one.url().startsWith(url) && !one.url().includes(token))).toBe(true);

        await page.evaluate("window.same = true");
        await db1.stop();
        await page.locator(`[data-vip="${VIP}"][data-holder="own"]`).waitFor();
        await expect.poll(() => state.getAttribute("data-state"), POLL).toBe("MASTER");
        await page.locator('.stretch[data-state="MASTER"]').waitFor();
        await expect.poll(() => text(page, '[aria-live="assertive"]'), POLL).toBe("VI_1 is now MASTER.");
        await expect
          .poll(() => text(page, ".events li:first-child"), POLL)
          .toContain("BACKUP → MASTER, because the master");
        await expect
          .poll(() => text(page, '[data-order="Reload the configuration"] + small'), POLL)
          .toContain("the role admin");

        await page.locator('[data-language="zh-CN"]').click();
        await page.getByRole("heading", { name: "拓扑" }).waitFor();
        await expect.poll(() => page.locator("html").getAttribute("lang"), POLL).toBe("zh-CN");
        await expect.poll(() => state.textContent(), POLL).toContain("已让位");
        await page.setViewportSize(PHONE);
        expect(await scrollsSideways(page)).toBe(false);

        // A check fails: what it last said is one key away.
        rmSync(flag);
        await page.locator('tr[data-instance="VI_1"][data-state="FAULT"]').waitFor();
        await page.locator('[data-check="chk"] summary').press("Enter");
        await expect.poll(() => text(page, '[data-check="chk"] dl'), POLL).toContain("退出码 1");
        expect(await scrollsSideways(page)).toBe(false);

        // The daemon goes and comes back: what was seen stays, and is said to be old.
        await db2.stop();
        await page.locator('[data-connection="lost"]').waitFor();
        await expect.poll(() => text(page, ".warnings"), POLL).toContain("守护进程没有应答");
        await expect.poll(() => state.isVisible(), POLL).toBe(true);
        stage.again(db2);
        await page.locator('[data-connection="live"]').waitFor();
        expect(await page.evaluate("window.same")).toBe(true);
      });
    },
  );

  test.skipIf(!hasChromium())(
    "shows replication both ways, and moves the writer after its plan was shown",
    async () => {
      const [one, two] = [stage.host("db1"), stage.host("db2")];
      const { url, token, block } = await serve(one, folder, "operate");
      pair = new ManagedPair(stage);
      await pair.startServers();
      const proved = ["auth_hmac {", `key 1 hex:${secret}`, "active_key 1", "}"];
      const first = pair.start(0, [], { instance: proved, blocks: block + linkBlock(one, two, secret) });
      await serving(first);
      const second = pair.start(1, [], { instance: proved, blocks: linkBlock(two, one, secret) });
      await mayTakeOver(second);
      await onPage(stage.host("client"), async (page) => {
        await page.goto(url);
        await signIn(page, token);
        await page.locator(".line.running").nth(1).waitFor();
        // The page follows what the daemon sees: a lag or a role may be of the look before.
        await expect
          .poll(() => page.locator(".arrows li").allTextContents(), POLL)
          .toEqual([
            expect.stringMatching(/^orders: db2 → db1, running, lag 0 s, position /),
            expect.stringMatching(/^orders: db1 → db2, running, lag 0 s, position /),
          ]);
        await expect.poll(() => text(page, '[data-node="own"]'), POLL).toContain("open for writes");
        await expect.poll(() => text(page, `[data-node="${two.address}"]`), POLL).toContain("read-only");
        await page.locator(".buttons.small button").first().click();
        await screenshot(page, "dashboard.en.png");
        for (const theme of ["light", "dark"]) {
          await page.locator("header select").selectOption(theme);
          expect(await accessibilityFindings(page), theme).toEqual([]);
        }
        await page.locator("header select").selectOption("auto");
        await page.locator('[data-language="zh-CN"]').click();
        await screenshot(page, "dashboard.zh-CN.png");
        await page.locator('[data-language="en"]').click();

        // The peer's daemon reports over the peer link: one page for both hosts.
        await page.locator('[data-host="db2"]').click();
        await page.locator('tr[data-instance="VI_1"][data-state="BACKUP"]').waitFor();
        await expect.poll(() => text(page, ".events"), POLL).toContain("VI_1: INIT → BACKUP");
        await page.locator('[data-host="db1"]').click();
        await page.locator('tr[data-instance="VI_1"][data-state="MASTER"]').waitFor();

        const order = page.locator('[data-order^="Move the writer of orders"]');
        await order.focus();
        await page.keyboard.press("Enter");
        await expect.poll(() => text(page, "dialog .plan li:nth-child(3)"), POLL).toContain("let the address go");
        await page.keyboard.press("Escape");
        await page.locator("dialog").waitFor({ state: "detached" });
        await expect
          .poll(() => page.evaluate("document.activeElement?.dataset.order"), POLL)
          .toContain("Move the writer");
        expect((await instanceOf(first, "VI_1"))?.holding).toBe(true);
        await order.click();
        await page.locator("[data-confirm]").click();
        await page.locator("dialog .good").waitFor();
        await expect.poll(() => text(page, "dialog .good"), POLL).toContain("No server was open for writes for");
        await page.locator("dialog button").click();
        await page.locator(`[data-vip="${VIP}"][data-holder="${two.address}"]`).waitFor();
        const history = await holdfast(first, "history", "--kind", "api-request");
        expect(history.stdout).toContain("alice at 192.168.11.10");
        expect(history.stdout).not.toContain(token);
      });
    },
  );
});
