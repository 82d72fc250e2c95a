/**
 * The client of the demonstration, a program of its own because it runs in the client's network: every 20 ms one
 * new connection and one row, at most 250 ms per attempt. Each attempt ends as one JSON line; "ok" means that the
 * server acknowledged the commit. It ends when its standard input closes. Several that write at once need fifth arguments
 * that are far apart: their ids begin behind it.
 */
import { wallClock } from "./clock.ts";
import { SqlConnection } from "./sql-client.ts";

export interface WriteRecord {
  readonly id: number;
  /** Unix time in milliseconds. */
  readonly start: number;
  readonly end: number;
  readonly ok: boolean;
  /** server_id of the server that was connected; null when there was none. */
  readonly server: number | null;
  readonly error: string | null;
}

/** Unless the fourth argument says another. */
const INTERVAL_MS = 20;
const LIMIT_MS = 250;
const MAX_IN_FLIGHT = 40;

async function attempt(
  id: number,
  target: { readonly host: string; readonly user: string; readonly password: string },
): Promise<WriteRecord> {
  const start = wallClock();
  let server: number | null = null;
  let connection: SqlConnection | null = null;
  const left = () => Math.max(1, LIMIT_MS - (wallClock() - start));
  try {
    connection = await SqlConnection.open({ ...target, port: 3306 }, left());
    server = Number((await connection.query("SELECT @@server_id AS id", left()))[0]?.id);
    await connection.query(`INSERT INTO shop.orders (id, server) VALUES (${id}, ${server})`, left());
    return { id, start, end: wallClock(), ok: true, server, error: null };
  } catch (error) {
    return {
      id,
      start,
      end: wallClock(),
      ok: false,
      server,
      error: error instanceof Error ? error.message : String(error),
    };
  } finally {
    connection?.close();
  }
}

function main(
  target: { readonly host: string; readonly user: string; readonly password: string },
  { interval, behind }: { readonly interval: number; readonly behind: number },
): void {
  let id = behind;
  let inFlight = 0;
  const timer = setInterval(() => {
    if (inFlight >= MAX_IN_FLIGHT) return;
    inFlight++;
    id++;
    void attempt(id, target).then((record) => {
      inFlight--;
      process.stdout.write(`${JSON.stringify(record)}\n`);
    });
  }, interval);
  process.stdin.resume();
  process.stdin.on("end", () => clearInterval(timer));
}

const [host = "", user = "", password = "", interval = String(INTERVAL_MS), behind = "0"] = process.argv.slice(2);
main({ host, user, password }, { interval: Number(interval), behind: Number(behind) });
