/** MHA's programs for database hosts: purge_relay_logs, save_binary_logs, apply_diff_relay_logs. Holdfast's manager needs none of them there. */
import { closeSync, existsSync, mkdirSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type MhaServer, parseMhaConfig } from "../core/mha/config.ts";
import type { Options } from "../core/mha/options.ts";
import type { Coordinates } from "../core/mysql/coordinates.ts";
import { applyFile } from "./apply.ts";
import { cutLogs, type LogFile } from "./binlog-files.ts";
import { Database, failureWords } from "./database.ts";
import { type MhaEnvironment, MhaError, pause } from "./environment.ts";

/** Nothing is behind that position. */
const NOTHING_THERE = 10;
/** So long executed relay logs have to go; milliseconds. */
const PURGE_MILLIS = 3_000;

/** A server that is named on the command line. */
function serverOf({
  host,
  port,
  user,
  password,
}: {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}): MhaServer {
  const read = parseMhaConfig({ path: "", text: "[server1]\nhostname=x\n" }, null);
  const [server] = read.ok ? read.value.servers : [];
  if (server === undefined) throw new MhaError("no server");
  return { ...server, hostname: host, ip: host, port, user, password };
}

export async function purgeRelayLogs(env: MhaEnvironment, options: Options): Promise<number> {
  const host = options.text("host") ?? "127.0.0.1";
  const server = serverOf({
    host,
    port: options.number("port") ?? 3306,
    user: options.text("user") ?? "root",
    password: options.text("password") ?? "",
  });
  const database = new Database(env.sql, server, options.text("socket"));
  const opened = await database.open();
  if (!opened.ok) throw new MhaError(`${host} cannot be reached: ${failureWords(opened.error)}`);
  try {
    return await purge(env, options, database);
  } finally {
    database.close();
  }
}

async function purge(env: MhaEnvironment, options: Options, database: Database): Promise<number> {
  const facts = await database.facts();
  if (!facts.ok) throw new MhaError(failureWords(facts.error));
  if (facts.value.replication === null) throw new MhaError("the server is no replica");
  const what = "SET GLOBAL relay_log_purge";
  if (facts.value.relayPurge) {
    if (!options.flag("disable_relay_log_purge")) {
      env.out("relay_log_purge is on: the server purges by itself. Nothing to do.\n");
      return 0;
    }
    env.out("relay_log_purge is on. Turning it off..\n");
    await database.order("SET GLOBAL relay_log_purge = 0", { what });
  }
  if (!(await database.lock("failover", 200)))
    throw new MhaError("Getting advisory lock failed. A failover may be running");
  // Open files are freed when they are closed: the server's own removal is quick, however large they are.
  const handles = openRelayLogs(await relayBase(database));
  try {
    env.out("relay_log_purge=1, FLUSH RELAY LOGS, and a few seconds for the SQL thread..\n");
    await database.order("SET GLOBAL relay_log_purge = 1", { what });
    await database.order("FLUSH NO_WRITE_TO_BINLOG RELAY LOGS", { what: "FLUSH RELAY LOGS" });
    await pause(PURGE_MILLIS);
  } finally {
    await database.order("SET GLOBAL relay_log_purge = 0", { what });
    for (const handle of handles) closeSync(handle);
    await database.unlock("failover");
  }
  env.out("All relay log purging operations succeeded.\n");
  return 0;
}

async function relayBase(database: Database): Promise<string> {
  const [row] = await database.order("SHOW GLOBAL VARIABLES LIKE 'relay_log_basename'", {
    what: "asking for the relay logs",
  });
  return row?.Value ?? "";
}

function openRelayLogs(base: string): readonly number[] {
  const directory = base.slice(0, base.lastIndexOf("/"));
  if (directory === "" || !existsSync(directory)) return [];
  const name = base.slice(directory.length + 1);
  return readdirSync(directory)
    .filter((file) => file.startsWith(`${name}.`) && /\.\d+$/.test(file))
    .map((file) => openSync(join(directory, file), "r"));
}

const numberOf = (name: string): number => Number(/\.(\d+)$/.exec(name)?.[1] ?? Number.NaN);

/** Files of a series from that one on, in the first of the directories that has it. */
function series(directories: readonly string[], first: string): readonly LogFile[] {
  const directory = directories.find((one) => existsSync(join(one, first)));
  if (directory === undefined) throw new MhaError(`${first} is in none of ${directories.join(", ")}`);
  const stem = first.replace(/\.\d+$/, ".");
  return readdirSync(directory)
    .filter((name) => name.startsWith(stem) && numberOf(name) >= numberOf(first))
    .sort((one, other) => numberOf(one) - numberOf(other))
    .map((name) => ({ path: join(directory, name), name }));
}

const needed = (options: Options, name: string): string => {
  const value = options.text(name);
  if (value === null) throw new MhaError(`--${name} must be set.`);
  return value;
};

export function saveBinaryLogs(env: MhaEnvironment, options: Options): number {
  const directories = needed(options, "binlog_dir").split(",");
  const command = needed(options, "command");
  if (command === "test") {
    const prefix = options.text("binlog_prefix");
    const found = directories.find(
      (one) =>
        existsSync(one) &&
        readdirSync(one).some((name) =>
          prefix === null ? name === needed(options, "start_file") : name.startsWith(`${prefix}.`),
        ),
    );
    if (found === undefined) throw new MhaError(`no such binary log in ${directories.join(", ")}`);
    env.out(`Binary logs are in ${found}. ok.\n`);
    return 0;
  }
  if (command !== "save") throw new MhaError(`--command=${command} is unknown; test or save`);
  const from: Coordinates = { file: needed(options, "start_file"), offset: options.number("start_pos") ?? 4 };
  const output = needed(options, "output_file");
  const cut = cutLogs(series(directories, from.file), { from, output });
  if (!cut.covered) throw new MhaError(`${from.file}:${from.offset} is no place between two events`);
  env.out(`${cut.transactions} transactions, ${cut.bytes} bytes behind ${from.file}:${from.offset}, in ${output}.\n`);
  return cut.transactions === 0 ? NOTHING_THERE : 0;
}

export async function applyDiffRelayLogs(env: MhaEnvironment, options: Options): Promise<number> {
  const command = needed(options, "command");
  if (command === "test") {
    const workdir = options.text("workdir") ?? "/var/tmp";
    mkdirSync(workdir, { recursive: true });
    env.out(`${workdir} can be used. ok.\n`);
    return 0;
  }
  if (command === "find" || command === "generate") return generate(env, options, command === "generate");
  if (command === "apply") {
    const server = serverOf({
      host: options.text("slave_ip") ?? options.text("slave_host") ?? "127.0.0.1",
      port: options.number("slave_port") ?? 3306,
      user: options.text("slave_user") ?? "root",
      password: options.text("slave_pass") ?? "",
    });
    const set: MhaServer = {
      ...server,
      disableLogBin: options.number("disable_log_bin") === 1,
      clientBindir: options.text("client_bindir"),
      clientLibdir: options.text("client_libdir"),
    };
    for (const file of needed(options, "apply_files").split(",")) await applyFile(set, file);
    env.out("Applying log files succeeded.\n");
    return 0;
  }
  if (command === "generate_and_send") {
    throw new MhaError(
      "--command=generate_and_send is not done: the manager fetches what it needs itself. Use generate and copy the file",
    );
  }
  throw new MhaError(`--command=${command} is unknown; test, find, generate or apply`);
}

/** Where a replica stands that is behind, in the relay logs of one that has received more; and what it lacks. */
function generate(env: MhaEnvironment, options: Options, keep: boolean): number {
  const from: Coordinates = { file: needed(options, "target_mlf"), offset: Number(needed(options, "target_rmlp")) };
  const directory = needed(options, "relay_dir");
  const current = needed(options, "current_relay_log");
  const first = readdirSync(directory)
    .filter((name) => name.startsWith(current.replace(/\.\d+$/, ".")) && /\.\d+$/.test(name))
    .sort((one, other) => numberOf(one) - numberOf(other))[0];
  const files = series([directory], first ?? current).map(({ path }) => ({ path, name: "" }));
  const output = keep ? needed(options, "diff_file_readtolatest") : "/dev/null";
  const cut = cutLogs(files, { from, output });
  if (!cut.covered)
    throw new MhaError(`${from.file}:${from.offset} is not in the relay logs of ${directory}: they were purged`);
  env.out(`${cut.transactions} transactions behind ${from.file}:${from.offset}${keep ? `, in ${output}` : ""}.\n`);
  return 0;
}
