/** What a managed server leaves for later while it lives: where its binary log is, for the time when it is dead. */

import type { MysqlFacts } from "../core/mysql/facts.ts";
import { homeNote, homeText } from "../core/mysql/home.ts";
import type { Managed } from "./mysql-managed.ts";
import { MysqlMember } from "./mysql-member.ts";
import { TailFetch } from "./mysql-tail.ts";
import type { MysqlWork } from "./mysql-work.ts";

/** Call after each look; writes when something has changed. */
export function rememberHome(work: MysqlWork, managed: Managed, { home }: MysqlFacts): void {
  if (home == null) return;
  const text = homeText(home);
  if (managed.home === text) return;
  managed.home = text;
  void work.tools.records.write(homeNote(managed.config.name), text).then((problem) => {
    if (problem === null) return;
    managed.home = null;
  });
}

/** Once after the start: a channel that a daemon that was killed has left pointed at itself. */
export function settleTail(work: MysqlWork, managed: Managed): void {
  if (managed.tailSettled) return;
  managed.tailSettled = true;
  work.queue(managed, async () => {
    const member = new MysqlMember(work.tools.sql, managed.config.address, managed.config);
    const why = await new TailFetch(work.tools, managed.config, member).settle();
    member.close();
    if (why === null) return;
    managed.tailSettled = false;
    work.tell(managed, { what: "guard", step: "point the channel back to its source", outcome: "failed", detail: why });
  });
}
