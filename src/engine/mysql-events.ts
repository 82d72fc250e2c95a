/** Enables the events of a server that has become the writer: replication had switched off those that came from the other one. */
import { enableEvent, FOREIGN_EVENTS } from "../core/mysql/orders.ts";
import { failureInWords } from "./mysql-group.ts";
import type { MysqlMember } from "./mysql-member.ts";
import type { ReplicaContext } from "./mysql-replicas.ts";

const ORDER_MILLIS = 3_000;

export async function enableEvents(writer: MysqlMember, tell: ReplicaContext["tell"]): Promise<void> {
  const found = await writer.order(FOREIGN_EVENTS, ORDER_MILLIS);
  if (!found.ok) return tell("look for events that came by replication", "failed", failureInWords(found.error));
  for (const event of found.value) {
    const statement = enableEvent(event);
    if (statement === null) continue;
    const step = `enable the event ${event.place}.${event.name}`;
    const done = await writer.order(statement, ORDER_MILLIS);
    tell(step, done.ok ? "done" : "failed", done.ok ? "" : failureInWords(done.error));
  }
}
