/**
 * The reading client of `holdfast lab demo lvs`, a program of its own because it runs in the client's network: one new connection and one
 * question at a time, again and again. Each attempt ends as one JSON line. It ends when its standard input closes.
 */
import { wallClock } from "./clock.ts";
import { SqlConnection } from "./sql-client.ts";

export interface ReadRecord {
  /** Unix time in milliseconds. */
  readonly start: number;
  readonly end: number;
  readonly ok: boolean;
  /** server_id of the server that answered; null when none did. */
  readonly server: number | null;
  /** How old the newest row was that it showed, seconds. */
  readonly age: number | null;
  readonly error: string | null;
}

const LIMIT_MS = 2_000;
const QUESTION =
  "SELECT @@server_id AS server, TIMESTAMPDIFF(MICROSECOND, at, NOW(6)) / 1e6 AS age FROM shop.orders ORDER BY id DESC LIMIT 1";

interface Target {
  readonly host: string;
  readonly user: string;
  readonly password: string;
}

async function attempt(target: Target): Promise<ReadRecord> {
  const start = wallClock();
  let connection: SqlConnection | null = null;
  const left = () => Math.max(1, LIMIT_MS - (wallClock() - start));
  try {
    connection = await SqlConnection.open({ ...target, port: 3306 }, left());
    const row = (await connection.query(QUESTION, left()))[0];
    return { start, end: wallClock(), ok: true, server: Number(row?.server), age: Number(row?.age), error: null };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { start, end: wallClock(), ok: false, server: null, age: null, error: text };
  } finally {
    connection?.close();
  }
}

async function main(target: Target, pauseMs: number): Promise<void> {
  let reading = true;
  process.stdin.resume();
  process.stdin.on("end", () => {
    reading = false;
  });
  while (reading) {
    process.stdout.write(`${JSON.stringify(await attempt(target))}\n`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

const [host = "", user = "", password = "", pause = "20"] = process.argv.slice(2);
await main({ host, user, password }, Number(pause));
