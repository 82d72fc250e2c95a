/**
 * The words of `holdfast probe mysql`: options as the mysql client has them, `-h` being the host, and what counts as bad. Refuses a
 * password, which every user of the host could read in the list of processes.
 */
import type { TlsMode } from "../core/database/config.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { MysqlRules } from "../core/mysql/config.ts";
import { NO_PASSWORD, readNumbers, readWords } from "./probe-words.ts";

export interface ProbeOptions {
  /** Null: what the defaults file says, else 127.0.0.1, 3306, no socket. */
  readonly host: string | null;
  readonly port: number | null;
  readonly socket: string | null;
  readonly user: string | null;
  /** Null: ~/.my.cnf where it exists. */
  readonly defaultsFile: string | null;
  readonly tls: TlsMode;
  readonly tlsCa: string | null;
  /** For everything together. */
  readonly timeoutMillis: number;
  readonly rules: MysqlRules;
  readonly json: boolean;
}

export const PROBE_HELP = `Usage: holdfast probe mysql [options]

Asks a MySQL or MariaDB server once whether it is good, and says in one line why not. For check scripts and for people.

Options:
  -h, --host <host>        host name or address (default: 127.0.0.1)
  -P, --port <port>        TCP port (default: 3306)
  -S, --socket <path>      Unix socket instead of host and port
  -u, --user <name>        account (default: the one of the file, else your own name)
  --defaults-file <file>   user and password in [client], as in my.cnf; mode 0600 (default: ~/.my.cnf if it is there)
  --tls <mode>             off, required, verify-ca or verify-identity (default: off)
  --tls-ca <file>          certificate authorities (PEM)
  --timeout <seconds>      for everything together (default: 2)
  --writable               bad when it takes no writes
  --replication            bad when a replication thread is stopped or broken
  --max-lag <seconds>      bad when replication lags more, or is broken
  --min-disk-free <mib>    bad when less is free, on this host (default: 1)
  --json                   answer as JSON
  --help                   this text

Exit codes:
  0  good
  1  bad: the cause is the last line of standard error
  2  wrong use of the command line
  4  it could not ask: credentials or certificates cannot be used, or the login method is not known
`;

const TLS_MODES = ["off", "required", "verify-ca", "verify-identity"] as const satisfies readonly TlsMode[];

/** "help", or what is wrong with the words. */
export function parseProbe(words: readonly string[]): Result<ProbeOptions | "help", string> {
  // Before anything repeats it.
  if (words.some((word) => /^(-p|--pass)/.test(word))) return err(NO_PASSWORD);
  const [what, ...rest] = words;
  if (what === undefined || what === "--help") return ok("help");
  if (what !== "mysql") return err(`\`${what}\` cannot be probed; known: mysql, redis`);
  const parsed = readWords(rest, OPTIONS);
  if (!parsed.ok) return parsed;
  const [extra] = parsed.value.positionals;
  return extra === undefined ? optionsOf(parsed.value.values) : err(`\`${extra}\` is no option of probe mysql`);
}

type Values = Extract<ReturnType<typeof readWords<typeof OPTIONS>>, { readonly ok: true }>["value"]["values"];

function optionsOf(values: Values): Result<ProbeOptions | "help", string> {
  if (values.help === true) return ok("help");
  const numbers = readNumbers(values, RANGES);
  if (!numbers.ok) return numbers;
  const tls = TLS_MODES.find((mode) => mode === (values.tls ?? "off"));
  if (tls === undefined) return err(`--tls takes ${TLS_MODES.join(", ")}`);
  return ok({
    host: values.host ?? null,
    port: numbers.value.port,
    socket: values.socket ?? null,
    user: values.user ?? null,
    defaultsFile: values["defaults-file"] ?? null,
    tls,
    tlsCa: values["tls-ca"] ?? null,
    timeoutMillis: (numbers.value.timeout ?? DEFAULT_TIMEOUT) * 1_000,
    rules: rulesOf(values, numbers.value),
    json: values.json === true,
  });
}

function rulesOf({ writable, replication }: Values, { maxLag, minDiskFree }: Numbers): MysqlRules {
  return {
    readOnly: writable === true ? "fail" : "ignore",
    maxConnections: "fail",
    brokenReplication: replication === true || maxLag !== null ? "fail" : "ignore",
    lag: maxLag === null ? "ignore" : "fail",
    maxLag: maxLag ?? 0,
    minDiskFree: minDiskFree ?? 1,
  };
}

const DEFAULT_TIMEOUT = 2;

const OPTIONS = {
  host: { type: "string", short: "h" },
  port: { type: "string", short: "P" },
  socket: { type: "string", short: "S" },
  user: { type: "string", short: "u" },
  "defaults-file": { type: "string" },
  tls: { type: "string" },
  "tls-ca": { type: "string" },
  timeout: { type: "string" },
  writable: { type: "boolean" },
  replication: { type: "boolean" },
  "max-lag": { type: "string" },
  "min-disk-free": { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean" },
} as const;

/** With their least and greatest values. */
const RANGES = {
  port: { option: "port", range: [1, 65_535], whole: true },
  timeout: { option: "timeout", range: [0.1, 3_600], whole: false },
  maxLag: { option: "max-lag", range: [0, 31_536_000], whole: true },
  minDiskFree: { option: "min-disk-free", range: [0, 1_073_741_824], whole: true },
} as const;

type Numbers = Readonly<Record<keyof typeof RANGES, number | null>>;
