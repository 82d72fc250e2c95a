/**
 * The block `authentication`: PASS and AH of version 2, as keepalived 2.2.7 takes them. Where it cannot apply it is ignored with a
 * reason, never silently. Keys of auth_hmac are compile-hmac.ts's.
 */
import type { Family } from "../lib/ip.ts";
import type { Authentication } from "../vrrp/config.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { Settings } from "./settings.ts";
import { readSettings, wordSpan } from "./settings.ts";
import type { Node } from "./tree.ts";

const PASS_LENGTH = 8;

export interface AuthenticationPlace {
  readonly version: 2 | 3;
  readonly family: Family;
  /** auth_hmac is configured as well. */
  readonly signed: boolean;
}

export function readAuthentication(
  settings: Settings,
  place: AuthenticationPlace,
  diagnostics: DiagnosticSink,
): Authentication {
  const node = settings.node("authentication");
  if (node === null) return { kind: "none" };
  const inner = readSettings(node.block ?? [], "authentication", diagnostics);
  const type = inner.text("auth_type");
  const reason = whyIgnored(place);
  if (reason !== null) {
    diagnostics.report("auth-ignored", node.span, `${reason.why}; the block is ignored`, reason.remedy);
    return { kind: "none" };
  }
  const password = inner.text("auth_pass");
  if (type === null && inner.node("auth_type") === null) {
    const message =
      "authentication without auth_type is none, as with keepalived: adverts are neither marked nor checked";
    diagnostics.report("auth-without-type", node.span, message, "write auth_type PASS, or remove the block");
    return { kind: "none" };
  }
  if (type === null || password === null) {
    diagnostics.report(
      "missing-argument",
      node.span,
      "authentication needs auth_type and auth_pass; without both there is none",
      "write auth_type PASS and auth_pass VALUE",
    );
    return { kind: "none" };
  }
  return { kind: type === "AH" ? "ah" : "pass", password: readPassword(password, node, inner, diagnostics) };
}

function whyIgnored({
  version,
  family,
  signed,
}: AuthenticationPlace): { readonly why: string; readonly remedy: string } | null {
  if (signed) return { why: "auth_hmac takes the place of authentication", remedy: "remove the block" };
  if (version === 3)
    return { why: "VRRP version 3 has no authentication", remedy: "remove it, use auth_hmac, or version 2" };
  if (family === 6) return { why: "VRRP over IPv6 has no authentication", remedy: "remove it, or use auth_hmac" };
  return null;
}

function readPassword(password: string, node: Node, inner: Settings, diagnostics: DiagnosticSink): readonly number[] {
  const bytes = utf8(password);
  if (bytes.length > PASS_LENGTH) {
    const at = inner.node("auth_pass");
    const secret = at?.args[0];
    diagnostics.report(
      "auth-too-long",
      at === null || secret === undefined ? node.span : wordSpan(at, secret),
      "auth_pass is longer than 8 characters; the rest is cut off",
      "write at most 8 characters, equal on all hosts",
    );
  }
  return Array.from({ length: PASS_LENGTH }, (_, index) => bytes[index] ?? 0);
}

/** UTF-8 of a short text; the core has no TextEncoder. */
export function utf8(text: string): readonly number[] {
  return [...encodeURIComponent(text.replace(/[\ud800-\udfff]/g, "?")).matchAll(/%([0-9A-F]{2})|(.)/g)].map((match) =>
    match[1] !== undefined ? Number.parseInt(match[1], 16) : (match[2] ?? "").charCodeAt(0),
  );
}
