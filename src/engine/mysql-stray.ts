/** Opens a writer again that was closed under its address, or lets the address go; which of the two is core/mysql/stray.ts's. */

import { troubleInWords } from "../core/database/trouble.ts";
import { elapsed, micros, toMillis } from "../core/lib/units.ts";
import { isOutrun } from "../core/mysql/following.ts";
import { decideStray } from "../core/mysql/stray.ts";
import { takeoverOf } from "./mysql-claim.ts";
import { CLAIM_MARGIN } from "./mysql-closing.ts";
import { MysqlServers } from "./mysql-group.ts";
import type { Managed } from "./mysql-managed.ts";
import type { MysqlWork } from "./mysql-work.ts";

/** Call after each look at a server whose instance is MASTER; `closed`: it was found closed. */
export function tendStray(work: MysqlWork, managed: Managed, closed: boolean): void {
  if (!closed) {
    managed.strayedAt = null;
    return;
  }
  managed.strayedAt ??= work.tools.timers.now();
  if (managed.straying || !isStray(managed)) return;
  managed.straying = true;
  work.queue(managed, async () => {
    try {
      if (isStray(managed)) await settle(work, managed);
    } finally {
      managed.straying = false;
    }
  });
}

const isStray = ({ state, strayedAt, moving, releasing, runs }: Managed): boolean =>
  state === "MASTER" && strayedAt !== null && !moving && !releasing && runs.size === 0;

async function settle(work: MysqlWork, managed: Managed): Promise<void> {
  const { config, strayedAt } = managed;
  const fenced = work.fences.troubleOf(config.name);
  if (fenced !== null) {
    letGo(work, managed, troubleInWords(fenced));
    return;
  }
  const servers = new MysqlServers(work.tools.sql, config);
  const { own, peers } = await servers.ask({ end: false, ownLast: true });
  servers.close();
  if (!own.ok || strayedAt === null || !isStray(managed)) return;
  if (own.value.closedBy === null) return;
  const closedFor = elapsed(strayedAt, work.tools.timers.now());
  const claim = micros(config.group.takeoverDeadline + CLAIM_MARGIN);
  const decision = decideStray(peers, toMillis(closedFor), toMillis(claim));
  if (decision.kind === "wait") return;
  if (decision.kind === "let-go") letGo(work, managed, decision.why);
  else await openAgain(work, managed, own.value.closedBy);
}

function letGo(work: MysqlWork, managed: Managed, why: string): void {
  managed.strayedAt = null;
  managed.releasing = true;
  work.tell(managed, { what: "guard", step: "let the address go", outcome: "done", detail: why });
  work.handOver(managed.instance);
}

function openAgain(work: MysqlWork, managed: Managed, closedBy: string): Promise<void> {
  const step = "open the writer again, which somebody has closed";
  return claimAnew(work, managed, step, `${closedBy} is on, and no peer is open`);
}

/** As a claim does it: everything that a closed peer has is executed here first, and what stands against it is respected. */
async function claimAnew(work: MysqlWork, managed: Managed, step: string, why: string): Promise<void> {
  work.tell(managed, { what: "guard", step, outcome: "begun", detail: why });
  const opened = await takeoverOf(work, managed, () => managed.state !== "MASTER").run();
  if (opened.ok) {
    managed.strayedAt = null;
    work.tend(managed);
    work.tell(managed, { what: "guard", step, outcome: "done", detail: "" });
    return;
  }
  work.tell(managed, { what: "guard", step, outcome: "failed", detail: opened.error });
  if (managed.state === "MASTER") letGo(work, managed, `it is closed and cannot be opened: ${opened.error}`);
}

/**
 * Another host says that it is MASTER, too. A host that stood still for longer than its peer waits does not know that it did: it would go on
 * writing to data that are behind. So it asks, and where somebody else was the writer meanwhile it claims anew before it takes more writes.
 */
export function heardRival(work: MysqlWork, managed: Managed): void {
  if (managed.verifying || !managed.open || managed.state !== "MASTER") return;
  managed.verifying = true;
  work.queue(managed, async () => {
    try {
      if (managed.open && managed.state === "MASTER") await verify(work, managed);
    } finally {
      managed.verifying = false;
    }
  });
}

async function verify(work: MysqlWork, managed: Managed): Promise<void> {
  const servers = new MysqlServers(work.tools.sql, managed.config);
  const { own, peers } = await servers.ask({ end: false, ownLast: true });
  servers.close();
  if (!own.ok || !managed.open || managed.state !== "MASTER") return;
  if (!isOutrun({ own: own.value, peers }, managed.openedWith)) return;
  // What looks after a writer must not let its commits go meanwhile.
  managed.tending?.end();
  const step = "claim anew: another host was the writer meanwhile";
  await claimAnew(work, managed, step, "another MASTER was heard, and a peer is open or has what this server lacks");
}
