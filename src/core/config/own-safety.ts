/**
 * Keywords of Holdfast's own safety, misspelt. A line that keepalived knows is left out with an error and the rest runs, as keepalived does it;
 * without one of these an instance would hold its address while nobody opens, closes or asks the server behind it, or sign nothing among
 * hosts that sign. So such an instance is left out itself, at the start; a reload refuses any error anyway.
 */
import type { DiagnosticCode } from "./codes.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import { blocksOf, findKeyword } from "./keywords/registry.ts";
import { closest } from "./suggest.ts";
import type { Node } from "./tree.ts";

const OWN_SAFETY = [
  "manage_mysql",
  "auth_hmac",
  "notify_claim",
  "notify_release",
  "track_mysql",
  "track_gateway",
  "claim_probe",
  "fence",
] as const;

/** Whether this instance must not run because one of them was probably meant; told. */
export function misspellsSafety(instance: string, nodes: readonly Node[], diagnostics: DiagnosticSink): boolean {
  for (const { keyword, span } of nodes) {
    if (findKeyword("vrrp_instance", keyword) !== null || blocksOf(keyword).length > 0) continue;
    const meant = closest(keyword, OWN_SAFETY);
    if (meant === null) continue;
    const message = `${instance} is left out: \`${keyword}\` is probably ${meant}, and it must not serve without that`;
    diagnostics.report("safety-misspelt", span, message, `write \`${meant}\`, or remove the line`);
    return true;
  }
  return false;
}

/** What a block that cannot be read as it was meant is reported with. */
const FLAWS: ReadonlySet<DiagnosticCode> = new Set([
  "unknown-keyword",
  "bad-value",
  "out-of-range",
  "missing-argument",
  "not-a-block",
]);

export interface FlawCounter extends DiagnosticSink {
  readonly flawed: boolean;
}

/** Passes everything on and remembers whether a line could not be used. */
export function noteFlaws(diagnostics: DiagnosticSink): FlawCounter {
  let flawed = false;
  return {
    get list() {
      return diagnostics.list;
    },
    get flawed() {
      return flawed;
    },
    report: (code, ...rest) => {
      flawed ||= FLAWS.has(code);
      diagnostics.report(code, ...rest);
    },
  };
}
