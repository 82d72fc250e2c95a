/**
 * One virtual_server block. Owns the order in which keepalived settles family, protocol, scheduler, quorum and ports; what it changes on
 * its own is reported, because its config test counts each such change as an error.
 */
import { type Family, familyOf, ipv4Number, parseIpv4 } from "../../lib/ip.ts";
import type {
  Persistence,
  Protocol,
  RealServerConfig,
  Scheduler,
  ServiceFlags,
  ServiceTarget,
  SorryServerConfig,
  VirtualServerConfig,
} from "../../lvs/config.ts";
import { readSettings, type Settings, wordSpan } from "../settings.ts";
import { closest } from "../suggest.ts";
import type { Node } from "../tree.ts";
import { type LvsContext, report, type ServiceDraft } from "./context.ts";
import { readEndpoint } from "./endpoint.ts";
import { NAT, readForwarding } from "./forwarding.ts";
import { groupFamilies, readMarkNumber } from "./groups.ts";
import { compileRealServers, compileSorryServer } from "./real-server.ts";

const DEFAULT_PERSISTENCE = 360;
const LONGEST_PERSISTENCE = 31 * 86_400;
const WHOLE_ADDRESS = { 4: 0xffff_ffff, 6: 128 } as const;

export function compileVirtualServer(node: Node, context: LvsContext): VirtualServerConfig | null {
  const target = readTarget(node, context);
  if (target === null) return null;
  const settings = readSettings(node.block ?? [], "virtual_server", context.diagnostics);
  const draft: ServiceDraft = {
    node,
    settings,
    target,
    title: `virtual_server ${node.args.map((word) => word.text).join(" ")}`,
    forwarding: readForwarding(settings.node("lvs_method"), context.diagnostics),
    family: target.kind === "address" ? familyOf(target.address) : null,
    protocol: null,
  };
  settleFamily(draft, context);
  settleProtocol(draft, context);
  const persistence = readPersistence(draft, context);
  const realServers = compileRealServers(draft, context);
  const sorryServer = compileSorryServer(draft, realServers, context);
  if (realServers.length === 0) {
    context.diagnostics.report(
      "no-real-server",
      node.span,
      `${draft.title} has no real server and is left out`,
      "write real_server ADDRESS PORT { ... }",
    );
    return null;
  }
  if (!settleLast(draft, realServers, sorryServer, context)) return null;
  return assemble(draft, { persistence, realServers, sorryServer }, context);
}

interface Parts {
  readonly persistence: Persistence | null;
  readonly realServers: readonly RealServerConfig[];
  readonly sorryServer: SorryServerConfig | null;
}

function assemble(draft: ServiceDraft, parts: Parts, context: LvsContext): VirtualServerConfig {
  const { settings, target, node } = draft;
  const scheduler = readScheduler(draft, context);
  const name = nameOf(draft, context);
  const flags = readFlags(draft, scheduler, context);
  const quorum = readQuorum(draft, parts.realServers, context);
  return {
    name,
    target,
    family: draft.family,
    protocol: draft.protocol,
    scheduler,
    flags,
    persistence: parts.persistence,
    realServers: parts.realServers,
    sorryServer: parts.sorryServer,
    forwarding: draft.forwarding ?? NAT,
    quorum: quorum.quorum,
    hysteresis: quorum.hysteresis,
    quorumUp: settings.command("quorum_up"),
    quorumDown: settings.command("quorum_down"),
    alpha: settings.has("alpha"),
    omega: settings.has("omega"),
    haSuspend: readSuspend(draft, context),
    onlyOnMaster: settings.text("only_on_master"),
    mail: settings.flag("smtp_alert") ?? context.mailDefault.virtual,
    snmpName: settings.text("snmp_name"),
    span: node.span,
  };
}

function readTarget(node: Node, { groups, diagnostics }: LvsContext): ServiceTarget | null {
  const [first, second] = node.args;
  const fail = (message: string, remedy: string): null => {
    diagnostics.report(
      "bad-server",
      first === undefined ? node.span : wordSpan(node, first),
      `${message}; the block is left out`,
      remedy,
    );
    return null;
  };
  if (node.block === null) return fail("`virtual_server` needs a block", "write virtual_server ADDRESS PORT { ... }");
  if (first?.text === "group") {
    const group = groups.get(second?.text ?? "");
    if (group !== undefined) return { kind: "group", group };
    const meant = closest(second?.text ?? "", groups.keys());
    return fail(
      `there is no virtual_server_group \`${second?.text ?? ""}\``,
      meant === null ? "define it" : `did you mean \`${meant}\`?`,
    );
  }
  if (first?.text === "fwmark") {
    const mark = readMarkNumber(second?.text);
    return mark === null
      ? fail(`\`${second?.text ?? ""}\` is no firewall mark`, "write virtual_server fwmark N")
      : { kind: "fwmark", mark };
  }
  const endpoint = readEndpoint(first, second);
  if (typeof endpoint !== "string") return { kind: "address", ...endpoint };
  return fail(endpoint, "write virtual_server ADDRESS PORT, virtual_server fwmark N, or virtual_server group NAME");
}

function settleFamily(draft: ServiceDraft, context: LvsContext): void {
  const given = draft.settings.text("ip_family");
  if (given === null) return;
  const family = given === "inet6" ? 6 : 4;
  if (draft.family !== null && draft.family !== family)
    report(draft, "server-family", `ip_family ${given} contradicts its address`, context);
  else draft.family = family;
}

const PROTOCOLS: readonly Protocol[] = ["tcp", "udp", "sctp"];

/** By mark there is no protocol; by address the kernel's default is UDP. */
function settleProtocol(draft: ServiceDraft, context: LvsContext): void {
  const { target, settings } = draft;
  const node = settings.node("protocol");
  const text = settings.text("protocol")?.toLowerCase() ?? null;
  const given = PROTOCOLS.find((protocol) => protocol === text) ?? null;
  if (node !== null && text !== null && given === null) {
    const meant = closest(text, PROTOCOLS);
    const remedy = `${meant === null ? "" : `did you mean \`${meant.toUpperCase()}\`? `}write TCP, UDP or SCTP`;
    context.diagnostics.report("bad-value", node.span, `\`${settings.text("protocol")}\` is no protocol`, remedy);
  }
  const byAddress =
    target.kind === "address" ||
    (target.kind === "group" && target.group.entries.some((entry) => entry.kind === "range"));
  if (byAddress) {
    draft.protocol = given ?? "udp";
    if (given === null) report(draft, "server-adjusted", "no protocol is given; UDP is used", context);
  } else if (given !== null)
    report(draft, "server-adjusted", "a service by firewall mark has no protocol; the line is ignored", context);
}

function readScheduler({ settings, node, title }: ServiceDraft, { diagnostics }: LvsContext): Scheduler {
  const scheduler = settings.text("lvs_sched") as Scheduler | null;
  if (scheduler !== null) return scheduler;
  diagnostics.report(
    "server-adjusted",
    node.span,
    `${title}: no scheduler is given; wlc is used`,
    "write lvs_sched wlc",
  );
  return "wlc";
}

function readFlags(draft: ServiceDraft, scheduler: Scheduler, context: LvsContext): ServiceFlags {
  const { settings } = draft;
  const has = (name: string): boolean => settings.has(name);
  if (has("hashed"))
    report(draft, "server-adjusted", "hashed is always so in the kernel; the word is ignored", context);
  for (const name of ["sh-port", "sh-fallback", "mh-port", "mh-fallback"] as const) {
    if (!has(name) || name.startsWith(scheduler)) continue;
    report(
      draft,
      "server-adjusted",
      `${name} belongs to the scheduler ${name.slice(0, 2)}, not to ${scheduler}; it is ignored`,
      context,
    );
  }
  const own = (name: string): boolean => (scheduler === "sh" || scheduler === "mh") && has(`${scheduler}-${name}`);
  const onePacket = has("ops") && (draft.protocol === "udp" || draft.protocol === null);
  if (has("ops") && !onePacket) report(draft, "server-adjusted", "ops needs UDP; it is ignored", context);
  return {
    onePacket,
    flag1: has("flag-1") || own("fallback"),
    flag2: has("flag-2") || own("port"),
    flag3: has("flag-3"),
  };
}

function readPersistence(draft: ServiceDraft, context: LvsContext): Persistence | null {
  const { settings, target } = draft;
  const granularity = readGranularity(draft, context);
  const given = readTimeout(settings, context) ?? (granularity === null ? null : DEFAULT_PERSISTENCE);
  const portless =
    target.kind === "address"
      ? target.port === 0
      : target.kind === "group" && target.group.entries.some((entry) => entry.kind === "range" && entry.port === 0);
  if (given === null && portless)
    report(
      draft,
      "server-adjusted",
      `without port only a persistent service can be; persistence_timeout ${DEFAULT_PERSISTENCE} is used`,
      context,
    );
  const timeout = given ?? (portless ? DEFAULT_PERSISTENCE : null);
  if (timeout === null) return null;
  const engine = settings.text("persistence_engine");
  return { timeout, granularity: granularity ?? WHOLE_ADDRESS[draft.family ?? 4], engine };
}

function readTimeout(settings: Settings, { diagnostics }: LvsContext): number | null {
  const node = settings.node("persistence_timeout");
  const word = node?.args[0];
  if (node === null || word === undefined) return node === null ? null : DEFAULT_PERSISTENCE;
  const value = /^\d{1,10}$/.test(word.text) ? Number(word.text) : 0;
  if (value >= 1 && value <= LONGEST_PERSISTENCE) return value;
  const message = `\`${word.text}\` is no persistence_timeout; it is ignored`;
  diagnostics.report("out-of-range", wordSpan(node, word), message, `write seconds from 1 to ${LONGEST_PERSISTENCE}`);
  return null;
}

function readGranularity(draft: ServiceDraft, { diagnostics }: LvsContext): number | null {
  const text = draft.settings.text("persistence_granularity");
  if (text === null) return null;
  const family = draft.family ?? (text.includes(".") ? 4 : 6);
  const mask = family === 4 ? parseIpv4(text) : null;
  const length = family === 6 && /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (mask === null && (length < 1 || length > 128)) {
    const span = draft.settings.node("persistence_granularity")?.span ?? null;
    const remedy = family === 4 ? "write a mask, such as 255.255.255.0" : "write a prefix length from 1 to 128";
    diagnostics.report("bad-value", span, `\`${text}\` is no persistence_granularity of IPv${family}`, remedy);
    return null;
  }
  draft.family = family;
  return mask === null ? length : ipv4Number(mask);
}

function readQuorum(
  draft: ServiceDraft,
  realServers: readonly RealServerConfig[],
  context: LvsContext,
): Pick<VirtualServerConfig, "quorum" | "hysteresis"> {
  const total = realServers.reduce((sum, { weight }) => sum + weight, 0);
  const wanted = draft.settings.number("quorum") ?? 1;
  const quorum = Math.min(wanted, total);
  if (quorum < wanted)
    report(draft, "server-adjusted", `quorum ${wanted} is more than all real servers weigh; ${total} is used`, context);
  const given = draft.settings.number("hysteresis") ?? 0;
  const hysteresis = Math.max(0, Math.min(given, quorum - 1));
  if (hysteresis < given)
    report(draft, "server-adjusted", `hysteresis ${given} is not below the quorum; ${hysteresis} is used`, context);
  return { quorum, hysteresis };
}

function readSuspend(draft: ServiceDraft, context: LvsContext): boolean {
  if (!draft.settings.has("ha_suspend")) return false;
  const { target } = draft;
  const marked =
    target.kind === "fwmark" ||
    (target.kind === "group" && target.group.entries.some((entry) => entry.kind === "fwmark"));
  if (marked)
    report(
      draft,
      "server-adjusted",
      "ha_suspend needs an address, and a firewall mark has none; it is ignored",
      context,
    );
  return !marked;
}

/** What only all servers together decide: the family of a mark or a group. False: the virtual server is of no use. */
function settleLast(
  draft: ServiceDraft,
  realServers: readonly RealServerConfig[],
  sorryServer: SorryServerConfig | null,
  context: LvsContext,
): boolean {
  const { target } = draft;
  if (target.kind === "group") return settleGroup(draft, target.group.entries, context);
  if (draft.family !== null) return true;
  const families = new Set(
    [...realServers, ...(sorryServer === null ? [] : [sorryServer])].map(({ address }) => familyOf(address)),
  );
  draft.family = families.size === 1 && families.has(6) ? 6 : 4;
  return true;
}

function settleGroup(draft: ServiceDraft, entries: Parameters<typeof groupFamilies>[0], context: LvsContext): boolean {
  const { families, openMark } = groupFamilies(entries);
  const only = families.size === 1 ? ([...families][0] as Family) : null;
  const fits = draft.family === null || families.size === 0 || only === draft.family;
  if (!fits) {
    report(draft, "server-family", "its group and its real servers are of different families; it is left out", context);
    return false;
  }
  draft.family ??= only ?? (openMark || families.size === 0 ? 4 : null);
  return true;
}

function nameOf({ target, protocol }: ServiceDraft, context: LvsContext): string {
  if (target.kind === "fwmark") return `FWM ${target.mark}`;
  if (target.kind === "address") return `[${target.address}]:${protocol ?? "none"}:${target.port}`;
  const { name } = target.group;
  const member = context.members.get(name) ?? 0;
  context.members.set(name, member + 1);
  return `[${name}]:${member}`;
}
