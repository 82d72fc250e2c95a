/** What one run of a checker has found, as values: describe-lvs.ts puts them into words. */

/** Why a connection was not made: keepalived tells a refusal from a silence. */
export type ConnectProblem = "refused" | "timeout" | "unreachable";

export type Finding =
  | { readonly kind: "ok" }
  | { readonly kind: "connect"; readonly problem: ConnectProblem; readonly detail: string }
  /** Nothing came in time, or the connection ended, while it was waited for `what`. */
  | { readonly kind: "no-answer"; readonly what: string; readonly how: "timeout" | "closed"; readonly detail: string }
  | { readonly kind: "tls"; readonly detail: string }
  | { readonly kind: "http-status"; readonly status: number; readonly path: string }
  | { readonly kind: "digest"; readonly got: string; readonly path: string }
  | { readonly kind: "regex"; readonly path: string; readonly matched: boolean }
  | { readonly kind: "greeting"; readonly what: "banner" | "HELO"; readonly got: string }
  | { readonly kind: "rcode"; readonly code: number }
  | { readonly kind: "reply"; readonly detail: string }
  | { readonly kind: "exit"; readonly status: number }
  | { readonly kind: "signal"; readonly signal: string; readonly number: number }
  | { readonly kind: "script-timeout" }
  | { readonly kind: "script-unusable"; readonly reason: string }
  /** A database said it in words. */
  | { readonly kind: "trouble"; readonly text: string }
  | { readonly kind: "file"; readonly value: number };

export const OK: Finding = { kind: "ok" };
