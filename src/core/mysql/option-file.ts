/**
 * Option files in the form of my.cnf: what a client reads of them. Sections [client], [client-server], [client-mariadb] and
 * [holdfast], the last value counts; a second login in [holdfast-other]. `!include` is refused: the file that was checked for its permissions must be the one that
 * holds the password. No message repeats a value.
 */
import { err, ok, type Result } from "../lib/result.ts";

export interface ClientOptions {
  readonly user?: string;
  readonly password?: string;
  readonly host?: string;
  readonly port?: number;
  readonly socket?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** Of [holdfast-other]: tried when the first login is refused, while a password is being changed. */
  readonly otherUser?: string;
  readonly otherPassword?: string;
}

const SECTIONS: ReadonlySet<string> = new Set(["client", "client-server", "client-mariadb", "holdfast"]);
const NAMES: Readonly<Record<string, keyof ClientOptions>> = {
  user: "user",
  password: "password",
  host: "host",
  port: "port",
  socket: "socket",
  "ssl-ca": "tlsCa",
  "ssl-cert": "tlsCert",
  "ssl-key": "tlsKey",
};
const OTHER_SECTION = "holdfast-other";
const OTHER_NAMES: typeof NAMES = { user: "otherUser", password: "otherPassword" };

/** The error says what is wrong, with the line; it can be shown anywhere. */
export function parseOptionFile(text: string): Result<ClientOptions, string> {
  const options: Draft = {};
  let names: typeof NAMES | null = null;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    const section = /^\[([^\]]*)\]/.exec(line);
    if (section !== null) names = namesOf((section[1] ?? "").trim().toLowerCase());
    const problem = section === null ? readLine(line, names, options) : null;
    if (problem !== null) return err(`line ${index + 1}: ${problem}`);
  }
  return ok(options as ClientOptions);
}

function namesOf(section: string): typeof NAMES | null {
  if (section === OTHER_SECTION) return OTHER_NAMES;
  return SECTIONS.has(section) ? NAMES : null;
}

type Draft = Partial<Record<keyof ClientOptions, string | number>>;

/** What is wrong with the line; null when it was understood, or is none of ours. */
function readLine(line: string, names: typeof NAMES | null, options: Draft): string | null {
  if (line.startsWith("!")) return "includes are not followed; put user and password into this file";
  const split = line.indexOf("=");
  const name = (split < 0 ? line : line.slice(0, split)).trim().toLowerCase().replaceAll("_", "-");
  const option = names !== null && Object.hasOwn(names, name) ? names[name] : undefined;
  if (option === undefined) return null;
  const value = split < 0 ? "" : unquote(line.slice(split + 1).trim());
  if (option !== "port") {
    options[option] = value;
    return null;
  }
  if (!/^\d{1,5}$/.test(value) || Number(value) < 1 || Number(value) > 65_535)
    return "port is no number from 1 to 65535";
  options.port = Number(value);
  return null;
}

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", t: "\t", n: "\n", r: "\r", "\\": "\\", s: " " };

/**
 * As my_load_defaults does: one pair of quotes around the value goes, a `#` outside quotes begins a comment, and of a backslash
 * the escapes \b \t \n \r \\ \s are known; any other backslash stays.
 */
function unquote(value: string): string {
  const quote = value[0];
  const quoted = quote === '"' || quote === "'" ? closingQuote(value, quote) : -1;
  const inner = quoted > 0 ? value.slice(1, quoted) : value.replace(/\s*#.*$/s, "");
  return inner.replace(/\\(.)/gs, (whole, char: string) => {
    if (quoted > 0 && char === quote) return char;
    return Object.hasOwn(ESCAPES, char) ? (ESCAPES[char] ?? whole) : whole;
  });
}

function closingQuote(value: string, quote: string): number {
  for (let at = 1; at < value.length; at++) {
    if (value[at] === "\\") at++;
    else if (value[at] === quote) return at;
  }
  return -1;
}

const OTHERS_MAY_READ_OR_WRITE = 0o066;

/** Why a file with a password must not be used, with the remedy; null when nobody but its owner may open it. */
export function credentialsProblem(path: string, mode: number): string | null {
  if ((mode & OTHERS_MAY_READ_OR_WRITE) === 0) return null;
  const shown = `0${(mode & 0o777).toString(8)}`;
  return `${path} holds a password and others than its owner may open it (mode ${shown}); run chmod 0600 ${path}`;
}
