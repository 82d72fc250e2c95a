/**
 * The token file of the HTTP API: who may ask what. A line is `NAME ROLE sha256:HEX`; the token itself is in no file of ours, only
 * its hash. Owns the form of the file and the order of the roles. No message repeats a hash.
 */
import { err, ok, type Result } from "../lib/result.ts";

/** Each may what the ones before it may: read looks, operate moves an address, admin changes the daemon or may lose data. */
export const ROLES = ["read", "operate", "admin"] as const;
export type Role = (typeof ROLES)[number];

export interface TokenEntry {
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the token, 64 lower-case hexadecimal digits. Tokens are random, so a fast hash without salt is enough. */
  readonly sha256: string;
}

export const allows = (has: Role, needs: Role): boolean => ROLES.indexOf(has) >= ROLES.indexOf(needs);

export const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text);

/** What a name may be made of: it stands in log and journal. */
export const TOKEN_NAME = /^[\w.@-]{1,64}$/;

/** The error names the line and what is wrong with it; a file with a mistake lets nobody in. */
export function parseTokenFile(text: string): Result<readonly TokenEntry[], string> {
  const entries = new Map<string, TokenEntry>();
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const entry = parseLine(line);
    if (!entry.ok) return err(`line ${index + 1}: ${entry.error}`);
    const { name } = entry.value;
    if (entries.has(name)) return err(`line ${index + 1}: ${name} is there twice`);
    entries.set(name, entry.value);
  }
  return ok([...entries.values()]);
}

function parseLine(line: string): Result<TokenEntry, string> {
  const [name = "", role = "", hash = "", ...rest] = line.split(/\s+/);
  if (!TOKEN_NAME.test(name)) return err("the name may have letters, digits and . _ @ -, at most 64");
  if (!isRole(role)) return err(`the role of ${name} is none of ${ROLES.join(", ")}`);
  const sha256 = /^sha256:([0-9a-f]{64})$/.exec(hash)?.[1];
  if (sha256 === undefined || rest.length > 0)
    return err(`${name} lacks sha256: and 64 digits; make it with holdfast token`);
  return ok({ name, role, sha256 });
}

export const tokenLine = ({ name, role, sha256 }: TokenEntry): string => `${name} ${role} sha256:${sha256}`;

/** Null, or why a file with this mode must not be believed: who may write it may let himself in, and so may its owner. */
export function tokenFileProblem(path: string, mode: number, { ownedByOther = false } = {}): string | null {
  if (ownedByOther) return `${path} belongs to another user; chown root ${path}`;
  return (mode & 0o077) === 0 ? null : `${path} can be opened by others than its owner; chmod 600 ${path}`;
}
