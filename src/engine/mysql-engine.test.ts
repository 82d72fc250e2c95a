/** Looks at a fake server in virtual time: when, how often, and what the keeper is told. */
import { expect, test } from "vitest";
import type { DatabaseStanding } from "../core/database/standing.ts";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { err, ok } from "../core/lib/result.ts";
import { instant, millis } from "../core/lib/units.ts";
import type { SqlRow } from "../core/mysql/facts.ts";
import type { SqlFailure } from "../core/mysql/failure.ts";
import type { SqlPort } from "../ports/sql.ts";
import { createMysqlEngine } from "./mysql-engine.ts";
import { configOf } from "./testing/configs.ts";
import { createVirtualTimers } from "./testing/virtual-timers.ts";

const REFUSED: SqlFailure = { kind: "network", code: "ECONNREFUSED", detail: "connect ECONNREFUSED" };
const INSTANCE = "interface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.1\n}\ntrack_mysql {\norders\n}\n";
const configWith = (lines: string) => configOf(`mysql orders {\n${lines}\n}\nvrrp_instance V {\n${INSTANCE}}`);

/** A server that does as it is told. */
class FakeServer implements SqlPort {
  /** Ports that were connected to, in order. */
  readonly opened: number[] = [];
  readonly statements: string[] = [];
  refuses: (port: number) => SqlFailure | null = () => null;
  /** Milliseconds until an answer. */
  hangs = false;
  settings: SqlRow = { read_only: "0", innodb_read_only: "0", max_connections: "100" };
  replica: SqlRow | SqlFailure = { Slave_IO_Running: "Yes", Slave_SQL_Running: "Yes", Seconds_Behind_Master: "0" };
  /** Ends the connection in use, as the server does. */
  lose: () => void = () => undefined;
  readonly #timers: ReturnType<typeof createVirtualTimers>;

  constructor(timers: ReturnType<typeof createVirtualTimers>) {
    this.#timers = timers;
  }

  async open({ address }: Parameters<SqlPort["open"]>[0], onLost: (detail: string) => void) {
    this.opened.push(address.port);
    const refused = this.refuses(address.port);
    if (refused !== null) return err(refused);
    let closed = false;
    this.lose = () => {
      if (!closed) onLost("closed by the server");
      closed = true;
    };
    return ok({
      query: async (sql: string, timeoutMillis: number) => {
        this.statements.push(sql);
        if (closed) return err<SqlFailure>({ kind: "lost", detail: "closed" });
        if (this.hangs) {
          await new Promise<void>((resolve) => this.#timers.schedule(millis(timeoutMillis), resolve));
          return err<SqlFailure>({ kind: "timeout", phase: "query", afterMillis: timeoutMillis });
        }
        return this.#answer(sql);
      },
      close: () => {
        closed = true;
      },
    });
  }

  #answer(sql: string) {
    if (sql.startsWith("SELECT @@version")) {
      return ok([{ version: "10.11.18-MariaDB", comment: "", datadir: "/var/lib/mysql/", binlog: null }]);
    }
    if (sql.startsWith("SHOW GLOBAL")) return ok([{ Variable_name: "Threads_connected", Value: "1" }]);
    if (!sql.startsWith("SHOW ALL")) return ok([this.settings]);
    return "kind" in this.replica ? err(this.replica as SqlFailure) : ok([this.replica as SqlRow]);
  }
}

function bench(lines = "fall 2\ninterval 10") {
  const timers = createVirtualTimers();
  const server = new FakeServer(timers);
  const told: Readonly<Record<string, DatabaseStanding>>[] = [];
  const published: HoldfastEventBody[] = [];
  const host = { free: 5_000 as number | null, starts: false };
  const engine = createMysqlEngine({
    sql: server,
    host: { freeMib: async () => host.free, serverStarts: () => host.starts },
    timers,
    publish: (body) => published.push(body),
    tell: (standings) => told.push(standings),
  });
  engine.configure(configWith(lines));
  return { timers, server, told, published, host, engine };
}

const kinds = (told: readonly Readonly<Record<string, DatabaseStanding>>[]) =>
  told.map(({ orders }) => [orders?.always?.kind ?? null, orders?.standby?.kind ?? null]);
const FINE = [null, null];

test("one connection is kept: a look is three statements, and nothing is told while nothing changes", async () => {
  const { timers, server, told } = bench();
  await timers.advance(millis(35_000));
  expect(server.opened).toEqual([3306]);
  expect(server.statements).toHaveLength(1 + 4 * 3);
  expect(kinds(told)).toEqual([FINE]);
});

test("a broken connection is looked after at once: whoever comes back is fine, whoever is gone is dead without `fall`", async () => {
  const { timers, server, told, published, engine } = bench();
  await timers.advance(millis(1_000));
  server.lose();
  await timers.advance(millis(1));
  expect(server.opened).toEqual([3306, 3306]);
  expect(kinds(told)).toEqual([FINE]);

  server.refuses = () => REFUSED;
  server.lose();
  await timers.advance(millis(1));
  expect(kinds(told)).toEqual([FINE, ["dead", "dead"]]);
  expect(published.at(-1)).toMatchObject({
    kind: "mysql",
    name: "orders",
    standing: "failed",
    server: "127.0.0.1:3306",
  });
  // How it went is the cause as long as nobody listens.
  await timers.advance(millis(30_000));
  expect(engine.status()[0]?.trouble?.kind).toBe("dead");
  expect(kinds(told)).toHaveLength(2);
});

test("a trouble from elsewhere has its own beginning, and the server's own comes back after it", async () => {
  const { timers, engine } = bench();
  await timers.advance(millis(20_000));
  const fine = engine.status()[0]?.since;
  const since = instant(timers.now() - millis(2_000));
  engine.override("orders", { kind: "isolated", forMillis: 2_000 }, since);
  expect(engine.status()[0]).toMatchObject({ trouble: { kind: "isolated" }, since });
  await timers.advance(millis(5_000));
  expect(engine.status()[0]?.since).toBe(since);
  engine.override("orders", null);
  expect(engine.status()[0]).toMatchObject({ trouble: null, since: fine });
});

test("a dying server that still accepts and drops is asked again until it is gone", async () => {
  const { timers, server, told } = bench();
  await timers.advance(millis(1_000));
  let tries = 0;
  server.refuses = () => (++tries < 4 ? { kind: "lost", detail: "reset" } : REFUSED);
  server.lose();
  await timers.advance(millis(100));
  expect(kinds(told)).toEqual([FINE, ["dead", "dead"]]);
});

test("without a connection it is tried every second, and what it does meanwhile has its own cause", async () => {
  const { timers, server, told, host } = bench();
  await timers.advance(millis(1_000));
  server.refuses = () => REFUSED;
  server.lose();
  host.starts = true;
  await timers.advance(millis(1_100));
  host.starts = false;
  await timers.advance(millis(1_000));
  server.refuses = () => null;
  await timers.advance(millis(1_000));
  expect(kinds(told)).toEqual([FINE, ["dead", "dead"], ["starting", "starting"], ["refused", "refused"], FINE]);
});

test("a hang is bounded: interval, timeout of the statement, timeout of the attempt to come back", async () => {
  const { timers, server, told } = bench("fall 2\ninterval 2\ntimeout 1");
  await timers.advance(millis(100));
  server.hangs = true;
  await timers.advance(millis(1_900 + 1_000 + 900));
  expect(kinds(told)).toEqual([FINE]);
  await timers.advance(millis(200));
  expect(kinds(told)).toEqual([FINE, ["timeout", "timeout"]]);
  server.hangs = false;
  await timers.advance(millis(1_100));
  expect(kinds(told).at(-1)).toEqual(FINE);
});

test("one slow answer is none", async () => {
  const { timers, server, told } = bench("fall 2\ninterval 2\ntimeout 1");
  await timers.advance(millis(100));
  server.hangs = true;
  await timers.advance(millis(2_000));
  server.hangs = false;
  await timers.advance(millis(10_000));
  expect(kinds(told)).toEqual([FINE]);
});

test("the reserved port serves where the ordinary one has no connection left", async () => {
  const { timers, server, engine } = bench("reserved_port 3307\non_max_connections fail");
  server.refuses = (port) => (port === 3306 ? { kind: "server", number: 1040, detail: "Too many connections" } : null);
  await timers.advance(millis(100));
  expect(server.opened).toEqual([3306, 3307]);
  expect(engine.status()[0]).toMatchObject({ standing: "ok", version: "MariaDB 10.11.18" });
});

test("broken replication makes unfit; a missing privilege is named", async () => {
  const { timers, server, told, engine } = bench("fall 1\ninterval 1");
  server.replica = { Slave_IO_Running: "Yes", Slave_SQL_Running: "No" };
  await timers.advance(millis(100));
  expect(kinds(told)).toEqual([[null, "replication"]]);
  server.replica = { kind: "server", number: 1227, detail: "Access denied" };
  await timers.advance(millis(1_000));
  expect(engine.status()[0]?.trouble).toMatchObject({ kind: "grants", privilege: "SLAVE MONITOR" });
});

test("a full disk is seen on this host only", async () => {
  const { timers, told, host } = bench("fall 1\ninterval 1");
  host.free = 0;
  await timers.advance(millis(100));
  expect(kinds(told)).toEqual([["disk-full", "disk-full"]]);
  const remote = bench("server 192.0.2.7\nfall 1\ninterval 1");
  remote.host.free = 0;
  await remote.timers.advance(millis(100));
  expect(kinds(remote.told)).toEqual([FINE]);
});

test("a reload keeps what is unchanged, replaces what is not, and forgets what nobody tracks", async () => {
  const { timers, server, engine } = bench();
  await timers.advance(millis(100));
  engine.configure(configWith("\nfall 2\ninterval 10"));
  await timers.advance(millis(100));
  expect(server.opened).toHaveLength(1);
  engine.configure(configWith("interval 5"));
  await timers.advance(millis(100));
  expect(server.opened).toHaveLength(2);
  engine.configure(configOf("mysql orders {\n}\n"));
  await timers.advance(millis(60_000));
  expect(server.opened).toHaveLength(2);
  expect(engine.standings()).toEqual({});
});

test("after the end nothing is told any more, whatever was under way", async () => {
  const { timers, server, told, engine } = bench("interval 1\ntimeout 1");
  server.hangs = true;
  await timers.advance(millis(100));
  engine.stop();
  await timers.advance(millis(10_000));
  expect(told).toEqual([]);
});
