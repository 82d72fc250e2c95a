// Fetching a tail with a model of the own server's channel: whatever happens, the channel ends where it belongs.
import { crc32 } from "node:zlib";
import { beforeEach, expect, it } from "vitest";
import { err, ok } from "../core/lib/result.ts";
import { after, elapsed, millis, seconds } from "../core/lib/units.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import type { SqlRow } from "../core/mysql/facts.ts";
import { SERVER_RUNS } from "../core/mysql/home.ts";
import { LogFileModel } from "../core/mysql/tail.suite.ts";
import { tailNote } from "../core/mysql/tail-note.ts";
import type { SqlPort } from "../ports/sql.ts";
import type { SourceOffer, TailQuestion } from "../ports/tail.ts";
import { MysqlMember } from "./mysql-member.ts";
import { TAIL_BYTES_MAX, TailFetch } from "./mysql-tail.ts";
import { createVirtualTimers, type VirtualTimers } from "./testing/virtual-timers.ts";

const WRITER = "192.0.2.1";
const log = new LogFileModel(crc32, { file: "bin.000001" });
log.transaction(7);
const from = log.transaction(8);
const further = log.transaction(9);
const end = log.bytes.length;

/** A MariaDB standby with one channel, that executes whatever a source on the loopback interface offers. */
class Standby {
  place = { host: WRITER, port: 3306, file: "bin.000001", offset: from };
  running = false;
  offered: SourceOffer | null = null;
  sqlErrno = 0;
  stuck = false;
  /** Statements that fail, by their first words. */
  readonly fails: string[] = [];
  readonly orders: string[] = [];
  /** Milliseconds that the last STOP was given. */
  patience = 0;
  readonly position = "0-1-7";

  get executed(): number {
    if (this.running && this.place.host === "127.0.0.1" && this.offered !== null && !this.stuck && this.sqlErrno === 0)
      this.place.offset = this.offered.tail.end.offset;
    return this.place.offset;
  }

  readonly sql: SqlPort = {
    open: async () =>
      ok({ query: async (text: string, millis: number) => this.#answer(text, millis), close: () => undefined }),
  };

  #answer(text: string, patience: number) {
    if (text.startsWith("STOP")) this.patience = patience;
    if (/^(CHANGE|START|STOP)/.test(text)) this.orders.push(text);
    if (this.fails.some((one) => text.startsWith(one)))
      return err({ kind: "server", number: 1, detail: "no" } as never);
    const host = /MASTER_HOST = '([^']*)'/.exec(text)?.[1];
    if (host !== undefined) {
      const port = Number(/MASTER_PORT = (\d+)/.exec(text)?.[1]);
      const file = /MASTER_LOG_FILE = '([^']*)'/.exec(text)?.[1] ?? "";
      const offset = Number(/MASTER_LOG_POS = (\d+)/.exec(text)?.[1]);
      this.place = { host, port, file, offset };
    }
    if (text.startsWith("START")) this.running = true;
    if (text.startsWith("STOP")) this.running = false;
    return ok(this.#rows(text));
  }

  #rows(text: string): readonly SqlRow[] {
    if (text.includes("@@version_comment"))
      return [
        { version: "10.11.18-MariaDB", comment: "", datadir: "/data/", binlog: "/data/own", logs: null, id: "2" },
      ];
    if (text.includes("gtid_binlog_pos"))
      return [{ id: "2", position: this.position, state: this.position, slave: this.position }];
    if (!text.startsWith("SHOW ALL SLAVES")) return [{}];
    const { host, port, file } = this.place;
    const at = String(this.executed);
    return [
      {
        ...{ Connection_name: "", Master_Host: host, Master_Port: String(port), Master_Server_Id: "1" },
        Slave_IO_Running: this.running ? "Yes" : "No",
        Slave_SQL_Running: this.running && this.sqlErrno === 0 ? "Yes" : "No",
        ...{ Master_Log_File: file, Read_Master_Log_Pos: at, Relay_Master_Log_File: file, Exec_Master_Log_Pos: at },
        ...{ Using_Gtid: "Slave_Pos", Master_SSL_Allowed: "Yes", Last_IO_Errno: "0" },
        ...{ Last_SQL_Errno: String(this.sqlErrno), Last_SQL_Error: "duplicate" },
      },
    ];
  }
}

let standby: Standby;
let timers: VirtualTimers;
let notes: Map<string, string>;
let asked: TailQuestion[];
let files: ReadonlyMap<string, { readonly bytes: Uint8Array; readonly next: string | null }>;
let silent: string | null;
let open: number;
let connects: boolean;
let down: boolean;
beforeEach(() => {
  standby = new Standby();
  timers = createVirtualTimers();
  notes = new Map();
  asked = [];
  files = new Map([["bin.000001", { bytes: log.bytes, next: null }]]);
  silent = null;
  open = 0;
  connects = true;
  down = true;
});

function tailFetch() {
  const address = { socket: null, host: "127.0.0.1", port: 3306, reservedPort: null };
  const config = {
    ...{ name: "orders", address, credentials: null, tls: { mode: "off", ca: null, cert: null, key: null } },
    ...{ connectTimeout: seconds(1), timeout: seconds(1) },
  } as unknown as MysqlConfig;
  const member = new MysqlMember(standby.sql, address, config);
  const host = {
    timers,
    records: {
      read: async (name: string) => notes.get(name) ?? null,
      write: async (name: string, text: string) => {
        notes.set(name, text);
        return null;
      },
      remove: async (name: string) => void notes.delete(name),
    },
    tails: {
      crc32,
      keepers: {
        ask: async (question: TailQuestion) => {
          asked.push(question);
          const file = files.get(question.file);
          if (silent !== null || file === undefined) return err(silent ?? `no ${question.file}`);
          const data = file.bytes.subarray(question.offset, question.offset + question.length);
          return ok({ data, size: file.bytes.length, next: file.next });
        },
      },
      sources: {
        open: async (offer: SourceOffer) => {
          standby.offered = offer;
          open++;
          const port = 40_000;
          return ok({ host: "127.0.0.1", port, connected: () => connects, problem: () => null, refuse: () => void 0 });
        },
        close: (port: number) => {
          expect([port, standby.place.host]).toEqual([40_000, expect.not.stringContaining("127.")]);
          open--;
        },
      },
    },
  };
  return { fetch: new TailFetch(host, config, member), member };
}

async function run(cancelled = () => false) {
  const { fetch, member } = tailFetch();
  const own = await member.facts();
  if (!own.ok) throw new Error("it answers");
  const [channel] = own.value.channels;
  if (channel === undefined) throw new Error("it has a channel");
  const deadline = after(timers.now(), seconds(10));
  const order = { channel, own: own.value, deadline, cancelled, isDown: async () => down };
  let done = false;
  const running = fetch.run(order).finally(() => {
    done = true;
  });
  for (let step = 0; !done && step < 2_000; step++) {
    await timers.advance(millis(10));
  }
  return await running;
}

const words = async (): Promise<string> => {
  const outcome = await run();
  return outcome.ok ? outcome.value.words : `error: ${outcome.error}`;
};
const HOME = { host: WRITER, port: 3306, file: "bin.000001" };

type Files = typeof files;
const oneFile = (bytes: Uint8Array, next: string | null = null): Files => new Map([["bin.000001", { bytes, next }]]);

it("the channel receives the tail and is pointed back with the coordinates of its end", async () => {
  expect(await run()).toEqual({
    ok: true,
    value: { words: `2 transactions, up to bin.000001:${end}`, end: { file: "bin.000001", offset: end } },
  });
  expect(standby.place).toEqual({ ...HOME, offset: end });
  expect(standby.orders).toEqual([
    `CHANGE MASTER TO MASTER_SSL = 0, MASTER_USE_GTID = slave_pos, MASTER_HOST = '127.0.0.1', MASTER_PORT = 40000, MASTER_LOG_FILE = 'bin.000001', MASTER_LOG_POS = ${from}`,
    "START SLAVE",
    "STOP SLAVE",
    `CHANGE MASTER TO MASTER_SSL = 1, MASTER_USE_GTID = slave_pos, MASTER_HOST = '${WRITER}', MASTER_PORT = 3306, MASTER_LOG_FILE = 'bin.000001', MASTER_LOG_POS = ${end}`,
  ]);
  expect([standby.running, notes.size, open]).toEqual([false, 0, 0]);
  expect(asked[0]).toMatchObject({ group: "orders", serverId: "1", file: "bin.000001", offset: 0 });
  expect(standby.offered).toMatchObject({ product: "mariadb", gtid: true, dataDirectory: "/data/" });
});

it("half a transaction at the end is said", async () => {
  files = oneFile(log.bytes.subarray(0, end - 10));
  expect(await words()).toBe(`1 transaction, up to bin.000001:${further}; half a transaction at its end is left out`);
});

it("nothing is touched when there is nothing more", async () => {
  standby.place.offset = end;
  expect(await words()).toBe("it has sent everything");
  expect(standby.orders).toEqual([]);
});

const damaged = (): Uint8Array => {
  const bytes = log.bytes.slice();
  bytes[from + 25] = 99;
  return bytes;
};

const endless = { length: TAIL_BYTES_MAX * 2, subarray: () => log.bytes } as unknown as Uint8Array;

it.each([
  ["no daemon answers", { says: "no daemon is reached" }, "NOT DONE: no daemon is reached"],
  ["a damaged log", { read: oneFile(damaged()) }, "a wrong checksum"],
  ["a hole", { at: further }, "does not join on"],
  ["less than was received", { at: end + 5_000 }, "more of it was received"],
  ["files without an end", { read: oneFile(log.bytes, "bin.000001") }, "more than 100 files"],
  ["more than a tail", { read: oneFile(endless) }, "more than 16 MiB"],
])("nothing is touched with %s", async (_name, scene: { says?: string; read?: Files; at?: number }, message) => {
  silent = scene.says ?? null;
  files = scene.read ?? files;
  standby.place.offset = scene.at ?? standby.place.offset;
  expect(await words()).toContain(message);
  expect([standby.orders, notes.size]).toEqual([[], 0]);
});

it("an error of the applier, or too little time, is told and the channel is pointed back to what is executed", async () => {
  standby.sqlErrno = 1062;
  expect(await words()).toMatch(/^NOT DONE: error 1062: duplicate \(of 2 transactions/);
  expect(standby.place).toEqual({ ...HOME, offset: from });
  standby.sqlErrno = 0;
  standby.stuck = true;
  expect(await words()).toContain("NOT DONE: it was not executed in time");
  expect(standby.place).toEqual({ ...HOME, offset: from });
  expect([notes.size, open]).toEqual([0, 0]);
});

it("a claim that is not wanted any more points back, too", async () => {
  standby.stuck = true;
  expect(await run(() => standby.running)).toMatchObject({
    value: { words: expect.stringContaining("not wanted any more"), end: { offset: from } },
  });
  expect(standby.place).toEqual({ ...HOME, offset: from });
  const before = [asked.length, standby.orders.length];
  expect(await run(() => true)).toMatchObject({ value: { end: null } });
  expect([asked.length, standby.orders.length]).toEqual(before);
});

it("a channel that cannot be pointed back is an error and stays noted; the next run points it back", async () => {
  standby.fails.push("STOP");
  const failed = await run();
  expect(failed).toMatchObject({ ok: false, error: expect.stringContaining(`pointed back to ${WRITER}:3306`) });
  expect([standby.place.host, notes.has(tailNote("orders"))]).toEqual(["127.0.0.1", true]);
  expect(await tailFetch().fetch.settle()).toContain("pointed back");
  standby.fails.length = 0;
  expect(await tailFetch().fetch.settle()).toBeNull();
  expect(standby.place).toEqual({ ...HOME, offset: end });
  expect(notes.size).toBe(0);
});

it("a statement that is being executed has the rest of the claim's time to end, and the port stays taken until the channel is back", async () => {
  standby.stuck = true;
  standby.fails.push("STOP");
  await run(() => standby.running);
  expect([standby.patience > 9_000, open]).toEqual([true, 1]);
  standby.fails.length = 0;
  expect(await tailFetch().fetch.isUnsettled()).toBe(true);
  expect(await tailFetch().fetch.settle()).toBeNull();
  expect([await tailFetch().fetch.isUnsettled(), open]).toEqual([false, 0]);
});

it("a dead server of which a process is there is asked for again, until that is gone or it is up", async () => {
  silent = `the daemon on ${WRITER} does not give the log: ${SERVER_RUNS}`;
  const ended = timers.schedule(millis(900), () => {
    silent = null;
  });
  expect(await words()).toBe(`2 transactions, up to bin.000001:${end}`);
  ended.cancel();
  standby.place = { ...HOME, offset: from };
  silent = `the daemon on ${WRITER} does not give the log: ${SERVER_RUNS}`;
  timers.schedule(millis(900), () => {
    down = false;
  });
  expect(await words()).toBe("NOT DONE: it is not down any more");
  down = true;
  const before = timers.now();
  expect(await words()).toContain(SERVER_RUNS);
  expect(elapsed(before, timers.now())).toBeGreaterThan(seconds(6));
});

it("a server that does not connect is not waited for", async () => {
  connects = false;
  standby.stuck = true;
  const before = timers.now();
  expect(await words()).toContain("NOT DONE: the own server did not connect");
  expect(elapsed(before, timers.now())).toBeLessThan(seconds(2));
  expect(standby.place).toEqual({ ...HOME, offset: from });
});

it("a channel that somebody has pointed elsewhere meanwhile is left alone", async () => {
  standby.fails.push("STOP");
  await run();
  standby.place = { host: "192.0.2.9", port: 3306, file: "other.000001", offset: 4 };
  const before = standby.orders.length;
  expect(await tailFetch().fetch.settle()).toBeNull();
  expect([standby.orders.length, notes.size]).toEqual([before, 0]);
});
