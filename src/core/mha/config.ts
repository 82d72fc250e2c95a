/**
 * MHA's two configuration files to servers with all their settings: the application's [server default] over the global one, a server's own
 * over both. All problems are reported, each with file and line. Looks nothing up: addresses that are not given are null.
 */
import { err, ok, type Result } from "../lib/result.ts";
import { type IniBlock, parseIni } from "./ini.ts";
import { PARAMETER, PARAMETERS, type PingType, valueProblem } from "./parameters.ts";

export interface MhaServer {
  /** Name of its block. */
  readonly id: string;
  readonly hostname: string;
  readonly ip: string | null;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly replUser: string | null;
  readonly replPassword: string | null;
  readonly label: string | null;
  readonly candidate: boolean;
  readonly noMaster: boolean;
  readonly ignoreFail: boolean;
  readonly skipInitSshCheck: boolean;
  readonly skipResetSlave: boolean;
  readonly disableLogBin: boolean;
  readonly multiTier: boolean;
  readonly useGtidAutoPos: boolean;
  readonly remoteWorkdir: string;
  readonly binlogDirs: readonly string[];
  readonly pidFile: string | null;
  readonly clientBindir: string | null;
  readonly clientLibdir: string | null;
  readonly ssh: SshPlace;
}

export interface SshPlace {
  readonly host: string;
  readonly ip: string | null;
  readonly port: number;
  /** Null: the user that runs the command. */
  readonly user: string | null;
  readonly options: readonly string[];
  /** Seconds. */
  readonly timeout: number;
}

/** What is one for the whole application. */
export interface MhaApplication {
  /** Seconds. */
  readonly pingInterval: number;
  readonly pingType: PingType;
  readonly workdir: string;
  readonly log: string | null;
  readonly logLevel: string;
  readonly checkDelay: boolean;
  readonly checkFilter: boolean;
  readonly latestPriority: boolean;
  readonly rawBinlog: boolean;
  readonly scripts: Readonly<Record<ScriptName, readonly string[] | null>>;
}

export type ScriptName = "secondaryCheck" | "ipFailover" | "ipOnlineChange" | "shutdown" | "report" | "initConf";

export interface MhaConfig {
  readonly application: MhaApplication;
  readonly servers: readonly MhaServer[];
  readonly binlogServers: readonly MhaServer[];
}

export interface ConfigText {
  readonly path: string;
  readonly text: string;
}

type Values = ReadonlyMap<string, string>;

/** `loaded` is what init_conf_load_script has printed. */
export function parseMhaConfig(
  app: ConfigText,
  global: ConfigText | null,
  loaded: string | null = null,
): Result<MhaConfig, readonly string[]> {
  const problems: string[] = [];
  const base = new Map(PARAMETERS.flatMap(({ name, standard }) => (standard === null ? [] : [[name, standard]])));
  const globals = global === null ? [] : blocksOf(global, problems);
  const blocks = blocksOf(app, problems);
  const defaults = (list: readonly IniBlock[], path: string): Values =>
    valuesOf(
      list.find(({ name }) => name === "server default"),
      path,
      problems,
    );
  const shared = inherit([
    base,
    defaults(globals, global?.path ?? ""),
    defaults(blocks, app.path),
    loadedValues(loaded, problems),
  ]);
  const servers = [...blocks]
    .filter(({ name }) => name !== "server default")
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const made: MhaServer[] = [];
  for (const block of servers) {
    if (!/^(server|binlog)\S+$/.test(block.name)) {
      problems.push(
        `${app.path}:${block.line}: Block name "${block.name}" is invalid: [server default], or a word that begins with server or binlog`,
      );
      continue;
    }
    const values = inherit([withoutOwn(shared), valuesOf(block, app.path, problems)]);
    if (!values.has("hostname"))
      problems.push(`${app.path}:${block.line}: Server ${block.name} does not have hostname`);
    made.push(serverOf(block.name, values));
  }
  const hosts = made.filter(({ id }) => id.startsWith("server"));
  if (hosts.length === 0) problems.push(`${app.path}: No server is defined: write a block [server1] with hostname=...`);
  if (problems.length > 0) return err(problems);
  return ok({
    application: applicationOf(shared),
    servers: inOrder(hosts),
    binlogServers: made.filter(({ id }) => id.startsWith("binlog")),
  });
}

function blocksOf({ path, text }: ConfigText, problems: string[]): readonly IniBlock[] {
  const blocks = parseIni(text);
  if (blocks.ok) return blocks.value;
  problems.push(`${path}:${blocks.error.line}: ${blocks.error.text}`);
  return [];
}

function valuesOf(block: IniBlock | undefined, path: string, problems: string[]): Values {
  const values = new Map<string, string>();
  for (const [name, { value, line }] of block?.entries ?? []) {
    const problem = take(values, name, value);
    if (problem !== null) problems.push(`${path}:${line}: ${problem}`);
  }
  return values;
}

function loadedValues(printed: string | null, problems: string[]): Values {
  const values = new Map<string, string>();
  for (const [index, line] of (printed ?? "").split("\n").entries()) {
    const split = line.indexOf("=");
    if (split <= 0) continue;
    const problem = take(values, line.slice(0, split).trim(), line.slice(split + 1).trim());
    if (problem !== null) problems.push(`init_conf_load_script, line ${index + 1} of what it prints: ${problem}`);
  }
  return values;
}

/** Quotation marks around a value go, as MHA has it. */
const unquoted = (value: string): string => value.replace(/^['"](.*)['"]$/, "$1");

function take(values: Map<string, string>, name: string, raw: string): string | null {
  const parameter = PARAMETER.get(name);
  if (parameter === undefined) return `Parameter name ${name} is invalid`;
  const value = unquoted(raw);
  // An empty value is none, except for a password.
  if (value === "" && !name.endsWith("password")) return null;
  const problem = valueProblem(parameter, value);
  if (problem === null) values.set(name, value);
  return problem;
}

const inherit = (levels: readonly Values[]): Values => new Map(levels.flatMap((level) => [...level]));
const withoutOwn = (values: Values): Values =>
  new Map(
    [...values].filter(
      ([name]) => PARAMETER.get(name)?.own !== true || PARAMETER.get(name)?.standard === values.get(name),
    ),
  );

/** By the numbers in their names when all have one, else by name. */
function inOrder(servers: readonly MhaServer[]): readonly MhaServer[] {
  const number = ({ id }: MhaServer): number => Number(/^server\D*(\d+)/.exec(id)?.[1] ?? Number.NaN);
  return servers.some((server) => Number.isNaN(number(server)))
    ? servers
    : [...servers].sort((one, other) => number(one) - number(other));
}

const isOn = (values: Values, name: string): boolean => Number(values.get(name) ?? "0") >= 1;

function serverOf(id: string, values: Values): MhaServer {
  const text = (name: string): string => values.get(name) ?? "";
  const optional = (name: string): string | null => values.get(name) ?? null;
  const flag = (name: string): boolean => isOn(values, name);
  const hostname = text("hostname");
  const sshHost = optional("ssh_host") ?? hostname;
  return {
    id,
    hostname,
    ip: optional("ip"),
    port: Number(text("port")),
    user: text("user"),
    password: text("password"),
    replUser: optional("repl_user"),
    replPassword: optional("repl_password"),
    label: optional("node_label"),
    candidate: flag("candidate_master"),
    noMaster: flag("no_master"),
    ignoreFail: flag("ignore_fail"),
    skipInitSshCheck: flag("skip_init_ssh_check"),
    skipResetSlave: flag("skip_reset_slave"),
    disableLogBin: flag("disable_log_bin"),
    multiTier: flag("multi_tier_slave"),
    useGtidAutoPos: flag("use_gtid_auto_pos"),
    remoteWorkdir: text("remote_workdir"),
    binlogDirs: text("master_binlog_dir")
      .split(",")
      .map((directory) => directory.trim())
      .filter((directory) => directory !== ""),
    pidFile: optional("master_pid_file"),
    clientBindir: optional("client_bindir"),
    clientLibdir: optional("client_libdir"),
    ssh: {
      host: sshHost,
      ip: optional("ssh_ip") ?? (sshHost === hostname ? optional("ip") : null),
      port: Number(text("ssh_port")),
      user: optional("ssh_user"),
      options: words(text("ssh_options")),
      timeout: Number(text("ssh_connection_timeout")),
    },
  };
}

function applicationOf(values: Values): MhaApplication {
  const command = (name: string): readonly string[] | null => {
    const value = values.get(name);
    return value === undefined ? null : words(value);
  };
  return {
    pingInterval: Number(values.get("ping_interval")),
    pingType: (values.get("ping_type") ?? "SELECT").toUpperCase() as PingType,
    workdir: values.get("manager_workdir") ?? "/var/tmp",
    log: values.get("manager_log") ?? null,
    logLevel: (values.get("log_level") ?? "info").toLowerCase(),
    checkDelay: isOn(values, "check_repl_delay"),
    checkFilter: isOn(values, "check_repl_filter"),
    latestPriority: isOn(values, "latest_priority"),
    rawBinlog: isOn(values, "handle_raw_binlog"),
    scripts: {
      secondaryCheck: command("secondary_check_script"),
      ipFailover: command("master_ip_failover_script"),
      ipOnlineChange: command("master_ip_online_change_script"),
      shutdown: command("shutdown_script"),
      report: command("report_script"),
      initConf: command("init_conf_load_script"),
    },
  };
}

/** Words as a shell reads them: blanks divide, quotation marks and backslashes join. No other character means anything. */
export function words(text: string): readonly string[] {
  const found: string[] = [];
  for (const [word] of text.matchAll(/(?:\\.|"(?:\\.|[^"])*"|'[^']*'|[^\s"'\\])+/g)) {
    found.push(
      word.replace(
        /\\(.)|"((?:\\.|[^"])*)"|'([^']*)'/g,
        (_all, one, two, three) => one ?? two?.replace(/\\(["\\])/g, "$1") ?? three ?? "",
      ),
    );
  }
  return found;
}

/** Two blocks that mean one server; null when there are none. Asked when every address is known. */
export function duplicate(servers: readonly MhaServer[]): string | null {
  for (const [at, one] of servers.entries()) {
    const other = servers.slice(at + 1).find(({ ip, port }) => ip === one.ip && port === one.port);
    if (other !== undefined) {
      return `Server ${one.id}(hostname ${one.hostname}) and ${other.id}(hostname ${other.hostname}) have duplicate ip:port(${one.ip}:${one.port})`;
    }
  }
  return null;
}

/** "db1(10.0.0.1:3306)", as MHA writes a server. */
export const hostInfo = ({ hostname, ip, port }: Pick<MhaServer, "hostname" | "ip" | "port">): string =>
  `${hostname}(${ip ?? hostname}:${port})`;
