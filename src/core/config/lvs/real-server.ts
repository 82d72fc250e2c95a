/** real_server and sorry_server: address, port, weight, forwarding and what its checkers inherit. */
import { familyOf } from "../../lib/ip.ts";
import { type Micros, micros, seconds } from "../../lib/units.ts";
import type { Forwarding, RealServerConfig, SorryServerConfig } from "../../lvs/config.ts";
import { readSettings, type Settings, wordSpan } from "../settings.ts";
import type { Node } from "../tree.ts";
import type { CheckerDefaults } from "./checker-reading.ts";
import { compileCheckers } from "./checkers.ts";
import { type LvsContext, report, type ServiceDraft } from "./context.ts";
import { type Endpoint, readEndpoint } from "./endpoint.ts";
import { NAT, readForwarding } from "./forwarding.ts";

export function compileRealServers(draft: ServiceDraft, context: LvsContext): readonly RealServerConfig[] {
  const servers: RealServerConfig[] = [];
  for (const node of draft.settings.nodes("real_server")) {
    const server = compileRealServer(node, draft, context);
    if (server === null) continue;
    const twin = servers.find(({ address, port }) => address === server.address && port === server.port);
    if (twin === undefined) {
      servers.push(server);
      continue;
    }
    const message = `${draft.title}: ${server.name} stands in line ${twin.span.line} already; this one is left out`;
    context.diagnostics.report("duplicate-server", node.span, message, "remove one of the two");
  }
  return servers;
}

function compileRealServer(node: Node, draft: ServiceDraft, context: LvsContext): RealServerConfig | null {
  const { diagnostics } = context;
  const endpoint = readEndpoint(node.args[0], node.args[1]);
  if (typeof endpoint === "string") {
    const span = node.args[0] === undefined ? node.span : wordSpan(node, node.args[0]);
    diagnostics.report(
      "bad-server",
      span,
      `${endpoint}; the real server is left out`,
      "write real_server ADDRESS [PORT] { ... }",
    );
    return null;
  }
  const settings = readSettings(node.block ?? [], "real_server", diagnostics);
  const forwarding = readForwarding(settings.node("lvs_method"), diagnostics) ?? inherited(draft, context);
  if (!settlesFamily(draft, { endpoint, forwarding, node }, context)) return null;
  const port = settlePort(draft, { endpoint, forwarding, node, what: "real server" }, context);
  const name = `[${endpoint.address}]:${draft.protocol ?? "none"}:${port}`;
  const alpha = settings.flag("alpha") ?? draft.settings.has("alpha");
  return {
    name,
    address: endpoint.address,
    port,
    weight: settings.number("weight") ?? draft.settings.number("weight") ?? 1,
    forwarding,
    upperThreshold: settings.number("uthreshold") ?? 0,
    lowerThreshold: settings.number("lthreshold") ?? 0,
    inhibitOnFailure: settings.flag("inhibit_on_failure") ?? draft.settings.has("inhibit_on_failure"),
    alpha,
    slowStart: inheritedDuration("slow_start", settings, draft.settings) ?? micros(0),
    mail: settings.flag("smtp_alert") ?? context.mailDefault.real,
    notifyUp: settings.command("notify_up"),
    notifyDown: settings.command("notify_down"),
    snmpName: settings.text("snmp_name"),
    checkers: compileCheckers(
      node,
      () => checkerDefaults({ name, address: endpoint.address, port, alpha }, settings, draft.settings),
      context,
    ),
    span: node.span,
  };
}

const inheritedDuration = (keyword: string, own: Settings, service: Settings): Micros | null =>
  own.duration(keyword) ?? service.duration(keyword);

/** Null where the checker's own kind decides. */
function checkerDefaults(
  { name, address, port, alpha }: Pick<CheckerDefaults, "name" | "address" | "port" | "alpha">,
  own: Settings,
  service: Settings,
): CheckerDefaults {
  return {
    name,
    address,
    port,
    alpha,
    delayLoop: inheritedDuration("delay_loop", own, service) ?? seconds(60),
    timeout: inheritedDuration("connect_timeout", own, service) ?? seconds(5),
    retry: own.number("retry") ?? service.number("retry"),
    delayBeforeRetry: inheritedDuration("delay_before_retry", own, service),
    warmup: inheritedDuration("warmup", own, service),
    virtualhost: own.text("virtualhost") ?? service.text("virtualhost"),
  };
}

/** The method of the virtual server; keepalived complains once for each server that has to fall back on NAT. */
function inherited(draft: ServiceDraft, context: LvsContext): Forwarding {
  if (draft.forwarding === null)
    report(draft, "server-adjusted", "no forwarding method is given; NAT is used", context);
  return draft.forwarding ?? NAT;
}

function settlesFamily(
  draft: ServiceDraft,
  { endpoint: { address }, forwarding, node }: Omit<PortQuestion, "what">,
  { diagnostics }: LvsContext,
): boolean {
  if (forwarding.method === "tun") return true;
  draft.family ??= familyOf(address);
  if (draft.family === familyOf(address)) return true;
  const message = `${draft.title}: ${address} is left out, because the service is IPv${draft.family}`;
  diagnostics.report("server-family", node.span, message, "only tunnelled servers may be of another family");
  return false;
}

interface PortQuestion {
  readonly endpoint: Endpoint;
  readonly forwarding: Forwarding;
  readonly node: Node;
  readonly what: "real server" | "sorry server";
}

/** DR and TUN leave the packet as it is, so the port is the service's. */
function settlePort(
  draft: ServiceDraft,
  { endpoint, forwarding, node, what }: PortQuestion,
  { diagnostics }: LvsContext,
): number {
  const { target } = draft;
  const { port } = endpoint;
  const nat = forwarding.method === "nat";
  if (target.kind === "address" && port === 0) return target.port;
  if (nat || port === 0) return port;
  if (target.kind === "address" && port === target.port) return port;
  const ports =
    target.kind === "group" ? target.group.entries.map((entry) => (entry.kind === "range" ? entry.port : 0)) : [];
  if (target.kind === "group" && ports.every((one) => one === port)) return port;
  const message = `${draft.title}: port ${port} of the ${what} ${endpoint.address} is ignored: with ${forwarding.method === "dr" ? "DR" : "TUN"} it is that of the service`;
  diagnostics.report("server-adjusted", node.span, message, "leave the port out, or use NAT");
  return target.kind === "address" ? target.port : 0;
}

export function compileSorryServer(
  draft: ServiceDraft,
  realServers: readonly RealServerConfig[],
  context: LvsContext,
): SorryServerConfig | null {
  const { settings } = draft;
  const { diagnostics } = context;
  const node = settings.node("sorry_server");
  for (const keyword of ["sorry_server_inhibit", "sorry_server_lvs_method"]) {
    const stray = settings.node(keyword);
    if (stray === null || node !== null) continue;
    diagnostics.report(
      "server-adjusted",
      stray.span,
      `${keyword} without sorry_server has no effect`,
      "write sorry_server ADDRESS PORT",
    );
  }
  if (node === null) return null;
  const endpoint = readEndpoint(node.args[0], node.args[1]);
  if (typeof endpoint === "string") {
    diagnostics.report(
      "bad-server",
      node.span,
      `${endpoint}; there is no sorry server`,
      "write sorry_server ADDRESS [PORT]",
    );
    return null;
  }
  const forwarding = readForwarding(settings.node("sorry_server_lvs_method"), diagnostics) ?? draft.forwarding ?? NAT;
  if (!settlesFamily(draft, { endpoint, forwarding, node }, context)) return null;
  const port = settlePort(draft, { endpoint, forwarding, node, what: "sorry server" }, context);
  const twin = realServers.find((server) => server.address === endpoint.address && server.port === port);
  const inhibit = settings.has("sorry_server_inhibit");
  if (twin !== undefined && twin.inhibitOnFailure !== inhibit) {
    const message = `${draft.title}: the sorry server is also a real server, so inhibit_on_failure of that one counts for both`;
    diagnostics.report("server-adjusted", node.span, message, "give both the same");
  }
  const name = `[${endpoint.address}]:${draft.protocol ?? "none"}:${port}`;
  return { name, address: endpoint.address, port, forwarding, inhibit: twin?.inhibitOnFailure ?? inhibit };
}
