/**
 * `holdfast token add|remove|list`: the token file of the HTTP API. A new token is shown once and kept by nobody: the file has its
 * hash. The file is written beside its place and renamed, so that the daemon never reads half of one.
 */
import { createHash, randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from "node:fs";
import {
  isRole,
  parseTokenFile,
  ROLES,
  TOKEN_NAME,
  type TokenEntry,
  tokenFileProblem,
  tokenLine,
} from "../../core/api/tokens.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import type { Terminal } from "../terminal.ts";
import { printJson } from "./context.ts";

export const DEFAULT_TOKEN_FILE = "/etc/holdfast/tokens";

export interface TokenOptions {
  readonly file?: string;
  readonly role?: string;
  readonly json?: boolean;
}

const ACTIONS = ["add", "remove", "list"] as const;
type Action = (typeof ACTIONS)[number];
const TOKEN_BYTES = 32;
const ROLE_WIDTH = 9;

export function tokenCommand(
  terminal: Terminal,
  words: { readonly action: string; readonly name: string | undefined },
  options: TokenOptions,
): number {
  const action = ACTIONS.find((one) => one === words.action);
  if (action === undefined)
    throw new CliError(`there is no \`token ${words.action}\``, EXIT.usage, `known: ${ACTIONS.join(", ")}`);
  const path = options.file ?? DEFAULT_TOKEN_FILE;
  if (action === "list") return list(terminal, path, options.json === true);
  const { name } = words;
  if (name === undefined || !TOKEN_NAME.test(name))
    throw new CliError(`\`token ${action}\` needs a name of letters, digits and . _ @ -`, EXIT.usage);
  return change({ terminal, path, name, action, options });
}

function list(terminal: Terminal, path: string, asJson: boolean): number {
  const entries = read(path, false).map(({ name, role }) => ({ name, role }));
  if (asJson) printJson(terminal, { file: path, tokens: entries });
  else terminal.out(entries.map(({ name, role }) => `${role.padEnd(ROLE_WIDTH)}${name}\n`).join(""));
  return EXIT.ok;
}

interface Change {
  readonly terminal: Terminal;
  readonly path: string;
  readonly name: string;
  readonly action: Exclude<Action, "list">;
  readonly options: TokenOptions;
}

function change({ terminal, path, name, action, options }: Change): number {
  const entries = read(path, action === "add");
  const known = entries.some((entry) => entry.name === name);
  if (action === "remove") {
    if (!known) throw new CliError(`${path} has no token of ${name}`, EXIT.failed, "`holdfast token list` shows them");
    write(
      path,
      entries.filter((entry) => entry.name !== name),
    );
    terminal.out(`The token of ${name} is gone; the daemon refuses it from now on.\n`);
    return EXIT.ok;
  }
  const role = options.role ?? "read";
  if (!isRole(role)) throw new CliError(`there is no role ${role}`, EXIT.usage, `roles: ${ROLES.join(", ")}`);
  if (known)
    throw new CliError(
      `${path} has a token of ${name} already`,
      EXIT.failed,
      `\`holdfast token remove ${name}\` first`,
    );
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  write(path, [...entries, { name, role, sha256: createHash("sha256").update(token).digest("hex") }]);
  if (options.json === true) printJson(terminal, { file: path, name, role, token });
  else terminal.out(`${token}\n`);
  terminal.err(`This token of ${name} (${role}) is shown once: ${path} has its hash only.\n`);
  return EXIT.ok;
}

function read(path: string, mayBeAbsent: boolean): readonly TokenEntry[] {
  let text: string;
  try {
    const problem = tokenFileProblem(path, statSync(path).mode);
    if (problem !== null) throw new CliError(problem, EXIT.failed);
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && mayBeAbsent) return [];
    if (error instanceof CliError) throw error;
    throw new CliError(
      `${path} cannot be read: ${code ?? String(error)}`,
      codeOf(code),
      "name another one with --file",
    );
  }
  const parsed = parseTokenFile(text);
  if (!parsed.ok) throw new CliError(`${path}: ${parsed.error}`, EXIT.failed, "correct that line by hand");
  return parsed.value;
}

const codeOf = (code: string | undefined): number =>
  code === "EACCES" || code === "EPERM" ? EXIT.notPermitted : EXIT.failed;

function write(path: string, entries: readonly TokenEntry[]): void {
  const aside = `${path}.${process.pid}.new`;
  try {
    const file = openSync(aside, "wx", 0o600);
    writeSync(file, `# Tokens of Holdfast's HTTP API: NAME ROLE sha256:HASH\n${entries.map(tokenLine).join("\n")}\n`);
    fsyncSync(file);
    closeSync(file);
    renameSync(aside, path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CliError(
      `${path} cannot be written: ${code ?? message}`,
      codeOf(code),
      "make its folder, or name another file with --file",
    );
  }
}
