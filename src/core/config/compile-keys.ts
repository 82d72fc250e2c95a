/**
 * Keys of a block: `key ID hex:VALUE`, `key ID file:/PATH`, `key ID TEXT`, and `active_key ID`, the one that is used. Several, so that a
 * key can be changed on one host after the other. No message ever contains a key or what a key file holds.
 */
import { err, ok, type Result } from "../lib/result.ts";
import { utf8 } from "./compile-authentication.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { SourceSpan } from "./model.ts";
import type { Settings } from "./settings.ts";
import type { KeySource } from "./source.ts";
import type { Node } from "./tree.ts";

/** 32 bytes keep 128 bits of strength whatever is invented; more than SHA-256's block of 64 adds nothing (keepalived). */
const KEY_BYTES_MIN = 32;
const KEY_BYTES_MAX = 64;
const GROUP_OR_OTHERS_READ = 0o044;

export interface KeyContext {
  readonly diagnostics: DiagnosticSink;
  readonly source: KeySource;
}

export interface Keys {
  readonly keys: readonly { readonly id: number; readonly secret: readonly number[] }[];
  readonly activeKey: number;
}

/** The keys of a block; the error says where what is wrong. */
export function readKeys(
  inner: Settings,
  block: string,
  node: Node,
  { source, diagnostics }: KeyContext,
): Result<Keys, { readonly span: SourceSpan; readonly why: string }> {
  const list = readKeyList(inner, block, node, { source, diagnostics });
  if (!list.ok) return list;
  const keys = list.value;
  const activeKey = inner.number("active_key");
  if (activeKey === null) return err({ span: node.span, why: `${block} names no active_key` });
  if (!keys.some(({ id }) => id === activeKey)) {
    const span = inner.node("active_key")?.span ?? node.span;
    return err({ span, why: `active_key ${activeKey} is none of its keys` });
  }
  return ok({ keys, activeKey });
}

/** Of a block that asks nobody, and so shows no key itself; at least one. */
export function readKeyList(
  inner: Settings,
  block: string,
  node: Node,
  { source, diagnostics }: KeyContext,
): Result<Keys["keys"], { readonly span: SourceSpan; readonly why: string }> {
  const keys: { id: number; secret: readonly number[] }[] = [];
  for (const line of inner.nodes("key")) {
    const key = readKey(line, source, diagnostics);
    if (typeof key === "string") return err({ span: line.span, why: key });
    if (keys.some(({ id }) => id === key.id)) return err({ span: line.span, why: `key ${key.id} is given twice` });
    keys.push(key);
  }
  return keys.length === 0 ? err({ span: node.span, why: `${block} names no key` }) : ok(keys);
}

/** The key, or what is wrong with it. */
function readKey(
  line: Node,
  source: KeySource,
  diagnostics: DiagnosticSink,
): { readonly id: number; readonly secret: readonly number[] } | string {
  const number = line.args[0]?.text ?? "";
  const id = /^\d{1,3}$/.test(number) ? Number(number) : 0;
  if (id < 1 || id > 255) return "the number of a key is missing or not from 1 to 255";
  const value = line.args[1]?.text;
  if (value === undefined) return `key ${id} has no value`;
  const text = value.startsWith("file:") ? readKeyFile(value.slice(5), line, source, diagnostics) : { text: value };
  if (typeof text === "string") return `key ${id}: ${text}`;
  const secret = bytesOf(text.text);
  if (secret === null) return `key ${id} is not an even number of hexadecimal digits after hex:`;
  if (secret.length < KEY_BYTES_MIN || secret.length > KEY_BYTES_MAX) {
    return `key ${id} has ${secret.length} bytes, it must have ${KEY_BYTES_MIN} to ${KEY_BYTES_MAX}`;
  }
  return { id, secret };
}

/** The text of a key file without its last newline; a plain string says what is wrong. */
function readKeyFile(
  path: string,
  line: Node,
  source: KeySource,
  diagnostics: DiagnosticSink,
): { readonly text: string } | string {
  const content = source.readFile(path);
  if (!content.ok) return `its file cannot be read (${content.error})`;
  const mode = source.script(path).file?.mode ?? 0;
  if ((mode & GROUP_OR_OTHERS_READ) !== 0) {
    diagnostics.report(
      "key-file-readable",
      line.span,
      `the file of this key may be read by others than root (mode 0${mode.toString(8)})`,
      "chown root and chmod 0600 the file",
    );
  }
  return { text: content.value.replace(/\r?\n$/, "") };
}

/** `hex:` and digits, or the characters themselves. */
function bytesOf(text: string): readonly number[] | null {
  if (!text.startsWith("hex:")) return utf8(text);
  const digits = text.slice(4);
  if (!/^(?:[0-9a-f]{2})+$/i.test(digits)) return null;
  return (digits.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
}
