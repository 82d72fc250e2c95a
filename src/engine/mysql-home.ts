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

/**
 * A channel that a claim, or a daemon that was killed, has left pointed at this daemon: at each look after the start and after a claim that was refused,
 * until nothing is left of it. The same trouble is told once.
 */
export function settleTail(work: MysqlWork, managed: Managed): void {
  if (managed.tailSettled) return;
  managed.tailSettled = true;
  work.queue(managed, async () => {
    const why = await withTail(work, managed, (tail) => tail.settle());
    managed.tailSettled = why === null;
    if (why !== null && why !== managed.tailTrouble)
      work.tell(managed, {
        what: "guard",
        step: "point the channel back to its source",
        outcome: "failed",
        detail: why,
      });
    managed.tailTrouble = why;
  });
}

/** Nothing may be started on a channel that is, or may be, pointed at this daemon. */
export const isTailUnsettled = (work: MysqlWork, managed: Managed): Promise<boolean> =>
  withTail(work, managed, (tail) => tail.isUnsettled());

async function withTail<T>(work: MysqlWork, managed: Managed, use: (tail: TailFetch) => Promise<T>): Promise<T> {
  const member = new MysqlMember(work.tools.sql, managed.config.address, managed.config);
  try {
    return await use(new TailFetch(work.tools, managed.config, member));
  } finally {
    member.close();
  }
}
