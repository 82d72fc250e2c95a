/**
 * A managed standby: learns whether it may open alone should the writer die (core/mysql/following.ts), and receives again from a writer
 * that it had left. Asks others only while something is not as it should be: a standby that is known to follow costs the writer nothing.
 */
import { toMillis } from "../core/lib/units.ts";
import type { MysqlFacts } from "../core/mysql/facts.ts";
import { channelToResume, type LeftChannel, provesFollowing } from "../core/mysql/following.ts";
import { startOrders } from "../core/mysql/orders.ts";
import { failureInWords, MysqlServers } from "./mysql-group.ts";
import { isTailUnsettled } from "./mysql-home.ts";
import { channelsOf, type Managed } from "./mysql-managed.ts";
import type { MysqlWork } from "./mysql-work.ts";

const GATEWAY_MILLIS = 1_000;

/** Call after each look at a server that is not open. */
export function tendStandby(work: MysqlWork, managed: Managed, facts: MysqlFacts): void {
  if (managed.following || isWriter(managed)) return;
  const receives = channelsOf(managed, facts).some(({ io }) => io === "running");
  if (receives && managed.known) return;
  managed.following = true;
  void look(work, managed, receives).finally(() => {
    managed.following = false;
  });
}

/** What an operator should know while the writer is still there. */
export function standbyTrouble({ open, state, known, absence }: Managed): readonly string[] {
  if (open || state !== "BACKUP" || known || absence?.proof != null) return [];
  return ["it is not proved to follow the writer: should that vanish now, this server would not be opened alone"];
}

/** Or about to be. */
const isWriter = ({ open, state, runs }: Managed): boolean => open || state === "MASTER" || runs.size > 0;

async function look(work: MysqlWork, managed: Managed, receives: boolean): Promise<void> {
  const servers = new MysqlServers(work.tools.sql, managed.config);
  // A writer whose commits wait answers where its log ends only when they do not: what it cannot say now it says at the next look.
  const { own, peers } = await servers.ask({ end: true, ownLast: true });
  // Its daemon knows then that this server is one that may be opened: core/mysql/absence.ts counts on that. Without the privilege to see
  // sessions nobody can tell; the claim will lack more than that.
  const watched = receives && own.ok ? await servers.own.isWatched(toMillis(managed.config.timeout)) : null;
  servers.close();
  if (!own.ok || isWriter(managed)) return;
  const found = { own: own.value, peers };
  if (receives) {
    const proved = watched !== false && provesFollowing(found);
    managed.known ||= proved;
    managed.followed ||= proved;
    return;
  }
  if (peers.some(({ state }) => state.kind === "up")) managed.known = false;
  else if (managed.known && peers.some(({ state }) => state.kind === "silent")) {
    const gateway = await work.tools.gateway.ask(GATEWAY_MILLIS);
    // Cut off: the writer goes on without this server, and nobody will tell it when it is back.
    if (gateway === "unreachable") managed.known = false;
  }
  const left = channelToResume(found);
  if (left !== null && !managed.stoppedByHand) resume(work, managed, left, own.value.version);
}

function resume(
  work: MysqlWork,
  managed: Managed,
  { channel, peer }: LeftChannel,
  version: Parameters<typeof startOrders>[0],
): void {
  work.queue(managed, async () => {
    if (isWriter(managed) || (await isTailUnsettled(work, managed))) return;
    const servers = new MysqlServers(work.tools.sql, managed.config);
    const done = await servers.own.orderAll(startOrders(version, channel), toMillis(managed.config.timeout));
    servers.close();
    const step = `receive from ${peer}, the writer: this server has nothing that it lacks`;
    const detail = done.ok ? "" : failureInWords(done.error);
    work.tell(managed, { what: "guard", step, outcome: done.ok ? "done" : "failed", detail });
  });
}
