/**
 * `mysql NAME { }`: one database server and how its check counts. A credentials file that must not be used is an error here, and the
 * block stays: its check fails until the file is mended, because without the check the address would go to a server nobody looks at.
 */
import type { Micros } from "../lib/units.ts";
import { seconds } from "../lib/units.ts";
import {
  type Counts,
  type MysqlAddress,
  type MysqlGroup,
  type MysqlRules,
  type Policy,
  type TlsConfig,
  type TlsMode,
  tlsProblem,
} from "../mysql/config.ts";
import { credentialsProblem, parseOptionFile } from "../mysql/option-file.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { MysqlBlockConfig } from "./model.ts";
import { noteFlaws } from "./own-safety.ts";
import { readSettings, type Settings, wordSpan } from "./settings.ts";
import type { KeySource } from "./source.ts";
import type { Node } from "./tree.ts";

const PORT = 3_306;

export function compileMysql(node: Node, source: KeySource, told: DiagnosticSink): MysqlBlockConfig | null {
  const name = node.args[0]?.text;
  if (name === undefined) {
    const message = "`mysql` lacks its name and is left out";
    told.report("missing-argument", node.span, message, "write mysql NAME { ... }");
    return null;
  }
  const diagnostics = noteFlaws(told);
  const settings = readSettings(node.block ?? [], "mysql", diagnostics);
  const duration = (keyword: string): Micros => settings.duration(keyword) ?? seconds(1);
  checkCredentials(settings, name, source, diagnostics);
  const address = readAddress(settings, name, diagnostics);
  const tls = readTls(settings);
  const problem = tlsProblem(address, tls.mode);
  if (problem !== null) {
    const span = settings.node("tls")?.span ?? node.span;
    diagnostics.report("bad-value", span, `mysql ${name}: its check fails: ${problem}`, null);
  }
  return {
    name,
    address,
    credentials: settings.text("credentials"),
    tls,
    interval: duration("interval"),
    connectTimeout: duration("connect_timeout"),
    timeout: duration("timeout"),
    rise: settings.number("rise") ?? 1,
    fall: settings.number("fall") ?? 2,
    rules: readRules(settings),
    group: readGroup(settings, name, diagnostics),
    flawed: diagnostics.flawed,
    span: node.span,
  };
}

const DEADLINE = seconds(10);
const EXAMPLES = {
  server: "127.0.0.1",
  peer: "192.168.11.82",
  replica: "192.168.11.83",
  known_as: "192.168.11.81",
} as const;

function readGroup(settings: Settings, name: string, diagnostics: DiagnosticSink): MysqlGroup {
  const places = (keyword: "peer" | "replica"): MysqlAddress[] =>
    settings
      .nodes(keyword)
      .map((node) => ({ socket: null, ...readPlace(node, keyword, name, diagnostics), reservedPort: null }));
  const knownAs = settings.node("known_as");
  return {
    peers: places("peer"),
    replicas: places("replica"),
    knownAs: knownAs === null ? null : readPlace(knownAs, "known_as", name, diagnostics),
    policy: (settings.text("policy") as Policy | null) ?? "balanced",
    takeoverDeadline: settings.duration("takeover_deadline") ?? DEADLINE,
    recordPosition: settings.text("record_position"),
    mysqlbinlog: settings.text("mysqlbinlog"),
  };
}

function readAddress(settings: Settings, name: string, diagnostics: DiagnosticSink): MysqlAddress {
  return {
    socket: settings.text("socket"),
    ...readPlace(settings.node("server"), "server", name, diagnostics),
    reservedPort: settings.number("reserved_port"),
  };
}

/** `server HOST [PORT]`, and so the others of the group. */
function readPlace(
  node: Node | null,
  keyword: keyof typeof EXAMPLES,
  name: string,
  diagnostics: DiagnosticSink,
): Pick<MysqlAddress, "host" | "port"> {
  const [host, port, extra] = node?.args ?? [];
  const wanted = `write ${keyword} HOST [PORT], such as ${keyword} ${EXAMPLES[keyword]} 3306`;
  const number = port === undefined ? PORT : /^\d{1,5}$/.test(port.text) ? Number(port.text) : 0;
  if (node !== null && host === undefined) {
    diagnostics.report("missing-argument", node.span, `\`${keyword}\` of mysql ${name} lacks its value`, wanted);
  }
  if (node !== null && port !== undefined && (number < 1 || number > 65_535)) {
    const message = `\`${port.text}\` is no port; mysql ${name} is looked for at ${PORT}`;
    diagnostics.report("bad-value", wordSpan(node, port), message, wanted);
  }
  if (node !== null && extra !== undefined) {
    diagnostics.report(
      "extra-argument",
      wordSpan(node, extra),
      `\`${extra.text}\` after \`${keyword}\` is ignored`,
      wanted,
    );
  }
  return { host: host?.text ?? "127.0.0.1", port: number < 1 || number > 65_535 ? PORT : number };
}

function readTls(settings: Settings): TlsConfig {
  return {
    mode: (settings.text("tls") ?? "off") as TlsMode,
    ca: settings.text("tls_ca"),
    cert: settings.text("tls_cert"),
    key: settings.text("tls_key"),
  };
}

function readRules(settings: Settings): MysqlRules {
  const choice = <T extends Counts>(keyword: string, fallback: T): T => (settings.text(keyword) ?? fallback) as T;
  return {
    readOnly: choice<"fail" | "ignore">("on_read_only", "ignore"),
    maxConnections: choice<"fail" | "ignore">("on_max_connections", "ignore"),
    brokenReplication: choice<Counts>("on_broken_replication", "standby"),
    lag: choice<Counts>("on_lag", "standby"),
    maxLag: settings.number("max_lag") ?? 30,
    minDiskFree: settings.number("min_disk_free") ?? 1,
  };
}

function checkCredentials(settings: Settings, name: string, source: KeySource, diagnostics: DiagnosticSink): void {
  const path = settings.text("credentials");
  const node = settings.node("credentials");
  if (path === null || node === null) return;
  const problem = problemOf(path, source);
  if (problem === null) return;
  const message = `mysql ${name}: ${problem}; its check fails until that is mended`;
  diagnostics.report("credentials-unusable", node.span, message, REMEDY);
}

const REMEDY = "name a file of mode 0600 with user=NAME and password=... below [client]";

function problemOf(path: string, source: KeySource): string | null {
  const text = source.readFile(path);
  if (!text.ok) return `${path} cannot be read (${text.error})`;
  const parsed = parseOptionFile(text.value);
  return (
    credentialsProblem(path, source.script(path).file?.mode ?? 0) ?? (parsed.ok ? null : `${path}: ${parsed.error}`)
  );
}
