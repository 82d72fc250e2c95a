import { expect, test } from "vitest";
import { memberOf } from "./member.ts";
import { positionsOf } from "./positions.ts";
import type { ServerVersion } from "./version.ts";

const MARIADB: ServerVersion = { product: "mariadb", major: 10, minor: 11, patch: 19 };
const MYSQL: ServerVersion = { product: "mysql", major: 8, minor: 4, patch: 0 };

test("each product's own names, and everything received is executed or not", () => {
  const mariadb = memberOf(MARIADB, [
    [{ read_only: "1", innodb_read_only: "0" }],
    [{ id: "2", position: "0-1-6", state: "0-1-6", slave: "0-1-6" }],
    [{ File: "m2-bin.000001", Position: "1831" }],
    [
      {
        Connection_name: "",
        Master_Host: "192.168.11.81",
        Master_Port: "3306",
        Slave_IO_Running: "Yes",
        Slave_SQL_Running: "Yes",
        Master_Log_File: "m1-bin.000002",
        Read_Master_Log_Pos: "900",
        Relay_Master_Log_File: "m1-bin.000002",
        Exec_Master_Log_Pos: "800",
        Seconds_Behind_Master: "3",
        Using_Gtid: "No",
      },
    ],
    [],
    [],
  ]);
  expect(positionsOf("127.0.0.1:3306", true, mariadb)).toMatchObject({
    version: "MariaDB 10.11.19",
    closedBy: "read_only",
    lines: [
      { name: "File:Position", value: "m2-bin.000001:1831" },
      { name: "gtid_binlog_pos", value: "0-1-6" },
      { name: "gtid_slave_pos", value: "0-1-6" },
    ],
    channels: [
      {
        source: "192.168.11.81:3306",
        drained: false,
        lag: 3,
        lines: [
          { name: "Master_Log_File:Read_Master_Log_Pos", value: "m1-bin.000002:900" },
          { name: "Relay_Master_Log_File:Exec_Master_Log_Pos", value: "m1-bin.000002:800" },
        ],
      },
    ],
  });
});

test("MySQL says source, and a server without a binary log has no position", () => {
  const mysql = memberOf(MYSQL, [
    [{ read_only: "0", innodb_read_only: "0", super_read_only: "0", offline_mode: "0" }],
    [
      {
        id: "1",
        mode: "ON",
        executed: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,\n8f0b1c7e-0000-4000-8000-0123456789ab:1",
      },
    ],
    [],
    [
      {
        Channel_Name: "ring",
        Source_Host: "db2",
        Source_Port: "3306",
        Replica_IO_Running: "No",
        Replica_SQL_Running: "No",
        Source_Log_File: "m2-bin.000001",
        Read_Source_Log_Pos: "4",
        Relay_Source_Log_File: "m2-bin.000001",
        Exec_Source_Log_Pos: "4",
        Auto_Position: "1",
      },
    ],
    [{ Variable_name: "rpl_semi_sync_source_enabled", Value: "ON" }],
    [{ Variable_name: "Rpl_semi_sync_source_clients", Value: "2" }],
  ]);
  expect(mysql).toMatchObject({ semiSync: { word: "source", enabled: true, clients: 2 }, channels: [{ gtid: true }] });
  expect(positionsOf("db1:3306", false, mysql)).toMatchObject({
    closedBy: null,
    lines: [
      { name: "File:Position", value: "none" },
      {
        name: "Executed_Gtid_Set",
        value: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,8f0b1c7e-0000-4000-8000-0123456789ab:1",
      },
    ],
    channels: [
      {
        channel: "ring",
        io: "stopped",
        drained: true,
        lines: [
          { name: "Source_Log_File:Read_Source_Log_Pos", value: "m2-bin.000001:4" },
          { name: "Relay_Source_Log_File:Exec_Source_Log_Pos", value: "m2-bin.000001:4" },
        ],
      },
    ],
  });
});
