/** A standby's receiver that had given up receives again when the peer is back; its applier runs, so nothing received is dropped. */
import { ok } from "../core/lib/result.ts";
import { toMillis } from "../core/lib/units.ts";
import { replicaOrder } from "../core/mysql/orders.ts";
import type { ServerVersion } from "../core/mysql/version.ts";
import { failureInWords } from "./mysql-group.ts";
import { isTailUnsettled } from "./mysql-home.ts";
import type { Managed } from "./mysql-managed.ts";
import { MysqlMember } from "./mysql-member.ts";
import type { MysqlWork } from "./mysql-work.ts";

export function resumeReceiver(work: MysqlWork, managed: Managed, version: ServerVersion, channel: string): void {
  if (managed.resuming) return;
  managed.resuming = true;
  work.queue(managed, async () => {
    const { config } = managed;
    const member = new MysqlMember(work.tools.sql, config.address, config);
    const order = replicaOrder(version, "START", { channel, thread: "IO_THREAD" });
    const stays = managed.left || (await isTailUnsettled(work, managed));
    const done = stays ? ok([]) : await member.order(order, toMillis(config.timeout));
    member.close();
    managed.resuming = false;
    if (done.ok) return;
    const step = "start the I/O thread, which had given up";
    work.tell(managed, { what: "guard", step, outcome: "failed", detail: failureInWords(done.error) });
  });
}
