import { expect, test } from "vitest";
import { type Change, replica, server } from "./testing/servers.ts";
import { filterProblem, missingServer, type Seen, sortServers, treeInWords } from "./topology.ts";

const dead = (name: string, change: Change = {}): Seen => ({
  server: server(name, change),
  facts: null,
  masterIp: null,
});
const master = (change: Change = {}): Seen => replica("db1", { master: null, readOnly: false, ...change });

function sorted(...seen: readonly Seen[]) {
  const result = sortServers(seen);
  if (!result.ok) throw new Error(result.error);
  return result.value;
}
const refused = (...seen: readonly Seen[]): string => {
  const result = sortServers(seen);
  return result.ok ? "" : result.error;
};
const names = (list: readonly Seen[]): string => list.map((one) => one.server.hostname).join(" ");

test("the master is whom the replicas follow, alive or dead", () => {
  expect(sorted(master(), replica("db2"), replica("db3")).master.server.hostname).toBe("db1");
  const topology = sorted(dead("db1"), replica("db2"), replica("db3"));
  expect(topology.master.facts).toBeNull();
  expect(names(topology.slaves)).toBe("db2 db3");
  expect(treeInWords(topology)).toEqual(["db1(db1:3306) (current master)", " +--db2(db2:3306)", " +--db3(db3:3306)"]);
});

test("servers that make no topology are refused by name", () => {
  expect(refused(dead("db1"))).toContain("no alive server");
  expect(refused(master(), replica("db2", { master: null }))).toContain("2 non-slave servers");
  expect(refused(master())).toContain("not any alive slave");
  expect(refused(replica("db2", { master: "elsewhere" }))).toContain(
    "elsewhere:3306 from which slave db2(db2:3306) replicates is not defined",
  );
  expect(refused(master(), replica("db2", { sqlError: "error 1062" }))).toContain("no alive slave");
});

test("a replica of a replica is refused, or left alone with multi_tier_slave", () => {
  expect(refused(master(), replica("db2"), replica("db3", { master: "db2" }))).toContain(
    "replicates from db2:3306, but real master is db1",
  );
  const topology = sorted(master(), replica("db2"), replica("db3", { master: "db2", multiTier: true }));
  expect(names(topology.unmanaged)).toBe("db3");
  expect(names(topology.slaves)).toBe("db2");
  const after = sorted(
    dead("db1"),
    replica("db2", { readOnly: false }),
    replica("db3", { master: "db2", multiTier: true }),
  );
  expect(after.master.server.hostname).toBe("db1");
});

test("two masters: the one that takes writes leads; both or none of them is refused", () => {
  const ring = (one: boolean, two: boolean) => [
    replica("db1", { master: "db2", readOnly: one }),
    replica("db2", { readOnly: two }),
    replica("db3"),
  ];
  const topology = sorted(...ring(false, true));
  expect(topology).toMatchObject({ multiMaster: true, master: { server: { hostname: "db1" } } });
  expect(names(topology.slaves)).toBe("db2 db3");
  expect(refused(...ring(true, true))).toContain("all of them are read-only");
  expect(refused(...ring(false, false))).toContain("two or more masters are either writable or dead");
});

test("a dead or broken server stops everything unless it may fail", () => {
  const gone = sorted(dead("db1"), replica("db2"), dead("db3"));
  expect(missingServer(gone, true)).toContain("db3(db3:3306) is dead, but must be alive");
  const excused = sorted(dead("db1"), replica("db2"), dead("db3", { ignoreFail: true }));
  expect(missingServer(excused, true)).toBeNull();
  expect(missingServer(excused, false)).toContain("db3");
  const broken = sorted(dead("db1"), replica("db2"), replica("db3", { sqlError: "error 1062: duplicate" }));
  expect(names(broken.failed)).toBe("db3");
  expect(missingServer(broken, true)).toContain("error 1062: duplicate");
});

test("filters that differ are found, equal ones are fine", () => {
  const filters = ["Replicate_Do_DB: shop"];
  expect(filterProblem(sorted(master(), replica("db2", { filters }), replica("db3", { filters })))).toBeNull();
  expect(filterProblem(sorted(master(), replica("db2", { filters }), replica("db3")))).toContain("check failed on db3");
});

test("GTIDs are used when every replica goes by them", () => {
  expect(sorted(master(), replica("db2"), replica("db3")).mode).toBe("gtid");
  expect(sorted(master(), replica("db2"), replica("db3", { byGtid: false })).mode).toBe("position");
});

test("MySQL: GTIDs that replicas do not go by are used unless use_gtid_auto_pos=0 says otherwise", () => {
  const mode = (useGtidAutoPos: boolean) => {
    const change = { mysql: true, byGtid: false, useGtidAutoPos };
    return sorted(master({ mysql: true }), replica("db2", change), replica("db3", change)).mode;
  };
  expect(mode(true)).toBe("gtid");
  expect(mode(false)).toBe("position");
});
