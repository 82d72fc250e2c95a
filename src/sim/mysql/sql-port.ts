/** The SqlPort of one simulated daemon. */
import { ok } from "../../core/lib/result.ts";
import type { SqlPort } from "../../ports/sql.ts";
import { type DaemonLine, DaemonLines } from "../pair/line.ts";
import type { Answer, ModelServer, ServerSession } from "./server.ts";

export interface ModelSqlPort extends SqlPort {
  /** The daemon is dead: its kernel ends what it had open. */
  closeAll(): void;
}

export function createModelSqlPort(line: DaemonLine<ModelServer>): ModelSqlPort {
  const lines = new DaemonLines<string, Answer, ServerSession, ModelServer>(line);
  return {
    async open(target, onLost) {
      const opened = await lines.open(target, onLost);
      if (!opened.ok) return opened;
      const session = opened.value;
      return ok({
        localAddress: session.localAddress,
        query: (sql, timeoutMillis) => session.ask(sql, timeoutMillis),
        close: () => session.close(),
      });
    },
    closeAll: () => lines.closeAll(),
  };
}
