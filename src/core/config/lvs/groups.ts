/** virtual_server_group: lines of addresses, ranges and firewall marks. */
import {
  compareIp,
  type Family,
  familyOf,
  HOST_PREFIX,
  type IpAddress,
  ipBytes,
  ipFromBytes,
  networkOf,
  parseIp,
} from "../../lib/ip.ts";
import type { GroupEntry, VirtualServerGroup } from "../../lvs/config.ts";
import type { DiagnosticSink } from "../diagnostics.ts";
import { closest } from "../suggest.ts";
import type { Node } from "../tree.ts";
import { readPort } from "./endpoint.ts";

/** More services than this are a mistake: a range of a whole network would be one for each of its addresses. */
export const MOST_ADDRESSES = 65_536;
const GREATEST_MARK = 4_294_967_295;
const REMEDY = "write ADDRESS [PORT], FIRST-LAST [PORT], NETWORK/LENGTH [PORT], or fwmark N [inet | inet6]";

export function compileServerGroups(
  nodes: readonly Node[],
  diagnostics: DiagnosticSink,
): ReadonlyMap<string, VirtualServerGroup> {
  const groups = new Map<string, VirtualServerGroup>();
  for (const node of nodes) {
    const group = compileServerGroup(node, diagnostics);
    if (group === null) continue;
    const earlier = groups.get(group.name);
    if (earlier === undefined) groups.set(group.name, group);
    else {
      const message = `virtual_server_group ${group.name} is already defined in line ${earlier.span.line}; this one is left out`;
      diagnostics.report("duplicate-name", node.span, message, "rename one of the two");
    }
  }
  return groups;
}

function compileServerGroup(node: Node, diagnostics: DiagnosticSink): VirtualServerGroup | null {
  const name = node.args[0]?.text;
  if (name === undefined || node.block === null) {
    diagnostics.report(
      name === undefined ? "missing-argument" : "block-expected",
      node.span,
      "`virtual_server_group` lacks its name or its block and is left out",
      "write virtual_server_group NAME { ... }",
    );
    return null;
  }
  const entries = node.block.flatMap((line) => {
    const entry = line.keyword === "fwmark" ? readMark(line) : readRange(line);
    if (typeof entry !== "string") return [entry];
    const meant = /^[a-z]/.test(line.keyword) && line.keyword !== "fwmark" ? closest(line.keyword, ["fwmark"]) : null;
    const remedy = meant === null ? REMEDY : `did you mean \`${meant}\`? ${REMEDY}`;
    diagnostics.report("bad-server-group", line.span, `${name}: ${entry}; the line is left out`, remedy);
    return [];
  });
  return isUsable(name, entries, node, diagnostics) ? { name, entries, span: node.span } : null;
}

function isUsable(name: string, entries: readonly GroupEntry[], node: Node, diagnostics: DiagnosticSink): boolean {
  const { families, openMark } = groupFamilies(entries);
  const problem =
    entries.length === 0
      ? "has no usable line"
      : openMark && families.size === 2
        ? "has addresses of both families and a fwmark without family"
        : null;
  if (problem === null) return true;
  const remedy = entries.length === 0 ? REMEDY : "write fwmark N inet or fwmark N inet6";
  diagnostics.report("bad-server-group", node.span, `virtual_server_group ${name} ${problem} and is left out`, remedy);
  return false;
}

export function groupFamilies(entries: readonly GroupEntry[]): {
  readonly families: ReadonlySet<Family>;
  readonly openMark: boolean;
} {
  const families = new Set<Family>();
  let openMark = false;
  for (const entry of entries) {
    if (entry.kind === "range") families.add(familyOf(entry.first));
    else if (entry.family !== null) families.add(entry.family);
    else openMark = true;
  }
  return { families, openMark };
}

export function readMarkNumber(text: string | undefined): number | null {
  const mark = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return mark <= GREATEST_MARK ? mark : null;
}

function readMark(line: Node): GroupEntry | string {
  const mark = readMarkNumber(line.args[0]?.text);
  if (mark === null) return `\`${line.args[0]?.text ?? ""}\` is no mark from 0 to ${GREATEST_MARK}`;
  const family = line.args[1]?.text;
  if (family === undefined) return { kind: "fwmark", mark, family: null };
  if (family !== "inet" && family !== "inet6") return `\`${family}\` is no family`;
  return { kind: "fwmark", mark, family: family === "inet" ? 4 : 6 };
}

function readRange(line: Node): GroupEntry | string {
  const port = readPort(line.args[0]);
  if (port === null) return `\`${line.args[0]?.text}\` is no port`;
  const range = rangeOf(line.keyword);
  if (typeof range === "string") return range;
  const [first, last] = range;
  if (addressesIn(first, last) > MOST_ADDRESSES) return `\`${line.keyword}\` is more than ${MOST_ADDRESSES} addresses`;
  return { kind: "range", first, last, port };
}

function rangeOf(text: string): readonly [IpAddress, IpAddress] | string {
  const [, start = "", sign, end = ""] = /^([^-/]*)([-/])?(.*)$/.exec(text) ?? [];
  const first = parseIp(start);
  if (first === null) return `\`${text}\` is no address`;
  if (sign === undefined) return [first, first];
  const last = sign === "/" ? lastOfNetwork(first, end) : lastOfRange(first, end);
  if (typeof last === "string" && parseIp(last) === null) return `\`${text}\`: ${last}`;
  return [first, last as IpAddress];
}

function lastOfNetwork(first: IpAddress, length: string): string {
  const family = familyOf(first);
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : 0;
  if (bits < 1 || bits > HOST_PREFIX[family]) return `${length} is no prefix length`;
  if (networkOf(first, bits) !== first) return "there are bits behind the prefix";
  const bytes = ipBytes(first);
  for (let at = 0; at < bytes.length; at++) {
    const kept = Math.max(0, Math.min(8, bits - at * 8));
    bytes[at] = (bytes[at] as number) | (0xff >> kept);
  }
  return ipFromBytes(family, bytes, 0);
}

/** `FIRST-LAST`, or `FIRST-N` with the last part of the address: a decimal octet, or four hexadecimal digits. */
function lastOfRange(first: IpAddress, end: string): string {
  const family = familyOf(first);
  if (end.includes(family === 4 ? "." : ":")) {
    const last = parseIp(end);
    if (last === null || familyOf(last) !== family) return `${end} is no address of the same family`;
    return compareIp(first, last) <= 0 ? last : "it ends before it begins";
  }
  const number = lastPart(family, end);
  if (number === null) return `${end} is no last part of an address`;
  const bytes = ipBytes(first);
  bytes[bytes.length - 1] = number & 0xff;
  if (family === 6) bytes[bytes.length - 2] = number >> 8;
  const last = ipFromBytes(family, bytes, 0);
  return compareIp(first, last) < 0 ? last : "it ends before it begins";
}

function lastPart(family: Family, text: string): number | null {
  if (family === 6) return /^[0-9a-fA-F]{1,4}$/.test(text) ? Number.parseInt(text, 16) : null;
  return /^\d{1,3}$/.test(text) && Number(text) <= 0xff ? Number(text) : null;
}

/** How many addresses a range has; what is beyond four bytes counts as too many. */
export function addressesIn(first: IpAddress, last: IpAddress): number {
  const [from, to] = [ipBytes(first), ipBytes(last)];
  let count = 0;
  for (let at = 0; at < from.length; at++) count = count * 256 + (to[at] as number) - (from[at] as number);
  return count + 1;
}
