/** Small servers on the loopback that behave well, badly or not at all, and a way to run one checker against them once. */

import { createSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { createRedisPort } from "../../adapters/redis/client.ts";
import { loadConfig } from "../../core/config/load.ts";
import { memorySource } from "../../core/config/memory-source.ts";
import type { TimedChecker } from "../../core/lvs/checking.ts";
import { CheckerRunner } from "../../engine/checkers/checker-runner.ts";
import type { ProbeContext } from "../../engine/checkers/probe.ts";
import { createArena } from "../../linux/arena.ts";
import { createBackgroundPoll } from "../../linux/background-poll.ts";
import { createProbePort } from "../../linux/probe-port.ts";
import { createSpawner } from "../../linux/spawn.ts";
import { createTimers } from "../../linux/timers.ts";
import { PLAIN_POLICY } from "../../ports/spawner.ts";
import type { SqlPort } from "../../ports/sql.ts";

const arena = createArena();

export const NO_SQL: SqlPort = { open: () => Promise.resolve({ ok: false, error: { kind: "setup", detail: "none" } }) };

export function context(changes: Partial<ProbeContext> = {}): ProbeContext {
  return {
    port: PORT,
    commands: { spawner: createSpawner(arena, null), timers: createTimers() },
    sql: NO_SQL,
    redis: createRedisPort(),
    random: Math.random,
    policy: PLAIN_POLICY,
    tls: { ca: null, certificate: null, key: null, passphrase: null },
    ...changes,
  };
}

const PORT = createProbePort(arena, createBackgroundPoll(arena));

/** The checker block against 127.0.0.1 and that port. */
export function checkerOf(block: string, port: number): TimedChecker {
  const text = `virtual_server 192.0.2.1 80 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\nconnect_timeout 0.4\nwarmup 0\nreal_server 127.0.0.1 ${port} {\n${block}\n}\n}\n`;
  const [one] =
    loadConfig(memorySource({ "/k.conf": text }), "/k.conf").config.lvs.servers[0]?.realServers[0]?.checkers ?? [];
  if (one === undefined || one.kind === "file") throw new Error(`no checker in ${text}`);
  return one;
}

/** What its first run finds. */
export function firstFinding(block: string, port: number, changes: Partial<ProbeContext> = {}): Promise<string> {
  const ran = context(changes);
  return new Promise((resolve) => {
    const runner: CheckerRunner = new CheckerRunner(
      {
        context: () => ran,
        publish: () => undefined,
        verdict: (_runner, _verdict, finding) => {
          setImmediate(() => runner.end());
          resolve(JSON.stringify(finding));
        },
        weigh: () => undefined,
      },
      { checker: checkerOf(block, port), place: { service: "VS", server: "RS", weight: 1 }, enabled: true },
    );
  });
}

export interface Opened {
  readonly port: number;
  close(): void;
}

/** A TCP server; `serve` is called with each connection. */
export function tcpServer(serve: (socket: Socket) => void): Promise<Opened> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    serve(socket);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve({
        port: (server.address() as { port: number }).port,
        close() {
          for (const socket of sockets) socket.destroy();
          server.close();
        },
      });
    });
  });
}

export function udpServer(answer: (bytes: Buffer) => Buffer | null): Promise<Opened> {
  const server = createSocket("udp4");
  server.on("message", (bytes, { port, address }) => {
    const reply = answer(bytes);
    if (reply !== null) server.send(reply, port, address);
  });
  return new Promise((resolve) => {
    server.bind(0, "127.0.0.1", () => resolve({ port: server.address().port, close: () => server.close() }));
  });
}

/** A port where nobody listens: it was somebody's a moment ago. */
export async function freePort(): Promise<number> {
  const server = await tcpServer(() => undefined);
  server.close();
  return server.port;
}
