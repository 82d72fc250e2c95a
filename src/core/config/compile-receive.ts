/**
 * How an instance takes adverts in: ranges of TTL for unicast peers, the old unicast checksum, buffers of the receiving socket, what is
 * compared and what is told. keepalived's keywords and defaults; what it ignores is ignored here, with a word.
 */
import { type IpAddress, parseIp } from "../lib/ip.ts";
import type { PeerTtl, ReceiveBuffer, ReceiveOptions } from "../vrrp/config.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { ReceiveDefaults } from "./instance-defaults.ts";
import type { Settings } from "./settings.ts";
import { wordSpan } from "./settings.ts";
import type { Node } from "./tree.ts";
import type { Word } from "./words.ts";

const MULTIPLIER = 3;

export function readReceive(settings: Settings, defaults: ReceiveDefaults): ReceiveOptions {
  const bytes = settings.number("kernel_rx_buf_size");
  return {
    skipCheckAdvAddr: settings.flag("skip_check_adv_addr") ?? defaults.skipCheckAdvAddr,
    buffer: bytes === null ? defaults.receiveBuffer : { kind: "bytes", bytes },
    logUnknownVrids: defaults.logUnknownVrids,
    debug: settings.number("debug") ?? 0,
  };
}

/** vrrp_rx_bufs_policy with vrrp_rx_bufs_multiplier; a size beats MTU, which beats ADVERT. */
export function readBufferPolicy(settings: Settings, diagnostics: DiagnosticSink): ReceiveBuffer {
  const node = settings.node("vrrp_rx_bufs_policy");
  if (node === null) return { kind: "default" };
  const count = settings.number("vrrp_rx_bufs_multiplier") ?? MULTIPLIER;
  const words = settings.words("vrrp_rx_bufs_policy");
  let policy: ReceiveBuffer = { kind: "default" };
  if (words.length === 0) {
    diagnostics.report(
      "missing-argument",
      node.span,
      "`vrrp_rx_bufs_policy` lacks its value",
      "write vrrp_rx_bufs_policy MTU, ADVERT or a number of bytes",
    );
  }
  for (const word of words) {
    const found = policyOf(word, count);
    if (found === null) {
      diagnostics.report(
        "bad-value",
        wordSpan(node, word),
        `\`${word.text}\` is no policy for receive buffers`,
        "write vrrp_rx_bufs_policy MTU, ADVERT or a number of bytes from 1 to 2147483647",
      );
    } else if (RANK[found.kind] > RANK[policy.kind]) policy = found;
  }
  return policy;
}

const RANK = { default: 0, adverts: 1, mtu: 2, bytes: 3 } as const;

function policyOf({ text }: Word, count: number): ReceiveBuffer | null {
  const name = text.toUpperCase();
  if (name === "MTU") return { kind: "mtu", count };
  if (name === "ADVERT") return { kind: "adverts", count };
  const bytes = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  return bytes >= 1 && bytes <= 2_147_483_647 ? { kind: "bytes", bytes } : null;
}

export function readChecksumMode(settings: Settings, diagnostics: DiagnosticSink): "auto" | "old" | "new" {
  const node = settings.node("old_unicast_checksum");
  if (node === null) return "auto";
  const word = settings.words("old_unicast_checksum")[0];
  if (word === undefined) return "old";
  if (word.text === "never") return "new";
  diagnostics.report(
    "bad-value",
    wordSpan(node, word),
    `\`${word.text}\` is no value for \`old_unicast_checksum\``,
    "write old_unicast_checksum, or old_unicast_checksum never",
  );
  return "auto";
}

/** `ADDRESS [min_ttl N] [max_ttl N]` lines that name a range; the addresses themselves are addresses.ts's. */
export function readPeerTtls(blocks: readonly Node[], diagnostics: DiagnosticSink): readonly PeerTtl[] {
  const ranges: PeerTtl[] = [];
  for (const node of blocks.flatMap((block) => block.block ?? [])) {
    const peer = parseIp(node.keyword);
    if (peer === null || node.args.length === 0) continue;
    const range = readRange(peer, node, diagnostics);
    if (range !== null) ranges.push(range);
  }
  return ranges;
}

function readRange(peer: IpAddress, node: Node, diagnostics: DiagnosticSink): PeerTtl | null {
  const range = { peer, min: 0, max: 255 };
  let given = false;
  for (let at = 0; at < node.args.length; at += 2) {
    const option = node.args[at] as Word;
    const ttl = readTtl(option, node.args[at + 1], node, diagnostics);
    if (ttl === null) continue;
    given = true;
    range[option.text === "min_ttl" ? "min" : "max"] = ttl;
  }
  if (range.min > range.max) {
    const message = `min_ttl ${range.min} of ${peer} is above max_ttl ${range.max}: all its adverts are dropped`;
    diagnostics.report("ttl-range-empty", node.span, message, "exchange the two numbers");
  }
  return given ? range : null;
}

function readTtl(option: Word, value: Word | undefined, node: Node, diagnostics: DiagnosticSink): number | null {
  const known = option.text === "min_ttl" || option.text === "max_ttl";
  const ttl = value !== undefined && /^\d{1,3}$/.test(value.text) ? Number(value.text) : 256;
  if (known && ttl <= 255) return ttl;
  const message = known
    ? `\`${option.text}\` of a peer needs a number from 0 to 255`
    : `\`${option.text}\` is no option of a peer`;
  diagnostics.report("bad-value", wordSpan(node, known ? (value ?? option) : option), message, RANGE_REMEDY);
  return null;
}

const RANGE_REMEDY = "write ADDRESS min_ttl N max_ttl N, numbers from 0 to 255";
