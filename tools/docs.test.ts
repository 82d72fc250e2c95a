// Pages of docs/ that are written from the sources. `npm run docs` is this file with vitest's -u: it rewrites them.

import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { EXIT_CODES_HELP } from "../src/cli/exit-codes.ts";
import { PROBE_HELP } from "../src/cli/probe-options.ts";
import { REDIS_PROBE_HELP } from "../src/cli/probe-redis-options.ts";
import { DIAGNOSTIC_CODES, type DiagnosticCode } from "../src/core/config/codes.ts";
import { RULE_EXAMPLES } from "../src/core/config/examples/examples.ts";
import { registryRows } from "../src/core/config/keywords/registry.ts";
import { DOCTOR_FINDINGS } from "../src/core/doctor/catalogue.ts";
import { runLabCommand } from "../src/lab/command.ts";
import { overview } from "../src/mha/commands.ts";
import { runSimArguments } from "../src/sim/arguments.ts";
import { WORDS as API_WORDS, apiPage, registeredRoutes } from "./api-page.ts";
import { program } from "./cli-program.ts";
import { bashCompletion, zshCompletion } from "./completions.ts";
import { cliPage, diagnosticsPage, keywordsPage, metricsPage } from "./docs-pages.ts";
import { doctorPage } from "./doctor-page.ts";
import { configManual, programManual } from "./man-pages.ts";
import { alertRows, metricRows } from "./metric-rows.ts";
import { rulePage } from "./rule-pages.ts";

const packaged = (name: string): string => new URL(`../packaging/${name}`, import.meta.url).pathname;
const docs = (name: string): string => new URL(`../docs/${name}`, import.meta.url).pathname;

async function foreignHelp(): Promise<Record<string, string>> {
  const sim: string[] = [];
  const lab: string[] = [];
  const out = (line: string): unknown => sim.push(line);
  await runSimArguments(["--help"], { out, progress: null, millis: () => 0 }, () => undefined);
  await runLabCommand(["--help"], { out: (text) => lab.push(text), err: () => undefined });
  return { mha: overview(), probe: `${PROBE_HELP}\n${REDIS_PROBE_HELP}`, sim: sim.join("\n"), lab: lab.join("") };
}

test("docs/keywords.md is up to date", async () => {
  await expect(keywordsPage(registryRows())).toMatchFileSnapshot(docs("keywords.md"));
});

test("docs/diagnostics.md is up to date", async () => {
  await expect(diagnosticsPage(DIAGNOSTIC_CODES)).toMatchFileSnapshot(docs("diagnostics.md"));
});

test.each(Object.entries(RULE_EXAMPLES))("docs/rules/%s.md is up to date", async (code, rule) => {
  const page = rulePage(code, DIAGNOSTIC_CODES[code as DiagnosticCode], rule);
  await expect(page).toMatchFileSnapshot(docs(`rules/${code}.md`));
});

test("every page of docs/rules is of a code, and every code has one", () => {
  const codes = Object.keys(DIAGNOSTIC_CODES).map((code) => `${code}.md`);
  expect(readdirSync(docs("rules")).sort()).toEqual(codes.sort());
});

test("docs/doctor.md is up to date", async () => {
  await expect(doctorPage(DOCTOR_FINDINGS)).toMatchFileSnapshot(docs("doctor.md"));
});

test("docs/metrics.md is up to date", async () => {
  await expect(metricsPage(metricRows(), alertRows())).toMatchFileSnapshot(docs("metrics.md"));
});

test("docs/api.md is up to date, and names every path that the daemon serves and no other", async () => {
  const routes = registeredRoutes();
  expect(routes.length).toBeGreaterThan(20);
  expect(Object.keys(API_WORDS).sort()).toEqual(routes.map(({ name }) => name).sort());
  await expect(apiPage(routes)).toMatchFileSnapshot(docs("api.md"));
});

test("the manual pages are up to date", async () => {
  const manual = programManual({ program: program(), exitCodes: EXIT_CODES_HELP, foreign: await foreignHelp() });
  await expect(manual).toMatchFileSnapshot(packaged("man/holdfast.8"));
  await expect(configManual(registryRows())).toMatchFileSnapshot(packaged("man/holdfast.conf.5"));
});

test("the shell completions are up to date", async () => {
  await expect(bashCompletion(program())).toMatchFileSnapshot(packaged("completions/holdfast.bash"));
  await expect(zshCompletion(program())).toMatchFileSnapshot(packaged("completions/_holdfast"));
});

const commandLine = async (): Promise<string> =>
  cliPage({ program: program(), exitCodes: EXIT_CODES_HELP, foreign: await foreignHelp() });

test("docs/cli.md is up to date", async () => {
  await expect(await commandLine()).toMatchFileSnapshot(docs("cli.md"));
});

test("docs/cli.md names every command and every option", async () => {
  const page = await commandLine();
  for (const command of program().commands) {
    const start = page.indexOf(`## holdfast ${command.name()}\n`);
    expect(start, command.name()).toBeGreaterThan(0);
    const end = page.indexOf("\n## ", start);
    const section = page.slice(start, end === -1 ? undefined : end);
    for (const option of command.options) expect(section).toContain(`\`${option.flags}\``);
  }
});
