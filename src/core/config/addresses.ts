/** Address lines of virtual_ipaddress and the lines of unicast_peer. Owns their options, not what becomes of them. */

import type { IpAddress } from "../lib/ip.ts";
import { parseIp } from "../lib/ip.ts";
import type { StaticAddress } from "../routing/host.ts";
import type { VirtualAddress } from "../vrrp/config.ts";
import { type AddressWithOptions, type OptionsContext, readAddressOptions } from "./address-options.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import { type FamilyContext, fitsFamily } from "./family.ts";
import { LineReader, readPrefix } from "./line-reader.ts";
import type { Node } from "./tree.ts";

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

function readAddress(node: Node, diagnostics: DiagnosticSink): VirtualAddress | null {
  const line = new LineReader(node, diagnostics);
  return readAddressLine(line, { trackGroups: null })?.address ?? null;
}

function readAddressLine(
  line: LineReader,
  { trackGroups }: Pick<OptionsContext, "trackGroups">,
): AddressWithOptions | null {
  const word = line.take();
  if (word === null) return null;
  const prefix = readPrefix(word.text);
  if (prefix === null || prefix.address === null) {
    const remedy = "write ADDRESS/PREFIX, such as 192.0.2.1/24 or 2001:db8::1/64";
    line.complain("bad-address", `\`${word.text}\` is no address and is left out`, remedy);
    return null;
  }
  if (prefix.tooLong) {
    const given = word.text.slice(word.text.indexOf("/"));
    const remedy = `write a number from 0 to ${prefix.length}`;
    line.complain("bad-address", `\`${given}\` is no prefix length; /${prefix.length} is used instead`, remedy);
  }
  const { address, length: prefixLength } = prefix;
  const base = { address, prefixLength, device: null, broadcast: null, label: null, scope: 0 };
  return readAddressOptions(line, base, { prefixGiven: word.text.includes("/"), trackGroups });
}

/** The addresses of one static_ipaddress block. */
export function readStaticAddresses(
  block: Node,
  { device, known }: { readonly device: string; readonly known: ReadonlySet<string> },
  diagnostics: DiagnosticSink,
): readonly StaticAddress[] {
  return (block.block ?? []).flatMap((node) => {
    const line = new LineReader(node, diagnostics);
    const read = readAddressLine(line, { trackGroups: known });
    if (read === null) return [];
    const { address, trackGroup } = read;
    const untracked = address.options?.untracked === true;
    if (untracked && trackGroup !== null) {
      line.complain(
        "unknown-track-group",
        `track_group ${trackGroup} and no_track exclude each other: nothing depends on ${address.address}`,
        "remove one of the two",
      );
    }
    return [
      {
        address: { ...address, device: address.device ?? device },
        tracked: !untracked,
        trackGroup: untracked ? null : trackGroup,
      },
    ];
  });
}

export function readPeers(blocks: readonly Node[], context: FamilyContext): readonly IpAddress[] {
  const { diagnostics } = context;
  const peers: IpAddress[] = [];
  for (const node of blocks.flatMap((block) => block.block ?? [])) {
    const peer = parseIp(node.keyword);
    if (peer === null) {
      diagnostics.report(
        "bad-address",
        node.span,
        `\`${node.keyword}\` is no address and is left out`,
        "write the peer's address, such as 192.0.2.2",
      );
    } else if (peers.includes(peer)) {
      diagnostics.report("duplicate-address", node.span, `peer ${peer} is given twice`, "remove one of the two lines");
    } else if (fitsFamily(context, peer, node.span)) {
      peers.push(peer);
    }
  }
  return peers;
}
