/**
 * The client of the Redis demonstration, a program of its own because it runs in the client's network: every 20 ms one new connection and one
 * key, at most 250 ms per attempt. Each attempt ends as one JSON line; "ok" means that the server acknowledged the write. It ends when its
 * standard input closes.
 */
import { connect, type Socket } from "node:net";
import { wallClock } from "./clock.ts";

export interface RedisWriteRecord {
  readonly id: number;
  /** Unix time in milliseconds. */
  readonly start: number;
  readonly end: number;
  readonly ok: boolean;
  /** run_id of the server that was connected; null when there was none. */
  readonly server: string | null;
  readonly error: string | null;
}

const INTERVAL_MS = 20;
const LIMIT_MS = 250;
const MAX_IN_FLIGHT = 40;

/** Both commands in one packet: the answer names the server that has taken the write. */
const request = (id: number): string => `SET w:${id} ${id}\r\nINFO server\r\n`;

function attempt(id: number, host: string): Promise<RedisWriteRecord> {
  const start = wallClock();
  return new Promise((resolve) => {
    const socket: Socket = connect({ host, port: 6379 });
    let text = "";
    const finish = (error: string | null): void => {
      clearTimeout(timer);
      socket.destroy();
      const server = /run_id:([0-9a-f]+)/.exec(text)?.[1] ?? null;
      const ok = error === null && text.startsWith("+OK");
      resolve({ id, start, end: wallClock(), ok, server, error: ok ? null : (error ?? text.split("\r\n")[0] ?? "") });
    };
    const timer = setTimeout(() => finish("no answer in time"), LIMIT_MS);
    socket.setNoDelay(true);
    socket.on("connect", () => socket.write(request(id)));
    socket.on("data", (data: Buffer) => {
      text += data.toString("latin1");
      if (text.startsWith("-") || /run_id:[0-9a-f]{40}/.test(text)) finish(null);
    });
    socket.on("error", (error) => finish(error.message));
    socket.on("close", () => finish("closed"));
  });
}

function main(host: string, interval: number): void {
  let id = 0;
  let inFlight = 0;
  const timer = setInterval(() => {
    if (inFlight >= MAX_IN_FLIGHT) return;
    inFlight++;
    id++;
    void attempt(id, host).then((record) => {
      inFlight--;
      process.stdout.write(`${JSON.stringify(record)}\n`);
    });
  }, interval);
  process.stdin.resume();
  process.stdin.on("end", () => clearInterval(timer));
}

const [host = "", interval = String(INTERVAL_MS)] = process.argv.slice(2);
main(host, Number(interval));
