/**
 * Walks over the words of one free line (a route, a rule, an address) and reports what is wrong with them at their place.
 * Knows numbers and prefixes, no keyword.
 */
import { type Family, familyOf, HOST_PREFIX, type IpAddress, parseIp } from "../lib/ip.ts";
import type { Prefix } from "../routing/model.ts";
import type { DiagnosticCode } from "./codes.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { Advice, Fix } from "./fix.ts";
import { plainNumber } from "./routing-names.ts";
import { wordSpan } from "./settings.ts";
import type { Node } from "./tree.ts";
import type { Word } from "./words.ts";

/** A prefix whose family is open: `default`, `any` and `all` fit both. */
export interface OpenPrefix {
  readonly address: IpAddress | null;
  readonly length: number;
}

export class LineReader {
  readonly node: Node;
  readonly #diagnostics: DiagnosticSink;
  readonly #words: readonly Word[];
  #at = 0;

  constructor(node: Node, diagnostics: DiagnosticSink) {
    this.node = node;
    this.#diagnostics = diagnostics;
    this.#words = [{ text: node.keyword, column: node.span.column, length: node.span.length }, ...node.args];
  }

  /** The whole line, for messages. */
  get text(): string {
    return this.#words.map((word) => word.text).join(" ");
  }

  peek(ahead = 0): Word | null {
    return this.#words[this.#at + ahead] ?? null;
  }

  take(): Word | null {
    const word = this.peek();
    if (word !== null) this.#at++;
    return word;
  }

  /** The value after a keyword; reports when the line ends before it. */
  value(keyword: Word): Word | null {
    const word = this.take();
    if (word === null) {
      this.report("missing-argument", keyword, `\`${keyword.text}\` lacks its value`, `write ${keyword.text} VALUE`);
    }
    return word;
  }

  report(code: DiagnosticCode, word: Word, message: string, advice: string | Advice | null = null): void {
    this.#diagnostics.report(code, wordSpan(this.node, word), message, advice);
  }

  /** Another word for this one, that means the same. */
  substitute(word: Word, replacement: string): Fix {
    return { span: wordSpan(this.node, word), expected: word.text, replacement, safe: true };
  }

  /** About the line as a whole. */
  complain(code: DiagnosticCode, message: string, remedy: string | null): void {
    this.#diagnostics.report(code, this.node.span, message, remedy);
  }

  /** A whole number after a keyword; null when there is none, reported with the code. */
  number(keyword: Word, most: number, code: DiagnosticCode): number | null {
    const word = this.value(keyword);
    if (word === null) return null;
    const value = plainNumber(word.text);
    if (value !== null && value <= most) return value;
    this.report(
      code,
      word,
      `\`${word.text}\` is no value for \`${keyword.text}\`; the line is left out`,
      `write ${keyword.text} N, a whole number from 0 to ${most}`,
    );
    return null;
  }

  address(keyword: Word, code: DiagnosticCode): IpAddress | null {
    const word = this.value(keyword);
    if (word === null) return null;
    const address = parseIp(word.text);
    if (address === null) {
      this.report(code, word, `\`${word.text}\` after \`${keyword.text}\` is no address; the line is left out`);
    }
    return address;
  }
}

/** ADDRESS[/LENGTH], or a word for everything; null when it is neither. A length that is too long counts as the longest. */
export function readPrefix(text: string): (OpenPrefix & { readonly tooLong: boolean }) | null {
  if (text === "default" || text === "any" || text === "all") return { address: null, length: 0, tooLong: false };
  const slash = text.indexOf("/");
  const address = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  const longest = HOST_PREFIX[familyOf(address)];
  if (slash < 0) return { address, length: longest, tooLong: false };
  const length = /^\d{1,3}$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : longest + 1;
  return { address, length: Math.min(length, longest), tooLong: length > longest };
}

const ANY = { 4: "0.0.0.0" as IpAddress, 6: "::" as IpAddress } as const;

export function closePrefix(prefix: OpenPrefix, family: Family): Prefix {
  return { address: prefix.address ?? ANY[family], length: prefix.length };
}

export function familyOfPrefix(prefix: OpenPrefix): Family | null {
  return prefix.address === null ? null : familyOf(prefix.address);
}
