import fc from "fast-check";
import { expect, test } from "vitest";
import {
  atLeast,
  parseServerVersion,
  replicaPrivilege,
  replicaStatement,
  type ServerVersion,
  settingsStatement,
  versionInWords,
} from "./version.ts";

const version = (text: string, comment = ""): ServerVersion => {
  const parsed = parseServerVersion(text, comment);
  if (parsed === null) throw new Error(text);
  return parsed;
};

test.each([
  ["10.11.18-MariaDB-0+deb12u1-log", "Debian 12", "MariaDB 10.11.18"],
  ["5.5.5-10.4.30-MariaDB", "", "MariaDB 10.4.30"],
  ["11.8.2", "mariadb.org binary distribution MariaDB", "MariaDB 11.8.2"],
  ["8.0.46-0ubuntu0.22.04.5", "(Ubuntu)", "MySQL 8.0.46"],
  ["9.7.4-2", "(Debian)", "MySQL 9.7.4"],
  ["8.0.36-28", "Percona Server (GPL), Release 28", "MySQL 8.0.36"],
])("%s of %s is %s", (text, comment, words) => {
  expect(versionInWords(version(text, comment))).toBe(words);
});

test("a text without a number is no version", () => {
  expect(parseServerVersion("", "MariaDB")).toBeNull();
  expect(parseServerVersion("unknown", "")).toBeNull();
});

test.each([
  ["5.7.44", "SHOW SLAVE STATUS"],
  ["8.0.21", "SHOW SLAVE STATUS"],
  ["8.0.22", "SHOW REPLICA STATUS"],
  ["8.4.0", "SHOW REPLICA STATUS"],
  ["9.7.4", "SHOW REPLICA STATUS"],
  ["10.0.0", "SHOW REPLICA STATUS"],
  ["10.11.18-MariaDB", "SHOW ALL SLAVES STATUS"],
])("%s is asked with %s", (text, statement) => {
  expect(replicaStatement(version(text))).toBe(statement);
});

test("variables that a server does not have are not asked for", () => {
  expect(settingsStatement(version("10.11.18-MariaDB"))).not.toMatch(/super_read_only|offline_mode/);
  expect(settingsStatement(version("5.6.51"))).not.toMatch(/super_read_only|offline_mode/);
  expect(settingsStatement(version("9.7.4"))).toMatch(/super_read_only.*offline_mode/);
});

test("the missing privilege is named as that server names it", () => {
  expect(replicaPrivilege(version("10.11.18-MariaDB"))).toBe("SLAVE MONITOR");
  expect(replicaPrivilege(version("10.4.30-MariaDB"))).toBe("REPLICATION CLIENT");
  expect(replicaPrivilege(version("9.7.4"))).toBe("REPLICATION CLIENT");
});

test("versions compare as numbers, digit by digit never", () => {
  const part = fc.nat(200);
  const triple = fc.tuple(part, part, part);
  fc.assert(
    fc.property(triple, triple, (one, other) => {
      const difference = one.map((value, at) => value - (other[at] ?? 0)).find((value) => value !== 0) ?? 0;
      expect(atLeast(version(one.join(".")), ...other)).toBe(difference >= 0);
    }),
  );
});
