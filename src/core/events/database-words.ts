/** A step of a managed database server, in words. */
import type { HoldfastEventBody } from "./vocabulary.ts";

const ENDS = {
  begun: " begins",
  done: "",
  failed: " FAILED",
  ready: "",
  refused: " refused",
  trouble: "",
} as const;

export function databaseStepInWords(body: Extract<HoldfastEventBody, { kind: "mysql-step" | "redis-step" }>): string {
  const detail = body.detail === "" ? "" : `: ${body.detail}`;
  return `${body.kind.replace("-step", "")} ${body.name}: ${body.what}: ${body.step}${ENDS[body.outcome]}${detail}`;
}
