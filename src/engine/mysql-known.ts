/**
 * Whether the own server may be opened later without asking its peers: it follows a writer, and that writer's daemon is logged in here, so it
 * knows that this server is one that may be opened (core/mysql/absence.ts counts on that).
 */
import { toMillis } from "../core/lib/units.ts";
import type { Managed } from "./mysql-managed.ts";
import { MysqlMember } from "./mysql-member.ts";
import type { MysqlWork } from "./mysql-work.ts";

export function askWatched(work: MysqlWork, managed: Managed): void {
  if (managed.askingWatched) return;
  managed.askingWatched = true;
  const { config } = managed;
  const member = new MysqlMember(work.tools.sql, config.address, config);
  void member.isWatched(toMillis(config.timeout)).then((watched) => {
    member.close();
    managed.askingWatched = false;
    // Without the privilege to see sessions nobody can tell; the claim will lack more than that.
    if (managed.follows && watched !== false) managed.known = true;
  });
}
