/**
 * docs/api.md: every path of the API, who may ask it, and the fields of questions and answers. Paths and roles are read from where the
 * daemon registers them, fields from the schemas by which it judges what it is asked and the commands what they are told.
 */

import { readdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import { AdvertTestReply, AdvertTestRequest } from "../src/control/contract/doctor-schemas.ts";
import { ExplainQuery, ExplainReply } from "../src/control/contract/explain-schemas.ts";
import { DrainReply, DrainRequest, LvsStatusReply } from "../src/control/contract/lvs-schemas.ts";
import { ReleaseStaleReply, ReleaseStaleRequest, VipQuery, VipReply } from "../src/control/contract/peer-schemas.ts";
import * as repair from "../src/control/contract/repair-schemas.ts";
import * as schemas from "../src/control/contract/schemas.ts";

const CONTROL = new URL("../src/control/", import.meta.url);

export interface Route {
  /** `GET /v1/status`. */
  readonly name: string;
  readonly role: string;
}

interface Words {
  readonly meaning: string;
  readonly takes: z.ZodType | null;
  readonly answers: z.ZodType | null;
}

const words = (meaning: string, answers: z.ZodType | null, takes: z.ZodType | null = null): Words => ({
  meaning,
  takes,
  answers,
});

export const WORDS: Readonly<Record<string, Words>> = {
  "GET /v1/status": words("What `holdfast status --json` shows.", schemas.StatusReply),
  "GET /v1/health": words("200 when it could serve, else 503 with the problems.", schemas.HealthReply),
  "GET /v1/explain": words("The sentences of `holdfast explain`.", ExplainReply, ExplainQuery),
  "GET /v1/history": words("Events, oldest first.", schemas.HistoryReply, schemas.HistoryQuery),
  "GET /v1/events": words(
    "Server-sent events as they happen; `Last-Event-ID` is understood. Each is an entry of `/v1/history`.",
    null,
    schemas.EventsQuery,
  ),
  "GET /v1/session": words("This host's name, whose token it was, and its role.", schemas.SessionReply),
  "GET /v1/peers": words("Status and latest events of the daemons of the `peer_link`.", schemas.PeersReply),
  "GET /v1/vip": words("Who answers for an address, from here and from each peer.", VipReply, VipQuery),
  "GET /v1/log-level": words("How much is logged.", schemas.LogLevelReply),
  "GET /v1/lvs": words("Virtual servers: the kernel's table and the checks.", LvsStatusReply),
  "GET /v1/lvs/doctor": words("This host as a director.", schemas.DoctorReply),
  "GET /v1/mysql/positions": words(
    "Where the servers of a group stand.",
    schemas.PositionsReply,
    schemas.PositionsQuery,
  ),
  "GET /v1/mysql/doctor": words("Settings of a group's servers.", schemas.DoctorReply, schemas.PositionsQuery),
  "POST /v1/reload": words(
    "Reads the file again; 422 when it was refused.",
    schemas.ReloadReply,
    schemas.ReloadRequest,
  ),
  "POST /v1/restart": words("Begins anew as the installed version.", schemas.RestartReply, schemas.RestartRequest),
  "POST /v1/log-level": words("Changes how much is logged.", schemas.LogLevelReply, schemas.LogLevelRequest),
  "POST /v1/dump": words("Writes keepalived's dumps.", schemas.DumpReply, schemas.DumpRequest),
  "POST /v1/doctor/advert-test": words(
    "Has each peer's daemon listen for test adverts, which whoever asks sends meanwhile.",
    AdvertTestReply,
    AdvertTestRequest,
  ),
  "POST /v1/vip/release-stale": words("Removes an address that was left over.", ReleaseStaleReply, ReleaseStaleRequest),
  "POST /v1/lvs/drain": words("Drains a real server, or takes it back.", DrainReply, DrainRequest),
  "POST /v1/init-writer": words(
    "Names this host the first writer of a managed group.",
    repair.InitWriterReply,
    repair.InitWriterRequest,
  ),
  "POST /v1/mysql/takeover": words(
    "What a claim would do now; with `consent` the next one may lose data, with `withoutStore` it may go on without a lost quorum store. MySQL and Redis.",
    repair.TakeoverReply,
    repair.TakeoverRequest,
  ),
  "POST /v1/mysql/switchover": words(
    "Moves the writer. MySQL and Redis.",
    schemas.SwitchoverReply,
    schemas.SwitchoverRequest,
  ),
  "POST /v1/mysql/rejoin": words(
    "Compares a returned server and attaches it.",
    repair.RejoinReply,
    repair.RejoinRequest,
  ),
  "POST /v1/mysql/skip": words("The transaction a replica stopped at.", repair.SkipReply, repair.SkipRequest),
  "POST /v1/mysql/fence": words("Closes this host's server, or no longer.", repair.FenceReply, repair.FenceRequest),
};

/** As the daemon registers them; who changes something needs `admin` unless the route says otherwise (http/gatekeeper.ts). */
export function registeredRoutes(): readonly Route[] {
  const files = readdirSync(CONTROL).filter((name) => /^[a-z-]+\.ts$/.test(name));
  const texts = files.map((name) => readFileSync(new URL(name, CONTROL), "utf8"));
  return texts.flatMap((text) =>
    [...text.matchAll(/app\.(get|post)\("(\/v1\/[^"]+)"(?:, \{ config: \{ role: "(\w+)" \} \})?/g)].map(
      ([, verb = "", path, role]) => ({
        name: `${verb.toUpperCase()} ${path}`,
        role: role ?? (verb === "get" ? "read" : "admin"),
      }),
    ),
  );
}

interface Json {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly anyOf?: readonly Json[];
  readonly items?: Json;
  readonly properties?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Json | boolean;
}

const shown = (value: unknown): string => `\`${JSON.stringify(value)}\``;

/** The name of a field's type; what is in it has rows of its own. */
function typeOf(json: Json): string {
  if (json.const !== undefined) return shown(json.const);
  if (json.enum !== undefined) return json.enum.map(shown).join(", ");
  if (json.anyOf !== undefined) return json.anyOf.map(typeOf).join(" or ");
  if (json.type === "array") return `array of ${json.items === undefined ? "values" : typeOf(json.items)}`;
  return typeof json.type === "object" ? json.type.join(" or ") : (json.type ?? "value");
}

/** Fields that another path explains. */
const ELSEWHERE: Readonly<Record<string, string>> = { "peers[].report.status": "as `GET /v1/status`" };

function rowsOf(json: Json, path: string): string[] {
  const inner = (json.anyOf ?? []).flatMap((one) => rowsOf(one, path));
  if (json.items !== undefined) inner.push(...rowsOf(json.items, `${path}[]`));
  if (typeof json.additionalProperties === "object") inner.push(...rowsOf(json.additionalProperties, `${path}{}`));
  for (const [name, field] of Object.entries(json.properties ?? {})) {
    const own = path === "" ? name : `${path}.${name}`;
    const fallback = field.default === undefined ? "" : `; ${shown(field.default)} when left out`;
    const optional = json.required?.includes(name) === true ? "" : ", may be left out";
    const told = ELSEWHERE[own];
    const rows = told === undefined ? rowsOf(field, own) : [];
    inner.push(`| \`${own}\` | ${told ?? typeOf(field)}${fallback || optional} |`, ...rows);
  }
  return inner;
}

function fields(title: string, schema: z.ZodType | null): string[] {
  if (schema === null) return [];
  const json = z.toJSONSchema(schema, { unrepresentable: "any" }) as Json;
  return ["", `${title}:`, "", "| Field | Type |", "| --- | --- |", ...rowsOf(json, "")];
}

function section({ name, role }: Route): string[] {
  const told = WORDS[name];
  if (told === undefined) throw new Error(`${name} has no words in tools/api-page.ts`);
  const taken = name.startsWith("GET") ? "Query" : "Body";
  const { meaning, takes, answers } = told;
  return ["", `## ${name}`, "", `${meaning} Role: ${role}.`, ...fields(taken, takes), ...fields("Answer", answers)];
}

export function apiPage(routes: readonly Route[]): string {
  const ordered = [...routes].sort((a, b) => a.name.localeCompare(b.name, "en"));
  const lines = [
    "# The API",
    "",
    "<!-- Written by `npm run docs`: change the sources, not this file. -->",
    "",
    "HTTP over the Unix socket, where who may open it may everything, and by [the listeners of `api { }`](operators-guide.md#the-api-by-http-metrics-and-health), where a token has a role:",
    "read looks, operate moves a writer and drains, admin does everything. `/metrics`, `/healthz` and `/readyz` are there, too ([metrics](metrics.md)).",
    "",
    "Times are milliseconds since the epoch (`...At`), lengths milliseconds (`...Millis`). A field of type *value* is what the journal has, recognised by its `kind` or `code`.",
    "Errors have a status of 400 and more and one form:",
    ...fields("Error", schemas.ErrorReply),
    "",
    "| Path | Role | Meaning |",
    "| --- | --- | --- |",
    ...ordered.map(({ name, role }) => `| [\`${name}\`](#${anchor(name)}) | ${role} | ${WORDS[name]?.meaning} |`),
    ...ordered.flatMap(section),
  ];
  return `${lines.join("\n")}\n`;
}

/** As GitHub makes it from a heading. */
const anchor = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\w -]/g, "")
    .replaceAll(" ", "-");
