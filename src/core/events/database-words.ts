/** What happens to database servers, in words. */
import { troubleInWords } from "../database/trouble.ts";
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

const STANDINGS = { ok: "is fine", unfit: "is not fit to take over", failed: "fails" } as const;

export function databaseInWords(body: Extract<HoldfastEventBody, { kind: "mysql" | "redis" }>): string {
  const { kind, name, server, standing, trouble } = body;
  const why = trouble === null ? "" : `: ${troubleInWords(trouble)}`;
  return `${kind} ${name} (${server}) ${STANDINGS[standing]}${why}`;
}
