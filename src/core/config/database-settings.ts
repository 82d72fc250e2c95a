/** What the blocks of database servers are written with, whatever their product: places, TLS, the file of the credentials. */
import { type TlsConfig, type TlsMode, tlsProblem } from "../database/config.ts";
import { credentialsProblem, parseOptionFile } from "../mysql/option-file.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import { type Settings, wordSpan } from "./settings.ts";
import type { KeySource } from "./source.ts";
import type { Node } from "./tree.ts";

/** Of which block, and what its server is asked at when the file names no port. */
export interface DatabaseBlock {
  readonly product: "mysql" | "redis";
  readonly name: string;
  readonly port: number;
  readonly settings: Settings;
  readonly diagnostics: DiagnosticSink;
}

const EXAMPLES = {
  server: "127.0.0.1",
  peer: "192.168.11.82",
  replica: "192.168.11.83",
  known_as: "192.168.11.81",
} as const;

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** `server HOST [PORT]`, and so the others of the group. */
export function readPlace(block: DatabaseBlock, node: Node | null, keyword: keyof typeof EXAMPLES): Place {
  const { product, name, diagnostics } = block;
  const [host, port, extra] = node?.args ?? [];
  const wanted = `write ${keyword} HOST [PORT], such as ${keyword} ${EXAMPLES[keyword]} ${block.port}`;
  const number = port === undefined ? block.port : /^\d{1,5}$/.test(port.text) ? Number(port.text) : 0;
  const bad = number < 1 || number > 65_535;
  if (node !== null && host === undefined) {
    diagnostics.report("missing-argument", node.span, `\`${keyword}\` of ${product} ${name} lacks its value`, wanted);
  }
  if (node !== null && port !== undefined && bad) {
    const message = `\`${port.text}\` is no port; ${product} ${name} is looked for at ${block.port}`;
    diagnostics.report("bad-value", wordSpan(node, port), message, wanted);
  }
  if (node !== null && extra !== undefined) {
    const message = `\`${extra.text}\` after \`${keyword}\` is ignored`;
    diagnostics.report("extra-argument", wordSpan(node, extra), message, wanted);
  }
  return { host: host?.text ?? "127.0.0.1", port: bad ? block.port : number };
}

export const readPlaces = (block: DatabaseBlock, keyword: "peer" | "replica"): readonly Place[] =>
  block.settings.nodes(keyword).map((node) => readPlace(block, node, keyword));

export function readKnownAs(block: DatabaseBlock): Place | null {
  const node = block.settings.node("known_as");
  return node === null ? null : readPlace(block, node, "known_as");
}

/** An unusable mode is an error here, and the check fails until it is mended. */
export function readTls(block: DatabaseBlock, node: Node, address: Parameters<typeof tlsProblem>[0]): TlsConfig {
  const { product, name, settings, diagnostics } = block;
  const mode = (settings.text("tls") ?? "off") as TlsMode;
  const problem = tlsProblem(address, mode);
  if (problem !== null) {
    const span = settings.node("tls")?.span ?? node.span;
    diagnostics.report("bad-value", span, `${product} ${name}: its check fails: ${problem}`, null);
  }
  return { mode, ca: settings.text("tls_ca"), cert: settings.text("tls_cert"), key: settings.text("tls_key") };
}

export function checkCredentials(block: DatabaseBlock, keyword: string, source: KeySource): void {
  const { product, name, settings, diagnostics } = block;
  const path = settings.text(keyword);
  const node = settings.node(keyword);
  if (path === null || node === null) return;
  const problem = problemOf(path, source);
  if (problem === null) return;
  const message = `${product} ${name}: ${problem}; its check fails until that is mended`;
  diagnostics.report("credentials-unusable", node.span, message, REMEDY);
}

const REMEDY = "name a file of mode 0600 with user=NAME and password=... below [client]";

function problemOf(path: string, source: KeySource): string | null {
  const text = source.readFile(path);
  if (!text.ok) return `${path} cannot be read (${text.error})`;
  const parsed = parseOptionFile(text.value);
  return (
    credentialsProblem(path, source.script(path).file?.mode ?? 0) ?? (parsed.ok ? null : `${path}: ${parsed.error}`)
  );
}
