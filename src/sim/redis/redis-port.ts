/** The RedisPort of one simulated daemon. */
import { ok } from "../../core/lib/result.ts";
import type { Command } from "../../core/redis/reply.ts";
import type { RedisPort } from "../../ports/redis.ts";
import { type DaemonLine, DaemonLines } from "../pair/line.ts";
import type { Answer, RedisConnection, RedisModel } from "./server.ts";

export interface ModelRedisPort extends RedisPort {
  /** The daemon is dead: its kernel ends what it had open. */
  closeAll(): void;
}

export function createModelRedisPort(line: DaemonLine<RedisModel>): ModelRedisPort {
  const lines = new DaemonLines<readonly Command[], Answer, RedisConnection, RedisModel>(line);
  return {
    async open(target, onLost) {
      const opened = await lines.open(target, onLost);
      if (!opened.ok) return opened;
      const session = opened.value;
      return ok({
        localAddress: session.localAddress,
        call: (commands, timeoutMillis) => session.ask(commands, timeoutMillis),
        close: () => session.close(),
      });
    },
    login: async () => ok({ user: null, password: "" }),
    closeAll: () => lines.closeAll(),
  };
}
