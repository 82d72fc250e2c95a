/**
 * The address family of an instance: whatever names an address first decides, as in keepalived 2.2.7 (source, group, peers, advertised
 * addresses, or native_ipv6). What names another family after that is left out with an error. Excluded addresses may be of any.
 */
import { type Family, familyOf, type IpAddress, parseIp } from "../lib/ip.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { SourceSpan } from "./model.ts";
import type { Settings } from "./settings.ts";
import type { Node } from "./tree.ts";

const ONE_ADDRESS = new Set(["unicast_src_ip", "mcast_src_ip", "mcast_dst_ip"]);
const ADDRESS_LINES = new Set(["unicast_peer", "virtual_ipaddress"]);

/** IPv4 when nothing names a family. */
export function instanceFamily(block: readonly Node[]): Family {
  for (const node of block) {
    const family = familyNamedBy(node);
    if (family !== null) return family;
  }
  return 4;
}

function familyNamedBy(node: Node): Family | null {
  if (node.keyword === "native_ipv6") return 6;
  if (ONE_ADDRESS.has(node.keyword)) return familyOfText(node.args[0]?.text ?? "");
  if (!ADDRESS_LINES.has(node.keyword)) return null;
  for (const line of node.block ?? []) {
    const family = familyOfText(line.keyword);
    if (family !== null) return family;
  }
  return null;
}

function familyOfText(text: string): Family | null {
  const address = parseIp(text.split("/")[0] ?? "");
  return address === null ? null : familyOf(address);
}

/** What of an instance is being read, for messages. */
export interface FamilyContext {
  readonly name: string;
  readonly family: Family;
  readonly diagnostics: DiagnosticSink;
}

/** Whether the address fits the instance; reports when it does not. */
export function fitsFamily(context: FamilyContext, address: IpAddress, span: SourceSpan | null): boolean {
  const { name, family, diagnostics } = context;
  if (familyOf(address) === family) return true;
  diagnostics.report(
    "family-mismatch",
    span,
    `${name}: ${address} is left out, because the instance is IPv${family}`,
    `give each family an instance of its own; virtual_ipaddress_excluded takes addresses of both`,
  );
  return false;
}

/** The address of a keyword if it fits the instance; null when it is missing or does not. */
export function addressOfFamily(settings: Settings, keyword: string, context: FamilyContext): IpAddress | null {
  const address = settings.address(keyword);
  if (address === null || fitsFamily(context, address, settings.node(keyword)?.span ?? null)) return address;
  return null;
}

/** `native_ipv6` only says what the addresses say already. */
export function checkNativeIpv6(settings: Settings, { name, family, diagnostics }: FamilyContext): void {
  if (family === 6 || !settings.has("native_ipv6")) return;
  diagnostics.report(
    "family-mismatch",
    settings.node("native_ipv6")?.span ?? null,
    `${name}: native_ipv6 is ignored, because an IPv4 address stands above it`,
    "remove it: the addresses say which family the instance has",
  );
}

/**
 * IPv6 is version 3 (RFC 9568 section 5.2.1) whatever vrrp_version says. An explicit `version 2` above the first address is keepalived's
 * own: version 2's message with IPv6 addresses, understood by keepalived alone. Below it keepalived refuses it, and so do we.
 */
export function readVersion(
  block: readonly Node[],
  settings: Settings,
  fallback: 2 | 3,
  context: FamilyContext,
): 2 | 3 {
  const { name, family, diagnostics } = context;
  const given = settings.number("version");
  if (given === null) return family === 6 ? 3 : fallback;
  if (given === 3 || family === 4) return given === 3 ? 3 : 2;
  const node = settings.node("version");
  const refused = node !== null && block.findIndex((one) => familyNamedBy(one) !== null) < block.indexOf(node);
  if (refused) {
    const message = `${name}: \`version 2\` is ignored, because an IPv6 address stands above it`;
    diagnostics.report("family-mismatch", node.span, message, "remove it: IPv6 is version 3 by itself");
    return 3;
  }
  diagnostics.report(
    "ipv6-version-2",
    node?.span ?? null,
    `${name}: version 2 over IPv6 is in no RFC; only keepalived understands it`,
    "remove the line on all hosts at once: IPv6 is version 3 by itself",
  );
  return 2;
}
