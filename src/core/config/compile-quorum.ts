/**
 * `quorum_store etcd { }` and `quorum_store witness { }`. One that cannot be read as it was meant is no store, and then the instances that it should guard are left out: without it they
 * would serve where the file says that they must not.
 */

import { parseIpv4, parseIpv6 } from "../lib/ip.ts";
import { err, ok, type Result } from "../lib/result.ts";
import { millis, seconds } from "../lib/units.ts";
import { credentialsProblem, parseOptionFile } from "../mysql/option-file.ts";
import {
  type EtcdConfig,
  type QuorumConfig,
  type StoreEndpoint,
  WITNESS_PORT,
  type WitnessStoreConfig,
} from "../quorum/config.ts";
import { type KeyContext, readKeys } from "./compile-keys.ts";
import { type Problem, readPlace } from "./compile-place.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import { findKeyword } from "./keywords/registry.ts";
import type { SourceSpan } from "./model.ts";
import { noteFlaws } from "./own-safety.ts";
import { readSettings, type Settings, wordSpan } from "./settings.ts";
import type { KeySource } from "./source.ts";
import { closest } from "./suggest.ts";
import type { Node } from "./tree.ts";

export const QUORUM_TTL = seconds(4);
export const QUORUM_RENEW = millis(500);
export const QUORUM_TIMEOUT = millis(700);

const REMEDY =
  "write quorum_store etcd { endpoint https://ADDRESS:2379 ... } or quorum_store witness { endpoint ADDRESS ... }, see docs/operators-guide.md; until then managed instances are left out";

/** Null: the file asks for none. */
export type QuorumStoreBlock = QuorumConfig | null | "unusable";

export function compileQuorum(
  root: readonly Node[],
  { source, diagnostics: told }: { readonly source: KeySource; readonly diagnostics: DiagnosticSink },
): QuorumStoreBlock {
  const [node, second] = root.filter(({ keyword }) => keyword === "quorum_store");
  if (node === undefined) return misspelt(root, told) ? "unusable" : null;
  const diagnostics = noteFlaws(told);
  const settings = readSettings(node.block ?? [], "quorum_store", diagnostics);
  const read = second === undefined ? readStore(node, settings, { source, diagnostics }) : twice(node, second);
  if (!read.ok) {
    told.report("quorum-unusable", read.error.span, `quorum_store cannot be used: ${read.error.why}`, REMEDY);
    return "unusable";
  }
  return diagnostics.flawed ? "unusable" : read.value;
}

/** An unknown line is left out and the rest runs; without this one a managed instance would serve unguarded. */
function misspelt(root: readonly Node[], diagnostics: DiagnosticSink): boolean {
  for (const { keyword, span } of root) {
    if (findKeyword("root", keyword) !== null || closest(keyword, ["quorum_store"]) === null) continue;
    const message = `\`${keyword}\` is probably quorum_store, and instances that manage a database must not serve without it`;
    diagnostics.report("safety-misspelt", span, message, "write `quorum_store`, or remove the block");
    return true;
  }
  return false;
}

const twice = (first: Node, second: Node): Result<never, Problem> =>
  err({ span: second.span, why: `it is already defined in line ${first.span.line}, and two stores can disagree` });

/** Keywords that only one kind of store has. */
const ONLY = {
  etcd: ["credentials", "tls_ca", "tls_cert", "tls_key"],
  witness: ["key", "active_key"],
} as const;

function readStore(node: Node, settings: Settings, context: KeyContext): Result<QuorumConfig, Problem> {
  const kind = node.args[0]?.text;
  if (kind !== "etcd" && kind !== "witness") {
    const why = kind === undefined ? "it does not say of which kind" : `\`${kind}\` is no kind of store`;
    return err({ span: node.span, why });
  }
  const other = kind === "etcd" ? "witness" : "etcd";
  const stray = ONLY[other].map((keyword) => settings.node(keyword)).find((one) => one !== null) ?? null;
  if (stray !== null) return err({ span: stray.span, why: `\`${stray.keyword}\` is for ${other}` });
  const prefix = settings.text("prefix") ?? "/holdfast";
  if (!/^(\/[\w.-]+)+$/.test(prefix)) {
    return err({
      span: settings.node("prefix")?.span ?? node.span,
      why: `prefix \`${prefix}\` is not of the form /NAME or /NAME/NAME`,
    });
  }
  const common = {
    prefix,
    ttl: settings.duration("ttl") ?? QUORUM_TTL,
    renew: settings.duration("renew") ?? QUORUM_RENEW,
    timeout: settings.duration("timeout") ?? QUORUM_TIMEOUT,
  };
  const read = kind === "etcd" ? readEtcd(node, settings, context.source) : readWitnessPlace(node, settings, context);
  return read.ok ? ok({ ...read.value, ...common }) : read;
}

type Common = "prefix" | "ttl" | "renew" | "timeout";

function readEtcd(node: Node, settings: Settings, source: KeySource): Result<Omit<EtcdConfig, Common>, Problem> {
  const endpoints = readEndpoints(node, settings);
  if (!endpoints.ok) return endpoints;
  const files = fileProblem(node, settings, source);
  if (files !== null) return err(files);
  return ok({
    kind: "etcd",
    endpoints: endpoints.value,
    credentials: settings.text("credentials"),
    tlsCa: settings.text("tls_ca"),
    tlsCert: settings.text("tls_cert"),
    tlsKey: settings.text("tls_key"),
  });
}

function readWitnessPlace(
  node: Node,
  settings: Settings,
  context: KeyContext,
): Result<Omit<WitnessStoreConfig, Common>, Problem> {
  const [line, second] = settings.nodes("endpoint");
  if (line === undefined) return err({ span: node.span, why: "it names no endpoint" });
  if (second !== undefined) return err({ span: second.span, why: "a witness is one host: two can disagree" });
  const place = readPlace(line, WITNESS_PORT);
  if (!place.ok) return place;
  const keys = readKeys(settings, "quorum_store", node, context);
  return keys.ok ? ok({ kind: "witness", place: place.value, ...keys.value }) : keys;
}

/** Scheme, host or [IPv6], port; no path. */
const ENDPOINT = /^(https?):\/\/([\w.-]+|\[[\da-fA-F:]+\]):(\d{1,5})\/?$/;

function readEndpoints(node: Node, settings: Settings): Result<readonly StoreEndpoint[], Problem> {
  const endpoints: StoreEndpoint[] = [];
  for (const line of settings.nodes("endpoint")) {
    for (const word of line.args) {
      const [, scheme, host, port] = ENDPOINT.exec(word.text) ?? [];
      if (scheme === undefined || !isHost(host ?? "") || Number(port) < 1 || Number(port) > 65_535) {
        return err({ span: wordSpan(line, word), why: `\`${word.text}\` is not the URL of a member` });
      }
      const url = `${scheme}://${host}:${port}`;
      if (!endpoints.some((one) => one.url === url)) endpoints.push({ url, tls: scheme === "https" });
    }
  }
  return endpoints.length === 0 ? err({ span: node.span, why: "it names no endpoint" }) : ok(endpoints);
}

/** A name, an IPv4 address, or an IPv6 address in brackets; four numbers that are no address are no name either. */
function isHost(text: string): boolean {
  if (text.startsWith("[")) return parseIpv6(text.slice(1, -1)) !== null;
  return /^[\d.]+$/.test(text) ? parseIpv4(text) !== null : !text.startsWith(".") && !text.includes("..");
}

/** Looked at here so that `check` tells of it; they are read again when they are used. */
function fileProblem(node: Node, settings: Settings, source: KeySource): Problem | null {
  const at = (keyword: string): SourceSpan => settings.node(keyword)?.span ?? node.span;
  for (const keyword of ["tls_ca", "tls_cert", "tls_key"] as const) {
    const path = settings.text(keyword);
    const text = path === null ? null : source.readFile(path);
    if (text !== null && !text.ok) return { span: at(keyword), why: `${path} cannot be read (${text.error})` };
  }
  const path = settings.text("credentials");
  if (path === null) return null;
  const text = source.readFile(path);
  if (!text.ok) return { span: at("credentials"), why: `${path} cannot be read (${text.error})` };
  const mode = credentialsProblem(path, source.script(path).file?.mode ?? 0);
  const parsed = parseOptionFile(text.value);
  const why = mode ?? (parsed.ok ? null : `${path}: ${parsed.error}`);
  return why === null ? null : { span: at("credentials"), why };
}
