/** `encap` of a route or of one of its next hops: ip, ip6, mpls and ila (ip-route(8), lightweight tunnels). */
import { familyOf, type IpAddress, parseIp } from "../lib/ip.ts";
import type { Encapsulation } from "../routing/model.ts";
import type { LineReader } from "./line-reader.ts";
import type { RoutingNames } from "./routing-names.ts";
import type { Word } from "./words.ts";

/** Reads what follows `encap`; null when it is of no use, which was reported. The route is kept then, as keepalived does. */
export function readEncapsulation(line: LineReader, keyword: Word, names: RoutingNames): Encapsulation | null {
  const kind = line.value(keyword);
  if (kind === null) return null;
  switch (kind.text) {
    case "mpls":
      return readLabels(line, kind);
    case "ila":
      return readLocator(line, kind);
    case "ip":
    case "ip6":
      return readTunnel(line, kind.text, names, kind);
    default:
      line.report("bad-route", kind, `\`${kind.text}\` is no kind of encapsulation`, "write ip, ip6, mpls or ila");
      return null;
  }
}

const LARGEST_LABEL = 0xf_ffff;
/** linux/mpls.h: as many as the kernel takes. */
const MOST_LABELS = 30;

function readLabels(line: LineReader, keyword: Word): Encapsulation | null {
  const word = line.value(keyword);
  if (word === null) return null;
  const labels = word.text.split("/").map((text) => (/^\d{1,7}$/.test(text) ? Number(text) : Number.NaN));
  if (labels.length <= MOST_LABELS && labels.every((label) => label <= LARGEST_LABEL)) return { kind: "mpls", labels };
  line.report("bad-route", word, `\`${word.text}\` are no MPLS labels`, "write labels from 0 to 1048575, as 100/200");
  return null;
}

function readLocator(line: LineReader, keyword: Word): Encapsulation | null {
  const word = line.value(keyword);
  if (word === null) return null;
  const groups = word.text.split(":");
  if (groups.length === 4 && groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) {
    return { kind: "ila", locator: groups.map((group) => group.toLowerCase().padStart(4, "0")).join("") };
  }
  line.report("bad-route", word, `\`${word.text}\` is no ILA locator`, "write four groups, as 2001:db8:0:1");
  return null;
}

type Tunnel = Extract<Encapsulation, { kind: "ip" | "ip6" }>;
type Editable = { -readonly [Key in keyof Tunnel]: Tunnel[Key] };

const TUNNEL_WORDS = new Set(["id", "dst", "src", "tos", "tc", "ttl", "hoplimit", "flags"]);

function readTunnel(line: LineReader, kind: "ip" | "ip6", names: RoutingNames, keyword: Word): Tunnel | null {
  const tunnel: Editable = { kind, id: null, destination: null, source: null, tos: null, ttl: null, flags: null };
  for (;;) {
    const word = line.peek();
    const value = line.peek(1);
    if (word === null || value === null || !TUNNEL_WORDS.has(word.text)) break;
    line.take();
    line.take();
    if (setTunnelWord(tunnel, word.text, value.text, names)) continue;
    line.report("bad-route", value, `\`${value.text}\` is no value for \`${word.text}\` of encap ${kind}`);
    return null;
  }
  if (tunnel.destination !== null || tunnel.id !== null) return tunnel;
  line.report("bad-route", keyword, `encap ${kind} needs an address or an id`, `write encap ${kind} id N dst ADDRESS`);
  return null;
}

/** False when the value does not fit. */
function setTunnelWord(tunnel: Editable, word: string, text: string, names: RoutingNames): boolean {
  switch (word) {
    case "id":
      tunnel.id = unsigned64(text);
      return tunnel.id !== null;
    case "dst":
      tunnel.destination = addressOf(tunnel.kind, text);
      return tunnel.destination !== null;
    case "src":
      tunnel.source = addressOf(tunnel.kind, text);
      return tunnel.source !== null;
    case "tos":
    case "tc":
      tunnel.tos = names.number("dsfield", text);
      return tunnel.tos !== null;
    case "flags":
      tunnel.flags = /^\d{1,5}$/.test(text) && Number(text) <= 0xffff ? Number(text) : null;
      return tunnel.flags !== null;
    default:
      tunnel.ttl = /^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : null;
      return tunnel.ttl !== null;
  }
}

function addressOf(kind: "ip" | "ip6", text: string): IpAddress | null {
  const address = parseIp(text);
  return address !== null && familyOf(address) === (kind === "ip" ? 4 : 6) ? address : null;
}

/** Decimal text of an unsigned 64-bit number. */
export function unsigned64(text: string): string | null {
  if (!/^\d{1,20}$/.test(text)) return null;
  const value = BigInt(text);
  return value <= 0xffff_ffff_ffff_ffffn ? value.toString() : null;
}
