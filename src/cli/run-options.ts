/**
 * The daemon's options: keepalived's letters and names (so that an init script can swap the binary) and a few of ours.
 * Letters whose function is not there are accepted and named in one line, never silently ignored.
 */
import { resolve } from "node:path";
import { Option } from "commander";
import { DEFAULT_CHECKERS_PID_FILE, DEFAULT_PID_FILE, DEFAULT_VRRP_PID_FILE } from "../control/contract/types.ts";
import type { Subsystems } from "../core/config/subsystems.ts";
import type { OptionSpec } from "./getopt.ts";
import { DEFAULT_FACILITY, parseFacility, parseUmask } from "./log-facility.ts";
import { socketPath, stateDirectory } from "./paths.ts";

export type LogFormat = "json" | "keepalived";

/** What the control process is started with. */
export interface RunOptions {
  readonly file: string;
  readonly pidFile: string;
  /** The second name of control, for programs that look for it: -r, or beside the default pid file. */
  readonly vrrpPidFile: string | null;
  /** The same for the checkers: -c; made when there are virtual servers. */
  readonly checkersPidFile: string | null;
  readonly stateDir: string;
  readonly socketPath: string;
  /** -n: stay in the foreground and log to standard error. */
  readonly foreground: boolean;
  readonly logConsole: boolean;
  readonly logDetail: boolean;
  readonly logFormat: LogFormat;
  readonly dumpConfig: boolean;
  readonly facility: number;
  /** -S was given: in the foreground, too, lines go to syslog. */
  readonly facilityGiven: boolean;
  readonly noSyslog: boolean;
  readonly logFile: string | null;
  readonly flushLogFile: boolean;
  /** --debug: the log level of the first moment. */
  readonly debug: boolean;
  readonly umask: number | null;
  /** -R: the end of the keeper is the end of the daemon. */
  readonly dontRespawn: boolean;
  readonly coreDump: boolean;
  /** -s: the network namespace, by the name that `ip netns` gives it. */
  readonly namespace: string | null;
  /** -e: every include must find its file. */
  readonly allConfig: boolean;
  /** -P, -C and -I. */
  readonly subsystems: Subsystems;
  /** -i: the id that `@id` lines are compared with; null means the node's name. */
  readonly configId: string | null;
  /** Values that name nothing; keepalived says so and goes on. */
  readonly problems: readonly string[];
  /** One line per accepted option that does nothing here. */
  readonly notices: readonly string[];
}

export interface ConfigTestOptions {
  readonly file: string;
  readonly configId: string | null;
  readonly allConfig: boolean;
  /** Problems of the command line that keepalived counts as errors of the configuration. */
  readonly problems: readonly string[];
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

const RELEASED = "addresses are always released at a stop: one that stays behind is on two hosts soon";
const NO_SNMP = "there is no SNMP";

const SPECS: readonly Spec[] = [
  { flags: "-f, --use-file <file>", doc: "configuration file" },
  { flags: "-n, --dont-fork", doc: "stay in the foreground, log to standard error" },
  { flags: "-l, --log-console", doc: "log to the console as well, where -S or -g would take its place" },
  { flags: "-D, --log-detail", doc: "detailed log lines" },
  {
    flags: "-S, --log-facility <facility>",
    doc: "syslog facility: 0-7, local0-local7, user, daemon; with -n also logs to syslog",
  },
  {
    flags: "-g, --log-file [file]",
    doc: "also log to files: FILE, and FILE with _vrrp and _healthcheckers before its last dot",
  },
  { flags: "--flush-log-file", doc: "have the disk write each line before the next" },
  { flags: "-G, --no-syslog", doc: "no lines to syslog" },
  { flags: "-d, --dump-conf", doc: "log the configuration at start" },
  { flags: "-p, --pid <file>", doc: "pid file" },
  { flags: "-r, --vrrp_pid <file>", doc: "second pid file (default: /run/keepalived_vrrp.pid, with -p none)" },
  { flags: "-u, --umask <mask>", doc: "file mode mask of daemon and scripts" },
  { flags: "-s, --namespace <name>", doc: "network namespace to run in, instead of net_namespace of the file" },
  { flags: "-R, --dont-respawn", doc: "end when the keeper ends, instead of starting it again" },
  { flags: "-m, --core-dump", doc: "leave a core file after a crash" },
  { flags: "-e, --all-config", doc: "a missing include is an error" },
  { flags: "-i, --config-id <id>", doc: "id that lines beginning with @id are compared with" },
  { flags: "-t, --config-test [logfile]", doc: "test the configuration and exit" },
  { flags: "-v, --version", doc: "show the version and exit" },
  { flags: "--signum <name>", doc: "show the number of a signal: STOP, RELOAD, DATA, STATS, STATS_CLEAR, JSON" },
  { flags: "--debug [options]", doc: "log every packet and timer; which ones is not chosen" },
  { flags: "-P, --vrrp", doc: "VRRP only: no virtual server is served or checked" },
  { flags: "-C, --check", doc: "virtual servers and their checkers only: no instance runs" },
  { flags: "-B, --no_bfd", doc: "no BFD", without: "there is no BFD" },
  { flags: "--all", doc: "start every process", without: "there are always two processes" },
  { flags: "-T, --genhash", doc: "as the first word: holdfast genhash" },
  {
    flags: "-X, --release-vips",
    doc: "drop addresses on a signal",
    without: "addresses are always released at a stop",
  },
  { flags: "-V, --dont-release-vrrp", doc: "keep addresses at a stop", without: RELEASED },
  { flags: "-I, --dont-release-ipvs", doc: "leave the virtual servers in the kernel at a stop" },
  {
    flags: "-c, --checkers_pid <file>",
    doc: "another pid file, when there are virtual servers (default: /run/keepalived_checkers.pid, with -p none)",
  },
  { flags: "-b, --bfd_pid <file>", doc: "pid file of BFD", without: "there is no such process" },
  { flags: "-a, --address-monitoring", doc: "log address changes", without: "`ip monitor address` shows them" },
  { flags: "-x, --snmp", doc: "SNMP", without: NO_SNMP },
  { flags: "-A, --snmp-agent-socket <file>", doc: "SNMP agent", without: NO_SNMP },
  {
    flags: "-M, --core-dump-pattern [pattern]",
    doc: "core pattern",
    without: "it would change a setting of the whole host; set kernel.core_pattern yourself, and use -m",
  },
  { flags: "--perf [when]", doc: "perf data", without: "use perf(1) on the process" },
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

/** The same for getopt.ts, which reads the words first. */
export function optionSpecs(): readonly OptionSpec[] {
  return runOptions().map(({ short, long, required, optional }) => ({
    short: short ?? null,
    long: long ?? "",
    value: required ? "required" : optional ? "optional" : "none",
  }));
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
const besideDefault = (pidFile: string | undefined, second: string): string | null =>
  pidFile === undefined || resolve(pidFile) === DEFAULT_PID_FILE ? second : null;

/** -P and -C together are keepalived's way of asking for both. */
function subsystemsOf(raw: RawOptions): Subsystems {
  const [vrrp, checkers] = [raw.vrrp === true, raw.check === true];
  return { vrrp: vrrp || !checkers, checkers: checkers || !vrrp, keepIpvs: raw.dontReleaseIpvs === true };
}

/** keepalived's default when -g names no file. */
const DEFAULT_LOG_FILE = "/tmp/keepalived.log";

function logOptions(raw: RawOptions) {
  const facility = text(raw.logFacility);
  const file = raw.logFile === true ? DEFAULT_LOG_FILE : text(raw.logFile);
  return {
    facility: (facility === null ? null : parseFacility(facility)) ?? DEFAULT_FACILITY,
    facilityGiven: facility !== null,
    noSyslog: raw.syslog === false,
    logFile: file === null ? null : resolve(file),
    flushLogFile: raw.flushLogFile === true,
    debug: raw.debug !== undefined,
    logConsole: raw.logConsole === true,
    logDetail: raw.logDetail === true,
  };
}

function problemsOf(raw: RawOptions): string[] {
  const facility = text(raw.logFacility);
  const mask = text(raw.umask);
  const problems: string[] = [];
  if (facility !== null && parseFacility(facility) === null) {
    problems.push(`Invalid log facility '${facility}': write -S with 0 to 7, local0 to local7, user or daemon`);
  }
  if (mask !== null && parseUmask(mask) === null) {
    problems.push(`Invalid --umask option ${mask}: write -u with an octal number from 0 to 0777`);
  }
  return problems;
}

export function toRunOptions(raw: RawOptions, env: Readonly<Record<string, string | undefined>>): RunOptions {
  const places = {
    pid: text(raw.pid) ?? undefined,
    socket: text(raw.socket) ?? undefined,
    stateDir: text(raw.stateDir) ?? undefined,
  };
  return {
    file: text(raw.useFile) ?? DEFAULT_CONFIG_FILE,
    pidFile: places.pid ?? DEFAULT_PID_FILE,
    vrrpPidFile: text(raw.vrrp_pid) ?? besideDefault(places.pid, DEFAULT_VRRP_PID_FILE),
    checkersPidFile: text(raw.checkers_pid) ?? besideDefault(places.pid, DEFAULT_CHECKERS_PID_FILE),
    stateDir: stateDirectory(places),
    socketPath: socketPath(places, env),
    foreground: raw.dontFork === true,
    ...logOptions(raw),
    umask: parseUmask(text(raw.umask) ?? ""),
    dontRespawn: raw.dontRespawn === true,
    coreDump: raw.coreDump === true || raw.coreDumpPattern !== undefined,
    namespace: text(raw.namespace),
    allConfig: raw.allConfig === true,
    subsystems: subsystemsOf(raw),
    logFormat: raw.logFormat === "json" ? "json" : "keepalived",
    dumpConfig: raw.dumpConf === true,
    configId: text(raw.configId),
    problems: problemsOf(raw),
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
