import { describe, expect, it, test } from "vitest";
import type { MemberFacts } from "./member.ts";
import {
  attachStatements,
  cloneStatement,
  copiedPosition,
  keptSource,
  neededMib,
  placesOf,
  stateAt,
} from "./reseed.ts";

const rows = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([name, value]) => ({ Variable_name: name, Value: value }));

describe("where a server's data are", () => {
  it("is one directory, or says what leads out of it", () => {
    expect(
      placesOf(
        rows({
          datadir: "/var/lib/mysql/",
          log_bin_basename: "/var/lib/mysql/m1-bin",
          relay_log_basename: "/var/log/mysql/relay",
          innodb_log_group_home_dir: "./",
          innodb_undo_directory: "/var/lib/mysql2",
        }),
      ),
    ).toEqual({
      data: "/var/lib/mysql",
      binlog: null,
      relay: "/var/log/mysql/relay",
      elsewhere: ["innodb_undo_directory"],
    });
    expect(placesOf(rows({}))).toBeNull();
  });

  it("needs more room than the tables alone", () => {
    expect(neededMib(0)).toBeGreaterThan(100);
    expect(neededMib(1024 ** 3)).toBeGreaterThan(1_024 * 1.1);
  });
});

test("a copy says from where it is: file, offset, GTIDs", () => {
  expect(copiedPosition("m2-bin.000002\t4711\t0-2-9,1-2-3\n")).toEqual({
    at: { file: "m2-bin.000002", offset: 4711 },
    gtid: "0-2-9,1-2-3",
  });
  expect(copiedPosition("m2-bin.000002\t4711")?.gtid).toBe("");
  expect(copiedPosition("")).toBeNull();
});

test("the copy's state is the writer's at that place: others' last numbers before it, nothing that came later", () => {
  const writer = {
    gtids: { product: "mariadb", position: "0-2-20", binlogState: "0-1-7,0-3-15,0-2-20,1-1-4", slavePos: "" },
  } as unknown as MemberFacts;
  expect(stateAt(writer, "0-2-12")).toBe("0-1-7\n0-2-12\n");
  // Nothing written since the takeover: the last one is still the old master's.
  expect(stateAt(writer, "0-1-7,1-1-4")).toBe("0-1-7\n1-1-4\n");
});

/** As MariaDB 10.11 writes it, shortened. */
const MASTER_INFO = "33\nm2-bin.000001\n1831\n192.0.2.2\nrepl\npa'ss\n3306\n2\n0\n\n\n\n\n\n0\n1.000\n\n0\n\n86400\n";

describe("the account of the old server", () => {
  it("is read from its master.info, with TLS where that was on", () => {
    expect(keptSource(MASTER_INFO)).toEqual({ user: "repl", password: "pa'ss", ssl: null });
    const secure = MASTER_INFO.replace(
      "3306\n2\n0\n\n\n\n\n\n0\n",
      "3306\n2\n1\n/ca.pem\n\n/cert.pem\n\n/key.pem\n1\n",
    );
    expect(keptSource(secure)?.ssl).toEqual({ ca: "/ca.pem", cert: "/cert.pem", key: "/key.pem", verify: true });
    expect(keptSource(MASTER_INFO.replace("repl", "quarantined:repl"))?.user).toBe("repl");
    expect(keptSource("")).toBeNull();
  });

  it("attaches by GTID or by position, and is quoted", () => {
    const source = { user: "repl", password: "pa'ss", ssl: null };
    const at = { file: "m2-bin.000002", offset: 4711 };
    const byGtid = attachStatements({ host: "192.0.2.2", port: 3306, source, gtid: "0-2-9", at });
    expect(byGtid[0]).toBe("SET GLOBAL gtid_slave_pos = '0-2-9'");
    expect(byGtid[1]).toContain("MASTER_PASSWORD = 'pa''ss'");
    expect(byGtid[1]).toContain("MASTER_USE_GTID = slave_pos");
    const byPosition = attachStatements({ host: "192.0.2.2", port: 3306, source, gtid: null, at });
    expect(byPosition).toHaveLength(2);
    expect(byPosition[0]).toContain("MASTER_LOG_FILE = 'm2-bin.000002', MASTER_LOG_POS = 4711, MASTER_USE_GTID = no");
  });
});

test("a clone goes into a directory of its own, never over the data", () => {
  const statement = cloneStatement({ user: "u", password: "p'", host: "h", port: 3306, directory: "/data.copy/data" });
  expect(statement).toBe("CLONE INSTANCE FROM 'u'@'h':3306 IDENTIFIED BY 'p''' DATA DIRECTORY = '/data.copy/data'");
});
