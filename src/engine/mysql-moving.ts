/** A planned move of a managed server's writer, as its instance sees it. */
import type { Managed } from "./mysql-managed.ts";
import { Switchover, type SwitchoverHost, type SwitchoverOutcome } from "./mysql-switchover.ts";
import type { MysqlWork } from "./mysql-work.ts";

export function switchoverOf(work: MysqlWork, managed: Managed): Switchover {
  const host: SwitchoverHost = {
    tools: work.tools,
    tell: (step, outcome, detail) => work.tell(managed, { what: "switchover", step, outcome, detail }),
    alone: (action) =>
      new Promise((resolve, reject) => {
        work.queue(managed, () => action().then(resolve, reject));
      }),
    state: () => managed.state,
    refused: () => {
      const { state, open, config } = managed;
      if (state === "MASTER" && open) return managed.staysHere;
      return `this host is not the writer of ${config.name}`;
    },
    isWriter: () => managed.state === "MASTER" && managed.open,
    closing: () => {
      managed.open = false;
      managed.tending?.end();
      managed.tending = null;
    },
    closed: () => {
      managed.closed = true;
    },
    openedAgain: () => {
      managed.open = true;
      managed.closed = false;
      work.tend(managed);
    },
    handOver: () => work.handOver(managed.instance),
  };
  return new Switchover(host, managed.config);
}

/** While it runs nobody else opens what it has closed. */
export async function move(work: MysqlWork, managed: Managed): Promise<SwitchoverOutcome> {
  managed.moving = true;
  try {
    return await switchoverOf(work, managed).run();
  } finally {
    managed.moving = false;
  }
}
