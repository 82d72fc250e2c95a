/**
 * Blocks outside every instance that concern the host: static addresses, routes and rules, track groups, link delays, and the options
 * of global_defs that go with them. A track group must stand above what names it, as in keepalived.
 */
import { type Micros, micros } from "../lib/units.ts";
import type {
  AnnouncementSpacing,
  HostConfig,
  LinkDelay,
  ReceiveBuffer,
  StaticAddress,
  StaticObjects,
  TrackGroup,
} from "../routing/host.ts";
import type { Route, Rule } from "../routing/model.ts";
import { readStaticAddresses } from "./addresses.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import { type RoutingContext, readRoutes } from "./route-line.ts";
import { createRoutingNames, type RoutingNames } from "./routing-names.ts";
import { type RulePriorities, readRules } from "./rule-line.ts";
import { parseSeconds, readSettings, type Settings, wordSpan } from "./settings.ts";
import type { ConfigSource } from "./source.ts";
import type { Node } from "./tree.ts";

/** What route and rule lines are read with, everywhere in the file. */
export interface RoutingTools {
  readonly names: RoutingNames;
  readonly priorities: RulePriorities;
}

const DEFAULT_INTERFACE = "eth0";

export function routingNames(globals: Settings, source: ConfigSource): RoutingNames {
  return createRoutingNames(source, { usr: globals.text("iproute_usr_dir"), etc: globals.text("iproute_etc_dir") });
}

export interface HostContext {
  /** global_defs. */
  readonly globals: Settings;
  readonly tools: RoutingTools;
  readonly diagnostics: DiagnosticSink;
}

/** Accepted with its one option; interfaces may change their kind anyway, because they are looked up by name each time. */
function checkDynamicInterfaces({ globals, diagnostics }: HostContext): void {
  const node = globals.node("dynamic_interfaces");
  const option = node?.args[0];
  if (node === null || option === undefined || option.text === "allow_if_changes") return;
  diagnostics.report(
    "bad-value",
    wordSpan(node, option),
    `\`${option.text}\` is no option of dynamic_interfaces and is ignored`,
    "write dynamic_interfaces, or dynamic_interfaces allow_if_changes",
  );
}

export function compileHost(tree: readonly Node[], context: HostContext): HostConfig {
  checkDynamicInterfaces(context);
  return {
    statics: compileStatics(tree, context),
    spacing: readSpacing(tree, context),
    linkDelays: tree
      .filter((node) => node.keyword === "interface_up_down_delays")
      .flatMap((node) => readDelays(node.block ?? [], context.diagnostics)),
    commandBuffer: readBuffer(context.globals, "vrrp_netlink_cmd_rcv_bufs"),
    monitorBuffer: readBuffer(context.globals, "vrrp_netlink_monitor_rcv_bufs"),
  };
}

/** vrrp_garp_interval, vrrp_gna_interval and the garp_group blocks; what a group leaves out is the global value. */
function readSpacing(tree: readonly Node[], { globals, diagnostics }: HostContext): AnnouncementSpacing {
  const arp = globals.duration("vrrp_garp_interval") ?? micros(0);
  const na = globals.duration("vrrp_gna_interval") ?? micros(0);
  const taken = new Set<string>();
  const groups = tree
    .filter((node) => node.keyword === "garp_group" && node.block !== null)
    .map((node) => {
      const settings = readSettings(node.block ?? [], "garp_group", diagnostics);
      const lines = settings.nodes("interfaces").flatMap((inner) => inner.block ?? []);
      const names = [
        ...settings.nodes("interface").flatMap((inner) => inner.args.slice(0, 1)),
        ...lines.flatMap((line) => [{ text: line.keyword }, ...line.args]),
      ].map((word) => word.text);
      const interfaces = [...new Set(names)].filter((name) => !isTaken(name, { node, taken }, diagnostics));
      for (const name of interfaces) taken.add(name);
      return {
        interfaces,
        arp: settings.duration("garp_interval") ?? arp,
        na: settings.duration("gna_interval") ?? na,
      };
    });
  return { arp, na, groups: groups.filter(({ interfaces }) => interfaces.length > 0) };
}

function isTaken(
  name: string,
  { node, taken }: { node: Node; taken: Set<string> },
  diagnostics: DiagnosticSink,
): boolean {
  if (!taken.has(name)) return false;
  const message = `${name} is in a garp_group already; this mention is ignored`;
  diagnostics.report("bad-value", node.span, message, "name each interface in one garp_group");
  return true;
}

function readBuffer(globals: Settings, keyword: string): ReceiveBuffer {
  return { bytes: globals.number(keyword), force: globals.flag(`${keyword}_force`) ?? false };
}

function compileStatics(tree: readonly Node[], context: HostContext): StaticObjects {
  const { tools, diagnostics } = context;
  const groups: TrackGroup[] = [];
  const known = new Set<string>();
  const routing: RoutingContext = { names: tools.names, diagnostics, trackGroups: known };
  const addresses: StaticAddress[] = [];
  const routes: Route[] = [];
  const rules: Rule[] = [];
  const device = context.globals.text("default_interface") ?? DEFAULT_INTERFACE;
  for (const node of tree) {
    if (node.block === null) continue;
    if (node.keyword === "track_group") addGroup(node, { groups, known }, diagnostics);
    else if (node.keyword === "static_ipaddress")
      addresses.push(...readStaticAddresses(node, { device, known }, diagnostics));
    else if (node.keyword === "static_routes") routes.push(...readRoutes([node], routing).map(({ route }) => route));
    else if (node.keyword === "static_rules") {
      rules.push(...readRules([node], routing, tools.priorities).map(({ rule }) => rule));
    }
  }
  return { addresses, routes, rules, groups };
}

function addGroup(
  node: Node,
  { groups, known }: { readonly groups: TrackGroup[]; readonly known: Set<string> },
  diagnostics: DiagnosticSink,
): void {
  const name = node.args[0]?.text;
  if (name === undefined) {
    diagnostics.report("missing-argument", node.span, "`track_group` lacks its name", "write track_group NAME { ... }");
    return;
  }
  if (known.has(name)) {
    diagnostics.report("duplicate-name", node.span, `track_group ${name} is given twice`, "rename one of the two");
    return;
  }
  const lists = readSettings(node.block ?? [], "track_group", diagnostics).nodes("group");
  const instances = lists.flatMap((list) => (list.block ?? []).flatMap(wordsOf));
  const empty = lists.find((list) => (list.block ?? []).length === 0);
  if (empty !== undefined) {
    diagnostics.report(
      "unknown-track-group",
      empty.span,
      `track_group ${name} names no instance`,
      "write group { INSTANCE }",
    );
  }
  known.add(name);
  groups.push({ name, instances });
}

function wordsOf({ keyword, args }: Node): readonly string[] {
  return [keyword, ...args.map((word) => word.text)];
}

const LONGEST_DELAY = 255_000_000;

function readDelays(lines: readonly Node[], diagnostics: DiagnosticSink): readonly LinkDelay[] {
  return lines.flatMap((line) => {
    const down = readDelay(line, 0, diagnostics);
    const up = line.args[1] === undefined ? down : readDelay(line, 1, diagnostics);
    return down === null || up === null ? [] : [{ interface: line.keyword, down, up }];
  });
}

/** Null was reported; a missing delay is 0, as in keepalived. */
function readDelay(line: Node, position: number, diagnostics: DiagnosticSink): Micros | null {
  const word = line.args[position];
  if (word === undefined) return 0 as Micros;
  const value = parseSeconds(word.text);
  if (value !== null && value <= LONGEST_DELAY) return value as Micros;
  diagnostics.report(
    "out-of-range",
    wordSpan(line, word),
    `\`${word.text}\` is no delay for ${line.keyword}; the line is left out`,
    "write INTERFACE DOWN_SECONDS [UP_SECONDS], from 0 to 255",
  );
  return null;
}
