/**
 * The block `auth_hmac` (keepalived 2.4): keys, the one that signs, replay protection, roll-out mode. A key is read from a file where
 * the configuration says so. Half a block is no block: what cannot sign makes the instance unusable, because an unsigned
 * node among signing ones would be a second master. No message ever contains a key or what a key file holds.
 */
import type { Micros } from "../lib/units.ts";
import type { AuthHmac } from "../vrrp/config.ts";
import { utf8 } from "./compile-authentication.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { SourceSpan } from "./model.ts";
import type { Settings } from "./settings.ts";
import { readSettings } from "./settings.ts";
import type { KeySource } from "./source.ts";
import type { Node } from "./tree.ts";

/** 32 bytes keep 128 bits of strength whatever is invented; more than SHA-256's block of 64 adds nothing (keepalived). */
const KEY_BYTES_MIN = 32;
const KEY_BYTES_MAX = 64;
const MODES = ["enforce", "permissive", "receive-only"] as const;
const GROUP_OR_OTHERS_READ = 0o044;
const REMEDY = "write key ID hex:VALUE or key ID file:/PATH (32 to 64 bytes; openssl rand -hex 32), and active_key ID";

export interface HmacContext {
  readonly diagnostics: DiagnosticSink;
  readonly source: KeySource;
}

/** Null without the block. */
export function readAuthHmac(
  settings: Settings,
  instance: { readonly name: string; readonly advertInterval: Micros },
  { diagnostics, source }: HmacContext,
): AuthHmac | "unusable" | null {
  const node = settings.node("auth_hmac");
  if (node === null) return null;
  const inner = readSettings(node.block ?? [], "auth_hmac", diagnostics);
  const unusable = (span: SourceSpan, why: string): "unusable" => {
    diagnostics.report("hmac-unusable", span, `${instance.name} is left out: ${why}`, REMEDY);
    return "unusable";
  };
  const keys: { id: number; secret: readonly number[] }[] = [];
  for (const line of inner.nodes("key")) {
    const key = readKey(line, source, diagnostics);
    if (typeof key === "string") return unusable(line.span, key);
    if (keys.some(({ id }) => id === key.id)) return unusable(line.span, `key ${key.id} is given twice`);
    keys.push(key);
  }
  const activeKey = inner.number("active_key");
  if (keys.length === 0) return unusable(node.span, "auth_hmac names no key");
  if (activeKey === null) return unusable(node.span, "auth_hmac names no active_key");
  if (!keys.some(({ id }) => id === activeKey)) {
    return unusable(inner.node("active_key")?.span ?? node.span, `active_key ${activeKey} is none of its keys`);
  }
  const mode = MODES.find((one) => one === inner.text("mode")) ?? "enforce";
  return { keys, activeKey, timeWindow: readWindow(inner, instance.advertInterval), mode };
}

/** keepalived: three adverts, and at least 5 s. Null in monotonic mode. */
function readWindow(inner: Settings, advertInterval: Micros): number | null {
  if (inner.text("anti_replay") === "monotonic") return null;
  return inner.number("time_window") ?? Math.max(Math.ceil((3 * advertInterval) / 1e6), 5);
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
