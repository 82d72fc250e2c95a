/**
 * `api { }`: where the API is served by HTTP. A listener that others reach and that lacks TLS or tokens is left out: half an API is
 * better than an open one. Files are looked at here so that `check` tells of them; they are read when they are used.
 */
import { type ApiConfig, type ApiListen, isLoopback } from "../api/config.ts";
import { parseTokenFile, tokenFileProblem } from "../api/tokens.ts";
import { parseIp } from "../lib/ip.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import { readSettings, type Settings, wordSpan } from "./settings.ts";
import type { KeySource } from "./source.ts";
import type { Node } from "./tree.ts";

const RATE_LIMIT = 20;
const WANTED = "write listen ADDRESS PORT, such as listen 127.0.0.1 9180";

export function compileApi(node: Node | null, source: KeySource, diagnostics: DiagnosticSink): ApiConfig | null {
  if (node === null) return null;
  const settings = readSettings(node.block ?? [], "api", diagnostics);
  const tls = readTls(settings, source, diagnostics);
  const tokenFile = settings.text("token_file");
  if (tokenFile !== null) checkTokenFile(settings, tokenFile, source, diagnostics);
  if (settings.nodes("listen").length === 0) {
    diagnostics.report("api-without-listen", node.span, "`api` names no address to listen at", WANTED);
    return null;
  }
  const listen = settings.nodes("listen").flatMap((line) => readListen(line, { tls, tokenFile }, diagnostics) ?? []);
  const rateLimit = settings.number("rate_limit") ?? RATE_LIMIT;
  return { listen, tls, tokenFile, dashboard: settings.flag("dashboard"), rateLimit };
}

function readListen(
  node: Node,
  { tls, tokenFile }: Pick<ApiConfig, "tls" | "tokenFile">,
  diagnostics: DiagnosticSink,
): ApiListen | null {
  const [host, port, extra] = node.args;
  const address = parseIp(host?.text ?? "");
  if (host === undefined || port === undefined) {
    diagnostics.report("missing-argument", node.span, "`listen` needs an address and a port", WANTED);
    return null;
  }
  if (address === null) {
    diagnostics.report("bad-value", wordSpan(node, host), `\`${host.text}\` is no IP address`, WANTED);
    return null;
  }
  const number = /^\d{1,5}$/.test(port.text) ? Number(port.text) : 0;
  if (number < 1 || number > 65_535) {
    diagnostics.report("bad-value", wordSpan(node, port), `\`${port.text}\` is no port`, WANTED);
    return null;
  }
  if (extra !== undefined) {
    diagnostics.report(
      "extra-argument",
      wordSpan(node, extra),
      `\`${extra.text}\` after \`listen\` is ignored`,
      WANTED,
    );
  }
  if (isLoopback(address)) return { address, port: number };
  if (tls === null) {
    const message = `others reach ${address}, and without TLS they read and forge what is said; that listener is left out`;
    diagnostics.report("api-needs-tls", node.span, message, "give tls_cert and tls_key, or listen at 127.0.0.1");
    return null;
  }
  if (tokenFile === null) {
    const message = `others reach ${address}, and without tokens everybody may ask; that listener is left out`;
    diagnostics.report("api-needs-tokens", node.span, message, "give token_file, and make it with holdfast token add");
    return null;
  }
  return { address, port: number };
}

function readTls(settings: Settings, source: KeySource, diagnostics: DiagnosticSink): ApiConfig["tls"] {
  const cert = settings.text("tls_cert");
  const key = settings.text("tls_key");
  const one = settings.node("tls_cert") ?? settings.node("tls_key");
  if (one === null) return null;
  if (cert === null || key === null) {
    const missing = cert === null ? "tls_cert" : "tls_key";
    diagnostics.report(
      "missing-argument",
      one.span,
      `\`${one.keyword}\` without \`${missing}\``,
      `give ${missing}, too`,
    );
    return null;
  }
  for (const keyword of ["tls_cert", "tls_key"] as const) {
    const path = settings.text(keyword) ?? "";
    const text = source.readFile(path);
    if (!text.ok)
      unusable(
        settings.node(keyword),
        `${path} cannot be read (${text.error}); that listener is not opened`,
        diagnostics,
      );
  }
  const mode = source.script(key).file?.mode ?? 0;
  if ((mode & 0o077) !== 0) {
    const message = `${key} can be read by others than its owner`;
    diagnostics.report("key-file-readable", settings.node("tls_key")?.span ?? null, message, `chmod 600 ${key}`);
  }
  return { cert, key };
}

function checkTokenFile(settings: Settings, path: string, source: KeySource, diagnostics: DiagnosticSink): void {
  const problem = tokenFileTrouble(path, source);
  if (problem !== null) unusable(settings.node("token_file"), `${problem}; nobody gets in`, diagnostics);
}

function tokenFileTrouble(path: string, source: KeySource): string | null {
  const text = source.readFile(path);
  if (!text.ok) return `${path} cannot be read (${text.error})`;
  const parsed = parseTokenFile(text.value);
  const byMode = tokenFileProblem(path, source.script(path).file?.mode ?? 0);
  return byMode ?? (parsed.ok ? null : `${path}: ${parsed.error}`);
}

function unusable(node: Node | null, message: string, diagnostics: DiagnosticSink): void {
  diagnostics.report(
    "api-file-unusable",
    node?.span ?? null,
    message,
    "correct the path or the file; `holdfast token add` makes token files",
  );
}
