/** MYSQL_CHECK and REDIS_CHECK: extensions. Their credentials file is read at every connection; here it is only looked at. */

import { type TlsConfig, type TlsMode, tlsProblem } from "../../database/config.ts";
import type { CheckerConnection, MysqlChecker, MysqlCheckRole, RedisChecker } from "../../lvs/checkers.ts";
import { credentialsProblem, parseOptionFile } from "../../mysql/option-file.ts";
import type { CheckerReading } from "./checker-reading.ts";
import type { LvsContext } from "./context.ts";

const MAX_LAG = 30;

export function compileDatabaseChecker(
  reading: CheckerReading,
  connection: CheckerConnection,
  context: LvsContext,
): MysqlChecker | RedisChecker {
  checkCredentials(reading, context);
  const { node, settings, timing } = reading;
  const tls = readTls(reading, connection, context);
  const common = { timing, connection, credentials: settings.text("credentials"), tls, span: node.span };
  if (node.keyword === "MYSQL_CHECK") return { ...common, ...readMysql(reading, context) };
  return {
    kind: "redis",
    ...common,
    role: (settings.text("role") ?? "replica") as RedisChecker["role"],
    maxBehind: settings.number("max_behind"),
  };
}

function readTls(
  { node, settings, defaults }: CheckerReading,
  connection: CheckerConnection,
  { diagnostics }: LvsContext,
): TlsConfig {
  const mode = (settings.text("tls") ?? "off") as TlsMode;
  const problem = tlsProblem({ socket: null, host: connection.address, port: connection.port }, mode);
  if (problem !== null) {
    const span = settings.node("tls")?.span ?? node.span;
    diagnostics.report("checker-unusable", span, `${node.keyword} of ${defaults.name} fails: ${problem}`, null);
  }
  return { mode, ca: settings.text("tls_ca"), cert: settings.text("tls_cert"), key: settings.text("tls_key") };
}

type MysqlPart = Omit<MysqlChecker, "timing" | "connection" | "span" | "credentials" | "tls">;

function readMysql(reading: CheckerReading, { diagnostics }: LvsContext): MysqlPart {
  const { settings } = reading;
  const maxLag = settings.number("max_lag") ?? MAX_LAG;
  return {
    kind: "mysql",
    role: (settings.text("role") ?? "replica") as MysqlCheckRole,
    maxLag,
    rejoinLag: readRejoin(reading, maxLag, diagnostics),
    heartbeatTable: readTable(reading, diagnostics),
    lagWeight: settings.flag("lag_weight") ?? false,
  };
}

function readRejoin(
  { settings, node, defaults }: CheckerReading,
  maxLag: number,
  diagnostics: LvsContext["diagnostics"],
): number {
  const given = settings.number("rejoin_lag") ?? Math.floor(maxLag / 3);
  if (given <= maxLag) return given;
  const span = settings.node("rejoin_lag")?.span ?? node.span;
  const message = `MYSQL_CHECK of ${defaults.name}: rejoin_lag ${given} is above max_lag; ${maxLag} is used`;
  diagnostics.report("out-of-range", span, message, `write a number from 0 to ${maxLag}`);
  return maxLag;
}

/** Names only, so that the statement needs no quoting that could go wrong. */
function readTable({ settings, node }: CheckerReading, diagnostics: LvsContext["diagnostics"]): string | null {
  const text = settings.text("heartbeat_table");
  if (text === null || /^[A-Za-z0-9_$]+\.[A-Za-z0-9_$]+$/.test(text)) return text;
  const span = settings.node("heartbeat_table")?.span ?? node.span;
  diagnostics.report(
    "bad-value",
    span,
    `\`${text}\` is no table; the replication status is used`,
    "write DATABASE.TABLE",
  );
  return null;
}

function checkCredentials({ settings, node, defaults }: CheckerReading, { source, diagnostics }: LvsContext): void {
  const path = settings.text("credentials");
  if (path === null) return;
  const problem = problemOf(path, source);
  if (problem === null) return;
  const span = settings.node("credentials")?.span ?? node.span;
  const remedy = "name a file of mode 0600 with user=NAME and password=... below [client]";
  diagnostics.report(
    "credentials-unusable",
    span,
    `${node.keyword} of ${defaults.name}: ${problem}; it fails until that is mended`,
    remedy,
  );
}

function problemOf(path: string, source: LvsContext["source"]): string | null {
  const text = source.readFile(path);
  if (!text.ok) return `${path} cannot be read (${text.error})`;
  const parsed = parseOptionFile(text.value);
  return (
    credentialsProblem(path, source.script(path).file?.mode ?? 0) ?? (parsed.ok ? null : `${path}: ${parsed.error}`)
  );
}
