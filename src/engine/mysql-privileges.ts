/** Whether the daemons' account may do on every server of a group what a claim needs: for `status` and for plans, not only for doctor. */
import { seconds, toMillis } from "../core/lib/units.ts";
import { GRANTS_STATEMENT, lackInWords, missingPrivileges, privilegesOf } from "../core/mysql/privileges.ts";
import type { SqlPort } from "../ports/sql.ts";
import { MysqlServers } from "./mysql-group.ts";
import type { Managed } from "./mysql-managed.ts";
import type { MysqlMember } from "./mysql-member.ts";
import type { MysqlWork } from "./mysql-work.ts";

/** Grants change by hand. */
const EVERY = seconds(60);

/** One clause for each server that lacks something; servers that do not answer are somebody else's trouble. */
export async function lackingPrivileges(sql: SqlPort, config: Managed["config"]): Promise<readonly string[]> {
  const servers = new MysqlServers(sql, config);
  const timeout = toMillis(config.timeout);
  const found = await Promise.all(servers.members.map(({ member }) => lackOf(member, timeout)));
  servers.close();
  return found.flatMap((one) => (one === null ? [] : [one]));
}

async function lackOf(member: MysqlMember, timeoutMillis: number): Promise<string | null> {
  const grants = await member.order(GRANTS_STATEMENT, timeoutMillis);
  if (!grants.ok || grants.value.length === 0) return null;
  const version = await member.versionOver(timeoutMillis);
  if (version === null) return null;
  const missing = missingPrivileges(version, privilegesOf(grants.value));
  return missing.length === 0 ? null : lackInWords(member.name, missing);
}

/** At the first look that finds the server, and now and then. */
export function watchPrivileges(work: MysqlWork, managed: Managed): void {
  const now = work.tools.timers.now();
  if (managed.privilegesAt !== null && now - managed.privilegesAt < EVERY) return;
  managed.privilegesAt = now;
  void lackingPrivileges(work.tools.sql, managed.config).then((lacking) => {
    for (const one of lacking) {
      if (managed.lacking.includes(one)) continue;
      work.tell(managed, { what: "guard", step: "a privilege is missing", outcome: "trouble", detail: one });
    }
    managed.lacking = lacking;
  });
}
