/** Opens a writer again that was closed under its address, or lets the address go; which of the two is core/mysql/stray.ts's. */

import { troubleInWords } from "../core/database/trouble.ts";
import { elapsed, micros, toMillis } from "../core/lib/units.ts";
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

/** As a claim does it: everything that a closed peer has is executed here first, and what stands against it is respected. */
async function openAgain(work: MysqlWork, managed: Managed, closedBy: string): Promise<void> {
  const step = "open the writer again, which somebody has closed";
  work.tell(managed, { what: "guard", step, outcome: "begun", detail: `${closedBy} is on, and no peer is open` });
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
