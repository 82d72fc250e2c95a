/**
 * `holdfast restart`: control begins anew in its own process, as the version that is installed now, while the keeper goes on serving
 * (docs/decisions/0093). Nothing is left before the new program has shown that it starts and finds no error in the file.
 */
import { execFile } from "node:child_process";
import type { RunOptions } from "../cli/run-options.ts";
import type { RestartOutcome } from "../control/actions.ts";
import type { ControlProcess } from "../engine/control-process.ts";
import type { EventBus } from "../engine/event-bus.ts";
import type { Arena } from "../linux/arena.ts";
import { beginAnew } from "../linux/keeper-adoption.ts";
import { errnoName } from "../linux/libc.ts";
import { ignoreRealtimeSignals } from "../linux/process.ts";

export interface RestartHost {
  readonly arena: Arena;
  readonly options: Pick<RunOptions, "file" | "configId">;
  readonly control: ControlProcess;
  readonly bus: Pick<EventBus, "publish">;
  /** What this process was given and has taken out of its environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Journal, API and log are written out and closed. */
  readonly close: () => Promise<unknown>;
  readonly fail: (reason: string) => void;
}

const SHOW_LIMIT_MILLIS = 20_000;
/** The answer to who has asked is on its way meanwhile. */
const ANSWER_MILLIS = 100;
const SERVICE_VARIABLES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;

/** Before the service manager's variables are taken out of the environment. */
export const serviceEnvironment = (): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(SERVICE_VARIABLES.map((name) => [name, process.env[name]]));

export async function restart(host: RestartHost, dryRun: boolean): Promise<RestartOutcome> {
  const version = await newVersion(host.options);
  if ("problem" in version) return { outcome: "refused", detail: version.problem, version: null };
  const left = await host.control.leave(dryRun);
  if (typeof left === "string") return { outcome: "refused", detail: left, version: version.text };
  if (left === null) return { outcome: "would-restart", detail: "", version: version.text };
  host.bus.publish("parent", { kind: "restarting", version: version.text });
  setTimeout(() => void go(host, left), ANSWER_MILLIS);
  return { outcome: "restarting", detail: "", version: version.text };
}

async function go(host: RestartHost, left: { readonly pid: number; readonly descriptor: number }): Promise<void> {
  await host.close();
  ignoreRealtimeSignals();
  const argv = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const failed = beginAnew(host.arena, left, { argv, env: { ...process.env, ...host.environment } });
  host.fail(`cannot begin anew: ${errnoName(failed)}; the keeper releases, start the daemon again`);
}

interface Shown {
  readonly code: number;
  readonly out: string;
}

/** What the program that is installed now says; it must start, and find no error in the file. */
async function newVersion({
  file,
  configId,
}: RestartHost["options"]): Promise<{ readonly text: string } | { readonly problem: string }> {
  const shown = await show("--version");
  const text = /^Holdfast v(\S+)/.exec(shown.out)?.[1];
  if (shown.code !== 0 || text === undefined) {
    return { problem: `the program that is installed does not start: ${shown.out.trim().slice(0, 200)}` };
  }
  const checked = await show("check", file, ...(configId === null ? [] : ["--config-id", configId]));
  if (checked.code === 0) return { text };
  return { problem: `${text} finds errors in ${file}: holdfast check ${file} shows them` };
}

function show(...words: readonly string[]): Promise<Shown> {
  const [program = ""] = process.argv.slice(1);
  return new Promise((resolve) => {
    const args = [...process.execArgv, program, ...words];
    execFile(process.execPath, args, { timeout: SHOW_LIMIT_MILLIS }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : 1, out: `${stdout}${stderr}` }),
    );
  });
}
