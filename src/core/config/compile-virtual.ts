/**
 * Virtual interfaces and the packet filter of an instance: use_vmac, use_ipvlan, use_vmac_addr, accept, no_accept, nftables. Gives
 * every address the interface that carries it. Values that keepalived 2.2.7 drops are dropped here too, with an error.
 */
import { familyOf, parseIp } from "../lib/ip.ts";
import { DEFAULT_FIREWALL, type FirewallSettings } from "../nftables/ruleset.ts";
import type { PacketFilter, VirtualAddress, VrrpInstanceConfig } from "../vrrp/config.ts";
import { INTERFACE_NAME_MAX, type VirtualInterface, virtualMac } from "../vrrp/virtual-interface.ts";
import { isStrict, withStrictMode } from "./compile-strict.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { InstanceDefaults, VirtualDefaults } from "./instance-defaults.ts";
import { type Settings, wordSpan } from "./settings.ts";
import type { Node } from "./tree.ts";
import type { Word } from "./words.ts";

export function readVirtualDefaults(settings: Settings, diagnostics: DiagnosticSink): VirtualDefaults {
  const prefix = readPrefix(settings, "vmac_prefix", diagnostics) ?? "vrrp";
  return {
    prefix,
    addressPrefix: readPrefix(settings, "vmac_addr_prefix", diagnostics) ?? prefix,
    firewall: readFirewall(settings, diagnostics),
    localReports: settings.has("disable_local_igmp") ? "silenced" : "moved",
  };
}

/** Room for "6.255" behind it. */
const PREFIX_MAX = INTERFACE_NAME_MAX - 5;

function readPrefix(settings: Settings, keyword: string, diagnostics: DiagnosticSink): string | null {
  const prefix = settings.text(keyword);
  if (prefix === null || (prefix.length <= PREFIX_MAX && isInterfaceName(prefix))) return prefix;
  diagnostics.report(
    "bad-value",
    settings.node(keyword)?.span ?? null,
    `\`${keyword} ${prefix}\` leaves no room for the virtual_router_id in a name of ${INTERFACE_NAME_MAX} characters`,
    `write at most ${PREFIX_MAX} characters, without / and spaces`,
  );
  return null;
}

function readFirewall(settings: Settings, diagnostics: DiagnosticSink): FirewallSettings {
  const given = settings.words("nftables")[0];
  const named = given === undefined || /^[A-Za-z][\w./-]{0,63}$/.test(given.text);
  if (!named) {
    diagnostics.report(
      "bad-value",
      settings.node("nftables")?.span ?? null,
      `\`${given.text}\` is no name of an nftables table; ${DEFAULT_FIREWALL.table} is used`,
      "write a letter, then letters, digits, _ . / or -",
    );
  }
  for (const keyword of ["vrrp_iptables", "vrrp_ipsets"]) {
    const node = settings.node(keyword);
    if (node !== null) replacedByNftables(node, diagnostics);
  }
  return {
    table: named && given !== undefined ? given.text : DEFAULT_FIREWALL.table,
    priority: settings.number("nftables_priority") ?? DEFAULT_FIREWALL.priority,
    counters: settings.has("nftables_counters"),
  };
}

export function reportIpsets(node: Node | null, diagnostics: DiagnosticSink): void {
  if (node !== null) replacedByNftables(node, diagnostics);
}

function replacedByNftables(node: Node, diagnostics: DiagnosticSink): void {
  diagnostics.report(
    "replaced-by-nftables",
    node.span,
    `\`${node.keyword}\`: the same rules are made with nftables, in the table of \`nftables\`; iptables chains and ipsets are not used`,
    "write nftables [TABLE] instead",
  );
}

const isInterfaceName = (text: string): boolean =>
  text.length > 0 && text.length <= INTERFACE_NAME_MAX && !/[\s/:]/.test(text) && text !== "." && text !== "..";

interface VirtualContext {
  readonly defaults: VirtualDefaults;
  /** Strict mode allows neither a MAC of one's own nor vmac_xmit_base. */
  readonly strict: boolean;
  readonly diagnostics: DiagnosticSink;
  /** Names of virtual interfaces that earlier instances took; grows. */
  readonly taken: Set<string>;
}

/** The instance held to strict mode where it is to be, with its virtual interfaces, each address on the one that carries it. */
export function withVirtualInterfaces(
  plain: VrrpInstanceConfig,
  settings: Settings,
  {
    defaults,
    diagnostics,
    taken,
  }: Pick<VirtualContext, "diagnostics" | "taken"> & { readonly defaults: InstanceDefaults },
): VrrpInstanceConfig {
  const strict = isStrict(settings, defaults.strict);
  const vrrp = strict ? withStrictMode(plain, settings, diagnostics) : plain;
  const context = { defaults: defaults.virtual, strict, diagnostics, taken };
  const own = readOwn(vrrp, settings, context);
  const xmitBase = transmitsFromBase(vrrp, own, settings, context.diagnostics) && !context.strict;
  const others: VirtualInterface[] = [];
  const marked = markedAddresses(settings, context.diagnostics);
  const place = (address: VirtualAddress): VirtualAddress => {
    const carrier = carrierOf(address, { vrrp, own, others, settings, context, marked });
    return carrier === null ? address : { ...address, device: carrier.name };
  };
  const advertised = vrrp.advertised.map(place);
  const excluded = vrrp.excluded.map(place);
  const interfaces = [...(own === null ? [] : [own]), ...others].map((one) => ({
    ...one,
    ipv6:
      [...advertised, ...excluded].some(({ device, address }) => device === one.name && familyOf(address) === 6) ||
      (one === own && vrrp.family === 6),
  }));
  const via = own === null || vrrp.transport.kind === "unicast" || xmitBase ? null : own.name;
  return {
    ...vrrp,
    advertised,
    excluded,
    virtualInterfaces: interfaces,
    // An IPv6 advert needs a link-local source, and the virtual interface has none that is its own.
    sendsVia: vrrp.family === 6 ? null : via,
    hearsVia: via,
    filter: readFilter(vrrp, settings, interfaces, context),
  };
}

interface Placing {
  readonly vrrp: VrrpInstanceConfig;
  readonly own: VirtualInterface | null;
  readonly others: VirtualInterface[];
  readonly settings: Settings;
  readonly context: VirtualContext;
  /** Addresses whose line has the word use_vmac. */
  readonly marked: ReadonlySet<string>;
}

function markedAddresses(settings: Settings, diagnostics: DiagnosticSink): ReadonlySet<string> {
  const blocks = [...settings.nodes("virtual_ipaddress"), ...settings.nodes("virtual_ipaddress_excluded")];
  const marked = new Set<string>();
  for (const line of blocks.flatMap((block) => block.block ?? [])) {
    const word = line.args.find(({ text }) => text === "use_vmac");
    const address = parseIp(line.keyword.split("/")[0] ?? "");
    if (word === undefined || address === null) continue;
    marked.add(address);
    if (!settings.has("use_vmac_addr")) continue;
    const message = `${address}: \`use_vmac\` says again what use_vmac_addr says for all addresses`;
    diagnostics.report("bad-value", wordSpan(line, word), message, "remove one of the two");
  }
  return marked;
}

/** The virtual interface that carries an address; null leaves it where it is. */
function carrierOf(address: VirtualAddress, placing: Placing): VirtualInterface | null {
  const { vrrp, own, others, settings, context } = placing;
  const family = familyOf(address.address);
  const base = address.device ?? vrrp.interface;
  const elsewhere = base !== vrrp.interface || family !== vrrp.family;
  if (own !== null && !elsewhere) return own;
  const asked = placing.marked.has(address.address) || (settings.has("use_vmac_addr") && elsewhere);
  if (!asked) return null;
  const mac = virtualMac(family, vrrp.virtualRouterId);
  const known = others.find((other) => other.base === base && other.mac?.[4] === mac[4]);
  if (known !== undefined) return known;
  const name = freeName(context.defaults.addressPrefix, vrrp.virtualRouterId, family, context.taken);
  const made: VirtualInterface = { ...PLAIN_MACVLAN, name, base, mac };
  others.push(made);
  return made;
}

const PLAIN_MACVLAN = { kind: "macvlan", ipvlanMode: "bridge", group: null, ipv6: false } as const;

/** keepalived's names, in the order in which they are free: vrrp.51, of IPv6 vrrp6.51, vrrp1.51, vrrp2.51 ... */
function freeName(prefix: string, virtualRouterId: number, family: 4 | 6, taken: Set<string>): string {
  const named = (middle: string): string => `${prefix}${middle}.${virtualRouterId}`;
  const first = family === 6 ? ["", "6"] : [""];
  let name = named("");
  for (let tried = 1; taken.has(name); tried++) name = named(first[tried] ?? String(tried - first.length + 1));
  taken.add(name);
  return name;
}

function readOwn(vrrp: VrrpInstanceConfig, settings: Settings, context: VirtualContext): VirtualInterface | null {
  const vrf = settings.node("vrf");
  if (vrf !== null) {
    context.diagnostics.report(
      "bad-value",
      vrf.span,
      `${vrrp.name}: \`vrf\` is for instances without \`interface\`, and is ignored`,
      "remove it: the instance works in the VRF that its interface belongs to",
    );
  }
  const ipvlan = settings.node("use_ipvlan");
  const vmac = settings.node("use_vmac");
  const node = vmac ?? ipvlan;
  if (node === null) return null;
  const read = vmac !== null ? readVmac(node, vrrp, context.diagnostics) : readIpvlan(node, vrrp, context.diagnostics);
  const { defaults, taken } = context;
  const name = read.name ?? freeName(defaults.prefix, vrrp.virtualRouterId, vrrp.family, taken);
  taken.add(name);
  const mac = context.strict && read.mac !== null ? virtualMac(vrrp.family, vrrp.virtualRouterId) : read.mac;
  return { ...read, name, base: vrrp.interface, mac };
}

type ReadInterface = Omit<VirtualInterface, "name" | "base"> & { readonly name: string | null };

/** use_vmac [[name] IF] [MAC] [netlink_notify_msg] [group G] */
function readVmac(node: Node, vrrp: VrrpInstanceConfig, diagnostics: DiagnosticSink): ReadInterface {
  const words = [...node.args];
  const result = {
    ...PLAIN_MACVLAN,
    name: null as string | null,
    mac: virtualMac(vrrp.family, vrrp.virtualRouterId),
    group: null as number | null,
  };
  while (words.length > 0) {
    const word = words.shift() as Word;
    // macvlan never needed the message: accepted, nothing to do.
    if (word.text === "netlink_notify_msg") continue;
    if (word.text === "group") result.group = readGroupNumber(node, words.shift(), diagnostics);
    else if (word.text.includes(":")) result.mac = readMac(node, word, vrrp, diagnostics) ?? result.mac;
    else if (word.text === "name" && words[0] !== undefined)
      result.name = readName(node, words.shift() as Word, diagnostics);
    else result.name = readName(node, word, diagnostics) ?? result.name;
  }
  return result;
}

function readName(node: Node, word: Word, diagnostics: DiagnosticSink): string | null {
  if (isInterfaceName(word.text)) return word.text;
  const message = `\`${word.text}\` is no name of an interface and is ignored`;
  diagnostics.report(
    "bad-value",
    wordSpan(node, word),
    message,
    `write at most ${INTERFACE_NAME_MAX} characters, without / and spaces`,
  );
  return null;
}

function readGroupNumber(node: Node, word: Word | undefined, diagnostics: DiagnosticSink): number | null {
  const value = word !== undefined && /^\d{1,10}$/.test(word.text) ? Number(word.text) : Number.NaN;
  if (value <= 0x7fff_ffff) return value;
  diagnostics.report(
    "bad-value",
    word === undefined ? node.span : wordSpan(node, word),
    "`group` of an interface is a number",
    "write group 0 to 2147483647",
  );
  return null;
}

/** Six bytes, or five with the virtual_router_id as the sixth. */
function readMac(
  node: Node,
  word: Word,
  vrrp: VrrpInstanceConfig,
  diagnostics: DiagnosticSink,
): readonly number[] | null {
  const parts = word.text.split(":");
  const bytes = parts.map((part) => (/^[0-9a-fA-F]{1,2}$/.test(part) ? Number.parseInt(part, 16) : Number.NaN));
  if (bytes.length === 5) bytes.push(vrrp.virtualRouterId);
  const wrong =
    bytes.length !== 6 || bytes.some(Number.isNaN)
      ? "no hardware address"
      : ((bytes[0] ?? 0) & 1) === 1
        ? "a multicast hardware address"
        : null;
  if (wrong === null) return bytes;
  const message = `\`${word.text}\` is ${wrong} and is ignored: the virtual MAC of the RFC is used`;
  diagnostics.report(
    "bad-value",
    wordSpan(node, word),
    message,
    "write six bytes such as 02:00:00:00:00:33, or leave it out",
  );
  return null;
}

/** use_ipvlan [IF] [ADDRESS] [bridge|private|vepa] */
function readIpvlan(node: Node, vrrp: VrrpInstanceConfig, diagnostics: DiagnosticSink): ReadInterface {
  let name: string | null = null;
  let mode: VirtualInterface["ipvlanMode"] = "bridge";
  let addressed = vrrp.sourceAddress !== null || vrrp.family === 6;
  for (const word of node.args) {
    if (word.text === "bridge" || word.text === "private" || word.text === "vepa") mode = word.text;
    else if (parseIp(word.text.split("/")[0] ?? "") !== null) addressed = true;
    else name = readName(node, word, diagnostics);
  }
  if (!addressed) {
    diagnostics.report(
      "bad-value",
      node.span,
      `${vrrp.name}: an ipvlan of IPv4 needs a source address`,
      "write use_ipvlan [NAME] ADDRESS, or unicast_src_ip ADDRESS",
    );
  }
  return { kind: "ipvlan", name, mac: null, ipvlanMode: mode, group: null, ipv6: vrrp.family === 6 };
}

function transmitsFromBase(
  vrrp: VrrpInstanceConfig,
  own: VirtualInterface | null,
  settings: Settings,
  diagnostics: DiagnosticSink,
): boolean {
  const node = settings.node("vmac_xmit_base");
  if (node !== null && own === null) {
    diagnostics.report(
      "bad-value",
      node.span,
      `${vrrp.name}: \`vmac_xmit_base\` has no effect without use_vmac`,
      "remove it, or write use_vmac",
    );
  }
  if (own !== null && node === null && vrrp.transport.kind === "unicast") {
    diagnostics.report(
      "unicast-from-base",
      settings.node("use_vmac")?.span ?? null,
      `${vrrp.name}: unicast adverts leave by ${vrrp.interface}, because a virtual MAC cannot be answered by two hosts`,
      "write vmac_xmit_base",
    );
  }
  return node !== null;
}

/** accept and no_accept: the last one counts; without either, what strict mode has decided. */
function readFilter(
  vrrp: VrrpInstanceConfig,
  settings: Settings,
  interfaces: readonly VirtualInterface[],
  { defaults }: VirtualContext,
): PacketFilter | null {
  const closed = isClosed(vrrp, settings);
  if (!closed && !interfaces.some(({ kind }) => kind === "macvlan")) return null;
  return { settings: defaults.firewall, closed, localReports: defaults.localReports };
}

function isClosed(vrrp: VrrpInstanceConfig, settings: Settings): boolean {
  // RFC 9568 section 6.1: the owner of an address always accepts.
  if (vrrp.priority === 255) return false;
  // Strict mode has looked at accept itself.
  if (vrrp.filter?.closed === true) return true;
  const no = settings.node("no_accept");
  const yes = settings.node("accept");
  if (no !== null) return yes === null || yes.line < no.line;
  return false;
}
