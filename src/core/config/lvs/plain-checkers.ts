/** MISC_CHECK, FILE_CHECK, DNS_CHECK and UDP_CHECK. */

import { seconds } from "../../lib/units.ts";
import type { DnsChecker, FileChecker, MiscChecker, UdpChecker, UdpReply } from "../../lvs/checkers.ts";
import { parseOwner } from "../command.ts";
import { closest } from "../suggest.ts";
import type { Node } from "../tree.ts";
import type { CheckerReading } from "./checker-reading.ts";
import type { LvsContext } from "./context.ts";

export function compileMisc(
  { node, settings, timing, defaults }: CheckerReading,
  { diagnostics }: LvsContext,
): MiscChecker | null {
  const command = settings.command("misc_path");
  if (command === null) {
    const message = `MISC_CHECK of ${defaults.name} has no usable misc_path and is left out`;
    diagnostics.report("checker-unusable", node.span, message, 'write misc_path "/path/to/program arguments"');
    return null;
  }
  const owner = settings.words("user").map((word) => word.text);
  const timeout = settings.number("misc_timeout") ?? 0;
  return {
    kind: "misc",
    command: owner.length === 0 ? command : { ...command, ...parseOwner(owner) },
    timeout: timeout === 0 ? null : seconds(timeout),
    dynamic: settings.has("misc_dynamic"),
    timing,
    span: node.span,
  };
}

export function compileFile(
  { node, settings, defaults }: CheckerReading,
  { files, diagnostics }: LvsContext,
): FileChecker | null {
  const name = settings.text("track_file");
  const file = files.find((one) => one.name === name);
  if (file === undefined) {
    const meant =
      name === null
        ? null
        : closest(
            name,
            files.map((one) => one.name),
          );
    const what = name === null ? "names no track_file" : `names track_file ${name}, which is not defined above`;
    const remedy = meant === null ? "write track_file NAME" : `did you mean \`${meant}\`?`;
    diagnostics.report("checker-unusable", node.span, `FILE_CHECK of ${defaults.name} ${what}; it is left out`, remedy);
    return null;
  }
  const own = settings.weight("weight");
  return {
    kind: "file",
    file: file.name,
    weight: own?.weight ?? file.weight,
    reverse: own?.reverse ?? file.reverse,
    span: node.span,
  };
}

const RECORD_TYPES = ["A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY"] as const;

type DnsPart = Pick<DnsChecker, "kind" | "type" | "name">;

export function compileDns({ node, settings }: CheckerReading, { diagnostics }: LvsContext): DnsPart {
  const given = settings.text("type");
  const type = RECORD_TYPES.find((one) => one === given?.toUpperCase());
  if (given !== null && type === undefined) {
    const meant = closest(given, RECORD_TYPES);
    const remedy = `${meant === null ? "" : `did you mean \`${meant}\`? `}write ${RECORD_TYPES.join(", ")}`;
    const span = settings.node("type")?.span ?? node.span;
    diagnostics.report("bad-value", span, `\`${given}\` is no record type; SOA is asked for`, remedy);
  }
  const name = settings.text("name");
  const bad = name !== null && name !== "." && !namesLabels(name);
  if (bad) {
    const span = settings.node("name")?.span ?? node.span;
    diagnostics.report(
      "bad-value",
      span,
      `\`${name}\` is no name: labels have 1 to 63 bytes, all together 253; the root is asked for`,
      null,
    );
  }
  return { kind: "dns", type: type ?? "SOA", name: bad || name === null ? "." : name };
}

const namesLabels = (name: string): boolean =>
  name.length <= 254 &&
  name
    .replace(/\.$/, "")
    .split(".")
    .every((label) => label.length >= 1 && label.length <= 63);

type UdpPart = Pick<UdpChecker, "kind" | "payload" | "reply">;

const DEFAULT_LONGEST_REPLY = 255;

export function compileUdp({ node, settings, defaults }: CheckerReading, { diagnostics }: LvsContext): UdpPart {
  const read = (keyword: string, wildcards: boolean): HexText | null => {
    const line = settings.node(keyword);
    if (line === null || (line.args.length === 0 && wildcards)) return null;
    const hex = readHex(line, wildcards);
    if (hex === null) {
      const remedy = `write hexadecimal bytes, such as 0A 1b${wildcards ? "; x for any half byte" : ""}`;
      diagnostics.report("bad-value", line.span, `\`${keyword}\` holds no bytes and is ignored`, remedy);
    }
    return hex;
  };
  const payload = read("payload", false);
  const expected = read("require_reply", true);
  const minLength = settings.number("min_reply_length") ?? 0;
  const maxLength = settings.number("max_reply_length") ?? DEFAULT_LONGEST_REPLY;
  if (minLength > maxLength) {
    const message = `UDP_CHECK of ${defaults.name}: min_reply_length is above max_reply_length, so no answer is right`;
    diagnostics.report("checker-unusable", node.span, message, "write the smaller number in min_reply_length");
  }
  const reply: UdpReply | null = settings.has("require_reply")
    ? { bytes: expected?.bytes ?? [], ignore: expected?.ignore ?? [], minLength, maxLength }
    : null;
  return { kind: "udp", payload: payload?.bytes ?? null, reply };
}

interface HexText {
  readonly bytes: readonly number[];
  readonly ignore: readonly number[];
}

/** `Ab12f 3 456` is AB 12 0F 03 45 06: digits pair up within a word, one that is left over is a byte of its own. */
function readHex(line: Node, wildcards: boolean): HexText | null {
  const bytes: number[] = [];
  const ignore: number[] = [];
  for (const { text } of line.args) {
    if (!(wildcards ? /^[0-9a-fx]+$/i : /^[0-9a-f]+$/i).test(text)) return null;
    for (const pair of text.match(/..?/g) ?? []) {
      bytes.push(Number.parseInt(pair.replace(/x/gi, "0"), 16));
      ignore.push(Number.parseInt(pair.replace(/[^x]/gi, "0").replace(/x/gi, "f"), 16));
    }
  }
  return bytes.length === 0 ? null : { bytes, ignore };
}
