/**
 * masterha_secondary_check: asks other hosts by ssh whether they reach the master. Nothing is needed there but bash and timeout; what cannot
 * be asked counts as "not known", never as "dead".
 */

import { words } from "../core/mha/config.ts";
import type { Options } from "../core/mha/options.ts";
import { PASSWORD_VARIABLE } from "../core/mha/scripts.ts";
import { type MhaEnvironment, MhaError } from "./environment.ts";
import { runProgram } from "./programs.ts";
import { remoteWord } from "./ssh.ts";

/** Seconds. */
const TIMEOUT = 5;
const REACHABLE = 3;
const UNKNOWN = 2;

const CONNECT =
  'command -v bash >/dev/null && command -v timeout >/dev/null || exit 4; if timeout "$3" bash -c \'exec 3<>"/dev/tcp/$0/$1"\' "$1" "$2" 2>/dev/null; then exit 3; fi; exit 0';
const WRITE =
  'IFS= read -r MYSQL_PWD; export MYSQL_PWD; timeout "$4" mysql --no-defaults --user="$3" --host="$1" --port="$2" --execute="INSERT INTO infra.chk_masterha VALUES (1, unix_timestamp()) ON DUPLICATE KEY UPDATE val=unix_timestamp()"';

/** ER_DBACCESS_DENIED, ER_ACCESS_DENIED, ER_HOST_NOT_PRIVILEGED, ER_TABLEACCESS_DENIED, ER_SPECIFIC_ACCESS_DENIED, ER_ACCESS_DENIED_NO_PASSWORD. */
const NOT_ALLOWED = /ERROR (1044|1045|1130|1142|1227|1698)\b/;

export async function secondaryCheck(env: MhaEnvironment, options: Options): Promise<number> {
  const master = options.text("master_ip") ?? options.text("master_host");
  if (master === null) throw new MhaError("--master_host=<host> must be set.");
  const hosts = options.list("secondary_host");
  if (hosts.length === 0) throw new MhaError("-s HOST names a host to ask; give one or more.");
  const codes = await Promise.all(hosts.map((host) => askFrom(host, master, options)));
  for (const [at, code] of codes.entries()) env.out(`${inWords(hosts[at] ?? "", code)}\n`);
  // A host that could not be asked is told of first: then nothing is known for certain.
  if (codes.includes(UNKNOWN)) return UNKNOWN;
  return codes.includes(REACHABLE) ? REACHABLE : 0;
}

function inWords(host: string, code: number): string {
  if (code === REACHABLE) return `Master is reachable from ${host}!`;
  if (code === UNKNOWN) return `Monitoring server ${host} is NOT reachable!`;
  return `Monitoring server ${host} is reachable, Master is not reachable from ${host}. OK.`;
}

async function askFrom(host: string, master: string, options: Options): Promise<number> {
  const timeout = options.number("timeout") ?? TIMEOUT;
  const port = String(options.number("master_port") ?? 3306);
  const ssh = [
    "ssh",
    ...(options.text("options") === null
      ? [
          "-o",
          "StrictHostKeyChecking=no",
          "-o",
          "PasswordAuthentication=no",
          "-o",
          "BatchMode=yes",
          "-o",
          `ConnectTimeout=${timeout}`,
        ]
      : words(options.text("options") ?? "")),
    "-p",
    options.text("port") ?? "22",
    `${options.text("user") ?? "root"}@${host}`,
    "--",
  ];
  const remote = (script: string, args: readonly string[]): readonly string[] => [
    ...ssh,
    ...["sh", "-c", script, "sh", ...args].map(remoteWord),
  ];
  const limit = { timeoutMillis: (2 * timeout + 5) * 1000 };
  const reached = await runProgram(remote(CONNECT, [master, port, String(timeout)]), limit);
  if (reached.code === 0) return 0;
  if (reached.code !== REACHABLE) return UNKNOWN;
  if (options.text("ping_type") !== "INSERT") return REACHABLE;
  const written = await runProgram(remote(WRITE, [master, port, options.text("master_user") ?? "root", "3"]), {
    ...limit,
    input: `${options.text("master_password") ?? process.env[PASSWORD_VARIABLE] ?? ""}\n`,
  });
  // 127: there is no client; then the open port is all that is known.
  if (written.code === 0 || written.code === 127) return REACHABLE;
  // The way there, or the account: neither says anything of the master.
  return written.code === null || written.code === 255 || NOT_ALLOWED.test(written.stderr) ? UNKNOWN : 0;
}
