/** A Redis server as far as the manager looks at it: its run, role, history and keys, and what was ordered. */
import { err, ok } from "../../core/lib/result.ts";
import type { Command, Reply } from "../../core/redis/reply.ts";
import type { RedisPort } from "../../ports/redis.ts";

const OK: Reply = { kind: "text", text: "OK" };

export class ModelRedis {
  runId = "run-1";
  source: string | null = "127.0.0.1:1";
  linkUp = false;
  replid = "a";
  offset = 100;
  keys = 7;
  reachable = true;
  readonly orders: string[] = [];
  readonly channels = new Set<string>();
  readonly sessions = new Set<() => void>();

  /** The process ends, and with it all sessions. */
  die(): void {
    this.reachable = false;
    this.channels.clear();
    for (const lost of [...this.sessions]) lost();
    this.sessions.clear();
  }

  /** Another process of it with what its disk and its redis.conf say. */
  start(found: { readonly keys: number; readonly source: string | null }): void {
    this.runId += "'";
    this.replid += "'";
    this.offset = 0;
    this.linkUp = false;
    Object.assign(this, found);
    this.reachable = true;
  }

  answer(command: Command): Reply {
    const [verb = "", first = "", second = ""] = command;
    switch (verb) {
      case "INFO":
        return { kind: "text", text: this.#info() };
      case "CONFIG":
        return { kind: "list", items: [] };
      case "PUBSUB": {
        const channels = [...this.channels].map((text): Reply => ({ kind: "text", text }));
        return { kind: "list", items: first === "CHANNELS" ? channels : [] };
      }
      case "SUBSCRIBE":
        this.channels.add(first);
        return OK;
      case "REPLICAOF":
        this.orders.push(command.join(" "));
        this.source = first === "NO" ? null : `${first}:${second}`;
        this.linkUp = false;
        return OK;
      default:
        return OK;
    }
  }

  #info(): string {
    const role =
      this.source === null
        ? ["role:master"]
        : [
            "role:slave",
            `master_host:${this.source.slice(0, this.source.lastIndexOf(":"))}`,
            `master_port:${this.source.slice(this.source.lastIndexOf(":") + 1)}`,
            `master_link_status:${this.linkUp ? "up" : "down"}`,
          ];
    return [
      "redis_version:7.0.15",
      `run_id:${this.runId}`,
      ...role,
      `master_replid:${this.replid}`,
      `master_repl_offset:${this.offset}`,
      "repl_backlog_active:1",
      ...(this.keys > 0 ? [`db0:keys=${this.keys},expires=0,avg_ttl=0`] : []),
    ].join("\r\n");
  }
}

/** A server that is not reachable is silent. */
export function modelRedisPort(servers: ReadonlyMap<string, ModelRedis>, asked: (host: string) => void): RedisPort {
  return {
    async open({ address }, onLost) {
      const host = address.host ?? "";
      asked(host);
      const server = servers.get(host);
      if (server?.reachable !== true) {
        return err({ kind: "timeout", phase: "connect", afterMillis: 400 });
      }
      const lost = () => onLost("it ended");
      server.sessions.add(lost);
      return ok({
        call: async (commands: readonly Command[]) => ok(commands.map((command) => server.answer(command))),
        close: () => void server.sessions.delete(lost),
      });
    },
    login: async () => ok({ user: null, password: "" }),
  };
}
