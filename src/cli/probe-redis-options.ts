/**
 * The words of `holdfast probe redis`: options as redis-cli has them, and what counts as bad. A trailing PING is answered with PONG, so that
 * a script can call it in place of redis-cli. Refuses a password, which every user of the host could read in the list of processes.
 */
import type { TlsMode } from "../core/database/config.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { RedisRules } from "../core/redis/config.ts";
import { NO_PASSWORD, readNumbers, readWords } from "./probe-words.ts";

export interface RedisProbeOptions {
  readonly host: string;
  readonly port: number;
  readonly socket: string | null;
  readonly user: string | null;
  readonly defaultsFile: string | null;
  readonly tls: TlsMode;
  readonly tlsCa: string | null;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
  /** For everything together. */
  readonly timeoutMillis: number;
  readonly rules: RedisRules;
  readonly json: boolean;
  /** PONG alone on standard output when it is good. */
  readonly ping: boolean;
}

export const REDIS_PROBE_HELP = `Usage: holdfast probe redis [options] [PING]

Asks a Redis or Valkey server once whether it is good, and says in one line why not: loading, a circle of replicas, full
memory, refused saves. In place of \`redis-cli ... PING\` in a check script; with PING the answer is PONG alone.

Options:
  -h, --host <host>        host name or address (default: 127.0.0.1)
  -p, --port <port>        TCP port (default: 6379)
  -s, --socket <path>      Unix socket instead of host and port
  --user <name>            ACL user (default: the one of the file)
  --defaults-file <file>   user and password in [client], as in my.cnf; mode 0600
  --tls <mode>             off, required, verify-ca or verify-identity (default: off)
  --cacert <file>          certificate authorities (PEM)
  --cert <file>            client's certificate (PEM)
  --key <file>             client's key (PEM)
  --timeout <seconds>      for everything together (default: 2)
  --writable               bad when it takes no writes: a replica, too few replicas for min-replicas-to-write
  --replication            bad when a replica is not in step with its master
  --max-lag <seconds>      bad when a replica has heard nothing for longer
  --json                   answer as JSON
  --help                   this text

Exit codes:
  0  good
  1  bad: the cause is the last line of standard error
  2  wrong use of the command line
  4  it could not ask: credentials or certificates cannot be used, or the server refuses them
`;

const TLS_MODES = ["off", "required", "verify-ca", "verify-identity"] as const satisfies readonly TlsMode[];

const OPTIONS = {
  host: { type: "string", short: "h" },
  port: { type: "string", short: "p" },
  socket: { type: "string", short: "s" },
  user: { type: "string" },
  "defaults-file": { type: "string" },
  tls: { type: "string" },
  cacert: { type: "string" },
  cert: { type: "string" },
  key: { type: "string" },
  timeout: { type: "string" },
  writable: { type: "boolean" },
  replication: { type: "boolean" },
  "max-lag": { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean" },
} as const;

const RANGES = {
  port: { option: "port", range: [1, 65_535], whole: true },
  timeout: { option: "timeout", range: [0.1, 3_600], whole: false },
  maxLag: { option: "max-lag", range: [0, 31_536_000], whole: true },
} as const;

const DEFAULT_TIMEOUT = 2;

/** "help", or what is wrong with the words after `redis`. */
export function parseRedisProbe(words: readonly string[]): Result<RedisProbeOptions | "help", string> {
  // Before anything repeats it.
  if (words.some((word) => /^(-a|--pass)/.test(word))) return err(NO_PASSWORD);
  const parsed = readWords(words, OPTIONS);
  if (!parsed.ok) return parsed;
  const { values, positionals } = parsed.value;
  if (values.help === true) return ok("help");
  const extra = positionals.find((word, at) => at > 0 || !/^ping$/i.test(word));
  if (extra !== undefined) return err(`\`${extra}\` is not asked; known: PING`);
  const numbers = readNumbers(values, RANGES);
  if (!numbers.ok) return numbers;
  const tls = TLS_MODES.find((mode) => mode === (values.tls ?? "off"));
  if (tls === undefined) return err(`--tls takes ${TLS_MODES.join(", ")}`);
  return ok(optionsOf({ values, numbers: numbers.value, tls, ping: positionals.length > 0 }));
}

type Values = Extract<ReturnType<typeof readWords<typeof OPTIONS>>, { readonly ok: true }>["value"]["values"];

function optionsOf(read: {
  readonly values: Values;
  readonly numbers: Readonly<Record<keyof typeof RANGES, number | null>>;
  readonly tls: TlsMode;
  readonly ping: boolean;
}): RedisProbeOptions {
  const { values, numbers, tls, ping } = read;
  const path = (value: string | undefined): string | null => value ?? null;
  return {
    host: values.host ?? "127.0.0.1",
    port: numbers.port ?? 6_379,
    socket: path(values.socket),
    user: path(values.user),
    defaultsFile: path(values["defaults-file"]),
    tls,
    tlsCa: path(values.cacert),
    tlsCert: path(values.cert),
    tlsKey: path(values.key),
    timeoutMillis: (numbers.timeout ?? DEFAULT_TIMEOUT) * 1_000,
    rules: rulesOf(values, numbers.maxLag),
    json: values.json === true,
    ping,
  };
}

function rulesOf({ writable, replication }: Values, maxLag: number | null): RedisRules {
  const failing = (wanted: boolean): "fail" | "ignore" => (wanted ? "fail" : "ignore");
  return {
    readOnly: failing(writable === true),
    memoryFull: "fail",
    misconf: "fail",
    unsynced: failing(replication === true || maxLag !== null),
    circle: "fail",
    noReplicas: failing(writable === true),
    lag: failing(maxLag !== null),
    maxLag: maxLag ?? 0,
  };
}
