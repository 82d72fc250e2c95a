/**
 * What a model server answers: the statements that core/mysql and the engine send to MariaDB 10.11, with the columns that they read. A
 * statement that is not known is an error 1064, so that a new one cannot pass unnoticed.
 */
import { err, ok } from "../../core/lib/result.ts";
import type { SqlRow } from "../../core/mysql/facts.ts";
import type { Answer, ModelServer, ServerSession } from "./server.ts";
import { gtidOf } from "./transactions.ts";

type Reply = (answer: Answer) => void;

interface Call {
  readonly server: ModelServer;
  readonly session: ServerSession;
  readonly reply: Reply;
  readonly words: RegExpExecArray;
}

type Handler = (call: Call) => void;

/** A receiver with a semi-sync plugin says farewell to its source; one that is gone is waited for (kill_conn_timeout). */
const FAREWELL = 1_000_000;

const onOff = (value: boolean): string => (value ? "1" : "0");

const rows =
  (make: (server: ModelServer) => readonly SqlRow[]): Handler =>
  ({ server, reply }) =>
    reply(ok(make(server)));

function closeForWrites({ server, reply }: Call): void {
  server.closing = true;
  server.whenNobodyWaits(() => {
    server.closing = false;
    server.readOnly = true;
    reply(ok([]));
  });
}

function openForWrites({ server, reply }: Call): void {
  server.readOnly = false;
  server.onOpened();
  reply(ok([]));
}

function stopReplica({ server, reply, words }: Call): void {
  const { receiver } = server;
  const what = threadOf(words[1]);
  const waits = what !== "sql" && receiver.io && !receiver.running && server.semiSync;
  receiver.stop(what);
  if (waits) server.after(FAREWELL, () => reply(ok([])));
  else reply(ok([]));
}

const threadOf = (word: string | undefined): "io" | "sql" | "both" =>
  word === undefined ? "both" : word.startsWith("IO") ? "io" : "sql";

function replicaStatus(server: ModelServer): readonly SqlRow[] {
  const { receiver } = server;
  const { source } = receiver;
  if (source === null) return [];
  return [
    {
      Connection_name: "",
      Master_Host: `192.0.2.${11 + source.node}`,
      Master_Port: "3306",
      Master_User: receiver.user,
      Master_Server_Id: String(source.id),
      Slave_IO_Running: receiver.io ? (receiver.running ? "Yes" : "Connecting") : "No",
      Slave_SQL_Running: receiver.sql ? "Yes" : "No",
      Seconds_Behind_Master: receiver.running && receiver.sql ? (receiver.drained ? "0" : "1") : null,
      Master_Log_File: `m${source.id}-bin.000001`,
      Read_Master_Log_Pos: String(4 + receiver.received),
      Relay_Master_Log_File: `m${source.id}-bin.000001`,
      Exec_Master_Log_Pos: String(4 + (receiver.drained ? receiver.received : receiver.executed)),
      Using_Gtid: "Slave_Pos",
      Last_IO_Errno: String(receiver.ioError?.number ?? 0),
      Last_IO_Error: receiver.ioError?.text ?? "",
      Last_SQL_Errno: String(receiver.sqlError?.number ?? 0),
      Last_SQL_Error: receiver.sqlError?.text ?? "",
    },
  ];
}

const hostOf = ({ from }: Pick<ServerSession, "from">): string => `192.0.2.${11 + from}`;

function processList(server: ModelServer): readonly SqlRow[] {
  return server.sessions.map(({ id, user, from }) => ({
    Id: String(id),
    User: user,
    Host: `${hostOf({ from })}:${40_000 + id}`,
    Command: user === "repl" ? "Binlog Dump" : "Sleep",
  }));
}

const named = (name: string, value: string): SqlRow => ({ Variable_name: name, Value: value });

const RUNS = "This operation cannot be performed as you have a running slave; run STOP SLAVE first";

const STATEMENTS: readonly (readonly [RegExp, Handler])[] = [
  [
    /^SELECT @@version AS/,
    rows(() => [{ version: "10.11.19-MariaDB-log", comment: "Debian 12", datadir: "/var/lib/mysql/", binlog: null }]),
  ],
  [
    /^SELECT @@global\.read_only/,
    rows((server) => [{ read_only: onOff(server.readOnly), innodb_read_only: "0", max_connections: "151" }]),
  ],
  [
    /^SELECT @@global\.server_id/,
    rows((server) => [
      {
        id: String(server.id),
        position: server.log.position,
        state: server.log.state,
        slave: server.receiver.slavePosition === null ? "" : gtidOf(server.receiver.slavePosition),
      },
    ]),
  ],
  [
    /^SHOW MASTER STATUS$/,
    ({ server, reply }) =>
      server.whenNobodyWaits(() =>
        reply(ok([{ File: `m${server.id}-bin.000001`, Position: String(4 + server.log.length) }])),
      ),
  ],
  [/^SHOW ALL SLAVES STATUS$/, rows(replicaStatus)],
  [
    /^SHOW GLOBAL VARIABLES WHERE Variable_name LIKE 'rpl_semi_sync%enabled' OR Variable_name = 'event_scheduler'$/,
    rows((server) => [
      named("rpl_semi_sync_master_enabled", server.semiSync ? "ON" : "OFF"),
      named("rpl_semi_sync_slave_enabled", "ON"),
      named("event_scheduler", "OFF"),
    ]),
  ],
  [
    /^SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync%/,
    rows((server) => [
      named("Rpl_semi_sync_master_clients", String(server.clients)),
      named("Rpl_semi_sync_master_wait_sessions", String(server.waitingCommits)),
      named("Rpl_semi_sync_master_yes_tx", String(server.acknowledgedCommits)),
    ]),
  ],
  [
    /^SHOW GLOBAL STATUS LIKE 'Threads_connected'$/,
    rows((server) => [named("Threads_connected", String(server.sessions.length))]),
  ],
  [/INNODB_TRX/, rows(() => [])],
  [/^SELECT USER\(\) AS user$/, ({ session, reply }) => reply(ok([{ user: `holdfast@${hostOf(session)}` }]))],
  [/^SHOW PROCESSLIST$/, rows(processList)],
  [
    /^KILL (\d+)$/,
    ({ server, reply, words }) =>
      reply(
        server.kill(Number(words[1]))
          ? ok([])
          : err({ kind: "server", number: 1094, detail: `Unknown thread id: ${words[1]}` }),
      ),
  ],
  [/^SET GLOBAL read_only = 1$/, closeForWrites],
  [/^SET GLOBAL read_only = 0$/, openForWrites],
  [
    /^SET GLOBAL rpl_semi_sync_master_enabled = ([01])$/,
    ({ server, reply, words }) => {
      server.setSemiSync(words[1] === "1");
      reply(ok([]));
    },
  ],
  [
    /^START SLAVE(?: (IO_THREAD|SQL_THREAD))?$/,
    ({ server, reply, words }) => {
      server.receiver.start(threadOf(words[1]));
      reply(ok([]));
    },
  ],
  [/^STOP SLAVE(?: (IO_THREAD|SQL_THREAD))?$/, stopReplica],
  [
    /^CHANGE MASTER TO MASTER_USER = '([^']*)'$/,
    ({ server, reply, words }) =>
      reply(server.receiver.changeUser(words[1] ?? "") ? ok([]) : err({ kind: "server", number: 1198, detail: RUNS })),
  ],
];

export function answer(server: ModelServer, session: ServerSession, sql: string, reply: Reply): void {
  for (const [form, handler] of STATEMENTS) {
    const words = form.exec(sql);
    if (words === null) continue;
    handler({ server, session, reply, words });
    return;
  }
  reply(err({ kind: "server", number: 1064, detail: `the model does not know: ${sql}` }));
}
