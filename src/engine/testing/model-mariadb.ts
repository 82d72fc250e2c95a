/**
 * MariaDB servers in memory that answer the statements of a takeover and do what they are told: as much of a server as matters there, with
 * GTIDs of one domain. A server's receiver follows its source while that can be reached; what was received is executed by `work`.
 */
import { err, ok, type Result } from "../../core/lib/result.ts";
import type { SqlRow } from "../../core/mysql/facts.ts";
import type { SqlFailure } from "../../core/mysql/failure.ts";
import type { SqlPort, SqlTarget } from "../../ports/sql.ts";

export type Reach = "up" | "down" | "silent" | "locked";

export class ModelServer {
  readonly host: string;
  readonly id: number;
  reach: Reach = "up";
  readOnly = true;
  io = false;
  sql = true;
  source: ModelServer | null = null;
  /** Whom it logs in as there; only "repl" may. */
  user = "repl";
  /** What gtid_slave_pos was set to by hand. */
  passedOver = "";
  /** "server-number" of every transaction, in order. */
  readonly log: string[] = [];
  /** Received from the source and not executed yet. */
  readonly relay: string[] = [];
  /** Whom it may be told to follow. */
  sources: readonly ModelServer[] = [];
  /** What it asks for is no longer in its source's log. The source looks for it that many turns, and the receiver says meanwhile that it runs. */
  purged: { readonly turns: number } | null = null;
  ioErrno = 0;
  sqlErrno = 0;
  #looking = 0;
  /** Its own daemon is logged in. */
  watched = true;
  refusesSource = false;
  /** Another daemon gives the account back and starts the threads just before the next order that does so. */
  startedMeanwhile = false;
  /** Its account lacks the privilege. */
  refusesToOpen = false;
  /** What SHOW GRANTS answers; null: nothing. */
  grants: string | null = null;
  scheduler = false;
  refusesScheduler = false;
  /** Names of events that came by replication. */
  readonly foreignEvents: string[] = [];
  sessions = 0;
  /** Seconds that a transaction has been writing for; null when none does. */
  writingFor: number | null = null;
  /** Whatever is set hangs: a write that never ends. */
  hangs = false;
  readonly orders: string[] = [];

  constructor(host: string, id: number) {
    this.host = host;
    this.id = id;
  }

  /** A client's commit; false when it is refused. */
  write(): boolean {
    if (this.readOnly || this.reach === "down") return false;
    this.log.push(`${this.id}-${this.log.length + 1}`);
    return true;
  }

  receive(): void {
    const { source } = this;
    if (!this.io || source === null || source.reach !== "up" || this.user !== "repl") return;
    if (this.purged !== null) this.#refused(this.purged.turns);
    else for (const one of source.log) if (!this.log.includes(one) && !this.relay.includes(one)) this.relay.push(one);
  }

  #refused(turns: number): void {
    this.#looking += 1;
    if (this.#looking < turns) return;
    this.#looking = 0;
    this.io = false;
    this.ioErrno = 1236;
  }

  work(): void {
    if (this.sql) this.log.push(...this.relay.splice(0, 1));
  }

  #position(): string {
    const last = this.log.at(-1);
    return last === undefined ? "" : `0-${last}`;
  }

  #state(): string {
    const last = new Map<string, number>();
    for (const one of this.log) {
      const [server = "", number = "0"] = one.split("-");
      last.set(server, Math.max(last.get(server) ?? 0, Number(number)));
    }
    return [...last].map(([server, number]) => `0-${server}-${number}`).join(",");
  }

  #replica(): readonly SqlRow[] {
    const { source } = this;
    if (source === null) return [];
    const total = String(100 + this.log.length + this.relay.length);
    return [
      {
        Connection_name: "",
        Master_Host: source.host,
        Master_Port: "3306",
        Master_Server_Id: String(source.id),
        Master_User: this.user,
        Slave_IO_Running: this.io ? (source.reach === "up" && this.user === "repl" ? "Yes" : "Connecting") : "No",
        Slave_SQL_Running: this.sql ? "Yes" : "No",
        Master_Log_File: "bin.000001",
        Read_Master_Log_Pos: total,
        Relay_Master_Log_File: "bin.000001",
        Exec_Master_Log_Pos: String(100 + this.log.length),
        Using_Gtid: "Slave_Pos",
        Last_IO_Errno: String(this.ioErrno),
        Last_SQL_Errno: String(this.sqlErrno),
      },
    ];
  }

  #events(): readonly SqlRow[] {
    const head = { Pos: "4", Event_type: "Gtid_list", Server_id: String(this.id), End_log_pos: "100", Info: "[]" };
    const each = this.log.map((one, at) => {
      const [server = ""] = one.split("-");
      const info = `BEGIN GTID 0-${one}`;
      return { Pos: `${100 + at}`, Event_type: "Gtid", Server_id: server, End_log_pos: `${101 + at}`, Info: info };
    });
    return [head, ...each];
  }

  answer(sql: string): Result<readonly SqlRow[], SqlFailure> {
    if (sql.startsWith("SHOW")) return this.#show(sql);
    if (sql.startsWith("SELECT @@version"))
      return ok([{ version: "10.11.19-MariaDB", comment: "", datadir: null, binlog: null }]);
    if (sql.startsWith("SELECT @@global.read_only"))
      return ok([{ read_only: this.readOnly ? "1" : "0", innodb_read_only: "0" }]);
    if (sql.startsWith("SELECT @@global.server_id")) {
      return ok([
        {
          id: String(this.id),
          position: this.#position(),
          state: this.#state(),
          slave: this.passedOver || this.#position(),
        },
      ]);
    }
    if (sql.startsWith("SELECT @@global.log_slave_updates")) return ok([{ value: "1" }]);
    if (sql.includes("INNODB_TRX"))
      return ok(this.writingFor === null ? [] : [{ thread: "77", seconds: String(this.writingFor) }]);
    if (sql.includes("information_schema.EVENTS"))
      return ok(this.foreignEvents.map((name) => ({ place: "shop", name, definer: "admin@localhost" })));
    if (sql.startsWith("SELECT @@global.gtid_slave_pos")) return ok([{ position: this.#position() }]);
    if (sql.startsWith("SELECT MASTER_GTID_WAIT")) return ok([{ done: "0" }]);
    if (sql === "SELECT USER() AS user") return ok([{ user: "holdfast@localhost" }]);
    return this.#order(sql);
  }

  #show(sql: string): Result<readonly SqlRow[], SqlFailure> {
    if (sql === "SHOW BINARY LOGS") return ok([{ Log_name: "bin.000001" }]);
    if (sql.startsWith("SHOW BINLOG EVENTS")) return ok(this.#events());
    if (sql === "SHOW MASTER STATUS") return ok([{ File: "bin.000001", Position: String(100 + this.log.length) }]);
    if (sql === "SHOW ALL SLAVES STATUS") return ok(this.#replica());
    if (sql === "SHOW GRANTS" && this.grants !== null) return ok([{ Grants: `GRANT ${this.grants} ON *.* TO x` }]);
    if (sql.startsWith("SHOW GLOBAL VARIABLES"))
      return ok([{ Variable_name: "event_scheduler", Value: this.scheduler ? "ON" : "OFF" }]);
    if (sql !== "SHOW PROCESSLIST") return ok([]);
    return ok([
      ...Array.from({ length: this.sessions }, (_, at) => ({ Id: String(at + 1), User: "app", Command: "Sleep" })),
      ...(this.watched ? [{ Id: "900", User: "holdfast", Host: "127.0.0.1:4000", Command: "Sleep" }] : []),
    ]);
  }

  /** A start of the server: replication starts by itself. */
  restart(): void {
    this.readOnly = true;
    this.sessions = 0;
    Object.assign(this, { io: this.source !== null, sql: this.source !== null });
  }

  #changeUser(user: string): Result<readonly SqlRow[], SqlFailure> {
    if (this.startedMeanwhile) Object.assign(this, { user, io: true, sql: true, startedMeanwhile: false });
    if (this.io || this.sql) return err({ kind: "server", number: 1198, detail: "run STOP SLAVE first" });
    this.user = user;
    this.relay.length = 0;
    return ok([]);
  }

  #changeSource(sql: string): Result<readonly SqlRow[], SqlFailure> {
    const source = this.refusesSource ? undefined : this.sources.find(({ host }) => sql.includes(`'${host}'`));
    if (source === undefined) return err({ kind: "server", number: 1227, detail: "Access denied" });
    this.source = source;
    return ok([]);
  }

  #order(sql: string): Result<readonly SqlRow[], SqlFailure> {
    this.orders.push(sql);
    const effect = EFFECTS[sql];
    if (sql.includes("event_scheduler") && this.refusesScheduler) return err(DENIED);
    if (sql === "SET GLOBAL read_only = 0" && this.refusesToOpen) return err(DENIED);
    if (sql.startsWith("CHANGE MASTER TO MASTER_HOST")) return this.#changeSource(sql);
    const user = /^CHANGE MASTER TO MASTER_USER = '([^']*)'$/.exec(sql)?.[1];
    if (user !== undefined) return this.#changeUser(user);
    if (sql.startsWith("KILL")) {
      this.sessions -= 1;
      this.hangs = false;
    } else if (sql.startsWith("ALTER DEFINER")) this.foreignEvents.length = 0;
    else if (effect !== undefined) effect(this);
    else return err({ kind: "server", number: 1064, detail: `the model does not know: ${sql}` });
    return ok([]);
  }
}

const DENIED: SqlFailure = { kind: "server", number: 1227, detail: "Access denied" };

const EFFECTS: Readonly<Record<string, (server: ModelServer) => void>> = {
  "SET GLOBAL read_only = 1": (server) => {
    server.readOnly = true;
  },
  "SET GLOBAL read_only = 0": (server) => {
    server.readOnly = false;
  },
  "SET GLOBAL event_scheduler = ON": (server) => {
    server.scheduler = true;
  },
  "SET GLOBAL event_scheduler = OFF": (server) => {
    server.scheduler = false;
  },
  "STOP SLAVE IO_THREAD": (server) => {
    server.io = false;
  },
  "START SLAVE IO_THREAD": (server) => {
    server.io = true;
  },
  "STOP SLAVE SQL_THREAD": (server) => {
    server.sql = false;
  },
  "START SLAVE SQL_THREAD": (server) => {
    server.sql = true;
  },
  "STOP SLAVE": (server) => {
    server.io = false;
    server.sql = false;
  },
  "CHANGE MASTER TO MASTER_DEMOTE_TO_SLAVE = 1": (server) => {
    server.purged = null;
  },
  "START SLAVE": (server) => {
    server.io = true;
    server.ioErrno = 0;
    server.sql = true;
  },
};

export interface ModelNetwork extends SqlPort {
  /** Before each answer. */
  onStatement: (server: ModelServer, sql: string) => void;
}

/** `own` is who answers at 127.0.0.1. */
export function modelNetwork(own: ModelServer, servers: readonly ModelServer[]): ModelNetwork {
  const failures: Readonly<Record<Exclude<Reach, "up">, SqlFailure>> = {
    down: { kind: "network", code: "ECONNREFUSED", detail: "connect ECONNREFUSED" },
    silent: { kind: "timeout", phase: "connect", afterMillis: 1_000 },
    locked: { kind: "server", number: 1045, detail: "Access denied" },
  };
  const network: ModelNetwork = {
    onStatement: () => undefined,
    open: async ({ address }: SqlTarget) => {
      const server = address.host === "127.0.0.1" ? own : servers.find(({ host }) => host === address.host);
      if (server === undefined) return err(failures.silent);
      if (server.reach !== "up") return err(failures[server.reach]);
      return ok({
        query: async (sql: string, timeoutMillis: number) => {
          if (server.reach !== "up") return err<SqlFailure>({ kind: "lost", detail: "closed by the server" });
          network.onStatement(server, sql);
          if (server.hangs && sql === "SET GLOBAL read_only = 1") {
            return err<SqlFailure>({ kind: "timeout", phase: "query", afterMillis: timeoutMillis });
          }
          return server.answer(sql);
        },
        close: () => undefined,
      });
    },
  };
  return network;
}
