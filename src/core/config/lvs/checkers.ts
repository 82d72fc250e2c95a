/** The checker blocks of one real server: what all of them share, and the dispatch by kind. */
import { familyOf, type IpAddress, isLinkLocal } from "../../lib/ip.ts";
import { seconds } from "../../lib/units.ts";
import type { CheckerConfig, CheckerConnection, CheckerTiming } from "../../lvs/checkers.ts";
import { readSettings, type Settings, wordSpan } from "../settings.ts";
import type { Node } from "../tree.ts";
import type { CheckerDefaults, CheckerReading } from "./checker-reading.ts";
import type { LvsContext } from "./context.ts";
import { compileDatabaseChecker } from "./database-checkers.ts";
import { compileHttpChecker } from "./http-checker.ts";
import { compileDns, compileFile, compileMisc, compileUdp } from "./plain-checkers.ts";

interface Fallback {
  readonly retry?: number;
  /** Null: delay_loop. */
  readonly delayBeforeRetry?: number | null;
}

const FALLBACKS: Readonly<Record<string, Fallback>> = {
  MISC_CHECK: { retry: 0 },
  DNS_CHECK: { retry: 3, delayBeforeRetry: null },
  HTTP_GET: { delayBeforeRetry: 3 },
  SSL_GET: { delayBeforeRetry: 3 },
};

/** `inherited` is asked for once, by a server that has checkers. */
export function compileCheckers(
  server: Node,
  inherited: () => CheckerDefaults,
  context: LvsContext,
): readonly CheckerConfig[] {
  const nodes = (server.block ?? []).filter(({ keyword }) => /^[A-Z]+_(CHECK|GET)$/.test(keyword));
  if (nodes.length === 0) return [];
  const defaults = inherited();
  return nodes.flatMap((node) => {
    if (node.keyword === "BFD_CHECK") checkBfd(node, defaults, context);
    if (node.block === null || node.keyword === "BFD_CHECK") return [];
    const settings = readSettings(node.block, node.keyword, context.diagnostics);
    const timing = readTiming(node.keyword, settings, defaults, context);
    return compileChecker({ node, settings, timing, defaults }, context);
  });
}

/** The session itself is not run; that its name is wrong would be found out by keepalived. */
function checkBfd(node: Node, { name }: CheckerDefaults, { bfd, diagnostics }: LvsContext): void {
  const named = (node.block ?? []).find((line) => line.keyword === "name")?.args[0]?.text;
  if (named !== undefined && bfd.has(named)) return;
  const what = named === undefined ? "names no bfd_instance" : `names bfd_instance ${named}, which is not there`;
  diagnostics.report("checker-unusable", node.span, `BFD_CHECK of ${name} ${what}`, "write name NAME");
}

function compileChecker(reading: CheckerReading, context: LvsContext): readonly CheckerConfig[] {
  const { node, settings, timing } = reading;
  const only = (checker: CheckerConfig | null): readonly CheckerConfig[] => (checker === null ? [] : [checker]);
  if (node.keyword === "MISC_CHECK") return only(compileMisc(reading, context));
  if (node.keyword === "FILE_CHECK") return only(compileFile(reading, context));
  if (node.keyword === "SMTP_CHECK") return compileSmtp(reading, context);
  const connection = readConnection(settings, reading.defaults, node, context);
  if (connection === null) return [];
  const common = { timing, connection, span: node.span };
  switch (node.keyword) {
    case "TCP_CHECK":
      return [{ kind: "tcp", timing, connection, span: node.span }];
    case "PING_CHECK":
      return [{ kind: "ping", timing, connection, span: node.span }];
    case "DNS_CHECK":
      return [{ ...compileDns(reading, context), ...common }];
    case "UDP_CHECK":
      return [{ ...compileUdp(reading, context), ...common }];
    case "MYSQL_CHECK":
    case "REDIS_CHECK":
      return [compileDatabaseChecker(reading, connection, context)];
    default:
      return only(compileHttpChecker(reading, connection, context));
  }
}

function readTiming(
  keyword: string,
  settings: Settings,
  defaults: CheckerDefaults,
  context: LvsContext,
): CheckerTiming {
  const own = FALLBACKS[keyword] ?? {};
  const delayLoop = settings.duration("delay_loop") ?? defaults.delayLoop;
  const beforeRetry = own.delayBeforeRetry === null ? delayLoop : seconds(own.delayBeforeRetry ?? 1);
  return {
    delayLoop,
    retry: settings.number("retry") ?? defaults.retry ?? own.retry ?? 1,
    delayBeforeRetry: settings.duration("delay_before_retry") ?? defaults.delayBeforeRetry ?? beforeRetry,
    warmup: settings.duration("warmup") ?? defaults.warmup ?? delayLoop,
    alpha: settings.flag("alpha") ?? defaults.alpha,
    logAllFailures: context.logAllFailures || (settings.flag("log_all_failures") ?? false),
  };
}

/** Null when the address cannot be reached as the block says it. */
function readConnection(
  settings: Settings,
  defaults: Pick<CheckerDefaults, "address" | "port" | "timeout" | "name">,
  node: Node,
  { diagnostics }: LvsContext,
): CheckerConnection | null {
  const address = settings.address("connect_ip") ?? defaults.address;
  const bindInterface = settings.text("bind_if");
  if (isLinkLocal(address) && bindInterface === null) {
    const message = `${node.keyword} of ${defaults.name}: ${address} means something on one link only; the checker is left out`;
    diagnostics.report("checker-unusable", node.span, message, "write bind_if INTERFACE");
    return null;
  }
  return {
    address,
    port: settings.number("connect_port") ?? defaults.port,
    timeout: settings.duration("connect_timeout") ?? defaults.timeout,
    bindAddress: readBind(settings, address, node, diagnostics),
    bindPort: settings.number("bind_port") ?? 0,
    bindInterface,
    mark: settings.number("fwmark") ?? 0,
  };
}

function readBind(
  settings: Settings,
  target: IpAddress,
  node: Node,
  diagnostics: LvsContext["diagnostics"],
): IpAddress | null {
  const address = settings.address("bindto");
  if (address === null || familyOf(address) === familyOf(target)) return address;
  const line = settings.node("bindto") ?? node;
  const word = line.args[0];
  const span = word === undefined ? line.span : wordSpan(line, word);
  const message = `bindto ${address} is of another family than ${target} and is ignored`;
  diagnostics.report("checker-unusable", span, message, "bind to an address of the same family");
  return null;
}

/** Each `host` of the old form is a connection of its own; all of them must answer. */
function compileSmtp(reading: CheckerReading, context: LvsContext): readonly CheckerConfig[] {
  const { node, settings, timing, defaults } = reading;
  const heloName = settings.text("helo_name") ?? context.heloName;
  const own = readConnection(settings, defaults, node, context);
  if (own === null) return [];
  const hosts = settings.nodes("host");
  const blocks = hosts.length === 0 ? [null] : hosts;
  const inherited = { name: defaults.name, address: own.address, port: own.port, timeout: own.timeout };
  return blocks.flatMap((host) => {
    if (host === null) return [{ kind: "smtp", heloName, timing, connection: own, span: node.span } as const];
    const inner = readSettings(host.block ?? [], "smtp_host", context.diagnostics);
    const connection = readConnection(inner, inherited, host, context);
    return connection === null ? [] : [{ kind: "smtp", heloName, timing, connection, span: host.span } as const];
  });
}
