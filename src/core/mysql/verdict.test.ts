/** Rows of both products, and what they mean for a MASTER and for others. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { troubleInWords, troubleRemedy } from "../database/trouble.ts";
import type { MysqlRules } from "./config.ts";
import {
  carryLag,
  closedBy,
  connectionsOf,
  isOwnChannel,
  type MysqlFacts,
  type ReplicaFacts,
  replicaOf,
  type SqlRow,
} from "./facts.ts";
import { type SqlFailure, troubleOfFailure } from "./failure.ts";
import { judgeFacts, judgeTrouble } from "./verdict.ts";

const RULES: MysqlRules = {
  readOnly: "ignore",
  maxConnections: "ignore",
  brokenReplication: "standby",
  lag: "standby",
  maxLag: 30,
  minDiskFree: 1,
};
const FACTS: MysqlFacts = {
  version: { product: "mariadb", major: 10, minor: 11, patch: 18 },
  closedBy: null,
  connections: { used: 3, limit: 100 },
  replicas: [],
  blindFor: null,
  disks: [{ path: "/var/lib/mysql/", freeMib: 5_000 }],
};
const MARIADB: SqlRow = {
  Connection_name: "",
  Master_Host: "192.168.11.82",
  Master_Port: "3306",
  Slave_IO_Running: "Yes",
  Slave_SQL_Running: "Yes",
  Seconds_Behind_Master: "0",
  Last_IO_Errno: "0",
  Last_IO_Error: "",
  Last_SQL_Errno: "0",
  Last_SQL_Error: "",
};
const MYSQL: SqlRow = {
  Channel_Name: "",
  Source_Host: "192.168.11.82",
  Source_Port: "3306",
  Replica_IO_Running: "Yes",
  Replica_SQL_Running: "Yes",
  Seconds_Behind_Source: "0",
  Last_IO_Errno: "0",
  Last_IO_Error: "",
  Last_SQL_Errno: "0",
  Last_SQL_Error: "",
};

const judge = (facts: Partial<MysqlFacts>, rules: Partial<MysqlRules> = {}) => {
  const { always, standby } = judgeFacts({ ...FACTS, ...facts }, { ...RULES, ...rules });
  return { always: always?.kind ?? null, standby: standby?.kind ?? null };
};
const FINE = { always: null, standby: null };

test("a channel whose account is barred counts as stopped, whatever its threads try, and keeps its own account's name", () => {
  const tries = { Slave_IO_Running: "Connecting", Last_IO_Errno: "1045", Last_IO_Error: "Access denied for user" };
  const started = replicaOf({ ...MARIADB, ...tries, Master_User: "quarantined:repl" });
  expect(started).toMatchObject({ io: "stopped", sql: "stopped", ioError: null, user: "repl", barred: "runs" });
  const stands = { Replica_IO_Running: "No", Replica_SQL_Running: "No", Source_User: "quarantined:repl" };
  expect(replicaOf({ ...MYSQL, ...stands })).toMatchObject({ user: "repl", barred: "stands" });
  expect(replicaOf({ ...MARIADB, Master_User: "repl" }).barred).toBeUndefined();
});

test("both products' names mean the same facts", () => {
  expect(replicaOf(MARIADB)).toEqual(replicaOf(MYSQL));
  expect(replicaOf(MYSQL)).toMatchObject({ io: "running", sql: "running", lag: 0, source: "192.168.11.82:3306" });
});

test.each([
  [{ read_only: "0", super_read_only: "0" }, null],
  [{ read_only: "1", super_read_only: "1" }, "super_read_only"],
  [{ read_only: "1", super_read_only: "0" }, "read_only"],
  [{ read_only: "OFF" }, null],
  [{ read_only: "NO_LOCK_NO_ADMIN" }, "read_only"],
  [{ read_only: "0", offline_mode: "1" }, "offline_mode"],
])("of %o the writes are closed by %s", (settings, variable) => {
  expect(closedBy(settings)).toBe(variable);
});

test("numbers that are none are not known", () => {
  expect(connectionsOf({ max_connections: "100" }, { Value: "5" })).toEqual({ used: 5, limit: 100 });
  expect(connectionsOf({ max_connections: "100" }, undefined)).toBeNull();
  expect(replicaOf({ ...MARIADB, Seconds_Behind_Master: null }).lag).toBeNull();
});

test("a fine server is fine, and counts as it says otherwise", () => {
  expect(judge({ replicas: [replicaOf(MYSQL)] })).toEqual(FINE);
  expect(judge({ closedBy: "read_only" })).toEqual(FINE);
  expect(judge({ closedBy: "read_only" }, { readOnly: "fail" })).toEqual({ always: "read-only", standby: "read-only" });
  expect(judge({ connections: { used: 100, limit: 100 } })).toEqual(FINE);
  expect(judge({ connections: { used: 99, limit: 100 } }, { maxConnections: "fail" })).toEqual(FINE);
  expect(judge({ connections: { used: 100, limit: 100 } }, { maxConnections: "fail" }).always).toBe("connections");
  expect(judge({ connections: { used: 101, limit: 100 } }, { maxConnections: "fail" }).always).toBe("connections");
  expect(judge({ disks: [{ path: "/d", freeMib: 0 }] }).always).toBe("disk-full");
});

const broken = (over: SqlRow): readonly ReplicaFacts[] => [replicaOf({ ...MARIADB, ...over })];

test("replication that stands or fails makes unfit, it takes no MASTER away", () => {
  const unfit = { always: null, standby: "replication" };
  expect(judge({ replicas: broken({ Slave_SQL_Running: "No" }) })).toEqual(unfit);
  expect(judge({ replicas: broken({ Slave_IO_Running: "No" }) })).toEqual(unfit);
  expect(judge({ replicas: broken({ Slave_IO_Running: "No", Last_IO_Errno: "1236" }) })).toEqual(unfit);
  expect(judge({ replicas: broken({ Slave_SQL_Running: "No" }) }, { brokenReplication: "fail" }).always).toBe(
    "replication",
  );
  expect(judge({ replicas: broken({ Slave_SQL_Running: "No" }) }, { brokenReplication: "ignore" })).toEqual(FINE);
});

test("the statement that failed is not repeated: it may hold a password", () => {
  const error =
    "Error 'Plugin 'x' is not loaded' on query. Default database: ''. Query: 'CREATE USER 'u'@'%' IDENTIFIED BY 'Zq7''";
  const replicas = broken({ Slave_SQL_Running: "No", Last_SQL_Errno: "1524", Last_SQL_Error: error });
  const { standby } = judgeFacts({ ...FACTS, replicas }, RULES);
  expect(JSON.stringify(replicas)).not.toContain("Zq7");
  expect(standby === null ? "" : troubleInWords(standby)).toContain("error 1524: Error 'Plugin 'x' is not loaded'");
});

test("a source that cannot be reached breaks nothing: that is when the standby is needed", () => {
  const gone = { Slave_IO_Running: "Connecting", Last_IO_Errno: "2003", Seconds_Behind_Master: null };
  expect(judge({ replicas: broken(gone) })).toEqual(FINE);
  expect(judge({ replicas: broken({ Slave_IO_Running: "Preparing" }) })).toEqual(FINE);
});

test("max_lag itself is no lag yet; a lag that nobody knows is none", () => {
  expect(judge({ replicas: broken({ Seconds_Behind_Master: "30" }) })).toEqual(FINE);
  expect(judge({ replicas: broken({ Seconds_Behind_Master: "31" }) })).toEqual({ always: null, standby: "lagging" });
  expect(judge({ replicas: broken({ Seconds_Behind_Master: null }) })).toEqual(FINE);
});

const POSITIONS = {
  Master_Log_File: "bin.000002",
  Read_Master_Log_Pos: "900",
  Relay_Master_Log_File: "bin.000002",
  Exec_Master_Log_Pos: "900",
};
const GONE = { Slave_IO_Running: "Connecting", Last_IO_Errno: "2003", Seconds_Behind_Master: null };

test("a lag does not end with the source: it lasts until everything received is executed", () => {
  const lagged = broken({ ...POSITIONS, Exec_Master_Log_Pos: "100", Seconds_Behind_Master: "90" });
  const behind = carryLag(lagged, broken({ ...POSITIONS, ...GONE, Exec_Master_Log_Pos: "500" }));
  expect(judge({ replicas: behind })).toEqual({ always: null, standby: "lagging" });
  const still = carryLag(behind, broken({ ...POSITIONS, ...GONE, Relay_Master_Log_File: "bin.000001" }));
  expect(judge({ replicas: still }).standby).toBe("lagging");
  const drained = carryLag(still, broken({ ...POSITIONS, ...GONE }));
  expect(drained[0]?.lag).toBe(0);
  expect(judge({ replicas: drained })).toEqual(FINE);
});

test("nothing is carried to another channel, nor invented", () => {
  const lagged = broken({ Seconds_Behind_Master: "90" });
  expect(carryLag(lagged, broken({ ...GONE, Connection_name: "other" }))[0]?.lag).toBeNull();
  expect(carryLag([], broken(GONE))[0]?.lag).toBeNull();
  expect(carryLag(lagged, broken({ Seconds_Behind_Master: "3" }))[0]?.lag).toBe(3);
});

test("channels of group replication are none that somebody could mend", () => {
  expect(isOwnChannel(replicaOf({ ...MYSQL, Channel_Name: "group_replication_recovery" }))).toBe(false);
  expect(isOwnChannel(replicaOf({ ...MYSQL, Channel_Name: "ring" }))).toBe(true);
});

test("an applier without a disk is a full disk, whatever replication counts", () => {
  const text = "Error writing file 'binlog' (Errcode: 28 \"No space left on device\")";
  const replicas = broken({ Slave_SQL_Running: "No", Last_SQL_Errno: "1026", Last_SQL_Error: text });
  expect(judge({ replicas }, { brokenReplication: "ignore" }).always).toBe("disk-full");
});

test("without the privilege to see replication nobody is called fit", () => {
  const blindFor = { privilege: "SLAVE MONITOR", detail: "error 1227" };
  expect(judge({ blindFor })).toEqual({ always: null, standby: "grants" });
  expect(judge({ blindFor }, { brokenReplication: "ignore", lag: "ignore" })).toEqual(FINE);
});

const server = (number: number): SqlFailure => ({ kind: "server", number, detail: "text" });
const network = (code: string): SqlFailure => ({ kind: "network", code, detail: `connect ${code}` });
const known = { wasUp: false, processStarts: false };

test.each([
  [server(1045), known, "denied"],
  [server(1130), known, "denied"],
  [server(1698), known, "denied"],
  [server(1040), known, "connections"],
  [server(1203), known, "connections"],
  [server(1053), known, "stopping"],
  [server(1021), known, "disk-full"],
  [server(1227), known, "grants"],
  [server(1064), known, "error"],
  [network("ECONNREFUSED"), known, "refused"],
  [network("ENOENT"), known, "refused"],
  [network("ECONNREFUSED"), { wasUp: true, processStarts: null }, "dead"],
  [network("ECONNREFUSED"), { wasUp: false, processStarts: true }, "starting"],
  [network("EHOSTUNREACH"), { wasUp: true, processStarts: null }, "unreachable"],
  [network("ENOTFOUND"), known, "unreachable"],
] as const)("%o with %o is %s", (failure, context, kind) => {
  expect(troubleOfFailure(failure, context).kind).toBe(kind);
});

test("only a server that is gone is certain; one without a free connection is alive unless the file says otherwise", () => {
  expect(judgeTrouble({ kind: "dead", detail: "" }, RULES)).toMatchObject({ certain: true, always: { kind: "dead" } });
  expect(judgeTrouble({ kind: "timeout", phase: "query", afterMillis: 1 }, RULES).certain).toBe(false);
  const taken = troubleOfFailure(server(1040), known);
  expect(judgeTrouble(taken, RULES).always).toBeNull();
  expect(judgeTrouble(taken, { ...RULES, maxConnections: "fail" }).always?.kind).toBe("connections");
});

const text = fc.string({ maxLength: 20 });
const anyRow = fc.dictionary(
  fc.constantFrom(...Object.keys({ ...MARIADB, ...MYSQL })),
  fc.option(text),
) as fc.Arbitrary<SqlRow>;
const anyCounts = fc.constantFrom("ignore", "standby", "fail" as const);

test("whatever a server says is judged; what fails a MASTER fails a standby; every trouble has words and a remedy", () => {
  const anyRules = fc.record({ brokenReplication: anyCounts, lag: anyCounts }) as fc.Arbitrary<Partial<MysqlRules>>;
  fc.assert(
    fc.property(
      fc.array(anyRow, { maxLength: 3 }),
      fc.dictionary(text, fc.option(text)),
      anyRules,
      (rows, settings, rules) => {
        const facts = { ...FACTS, replicas: rows.map(replicaOf), closedBy: closedBy(settings) };
        const verdict = judgeFacts(facts, { ...RULES, ...rules });
        if (verdict.always !== null) expect(verdict.standby).toBe(verdict.always);
        for (const { trouble } of verdict.findings) {
          expect(troubleInWords(trouble)).not.toMatch(/undefined|null|NaN/);
          expect(troubleRemedy(trouble)).not.toBe("");
        }
      },
    ),
  );
});

test("of a managed server a thread that stands without an error is told and counts for nobody; one with an error does", () => {
  const replica = { ...replicaOf(MARIADB), sql: "stopped", sqlError: null, ioError: null } as const;
  const managed = { ...RULES, managed: true };
  const standing = judgeFacts({ ...FACTS, replicas: [{ ...replica, io: "stopped" }] }, managed);
  expect(standing).toMatchObject({ always: null, standby: null, findings: [{ counts: "ignore" }] });
  // As a claim leaves it: the receiver was stopped while it tried to reach a dead source.
  const left = { ...replica, io: "stopped", ioError: { number: 2003, text: "error connecting to master" } } as const;
  expect(judgeFacts({ ...FACTS, replicas: [left] }, managed).standby).toBeNull();
  const purged = { ...replica, io: "stopped", ioError: { number: 1236, text: "Got fatal error 1236" } } as const;
  expect(judgeFacts({ ...FACTS, replicas: [purged] }, managed).standby).toMatchObject({ kind: "replication" });
  const broken = { ...replica, sqlError: { number: 1062, text: "Duplicate entry" } };
  expect(judgeFacts({ ...FACTS, replicas: [broken] }, managed).standby).toMatchObject({ kind: "replication" });
});
