/** Closes a managed server: before its address goes, and whenever it is found open without it. */
import { elapsed, micros, seconds, toMillis } from "../core/lib/units.ts";
import { closeStatement } from "../core/mysql/orders.ts";
import { failureInWords } from "./mysql-group.ts";
import type { Managed } from "./mysql-managed.ts";
import { MysqlMember } from "./mysql-member.ts";
import type { MysqlWork } from "./mysql-work.ts";

/** Beyond takeover_deadline: other members of a sync group may still prepare. */
export const CLAIM_MARGIN = seconds(5);

/** Read-only and without sessions. A server that cannot be asked is told, and closed at the first look that finds it open. */
export async function closeManaged(
  work: MysqlWork,
  managed: Managed,
  what: "guard" | "release" | "fence",
): Promise<void> {
  managed.tending?.end();
  managed.tending = null;
  const { config } = managed;
  const member = new MysqlMember(work.tools.sql, config.address, config);
  try {
    const facts = await member.facts({ end: false });
    if (facts.ok && facts.value.closedBy !== null && !managed.open) return;
    const step = "close the own server for writes";
    const closed = facts.ok
      ? await member.closeForWrites(closeStatement(facts.value.version), toMillis(config.timeout))
      : facts;
    const detail = closed.ok
      ? closed.value === 0
        ? ""
        : `${String(closed.value)} sessions ended`
      : failureInWords(closed.error);
    work.tell(managed, { what, step, outcome: closed.ok ? "done" : "failed", detail });
  } finally {
    member.close();
    noteClosed(managed);
  }
}

function noteClosed(managed: Managed): void {
  if (!managed.open) return;
  managed.open = false;
  managed.known = false;
  managed.followed = false;
  // Cut off it stays watched, because somebody has to tell when that is over.
  if (managed.isolation?.isolated === false) {
    managed.isolation.end();
    managed.isolation = null;
  }
}

/** Found open by a look, and nobody has opened it here. */
export function closeFound(work: MysqlWork, managed: Managed): void {
  if (managed.state === "MASTER" || managed.closing) return;
  managed.closing = true;
  work.queue(managed, async () => {
    if (!managed.open && managed.state !== "MASTER") await closeManaged(work, managed, "guard");
    managed.closing = false;
  });
}

/** The gate was opened and nobody went through it: its claim was given up in that very moment. */
export function closeUnwanted(work: MysqlWork, managed: Managed): void {
  const { state, openedAt, config, closing } = managed;
  const limit = micros(config.group.takeoverDeadline + CLAIM_MARGIN);
  if (state === "MASTER" || closing || openedAt === null) return;
  if (elapsed(openedAt, work.tools.timers.now()) < limit) return;
  managed.closing = true;
  work.queue(managed, async () => {
    if (managed.open && managed.state !== "MASTER") await closeManaged(work, managed, "release");
    managed.closing = false;
  });
}
