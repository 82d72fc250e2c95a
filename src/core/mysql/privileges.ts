/** What the daemons' account has to be allowed on every server of a managed group. docs/mysql.md has the same lists as statements. */
import type { SqlRow } from "./facts.ts";
import { atLeast, type ServerVersion } from "./version.ts";

export const GRANTS_STATEMENT = "SHOW GRANTS";

/** Any one of a line will do. */
function neededPrivileges({ product, ...version }: ServerVersion): readonly (readonly string[])[] {
  if (product === "mariadb" && atLeast({ product, ...version }, 10, 5, 2)) {
    return [
      ["READ_ONLY ADMIN", "READ ONLY ADMIN"],
      ["REPLICATION SLAVE ADMIN"],
      ["REPLICATION MASTER ADMIN"],
      ["SLAVE MONITOR", "REPLICA MONITOR"],
      ["BINLOG MONITOR"],
      ["CONNECTION ADMIN"],
      ["PROCESS"],
    ];
  }
  if (product === "mysql" && atLeast({ product, ...version }, 8, 0, 0)) {
    return [
      ["SYSTEM_VARIABLES_ADMIN"],
      ["REPLICATION_SLAVE_ADMIN"],
      ["REPLICATION CLIENT"],
      ["CONNECTION_ADMIN"],
      ["PROCESS"],
    ];
  }
  return [["SUPER"], ["REPLICATION CLIENT"], ["PROCESS"]];
}

/** `GRANT A, B (columns) ON *.* TO ...`, one row each; what is granted on less than everything is no help here. In capitals. */
export function privilegesOf(rows: readonly SqlRow[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const row of rows) {
    const text = Object.values(row)[0] ?? "";
    const match = /^GRANT (.+?) ON \*\.\* TO /i.exec(text);
    for (const one of match?.[1]?.split(",") ?? []) found.add(one.trim().toUpperCase());
  }
  return found;
}

/** The first name of each that is missing; none when the account may do everything. */
export function missingPrivileges(version: ServerVersion, held: ReadonlySet<string>): readonly string[] {
  if (held.has("ALL PRIVILEGES") || held.has("SUPER")) return [];
  const missing = neededPrivileges(version).filter((names) => !names.some((name) => held.has(name)));
  return missing.flatMap(([name]) => (name === undefined ? [] : [name]));
}

/** A clause for `status` and a plan. */
export const lackInWords = (server: string, missing: readonly string[]): string =>
  `${server}: the daemons' account lacks ${missing.join(", ")}; GRANT ${missing.join(", ")} ON *.* TO ...`;
