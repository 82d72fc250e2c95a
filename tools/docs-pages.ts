/**
 * The pages of docs/ that are written from tables in the sources: keywords, diagnostics, command line.
 * Pure text; `npm run docs` writes the files, tools/docs.test.ts says when one is out of date.
 */
import type { Argument, Command, Option } from "commander";
import type { RegistryRow } from "../src/core/config/keywords/registry.ts";
import type { ArgSpec, KeywordStatus } from "../src/core/config/keywords/types.ts";

const NOTICE = "<!-- Written by `npm run docs`: change the sources, not this file. -->";

/** A cell of a table: a bar would end it. */
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
const table = (titles: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  row(titles),
  row(titles.map(() => "---")),
  ...rows.map(row),
];
const page = (lines: readonly string[]): string => `${lines.join("\n")}\n`;

// Keywords

const STATUS: Readonly<Record<KeywordStatus, string>> = {
  done: "works",
  "not-yet": "accepted, not done yet",
  refused: "refused",
};

export function argument(args: ArgSpec): string {
  switch (args.kind) {
    case "none":
      return "";
    case "bool":
      return "on or off; alone: on";
    case "integer":
      return `${args.min} to ${args.max}`;
    case "seconds":
      return `${args.min} to ${args.max} s`;
    case "weight":
      return `weight, ${args.min} to ${args.max}`;
    case "word":
      return "a word";
    case "words":
      return "words";
    case "choice":
      return args.values.join(", ");
    case "ipv4":
      return "an IPv4 address";
    case "ipv6":
      return "an IPv6 address";
    case "ip":
      return "an IP address";
    case "command":
      return "a command";
    case "block":
      return args.title === 0 ? "{ }" : `${args.title === 1 ? "NAME" : "NAME ..."} { }`;
    case "list":
      return "{ lines }";
  }
}

const RELOAD: Readonly<Record<RegistryRow["reload"], string>> = {
  live: "in place",
  "restart-instance": "the instance starts over",
  "restart-daemon": "needs a restart",
  none: "-",
};

function keywordRow(one: RegistryRow): string[] {
  const notes = [one.doc];
  if (one.aliasOf !== null) notes.push(`Old spelling of \`${one.aliasOf}\`.`);
  if (one.extension) notes.push("Holdfast's own.");
  if (one.safety !== null) notes.push(`Until it is done: ${one.safety}.`);
  return [
    `\`${one.name}\``,
    argument(one.args),
    one.default ?? "",
    STATUS[one.status],
    one.status === "done" ? RELOAD[one.reload] : "-",
    notes.join(" "),
  ];
}

export function keywordsPage(rows: readonly RegistryRow[]): string {
  const blocks = [...new Set(rows.map((one) => one.block))];
  const count = (status: KeywordStatus): number => rows.filter((one) => one.status === status).length;
  const lines = [
    "# Keywords of the configuration",
    "",
    NOTICE,
    "",
    `All ${rows.length} keywords of keepalived 2.2.7 to 2.4.x and Holdfast's own, by the block they stand in: ${count("done")} work,`,
    `${count("not-yet")} are accepted and named in a warning because they are not done yet. A word that is not listed here is an error.`,
    "`holdfast check FILE` says the same about a file of yours.",
  ];
  for (const block of blocks) {
    const own = rows.filter((one) => one.block === block);
    lines.push("", block === "root" ? "## Outside of every block" : `## ${block}`, "");
    lines.push(...table(["Keyword", "Takes", "Default", "Today", "At a reload", "Meaning"], own.map(keywordRow)));
  }
  return page(lines);
}

// Diagnostics

export interface DiagnosticRow {
  readonly severity: string;
  readonly meaning: string;
  readonly failsConfigTest: boolean;
}

/** The exit code of `holdfast -t`, where it is not 5. */
const SPECIAL_EXITS: Readonly<Record<string, string>> = { "file-unreadable": "4", "script-security": "6" };

export function diagnosticsPage(codes: Readonly<Record<string, DiagnosticRow>>): string {
  const rows = Object.entries(codes).map(([code, { severity, meaning, failsConfigTest }]) => [
    `[\`${code}\`](rules/${code}.md)`,
    severity,
    meaning,
    SPECIAL_EXITS[code] ?? (failsConfigTest ? "5" : "no"),
  ]);
  return page([
    "# Diagnostics of the configuration",
    "",
    NOTICE,
    "",
    "`holdfast check` prints each as `file:line:column: severity: message [code]`, then the line, a caret and what to write instead. An error",
    "does not keep the daemon from starting, as in keepalived: what cannot be used is left out. `check` ends with 1 when there is an error,",
    "`check --strict` also when there is a warning. The last column says whether `holdfast -t` ends with 5, as keepalived's config test",
    "does; `script-security` ends with 6, a main file that cannot be read with 4. Each code has a page: why it matters, an example and the corrected file.",
    "",
    ...table(["Code", "Severity", "Meaning", "Fails -t"], rows),
  ]);
}

// Metrics

export interface MetricRow {
  readonly name: string;
  readonly type: string;
  readonly help: string;
}

export interface AlertRow {
  readonly name: string;
  readonly severity: string;
  readonly after: string;
  readonly expression: string;
  readonly todo: string;
  /** Where the runbook is, from the root of the sources. */
  readonly runbook: string;
}

export function metricsPage(metrics: readonly MetricRow[], alerts: readonly AlertRow[]): string {
  const metricRows = metrics.map(({ name, type, help }) => [`\`holdfast_${name}\``, type, help]);
  return page([
    "# Metrics and alerts",
    "",
    NOTICE,
    "",
    "`/metrics` of the [HTTP listener](operators-guide.md#the-api-by-http-metrics-and-health) and `holdfast metrics` answer in Prometheus' text format. Counters begin",
    "with the daemon, those of VRRP packets with the keeper. Prometheus adds its own label `instance` (the host), so ours is stored as",
    "`exported_instance`, unless the scrape says `honor_labels: true`. Files to install: `packaging/prometheus/holdfast.rules.yml` (alerts)",
    "and `packaging/grafana/holdfast.json` (dashboard).",
    "",
    "```",
    "scrape_configs:",
    "  - job_name: holdfast",
    "    authorization: { credentials_file: /etc/prometheus/holdfast.token }",
    "    scheme: https",
    "    static_configs: [{ targets: [db1:9180, db2:9180] }]",
    "```",
    "",
    ...table(["Metric", "Type", "Meaning"], metricRows),
    "",
    "## Alerts",
    "",
    ...table(
      ["Alert", "Severity", "After", "When", "What to do"],
      alerts.map(({ name, severity, after, expression, todo, runbook }) => [
        `[\`${name}\`](${runbook.replace("docs/", "")})`,
        severity,
        after,
        `\`${expression}\``,
        todo,
      ]),
    ),
  ]);
}

// Command line

export interface CliPageParts {
  readonly program: Command;
  readonly exitCodes: string;
  /** Help texts of the commands that read their own words. */
  readonly foreign: Readonly<Record<string, string>>;
}

const optionRows = (options: readonly Option[]): string[][] =>
  options.map((option) => [
    `\`${option.flags}\``,
    [option.description, ...(option.argChoices === undefined ? [] : [`One of: ${option.argChoices.join(", ")}.`])].join(
      ". ",
    ),
  ]);

function synopsis(command: Command): string {
  const words = command.registeredArguments.map((one: Argument) =>
    one.required ? `<${one.name()}>` : `[${one.name()}]`,
  );
  return ["holdfast", command.name(), "[options]", ...words].join(" ");
}

function commandLines(command: Command, foreign: string | undefined): string[] {
  const head = ["", `## holdfast ${command.name()}`, "", `${sentence(command.description())}`, ""];
  if (foreign !== undefined) return [...head, "```", ...foreign.trimEnd().split("\n"), "```"];
  const shown = command.options.filter((option) => !option.hidden);
  const hidden = command.options.filter((option) => option.hidden);
  const lines = [...head, "```", synopsis(command), "```", ""];
  const words = command.registeredArguments.filter((one) => one.description !== "");
  for (const one of words) lines.push(`\`${one.name()}\`: ${one.description}.`, "");
  lines.push(...table(["Option", "Meaning"], optionRows(shown)));
  if (hidden.length > 0) {
    lines.push(
      "",
      "Accepted because keepalived has them, without effect; the log names each that is given, with the reason:",
      "",
    );
    lines.push(...table(["Option", "In keepalived"], optionRows(hidden)));
  }
  return lines;
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

export function cliPage({ program, exitCodes, foreign }: CliPageParts): string {
  const lines = [
    "# The command line",
    "",
    NOTICE,
    "",
    "Every command takes `--help`. Options without a command are keepalived's and mean `run`: `holdfast -D -f FILE` is",
    "`holdfast run -D -f FILE`. `holdfast -T` is `holdfast genhash`.",
    "",
    "Answers go to standard output, complaints to standard error. A complaint says what is wrong and, below it, what to do.",
    "",
    "```",
    ...exitCodes.trim().split("\n"),
    "```",
  ];
  for (const command of program.commands) lines.push(...commandLines(command, foreign[command.name()]));
  return page(lines);
}
