/**
 * Debian's Chromium on a lab host, headless, driven over its pipe. What the page breaks (policy, script errors, requests that fail) is
 * collected. It asks nobody but the lab: the host's network has no way out.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import type { LabHost } from "../src/lab/lab.ts";
import { enterArgv } from "../src/lab/namespace.ts";

const SCREENSHOTS = fileURLToPath(new URL("../docs/screenshots/", import.meta.url));
export const CHROMIUM = "/usr/bin/chromium";
export function hasChromium(): boolean {
  if (existsSync(CHROMIUM)) return true;
  process.stderr.write(`not run: tests of the dashboard need ${CHROMIUM} (apt-get install chromium)\n`);
  return false;
}

/** Root and namespaces of a user have no sandbox of Chromium's own; the pages are ours. */
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync"];

export interface LabBrowser {
  readonly browser: Browser;
  close(): Promise<void>;
}

/** Null: where this process is, for pages that it serves itself. */
export async function startBrowser(host: LabHost | null): Promise<LabBrowser> {
  const folder = mkdtempSync(join(host?.directory ?? tmpdir(), "chromium-"));
  const program = join(folder, "chromium");
  const started = ["env", `HOME=${folder}`, CHROMIUM];
  const argv = host === null ? started : enterArgv(host, started);
  const quoted = argv.map((one) => `'${one.replaceAll("'", "'\\''")}'`).join(" ");
  writeFileSync(program, `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 });
  const browser = await chromium.launch({ executablePath: program, args: ARGUMENTS, chromiumSandbox: false });
  return {
    browser,
    async close() {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** HOLDFAST_SCREENSHOTS=1 writes the pictures of the documentation anew; otherwise nothing is written. */
export async function screenshot(page: Page, name: string): Promise<void> {
  if (process.env.HOLDFAST_SCREENSHOTS !== "1") return;
  const fonts = execFileSync("fc-list", [":lang=zh-cn", "family"], { encoding: "utf8" }).trim();
  if (fonts === "") throw new Error("no font has Chinese characters: apt-get install fonts-wqy-microhei");
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, name), animations: "disabled" });
}

/** Everything that a page should not say. Requests that fail on purpose are the test's own business. */
export function collectComplaints(page: Page, expected: RegExp): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !expected.test(text)) complaints.push(`console: ${text}`);
  });
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  return complaints;
}

/** What axe finds against WCAG 2.2 AA, one line each: rule, and where. Contrast is computed from what is painted. */
export async function accessibilityFindings(page: Page): Promise<readonly string[]> {
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  // The driver's own channel: the page's policy would refuse it, as it should.
  await page.evaluate(axe);
  return page.evaluate(`axe.run({ resultTypes: ["violations"] }).then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ": " + nodes.map(({ target }) => target.join(" ")).join(", ")))`);
}
