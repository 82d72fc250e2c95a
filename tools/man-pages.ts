/**
 * holdfast(8) and holdfast.conf(5) in the language of man(7), from the same tables as docs/cli.md and docs/keywords.md. Pure text;
 * `npm run docs` writes packaging/man, which the packages install.
 */
import type { Argument, Command, Option } from "commander";
import type { RegistryRow } from "../src/core/config/keywords/registry.ts";
import { argument, type CliPageParts } from "./docs-pages.ts";

const NOTICE = '.\\" Written by `npm run docs`: change the sources, not this file.';

/** A backslash begins an escape, a leading dot or apostrophe a request, and an ASCII hyphen is a hyphen unless it is escaped. */
export function roff(text: string): string {
  const plain = text.replaceAll("`", "").replaceAll("\\", "\\e").replaceAll("-", "\\-");
  return plain.replace(/^([.'])/gm, "\\&$1");
}

const header = (name: string, section: number, title: string): string =>
  `.TH ${name} ${section} "" "Holdfast" "${title}"`;

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.:]$/.test(text) ? "" : "."}`;

const bold = (text: string): string => `\\fB${roff(text)}\\fR`;

function optionLines(options: readonly Option[]): string[] {
  return options
    .filter((option) => !option.hidden)
    .flatMap((option) => [".TP", bold(option.flags), roff(sentence(option.description))]);
}

function commandLines(command: Command, foreign: string | undefined): string[] {
  const words = command.registeredArguments.map((one: Argument) =>
    one.required ? `<${one.name()}>` : `[${one.name()}]`,
  );
  const head = [
    `.SS "${roff(["holdfast", command.name(), ...words].join(" "))}"`,
    roff(sentence(command.description())),
  ];
  if (foreign !== undefined) return [...head, ".PP", ".nf", ...roff(foreign.trimEnd()).split("\n"), ".fi"];
  const explained = command.registeredArguments.filter((one) => one.description !== "");
  const args = explained.flatMap((one) => [".TP", `\\fI${roff(one.name())}\\fR`, roff(sentence(one.description))]);
  return [...head, ...args, ...optionLines(command.options)];
}

const FILES: readonly (readonly [string, string])[] = [
  ["/etc/keepalived/keepalived.conf", "The configuration, see holdfast.conf(5)."],
  ["/run/holdfast.sock", "The API's socket, mode 0600; beside the pid file where -p names one elsewhere."],
  ["/var/lib/holdfast/journal.jsonl", "The journal; holdfast history shows it."],
  ["/etc/holdfast/tokens", "Tokens of the HTTP API; holdfast token changes it."],
];

const SIGNALS: readonly (readonly [string, string])[] = [
  ["TERM, INT", "Stops: gates, addresses, priority 0, hooks, in this order."],
  ["HUP", "Reads the file again; one with an error changes nothing."],
  ["USR1, USR2, 36, 63", "keepalived's dumps: data, statistics, JSON, statistics that begin anew."],
];

const listed = (rows: readonly (readonly [string, string])[]): string[] =>
  rows.flatMap(([name, doc]) => [".TP", bold(name), roff(doc)]);

export function programManual({ program, exitCodes, foreign }: CliPageParts): string {
  const lines = [
    NOTICE,
    header("HOLDFAST", 8, "System administration"),
    ".SH NAME",
    "holdfast \\- keeps a database's virtual address on a server that is alive, up to date and allowed to write",
    ".SH SYNOPSIS",
    ".B holdfast",
    "\\fIcommand\\fR [\\fIoptions\\fR]",
    ".br",
    ".B holdfast",
    "[\\fIoptions of keepalived\\fR]",
    ".SH DESCRIPTION",
    "Holdfast runs the configuration of keepalived and moves virtual addresses by VRRP. It takes an address only after the database behind it is",
    "ready, says why it is in a state, and keeps a journal. Options without a command are keepalived's and run the daemon.",
    ".SH COMMANDS",
    ...program.commands.flatMap((command) => commandLines(command, foreign[command.name()])),
    ".SH FILES",
    ...listed(FILES),
    ".SH SIGNALS",
    ...listed(SIGNALS),
    ".SH EXIT STATUS",
    ".nf",
    ...roff(exitCodes.trim()).split("\n").slice(1),
    ".fi",
    ".SH SEE ALSO",
    ".BR holdfast.conf (5)",
  ];
  return `${lines.join("\n")}\n`;
}

const EXAMPLE = `vrrp_script vs_mysql_82 {
    script "/etc/keepalived/checkMySQL.py -h 127.0.0.1 -P 3306"
    interval 60
}
vrrp_instance VI_82 {
    state BACKUP
    nopreempt
    interface eth0
    virtual_router_id 82
    priority 100
    advert_int 5
    track_script {
        vs_mysql_82
    }
    virtual_ipaddress {
        192.168.11.100
    }
}`;

const STATUS: Readonly<Record<string, string>> = {
  "not-yet": "Accepted, without effect yet.",
  lvs: "Of virtual servers; without effect yet.",
  refused: "Refused.",
};

function keywordLines(row: RegistryRow): string[] {
  const takes = argument(row.args);
  const notes = [row.doc];
  if (row.default !== null) notes.push(`Default: ${row.default}.`);
  if (row.aliasOf !== null) notes.push(`Old spelling of ${row.aliasOf}.`);
  const status = STATUS[row.status];
  if (status !== undefined) notes.push(status);
  return [".TP", `${bold(row.name)}${takes === "" ? "" : ` \\fI${roff(takes)}\\fR`}`, roff(notes.join(" "))];
}

export function configManual(rows: readonly RegistryRow[]): string {
  const blocks = [...new Set(rows.map((row) => row.block))];
  const lines = [
    NOTICE,
    header("HOLDFAST.CONF", 5, "File formats"),
    ".SH NAME",
    "holdfast.conf \\- configuration of holdfast, in the language of keepalived.conf",
    ".SH DESCRIPTION",
    "The file is keepalived's: holdfast reads",
    ".I /etc/keepalived/keepalived.conf",
    "unless told otherwise. A line is a keyword and its values; # and ! begin a comment; a block is enclosed in braces. Words of Holdfast's own",
    "stand in the same file. holdfast check says what is wrong with a file and what to write instead.",
    ".SH EXAMPLE",
    ".nf",
    ...roff(EXAMPLE).split("\n"),
    ".fi",
    ...blocks.flatMap((block) => [
      `.SH "${block === "root" ? "OUTSIDE OF EVERY BLOCK" : `BLOCK ${roff(block)}`}"`,
      ...rows.filter((row) => row.block === block).flatMap(keywordLines),
    ]),
    ".SH SEE ALSO",
    ".BR holdfast (8)",
  ];
  return `${lines.join("\n")}\n`;
}
