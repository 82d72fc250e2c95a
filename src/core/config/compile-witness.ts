/** `witness { }`: half a block is no block, because a witness that believes anybody is none. */
import { type IpAddress, isMulticast, parseIp } from "../lib/ip.ts";
import { err, ok, type Result } from "../lib/result.ts";
import { WITNESS_PORT, type WitnessConfig } from "../quorum/config.ts";
import { type KeyContext, readKeyList } from "./compile-keys.ts";
import { type Problem, readPlace } from "./compile-place.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import { readSettings, type Settings, wordSpan } from "./settings.ts";
import type { Node } from "./tree.ts";

const REMEDY =
  "write listen ADDRESS and key ID file:/PATH (32 to 64 bytes; openssl rand -hex 32), and client ADDRESS for each host that may ask; see docs/operators-guide.md";

/** Null without the block, and where it cannot be used: that is reported. */
export function compileWitness(nodes: readonly Node[], { source, diagnostics }: KeyContext): WitnessConfig | null {
  const [node, second] = nodes;
  if (node === undefined) return null;
  if (second !== undefined) {
    const message = `witness is already defined in line ${node.span.line}; this one is left out`;
    diagnostics.report("duplicate-name", second.span, message, "write all keys and clients into one block");
  }
  const settings = readSettings(node.block ?? [], "witness", diagnostics);
  const read = readWitness(node, settings, { source, diagnostics });
  if (read.ok) {
    warnOf(node, settings, diagnostics);
    return read.value;
  }
  diagnostics.report("witness-unusable", read.error.span, `there is no witness: ${read.error.why}`, REMEDY);
  return null;
}

/** What it starts with all the same. */
function warnOf(node: Node, settings: Settings, diagnostics: DiagnosticSink): void {
  const [first, ...more] = settings.nodes("listen");
  const last = more.at(-1);
  if (first !== undefined && last !== undefined) {
    const where = last.args.map(({ text }) => text).join(" ");
    const message = `a witness listens at one address, and this is not it: the last line counts, ${where}`;
    diagnostics.report("witness-listen", first.span, message, "write one listen");
  }
  if (settings.nodes("client").some(({ args }) => args.length > 0)) return;
  const message =
    "witness names no client: every host that proves a key may write every record, and anybody's connections can fill its places";
  diagnostics.report("witness-open", node.span, message, "write client ADDRESS for each host of the pair");
}

function readWitness(node: Node, settings: Settings, context: KeyContext): Result<WitnessConfig, Problem> {
  const line = settings.node("listen");
  if (line === null) return err({ span: node.span, why: "it does not say where to listen" });
  const listen = readPlace(line, WITNESS_PORT);
  if (!listen.ok) return listen;
  const keys = readKeyList(settings, "witness", node, context);
  if (!keys.ok) return keys;
  const clients = readClients(settings);
  return clients.ok ? ok({ listen: listen.value, keys: keys.value, clients: clients.value }) : clients;
}

function readClients(settings: Settings): Result<readonly IpAddress[], Problem> {
  const clients: IpAddress[] = [];
  for (const line of settings.nodes("client")) {
    for (const word of line.args) {
      const address = parseIp(word.text);
      if (address === null || isMulticast(address))
        return err({ span: wordSpan(line, word), why: `\`${word.text}\` is not the address of a host` });
      if (!clients.includes(address)) clients.push(address);
    }
  }
  return ok(clients);
}
