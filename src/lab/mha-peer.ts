/**
 * MHA 0.58 from Debian's packages as the measure of its replacement. Two lines of it cannot work with today's MariaDB (a version with more
 * than three numbers, a variable that only MySQL has): they are changed in a private copy, which only the laboratory uses.
 */
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const MODULES = "/usr/share/perl5/MHA";
const PROGRAM = "/usr/bin/masterha_manager";

/** Null when it is installed. */
export const mhaUnavailable = (): string | null =>
  existsSync(MODULES) && existsSync(PROGRAM) ? null : "MHA is not installed: mha4mysql-manager, mha4mysql-node";

/** A directory for PERL5LIB. */
export function preparedMha(directory: string): string {
  const library = join(directory, "perl");
  cpSync(MODULES, join(library, "MHA"), { recursive: true });
  const nodeUtil = join(library, "MHA/NodeUtil.pm");
  change(nodeUtil, /(sprintf\( '%03d%03d%03d', )(\$str =~ m\/\(\\d\+\)\/g)/, "$1( $2 )[0 .. 2]");
  change(nodeUtil, /(sprintf\( '%03d%03d', )(\$str =~ m\/\(\\d\+\)\/g)/, "$1( $2 )[0 .. 1]");
  change(join(library, "MHA/SlaveUtil.pm"), /(sub check_if_super_read_only\s*\{)/, "$1 return ( 0, undef );");
  return library;
}

function change(path: string, what: RegExp, by: string): void {
  const text = readFileSync(path, "utf8");
  const changed = text.replace(what, by);
  if (changed === text) throw new Error(`${path} is not the version that was expected`);
  writeFileSync(path, changed);
}

export const peerProgram = (name: string): string => `/usr/bin/${name}`;
