/**
 * The block `auth_hmac` (keepalived 2.4): keys, the one that signs, replay protection, roll-out mode. A key is read from a file where
 * the configuration says so. Half a block is no block: what cannot sign makes the instance unusable, because an unsigned
 * node among signing ones would be a second master. No message ever contains a key or what a key file holds.
 */
import type { Micros } from "../lib/units.ts";
import type { AuthHmac } from "../vrrp/config.ts";
import { readKeys } from "./compile-keys.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { SourceSpan } from "./model.ts";
import type { Settings } from "./settings.ts";
import { readSettings } from "./settings.ts";
import type { KeySource } from "./source.ts";

const MODES = ["enforce", "permissive", "receive-only"] as const;
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
  const keys = readKeys(inner, "auth_hmac", node, { source, diagnostics });
  if (!keys.ok) return unusable(keys.error.span, keys.error.why);
  const mode = MODES.find((one) => one === inner.text("mode")) ?? "enforce";
  return { ...keys.value, timeWindow: readWindow(inner, instance.advertInterval), mode };
}

/** keepalived: three adverts, and at least 5 s. Null in monotonic mode. */
function readWindow(inner: Settings, advertInterval: Micros): number | null {
  if (inner.text("anti_replay") === "monotonic") return null;
  return inner.number("time_window") ?? Math.max(Math.ceil((3 * advertInterval) / 1e6), 5);
}
