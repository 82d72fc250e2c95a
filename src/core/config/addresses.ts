/** Address lines of virtual_ipaddress and the lines of unicast_peer. Owns their options, not what becomes of them. */

import type { IpAddress } from "../lib/ip.ts";
import { ipv4FromBytes, ipv4Number, parseIpv4 } from "../lib/ip.ts";
import type { VirtualAddress } from "../vrrp/config.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import { wordSpan } from "./settings.ts";
import type { Node } from "./tree.ts";
import type { Word } from "./words.ts";

/** rtnetlink's numbers of the scopes that ip-address(8) names. */
const SCOPES: ReadonlyMap<string, number> = new Map(
  Object.entries({ global: 0, site: 200, link: 253, host: 254, nowhere: 255 }),
);

const LONGEST_LABEL = 15;

export interface AddressLine {
  readonly address: VirtualAddress;
  readonly node: Node;
}

export function readAddresses(blocks: readonly Node[], diagnostics: DiagnosticSink): readonly AddressLine[] {
  const lines: AddressLine[] = [];
  for (const block of blocks) {
    for (const node of block.block ?? []) {
      const address = readAddress(node, diagnostics);
      if (address === null) continue;
      if (lines.some((line) => line.address.address === address.address)) {
        diagnostics.report(
          "duplicate-address",
          node.span,
          `${address.address} is given twice in this instance`,
          "remove one of the two lines",
        );
        continue;
      }
      lines.push({ address, node });
    }
  }
  return lines;
}

/** IPv6 text, roughly: enough to tell it from a misspelt IPv4 address. */
function looksLikeIpv6(text: string): boolean {
  return text.includes(":") && /^[0-9a-fA-F:.]+(?:%\S+)?(?:\/\d+)?$/.test(text);
}

function readAddress(node: Node, diagnostics: DiagnosticSink): VirtualAddress | null {
  const [addressText = "", prefixText] = splitPrefix(node.keyword);
  const address = parseIpv4(addressText);
  if (address === null && looksLikeIpv6(node.keyword)) {
    diagnostics.report(
      "address-ipv6",
      node.span,
      `${node.keyword} is left out: IPv6 addresses are accepted, not done yet`,
      "keep the IPv6 address in a keepalived instance until then",
    );
    return null;
  }
  if (address === null) {
    diagnostics.report(
      "bad-address",
      node.span,
      `\`${node.keyword}\` is no address and is left out`,
      "write ADDRESS/PREFIX, such as 192.0.2.1/24",
    );
    return null;
  }
  const prefix = prefixText === undefined ? HOST_PREFIX : prefixOf(prefixText);
  if (prefix === null) {
    diagnostics.report(
      "bad-address",
      node.span,
      `\`/${prefixText}\` is no prefix length; /32 is used instead`,
      "write a number from 0 to 32",
    );
  }
  const prefixLength = prefix ?? HOST_PREFIX;
  return withOptions(
    node,
    { address, prefixLength, device: null, broadcast: null, label: null, scope: 0 },
    diagnostics,
  );
}

const HOST_PREFIX = 32;

function splitPrefix(text: string): readonly string[] {
  const slash = text.indexOf("/");
  return slash < 0 ? [text] : [text.slice(0, slash), text.slice(slash + 1)];
}

function prefixOf(text: string): number | null {
  return /^\d{1,2}$/.test(text) && Number(text) <= 32 ? Number(text) : null;
}

type Editable = { -readonly [Key in keyof VirtualAddress]: VirtualAddress[Key] };

const WITH_VALUE = new Set(["dev", "brd", "broadcast", "label", "scope", "peer", "preferred_lft", "track_group"]);
const BARE_LATER = new Set(["home", "-nodad", "mngtmpaddr", "noprefixroute", "autojoin", "use_vmac", "no_track"]);

function withOptions(node: Node, base: VirtualAddress, diagnostics: DiagnosticSink): VirtualAddress | null {
  const address: Editable = { ...base };
  for (let at = 0; at < node.args.length; at++) {
    const word = node.args[at];
    if (word === undefined) break;
    if (BARE_LATER.has(word.text)) {
      diagnostics.report(
        "not-done-yet",
        wordSpan(node, word),
        `\`${word.text}\` of an address is accepted, not done yet`,
        null,
      );
      continue;
    }
    // `10.0.0.5/24 scope global eth0`: ip-address(8) takes a bare name after `dev` only.
    if (!WITH_VALUE.has(word.text)) {
      diagnostics.report(
        "bad-value",
        wordSpan(node, word),
        `\`${word.text}\` is no option of an address and is ignored`,
        "one address per line; options are dev, brd, label, scope",
      );
      continue;
    }
    const value = node.args[++at];
    if (value === undefined) {
      diagnostics.report(
        "missing-argument",
        wordSpan(node, word),
        `\`${word.text}\` lacks its value`,
        `write ${word.text} VALUE`,
      );
      return address;
    }
    setOption(node, address, { option: word, value }, diagnostics);
  }
  return address;
}

function setOption(
  node: Node,
  address: Editable,
  pair: { readonly option: Word; readonly value: Word },
  diagnostics: DiagnosticSink,
): void {
  const problem = applyOption(address, pair.option.text, pair.value.text);
  if (problem === "later") {
    diagnostics.report(
      "not-done-yet",
      wordSpan(node, pair.option),
      `\`${pair.option.text}\` of an address is accepted, not done yet`,
      null,
    );
  } else if (problem !== null) {
    diagnostics.report(
      "bad-value",
      wordSpan(node, pair.value),
      `\`${pair.value.text}\` is ${problem}; the option is ignored`,
      null,
    );
  }
}

/** Null when the option was set, "later" when it is not done, otherwise what is wrong with its value. */
function applyOption(address: Editable, option: string, value: string): string | null {
  switch (option) {
    case "dev":
      address.device = value;
      return null;
    case "label":
      if (value.length > LONGEST_LABEL) return `longer than ${LONGEST_LABEL} characters`;
      address.label = value;
      return null;
    case "scope": {
      const scope = scopeOf(value);
      if (scope === null) return "no scope (global, site, link, host)";
      address.scope = scope;
      return null;
    }
    case "brd":
    case "broadcast":
      address.broadcast = broadcastOf(address, value);
      return address.broadcast === null ? "no broadcast address here" : null;
    default:
      return "later";
  }
}

function scopeOf(text: string): number | null {
  const named = SCOPES.get(text);
  if (named !== undefined) return named;
  return /^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : null;
}

/** `+` sets the host bits, `-` clears them, as in ip-address(8). */
function broadcastOf(address: Editable, text: string): IpAddress | null {
  if (text !== "+" && text !== "-") return parseIpv4(text);
  if (address.prefixLength > 30) return null;
  const host = 2 ** (32 - address.prefixLength);
  const network = Math.floor(ipv4Number(address.address) / host) * host;
  const value = text === "+" ? network + host - 1 : network;
  return ipv4FromBytes(Uint8Array.of(value / 2 ** 24, (value / 2 ** 16) & 255, (value / 2 ** 8) & 255, value & 255), 0);
}

export function readPeers(blocks: readonly Node[], diagnostics: DiagnosticSink): readonly IpAddress[] {
  const peers: IpAddress[] = [];
  for (const node of blocks.flatMap((block) => block.block ?? [])) {
    const peer = parseIpv4(node.keyword);
    const first = node.args[0];
    if (peer === null && looksLikeIpv6(node.keyword)) {
      diagnostics.report(
        "address-ipv6",
        node.span,
        `peer ${node.keyword} is left out: IPv6 is accepted, not done yet`,
        null,
      );
    } else if (peer === null) {
      diagnostics.report(
        "bad-address",
        node.span,
        `\`${node.keyword}\` is no address and is left out`,
        "write the peer's address, such as 192.0.2.2",
      );
    } else if (peers.includes(peer)) {
      diagnostics.report("duplicate-address", node.span, `peer ${peer} is given twice`, "remove one of the two lines");
    } else {
      peers.push(peer);
    }
    if (first !== undefined)
      diagnostics.report(
        "not-done-yet",
        wordSpan(node, first),
        `\`${first.text}\` of a peer is accepted, not done yet`,
        null,
      );
  }
  return peers;
}
