/** masterha_check_status and masterha_stop: they look at the status file, and at the process that it names. */
import { existsSync } from "node:fs";
import type { Options } from "../core/mha/options.ts";
import {
  applicationName,
  STATUS,
  STATUS_LIMIT_SECONDS,
  type StatusRecord,
  type StatusWord,
  statusInWords,
} from "../core/mha/status-file.ts";
import { type MhaEnvironment, MhaError, pause } from "./environment.ts";
import { ManagerFiles } from "./files.ts";
import { GLOBAL_CONF, loadConfig } from "./settings.ts";

interface Found {
  readonly application: string;
  readonly word: StatusWord;
  readonly record: StatusRecord | null;
  readonly log: string | null;
}

async function find(options: Options): Promise<Found> {
  const conf = options.text("conf");
  const app = options.text("app");
  const config =
    conf === null ? null : await loadConfig({ conf, globalConf: options.text("global_conf") ?? GLOBAL_CONF });
  const workdir = options.text("status_dir") ?? config?.application.workdir ?? null;
  if (workdir === null) throw new MhaError("Either --conf or --status_dir must be set.");
  if (!existsSync(workdir)) throw new MhaError(`Directory ${workdir} not found!`);
  const name = app ?? (conf === null ? null : applicationName(conf));
  if (name === null) throw new MhaError("--app names the application when there is no --conf.");
  const files = new ManagerFiles(`${name}.cnf`, workdir);
  const log = options.text("manager_log") ?? config?.application.log ?? null;
  const limit =
    options.number("ping_limit") ?? Math.max(STATUS_LIMIT_SECONDS, 3 * (config?.application.pingInterval ?? 0));
  return { application: name, log, ...judge(files.readStatus(), limit) };
}

function judge(status: ReturnType<ManagerFiles["readStatus"]>, limit: number): Pick<Found, "word" | "record"> {
  const record = status?.record ?? null;
  if (status === null || record === null || !isAlive(record.pid)) return { word: "NOT_RUNNING", record: null };
  return { word: record.word === "PING_OK" && status.ageSeconds > limit ? "TIMESTAMP_OLD" : record.word, record };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

const NAMES_LOG: ReadonlySet<StatusWord> = new Set([
  "PING_FAILING",
  "PING_FAILED",
  "CONFIG_ERROR",
  "FAILOVER_RUNNING",
  "FAILOVER_ERROR",
]);

export async function checkStatus(env: MhaEnvironment, options: Options): Promise<number> {
  const { application, word, record, log } = await find(options);
  env.out(`${statusInWords(application, word, record)}\n`);
  if (NAMES_LOG.has(word) && log !== null) env.out(`Check ${log} for details.\n`);
  return STATUS[word];
}

/** Seconds. */
const ABORT_TIMEOUT = 5;

export async function stopManager(env: MhaEnvironment, options: Options): Promise<number> {
  const { application, word, record } = await find(options);
  if (record === null) {
    env.out(`MHA Manager is not running on ${application}(2:NOT_RUNNING).\n`);
    return 0;
  }
  if (word === "FAILOVER_RUNNING" && !options.flag("abort")) {
    env.out(`Currently Failover is running on ${application}. Should not stop.\n`);
    return 1;
  }
  process.kill(record.pid, "SIGTERM");
  const until = performance.now() + (options.number("abort_timeout") ?? ABORT_TIMEOUT) * 1000;
  while (isAlive(record.pid) && performance.now() < until) await pause(50);
  if (!isAlive(record.pid)) {
    env.out(`Stopped ${application} successfully.\n`);
    return 0;
  }
  if (options.flag("abort")) {
    process.kill(record.pid, "SIGKILL");
    env.out(`Forced stopped ${application}.\n`);
    return 0;
  }
  env.out(`Manager process ${record.pid} did not end in time; --abort kills it.\nFailed to stop ${application}.\n`);
  return 1;
}
