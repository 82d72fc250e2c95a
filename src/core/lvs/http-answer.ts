/**
 * Request and answer of HTTP_GET. The answer is read as keepalived reads it: a status line, headers up to an empty line, and then bytes to
 * the end of the connection or of Content-Length; chunks are not put together. So digests made by its genhash fit.
 */
import { familyOf } from "../lib/ip.ts";
import type { CheckerConnection, HttpChecker, UrlCheck } from "./checkers.ts";
import type { Finding } from "./findings.ts";
import { OK } from "./findings.ts";

type Asked = Pick<HttpChecker, "protocol" | "virtualhost"> & {
  readonly connection: Pick<CheckerConnection, "address" | "port">;
};

export function httpRequest(
  { protocol, virtualhost, connection }: Asked,
  url: Pick<UrlCheck, "path" | "virtualhost">,
): string {
  const { address, port } = connection;
  const own = familyOf(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
  const version = protocol === "1.1" ? "1.1" : "1.0";
  const close = protocol === "1.0" ? "" : "Connection: close\r\n";
  return `GET ${url.path} HTTP/${version}\r\nUser-Agent: KeepAliveClient\r\n${close}Host: ${url.virtualhost ?? virtualhost ?? own}\r\n\r\n`;
}

/** Headers beyond this are no answer. */
const LONGEST_HEAD = 65_536;
/** So much of a body is kept for a regular expression. */
export const LONGEST_BODY = 4 * 1024 * 1024;

export interface AnswerHead {
  /** 0: no status that could be read. */
  readonly status: number;
  /** Null: not said. */
  readonly length: number | null;
}

/** Takes the bytes of an answer as they come. */
export class AnswerReader {
  #pending: Uint8Array = new Uint8Array(0);
  #head: AnswerHead | null = null;
  #received = 0;
  readonly #onBody: (bytes: Uint8Array) => void;

  constructor(onBody: (bytes: Uint8Array) => void) {
    this.#onBody = onBody;
  }

  get head(): AnswerHead | null {
    return this.#head;
  }

  /** Bytes of the body so far. */
  get received(): number {
    return this.#received;
  }

  push(bytes: Uint8Array): void {
    if (this.#head !== null) {
      this.#body(bytes);
      return;
    }
    if (this.#pending.length > LONGEST_HEAD) return;
    const all = new Uint8Array(this.#pending.length + bytes.length);
    all.set(this.#pending);
    all.set(bytes, this.#pending.length);
    const end = headEnd(all);
    if (end === null) {
      this.#pending = all;
      return;
    }
    this.#head = readHead(asText(all.subarray(0, end)));
    this.#pending = new Uint8Array(0);
    this.#body(all.subarray(end));
  }

  /** What is behind Content-Length belongs to nobody. */
  #body(bytes: Uint8Array): void {
    const room = this.#head?.length == null ? bytes.length : Math.max(0, this.#head.length - this.#received);
    this.#received += bytes.length;
    if (bytes.length > 0 && room > 0) this.#onBody(bytes.subarray(0, room));
  }
}

function headEnd(bytes: Uint8Array): number | null {
  for (let at = 0; at + 3 < bytes.length; at++) {
    if (bytes[at] === 13 && bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) return at + 4;
  }
  return null;
}

/** A character for each byte. */
export function asText(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += 8_192) pieces.push(String.fromCharCode(...bytes.subarray(at, at + 8_192)));
  return pieces.join("");
}

export function readHead(text: string): AnswerHead {
  const status = /^[^ \r]* (\d{3}) /.exec(text)?.[1];
  const length = /\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r/i.exec(text)?.[1];
  return { status: status === undefined ? 0 : Number(status), length: length === undefined ? null : Number(length) };
}

export interface Answer {
  readonly head: AnswerHead | null;
  /** MD5 of the body; only where the page wants one. */
  readonly digest: string | null;
  /** The body as characters; only where the page has a pattern. */
  readonly body: string;
}

/** Where a JavaScript pattern is found from `from` on: -1 nowhere; null when looking for it took too long. */
export type PatternSearch = (
  expression: { readonly pattern: string; readonly flags: string; readonly from: number },
  text: string,
) => number | null;

export function judgeAnswer(url: UrlCheck, { head, digest, body }: Answer, search: PatternSearch): Finding {
  const { path } = url;
  if (head === null) return { kind: "no-answer", what: "an answer", how: "closed", detail: "" };
  if (!url.status.some(([from, to]) => head.status >= from && head.status <= to))
    return { kind: "http-status", status: head.status, path };
  if (url.digest !== null && digest !== url.digest) return { kind: "digest", got: digest ?? "", path };
  if (url.regex === null) return OK;
  const matched = matches(url.regex, body, search);
  if (matched === null) return { kind: "trouble", text: `looking for the pattern in ${path} takes too long` };
  return matched === url.regex.noMatch ? { kind: "regex", path, matched } : OK;
}

/** A match must begin within the offsets. Null: nobody knows. */
function matches(
  { pattern, flags, minOffset, maxOffset }: NonNullable<UrlCheck["regex"]>,
  body: string,
  search: PatternSearch,
): boolean | null {
  if (pattern === null) return false;
  const found = search({ pattern, flags: `${flags}g`, from: minOffset }, body);
  return found === null ? null : found >= 0 && (maxOffset === null || found <= maxOffset);
}
