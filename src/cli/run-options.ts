/**
 * The daemon's options: keepalived's letters and names (so that an init script can swap the binary) and a few of ours.
 * Letters whose function is not there are accepted and named in one line, never silently ignored.
 */
import { resolve } from "node:path";
import { Option } from "commander";
import { DEFAULT_PID_FILE, DEFAULT_VRRP_PID_FILE } from "../control/contract/types.ts";
import { socketPath, stateDirectory } from "./paths.ts";

export type LogFormat = "json" | "keepalived";

/** What the control process is started with. */
export interface RunOptions {
  readonly file: string;
  readonly pidFile: string;
  /** The second name of control, for programs that look for it: -r, or beside the default pid file. */
  readonly vrrpPidFile: string | null;
  readonly stateDir: string;
  readonly socketPath: string;
  /** -n: stay in the foreground and log to standard error. */
  readonly foreground: boolean;
  readonly logConsole: boolean;
  readonly logDetail: boolean;
  readonly logFormat: LogFormat;
  readonly dumpConfig: boolean;
  /** -i: the id that `@id` lines are compared with; null means the node's name. */
  readonly configId: string | null;
  /** One line per accepted option that does nothing here. */
  readonly notices: readonly string[];
}

export interface ConfigTestOptions {
  readonly file: string;
  readonly configId: string | null;
  /** -t=FILE: findings go there instead of standard error. */
  readonly logFile: string | null;
}

export const DEFAULT_CONFIG_FILE = "/etc/keepalived/keepalived.conf";

interface Spec {
  readonly flags: string;
  readonly doc: string;
  /** Accepted, with this reason why it changes nothing. */
  readonly without?: string;
}

const NOT_DONE = "not done yet";

const SPECS: readonly Spec[] = [
  { flags: "-f, --use-file <file>", doc: "configuration file" },
  { flags: "-n, --dont-fork", doc: "stay in the foreground, log to standard error" },
  { flags: "-l, --log-console", doc: "log to the console as well" },
  { flags: "-D, --log-detail", doc: "detailed log lines" },
  { flags: "-d, --dump-conf", doc: "log the configuration at start" },
  { flags: "-p, --pid <file>", doc: "pid file" },
  { flags: "-r, --vrrp_pid <file>", doc: "second pid file (default: /run/keepalived_vrrp.pid, with -p none)" },
  { flags: "-i, --config-id <id>", doc: "id that lines beginning with @id are compared with" },
  { flags: "-t, --config-test [logfile]", doc: "test the configuration and exit" },
  { flags: "-v, --version", doc: "show the version and exit" },
  { flags: "--signum <name>", doc: "show the number of a signal: STOP, RELOAD, DATA, STATS, STATS_CLEAR, JSON" },
  { flags: "-P, --vrrp", doc: "VRRP only", without: "virtual servers are not done yet, so VRRP is all there is" },
  { flags: "-C, --check", doc: "health checkers only", without: "virtual servers are not done yet" },
  { flags: "-B, --no_bfd", doc: "no BFD", without: "there is no BFD" },
  { flags: "--all", doc: "start every process", without: "there are always two processes" },
  { flags: "-S, --log-facility <facility>", doc: "syslog facility", without: NOT_DONE },
  { flags: "-g, --log-file [file]", doc: "log to a file", without: NOT_DONE },
  { flags: "-T, --genhash", doc: "genhash, a program of its own", without: NOT_DONE },
  { flags: "-G, --no-syslog", doc: "no syslog", without: "with -n nothing goes to syslog anyway" },
  { flags: "--flush-log-file", doc: "flush the log file", without: NOT_DONE },
  { flags: "-u, --umask <mask>", doc: "umask for files", without: "files are made with mode 0600 or 0644" },
  {
    flags: "-X, --release-vips",
    doc: "drop addresses on a signal",
    without: "addresses are always released at a stop",
  },
  {
    flags: "-V, --dont-release-vrrp",
    doc: "keep addresses at a stop",
    without: "addresses are always released at a stop",
  },
  { flags: "-I, --dont-release-ipvs", doc: "keep IPVS at a stop", without: "virtual servers are not done yet" },
  { flags: "-R, --dont-respawn", doc: "do not restart children", without: "the keeper is always restarted" },
  { flags: "-c, --checkers_pid <file>", doc: "pid file of the checkers", without: "there is no such process" },
  { flags: "-b, --bfd_pid <file>", doc: "pid file of BFD", without: "there is no such process" },
  { flags: "-a, --address-monitoring", doc: "log address changes", without: NOT_DONE },
  {
    flags: "-s, --namespace <name>",
    doc: "network namespace",
    without: "start it inside: ip netns exec NAME holdfast run",
  },
  { flags: "-e, --all-config", doc: "missing include is an error", without: NOT_DONE },
  { flags: "-x, --snmp", doc: "SNMP", without: NOT_DONE },
  { flags: "-A, --snmp-agent-socket <file>", doc: "SNMP agent", without: NOT_DONE },
  { flags: "-m, --core-dump", doc: "core dump", without: NOT_DONE },
  { flags: "-M, --core-dump-pattern [pattern]", doc: "core pattern", without: NOT_DONE },
];

/** Options as commander reads them; those that change nothing are hidden from --help. */
export function runOptions(): readonly Option[] {
  return [
    ...SPECS.map(({ flags, doc, without }) => new Option(flags, doc).hideHelp(without !== undefined)),
    new Option("--state-dir <dir>", "journal and state (default: /var/lib/holdfast, or beside the pid file)"),
    new Option("--socket <path>", "API socket (default: /run/holdfast.sock, or beside the pid file)"),
    new Option("--log-format <format>", "form of the log lines").choices(["json", "keepalived"]).default("keepalived"),
  ];
}

export type RawOptions = Readonly<Record<string, string | boolean | undefined>>;

const text = (value: string | boolean | undefined): string | null => (typeof value === "string" ? value : null);

function noticesFor(raw: RawOptions): string[] {
  return SPECS.flatMap(({ flags, without }) => {
    if (without === undefined) return [];
    const option = new Option(flags);
    const value = raw[option.attributeName()];
    // "--no-x" is true unless it was given.
    const given = option.negate ? value === false : value !== undefined;
    return !given ? [] : [`option ${option.short ?? option.long} changes nothing: ${without}`];
  });
}

/** Several daemons with pid files of their own must not fight for one second name. */
const defaultVrrpPidFile = (pidFile: string | undefined): string | null =>
  pidFile === undefined || resolve(pidFile) === DEFAULT_PID_FILE ? DEFAULT_VRRP_PID_FILE : null;

export function toRunOptions(raw: RawOptions, env: Readonly<Record<string, string | undefined>>): RunOptions {
  const places = {
    pid: text(raw.pid) ?? undefined,
    socket: text(raw.socket) ?? undefined,
    stateDir: text(raw.stateDir) ?? undefined,
  };
  return {
    file: text(raw.useFile) ?? DEFAULT_CONFIG_FILE,
    pidFile: places.pid ?? DEFAULT_PID_FILE,
    vrrpPidFile: text(raw.vrrp_pid) ?? defaultVrrpPidFile(places.pid),
    stateDir: stateDirectory(places),
    socketPath: socketPath(places, env),
    foreground: raw.dontFork === true,
    logConsole: raw.logConsole === true,
    logDetail: raw.logDetail === true,
    logFormat: raw.logFormat === "json" ? "json" : "keepalived",
    dumpConfig: raw.dumpConf === true,
    configId: text(raw.configId),
    notices: noticesFor(raw),
  };
}

/** Numbers that `--signum` prints; the real-time ones as glibc counts them. */
export const SIGNALS: Readonly<Record<string, number>> = {
  STOP: 15,
  RELOAD: 1,
  DATA: 10,
  STATS: 12,
  STATS_CLEAR: 63,
  JSON: 36,
};
