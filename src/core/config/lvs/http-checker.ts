/** HTTP_GET and SSL_GET: the request, and what each page must be. */
import type { CheckerConnection, HttpChecker, HttpProtocol, RegexCheck, UrlCheck } from "../../lvs/checkers.ts";
import { readSettings, rename, type Settings, wordSpan } from "../settings.ts";
import { type Node, restOf } from "../tree.ts";
import { commandWords } from "../words.ts";
import type { CheckerReading } from "./checker-reading.ts";
import type { LvsContext } from "./context.ts";
import { translatePattern } from "./pcre.ts";

export function compileHttpChecker(
  reading: CheckerReading,
  connection: CheckerConnection,
  context: LvsContext,
): HttpChecker | null {
  const { node, settings, timing, defaults } = reading;
  const old = (node.block ?? []).find((line) => line.keyword === "nb_get_retry");
  if (old !== undefined)
    context.diagnostics.report("deprecated", old.span, "`nb_get_retry` is the old name of `retry`", {
      text: "write retry",
      fix: rename(old, "retry"),
    });
  const urls = settings.nodes("url").flatMap((url) => compileUrl(url, defaults.name, context));
  if (urls.length === 0) {
    const message = `${node.keyword} of ${defaults.name} has no usable url and is left out`;
    context.diagnostics.report("checker-unusable", node.span, message, "write url { path /PATH }");
    return null;
  }
  const protocol = settings.text("http_protocol") ?? "1.0";
  return {
    kind: "http",
    tls: node.keyword === "SSL_GET",
    protocol: (protocol === "1.0c" ? "1.0C" : protocol) as HttpProtocol,
    virtualhost: settings.text("virtualhost") ?? defaults.virtualhost,
    sni: settings.has("sni_name") || (settings.flag("enable_sni") ?? false),
    sniName: settings.text("sni_name"),
    fastRecovery: settings.flag("fast_recovery") ?? false,
    urls,
    timing,
    connection,
    span: node.span,
  };
}

function compileUrl(node: Node, server: string, context: LvsContext): readonly UrlCheck[] {
  const settings = readSettings(node.block ?? [], "url", context.diagnostics);
  const path = settings.text("path");
  if (path === null) {
    context.diagnostics.report(
      "checker-unusable",
      node.span,
      `a url of ${server} has no path and is left out`,
      "write path /PATH",
    );
    return [];
  }
  return [
    {
      path,
      status: readStatus(settings, context),
      digest: readDigest(settings, context),
      virtualhost: settings.text("virtualhost"),
      regex: readRegex(settings, context),
    },
  ];
}

const LEAST_STATUS = 100;
const GREATEST_STATUS = 599;
const ALL_GOOD = [200, 299] as const;

function readStatus(settings: Settings, { diagnostics }: LvsContext): readonly (readonly [number, number])[] {
  const ranges = settings.nodes("status_code").flatMap((node) =>
    node.args.flatMap((word) => {
      const [, first = "", last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(word.text) ?? [];
      const [from, to] = [Number(first), Number(last)];
      if (first !== "" && from >= LEAST_STATUS && to <= GREATEST_STATUS && from <= to) return [[from, to] as const];
      const message = `\`${word.text}\` is no status code and is ignored`;
      diagnostics.report(
        "bad-value",
        wordSpan(node, word),
        message,
        `write codes or ranges from ${LEAST_STATUS} to ${GREATEST_STATUS}`,
      );
      return [];
    }),
  );
  return ranges.length === 0 ? [ALL_GOOD] : ranges;
}

function readDigest(settings: Settings, { diagnostics }: LvsContext): string | null {
  const text = settings.text("digest");
  if (text === null || /^[0-9a-f]{32}$/i.test(text)) return text?.toLowerCase() ?? null;
  const span = settings.node("digest")?.span ?? null;
  diagnostics.report(
    "bad-value",
    span,
    `\`${text}\` is no MD5 sum and is ignored`,
    "write 32 hexadecimal digits, as holdfast genhash prints them",
  );
  return null;
}

const REGEX_KEYWORDS = [
  "regex_no_match",
  "regex_options",
  "regex_min_offset",
  "regex_max_offset",
  "regex_stack",
] as const;

function readRegex(settings: Settings, { diagnostics }: LvsContext): RegexCheck | null {
  const node = settings.node("regex");
  if (node === null) {
    const stray = REGEX_KEYWORDS.map((keyword) => settings.node(keyword)).find((one) => one !== null);
    if (stray !== undefined && stray !== null)
      diagnostics.report(
        "regex-unusable",
        stray.span,
        `\`${stray.keyword}\` without regex has no effect`,
        "write regex PATTERN",
      );
    return null;
  }
  const { words, unterminated } = commandWords(restOf(node));
  const [pattern] = words;
  if (pattern === undefined || words.length > 1 || unterminated !== null) {
    diagnostics.report(
      "regex-unusable",
      node.span,
      "`regex` needs one pattern; the line is ignored",
      'write regex "PATTERN"',
    );
    return null;
  }
  const options = settings.words("regex_options").map((word) => word.text);
  const translated = translatePattern(pattern.text, options);
  if (!translated.ok) {
    const message = `the pattern cannot be used: ${translated.error}; the page fails until that is mended`;
    diagnostics.report("regex-unusable", node.span, message, "see docs/lvs-checkers.md on regular expressions");
  }
  const max = settings.number("regex_max_offset");
  const min = settings.number("regex_min_offset") ?? 0;
  const empty = max !== null && min > max;
  if (empty) {
    const span = settings.node("regex_min_offset")?.span ?? node.span;
    diagnostics.report("regex-unusable", span, "regex_min_offset is above regex_max_offset; both are ignored", null);
  }
  return {
    text: pattern.text,
    pattern: translated.ok ? translated.value.pattern : null,
    flags: translated.ok ? translated.value.flags : "",
    noMatch: settings.has("regex_no_match"),
    minOffset: empty ? 0 : min,
    maxOffset: empty ? null : max,
  };
}
