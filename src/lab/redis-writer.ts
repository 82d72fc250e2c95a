/**
 * The client of the Redis demonstration, a program of its own because it runs in the client's network: every 20 ms one new connection and one
 * key, at most 250 ms per attempt. Each attempt ends as one JSON line; "ok" means that the server acknowledged the write. It ends when its
 * standard input closes. `sentinel:HOST,HOST` instead of a host asks them where to write. The third argument begins the names of its keys.
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
const request = (id: number): string => `SET ${prefix}:${id} ${id}\r\nINFO server\r\n`;

interface Asked {
  readonly text: string;
  /** Null when `done` found the answer whole. */
  readonly problem: string | null;
}

/** One connection, one question; ends when the answer is whole, or by the deadline. */
function ask(
  { host, port }: { readonly host: string; readonly port: number },
  question: string,
  { done, limit }: { readonly done: (text: string) => boolean; readonly limit: number },
): Promise<Asked> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ host, port });
    let text = "";
    const finish = (problem: string | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, problem });
    };
    const timer = setTimeout(() => finish("no answer in time"), limit);
    socket.setNoDelay(true);
    socket.on("connect", () => socket.write(question));
    socket.on("data", (data: Buffer) => {
      text += data.toString("latin1");
      if (text.startsWith("-") || done(text)) finish(null);
    });
    socket.on("error", (error) => finish(error.message));
    socket.on("close", () => finish("closed"));
  });
}

/** As a Sentinel-aware client: who is the master is asked before every write, of each in turn. */
async function masterOf(sentinels: readonly string[], id: number, limit: number): Promise<string | null> {
  const sentinel = sentinels[id % sentinels.length] ?? "";
  const question = "SENTINEL GET-MASTER-ADDR-BY-NAME cache\r\n";
  const { text } = await ask({ host: sentinel, port: 26_379 }, question, {
    done: (said) => said.split("\r\n").length > 5,
    limit: limit / 2,
  });
  return /\r\n(\d+\.\d+\.\d+\.\d+)\r\n/.exec(text)?.[1] ?? null;
}

async function attempt(id: number, target: string): Promise<RedisWriteRecord> {
  const start = wallClock();
  const sentinels = target.startsWith("sentinel:") ? target.slice("sentinel:".length).split(",") : null;
  const host = sentinels === null ? target : await masterOf(sentinels, id, LIMIT_MS);
  if (host === null) return { id, start, end: wallClock(), ok: false, server: null, error: "no sentinel answers" };
  const left = Math.max(1, LIMIT_MS - (wallClock() - start));
  const whole = (text: string): boolean => /run_id:[0-9a-f]{40}/.test(text);
  const { text, problem } = await ask({ host, port: 6_379 }, request(id), { done: whole, limit: left });
  const server = /run_id:([0-9a-f]+)/.exec(text)?.[1] ?? null;
  const ok = problem === null && text.startsWith("+OK");
  return { id, start, end: wallClock(), ok, server, error: ok ? null : (problem ?? text.split("\r\n")[0] ?? "") };
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

const [host = "", interval = String(INTERVAL_MS), prefix = "w"] = process.argv.slice(2);
main(host, Number(interval));
