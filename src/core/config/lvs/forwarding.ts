/** `lvs_method NAT | DR | TUN [type ...]`, in the three places where it stands. */
import type { Forwarding, Tunnel } from "../../lvs/config.ts";
import type { DiagnosticSink } from "../diagnostics.ts";
import { wordSpan } from "../settings.ts";
import { closest } from "../suggest.ts";
import type { Node } from "../tree.ts";
import type { Word } from "../words.ts";

const REMEDY = "write NAT, DR, or TUN [type ipip | type gue port N | type gre] [nocsum | csum | remcsum]";
const CHECKSUMS: Readonly<Record<string, Tunnel["checksum"]>> = { nocsum: "none", csum: "full", remcsum: "remote" };
const TYPES: readonly string[] = ["ipip", "gue", "gre"];

export const NAT: Forwarding = { method: "nat", tunnel: null };

/** Null when the line is no use; it has been reported then. */
export function readForwarding(node: Node | null, diagnostics: DiagnosticSink): Forwarding | null {
  if (node === null) return null;
  const [method, ...options] = node.args;
  if (method === undefined) {
    diagnostics.report("missing-argument", node.span, `\`${node.keyword}\` lacks its value`, REMEDY);
    return null;
  }
  const reading = new Reading(node, diagnostics);
  if (method.text !== "NAT" && method.text !== "DR" && method.text !== "TUN") {
    const meant = closest(method.text, ["NAT", "DR", "TUN"]);
    return reading.fail(method, `is no forwarding method`, meant === null ? "" : `did you mean \`${meant}\`? `);
  }
  const tunnel = reading.tunnel(options);
  if (tunnel === null) return null;
  if (method.text === "TUN") return { method: "tun", tunnel };
  const [first] = options;
  if (first !== undefined) reading.ignore(first, method.text);
  return { method: method.text === "NAT" ? "nat" : "dr", tunnel: null };
}

interface Draft {
  type: Tunnel["type"];
  port: number;
  checksum: Tunnel["checksum"];
}

class Reading {
  readonly #node: Node;
  readonly #diagnostics: DiagnosticSink;

  constructor(node: Node, diagnostics: DiagnosticSink) {
    this.#node = node;
    this.#diagnostics = diagnostics;
  }

  fail(word: Word, what: string, meant = ""): null {
    const message = `\`${word.text}\` ${what}; the line is ignored`;
    this.#diagnostics.report("bad-value", wordSpan(this.#node, word), message, `${meant}${REMEDY}`);
    return null;
  }

  ignore(word: Word, method: string): void {
    const message = `\`${word.text}\` means nothing with ${method}`;
    this.#diagnostics.report("extra-argument", wordSpan(this.#node, word), message, "options belong to TUN");
  }

  tunnel(words: readonly Word[]): Tunnel | null {
    const draft: Draft = { type: "ipip", port: 0, checksum: "none" };
    for (let at = 0; at < words.length; at++) {
      const word = words[at] as Word;
      const checksum = CHECKSUMS[word.text];
      if (checksum !== undefined) {
        draft.checksum = checksum;
        continue;
      }
      at++;
      if (!this.#option(draft, word, words[at])) return null;
    }
    return this.#fits(draft, words[0]) ? draft : null;
  }

  #option(draft: Draft, word: Word, value: Word | undefined): boolean {
    if (word.text === "type") {
      if (value === undefined || !TYPES.includes(value.text))
        return this.fail(value ?? word, "is no type of tunnel") !== null;
      draft.type = value.text as Tunnel["type"];
      return true;
    }
    if (word.text !== "port") return this.fail(word, "is no option of a tunnel") !== null;
    draft.port = value !== undefined && /^\d{1,5}$/.test(value.text) ? Number(value.text) : 0;
    return (draft.port >= 1 && draft.port <= 65_535) || this.fail(value ?? word, "is no port") !== null;
  }

  #fits(draft: Draft, first: Word | undefined): boolean {
    if (first === undefined) return true;
    if ((draft.type === "gue") !== draft.port > 0)
      return this.fail(first, "tunnels of type gue need a port, others have none") !== null;
    if (draft.type === "ipip" && draft.checksum !== "none")
      return this.fail(first, "tunnels of type ipip know no checksum") !== null;
    if (draft.type === "gre" && draft.checksum === "remote")
      return this.fail(first, "tunnels of type gre know no remcsum") !== null;
    return true;
  }
}
