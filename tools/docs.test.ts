// Pages of docs/ that are written from the sources. `npm run docs` is this file with vitest's -u: it rewrites them.

import type { Command } from "commander";
import { expect, test } from "vitest";
import { EXIT_CODES_HELP } from "../src/cli/exit-codes.ts";
import { PROBE_HELP } from "../src/cli/probe-options.ts";
import { REDIS_PROBE_HELP } from "../src/cli/probe-redis-options.ts";
import { buildProgram, type ProgramParts } from "../src/cli/program.ts";
import { plain } from "../src/cli/terminal.ts";
import { DIAGNOSTIC_CODES } from "../src/core/config/codes.ts";
import { registryRows } from "../src/core/config/keywords/registry.ts";
import { runLabCommand } from "../src/lab/command.ts";
import { overview } from "../src/mha/commands.ts";
import { runSimArguments } from "../src/sim/arguments.ts";
import { cliPage, diagnosticsPage, keywordsPage, metricsPage } from "./docs-pages.ts";
import { alertRows, metricRows } from "./metric-rows.ts";

const docs = (name: string): string => new URL(`../docs/${name}`, import.meta.url).pathname;

function program(): Command {
  const fail = async (): Promise<never> => {
    throw new Error("nothing is run here");
  };
  const parts: ProgramParts = {
    version: "0",
    runDaemon: fail,
    testConfig: fail,
    check: fail,
    sim: fail,
    lab: fail,
    probe: fail,
    mha: fail,
    readOffline: fail,
  };
  const quiet = (): void => undefined;
  const terminal = { out: quiet, err: quiet, width: 80, isTty: false, paint: plain, env: {} };
  const never = new AbortController().signal;
  return buildProgram(parts, { terminal, interrupt: () => never, readerLeft: async () => never }, quiet);
}

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

test("docs/metrics.md is up to date", async () => {
  await expect(metricsPage(metricRows(), alertRows())).toMatchFileSnapshot(docs("metrics.md"));
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
