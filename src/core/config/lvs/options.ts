/** lvs_* and the other keywords of global_defs that concern virtual servers, and net_namespace_ipvs. */
import { isMulticast, parseIp } from "../../lib/ip.ts";
import type { LvsBuffer, LvsOptions, LvsTimeouts, SslClientConfig, SyncDaemonConfig } from "../../lvs/config.ts";
import type { DiagnosticSink } from "../diagnostics.ts";
import { type Settings, wordSpan } from "../settings.ts";
import { closest } from "../suggest.ts";
import type { Node } from "../tree.ts";
import type { Word } from "../words.ts";

export function compileLvsOptions(root: Settings, globals: Settings, diagnostics: DiagnosticSink): LvsOptions {
  return {
    flush: globals.has("lvs_flush"),
    flushOnStop: readFlushOnStop(globals, diagnostics),
    timeouts: readTimeouts(globals.node("lvs_timeouts"), diagnostics),
    syncDaemon: readSyncDaemon(globals, diagnostics),
    initNotifies: globals.flag("rs_init_notifies") ?? false,
    noCheckerMail: globals.flag("no_checker_emails") ?? false,
    netNamespace: root.has("net_namespace_ipvs") ? (root.words("net_namespace_ipvs")[0]?.text ?? "") : null,
    commandBuffer: readBuffer(globals, "lvs_netlink_cmd_rcv_bufs"),
    monitorBuffer: readBuffer(globals, "lvs_netlink_monitor_rcv_bufs"),
  };
}

const readBuffer = (globals: Settings, keyword: string): LvsBuffer => ({
  size: globals.number(keyword) ?? null,
  force: globals.flag(`${keyword}_force`) ?? globals.number(keyword) === null,
});

export function compileSslClient(settings: Settings): SslClientConfig {
  return {
    ca: settings.text("ca"),
    certificate: settings.text("certificate"),
    key: settings.text("key"),
    password: settings.text("password"),
  };
}

function readFlushOnStop(globals: Settings, diagnostics: DiagnosticSink): LvsOptions["flushOnStop"] {
  const node = globals.node("lvs_flush_on_stop");
  const word = node?.args[0];
  if (node === null) return "no";
  if (word === undefined) return "all";
  if (word.text === "VS") return "services";
  const message = `\`${word.text}\` is no kind of lvs_flush_on_stop; the line is ignored`;
  diagnostics.report("bad-value", wordSpan(node, word), message, "write lvs_flush_on_stop, or lvs_flush_on_stop VS");
  return "no";
}

/** Reads `NAME VALUE` pairs and says what is wrong with each. */
class Pairs {
  readonly #node: Node;
  readonly #diagnostics: DiagnosticSink;

  constructor(node: Node, diagnostics: DiagnosticSink) {
    this.#node = node;
    this.#diagnostics = diagnostics;
  }

  complain(word: Word, message: string, remedy: string | null): void {
    this.#diagnostics.report("bad-value", wordSpan(this.#node, word), message, remedy);
  }

  number(name: Word, value: Word | undefined, [least, most]: readonly [number, number]): number | null {
    const number = value !== undefined && /^\d{1,10}$/.test(value.text) ? Number(value.text) : Number.NaN;
    if (number >= least && number <= most) return number;
    const what = value === undefined ? "has no value" : `${value.text} is out of range`;
    this.complain(
      value ?? name,
      `\`${name.text}\` of ${this.#node.keyword} ${what}; it is ignored`,
      `write ${name.text} N, from ${least} to ${most}`,
    );
    return null;
  }

  unknown(word: Word, known: readonly string[]): void {
    const meant = closest(word.text, known);
    const remedy = meant === null ? `write ${known.join(", ")}` : `did you mean \`${meant}\`?`;
    this.complain(word, `\`${word.text}\` is no word of ${this.#node.keyword} and is ignored`, remedy);
  }
}

const LONGEST_TIMEOUT = 31 * 86_400;

function readTimeouts(node: Node | null, diagnostics: DiagnosticSink): LvsTimeouts {
  const timeouts: { tcp: number | null; tcpFin: number | null; udp: number | null } = {
    tcp: null,
    tcpFin: null,
    udp: null,
  };
  if (node === null) return timeouts;
  const names = { tcp: "tcp", tcpfin: "tcpFin", udp: "udp" } as const;
  const pairs = new Pairs(node, diagnostics);
  if (node.args.length < 2)
    diagnostics.report(
      "missing-argument",
      node.span,
      "`lvs_timeouts` names no timeout",
      "write lvs_timeouts tcp N tcpfin N udp N",
    );
  for (let at = 0; at < node.args.length; at++) {
    const word = node.args[at] as Word;
    if (!Object.hasOwn(names, word.text)) {
      pairs.unknown(word, Object.keys(names));
      continue;
    }
    const value = pairs.number(word, node.args[++at], [0, LONGEST_TIMEOUT]);
    // 0 leaves what the kernel has, as with ipvsadm.
    timeouts[names[word.text as keyof typeof names]] = value === 0 ? null : value;
  }
  return timeouts;
}

type SyncDraft = { -readonly [Key in keyof SyncDaemonConfig]: SyncDaemonConfig[Key] };

const SYNC_NUMBERS = {
  id: ["id", [0, 255]],
  maxlen: ["maxLength", [1, 65_507]],
  port: ["port", [1, 65_535]],
  ttl: ["ttl", [1, 255]],
} as const;
const SYNC_WORDS = ["inst", "id", "maxlen", "port", "ttl", "group"];
const LONGEST_INTERFACE = 15;

function readSyncDaemon(globals: Settings, diagnostics: DiagnosticSink): SyncDaemonConfig | null {
  const [node, second] = globals.nodes("lvs_sync_daemon");
  if (node === undefined) return null;
  if (second !== undefined)
    diagnostics.report(
      "duplicate-name",
      second.span,
      "`lvs_sync_daemon` is given already; this line is ignored",
      "keep one",
    );
  const [device] = node.args;
  if (device === undefined || device.text.length > LONGEST_INTERFACE) {
    diagnostics.report(
      "missing-argument",
      node.span,
      "`lvs_sync_daemon` names no interface",
      "write lvs_sync_daemon INTERFACE [inst INSTANCE]",
    );
    return null;
  }
  const draft: SyncDraft = {
    interface: device.text,
    instance: null,
    id: null,
    maxLength: null,
    port: null,
    ttl: null,
    group: null,
    span: node.span,
  };
  const pairs = new Pairs(node, diagnostics);
  for (let at = 1; at < node.args.length; at++) at += readSyncWord(draft, node.args, at, pairs);
  return draft;
}

/** How many words beyond the first were used. */
function readSyncWord(draft: SyncDraft, words: readonly Word[], at: number, pairs: Pairs): number {
  const word = words[at] as Word;
  const value = words[at + 1];
  if (Object.hasOwn(SYNC_NUMBERS, word.text)) {
    const [key, range] = SYNC_NUMBERS[word.text as keyof typeof SYNC_NUMBERS];
    draft[key] = pairs.number(word, value, range);
    return 1;
  }
  if (word.text === "inst") {
    draft.instance = value?.text ?? null;
    return 1;
  }
  if (word.text === "group") {
    const address = parseIp(value?.text ?? "");
    if (address !== null && isMulticast(address)) draft.group = address;
    else
      pairs.complain(
        value ?? word,
        `\`${value?.text ?? ""}\` is no multicast group; it is ignored`,
        "write group ADDRESS",
      );
    return 1;
  }
  // The old form: INTERFACE INSTANCE ID.
  if (at === 1) draft.instance = word.text;
  else if (at === 2 && /^\d{1,3}$/.test(word.text)) {
    draft.id = pairs.number(word, word, [0, 255]);
    pairs.complain(word, "a number alone is the old form", `write id ${word.text}`);
  } else pairs.unknown(word, SYNC_WORDS);
  return 0;
}
