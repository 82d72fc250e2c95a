import { expect, test } from "vitest";
import {
  applicationName,
  formatStatus,
  guardFiles,
  parseStatus,
  STATUS,
  type StatusWord,
  statusInWords,
} from "./status-file.ts";

test("the application is the file's name without its last extension", () => {
  expect(["/etc/mha/app1.cnf", "app.2.cnf", "plain"].map(applicationName)).toEqual(["app1", "app.2", "plain"]);
  expect(guardFiles("/var/tmp/", "app1").complete).toBe("/var/tmp/app1.failover.complete");
});

test("a status is read as it was written, and anything else is none", () => {
  const record = { pid: 77, word: "PING_OK", master: "db1" } as const;
  expect(formatStatus(record)).toBe("77\t0:PING_OK\tmaster:db1");
  expect(parseStatus(formatStatus(record))).toEqual(record);
  expect(parseStatus("77\t10:INITIALIZING_MONITOR")).toEqual({ pid: 77, word: "INITIALIZING_MONITOR", master: null });
  for (const broken of ["", "x\t0:PING_OK", "77\t1:PING_OK", "77\t0:toString"]) expect(parseStatus(broken)).toBeNull();
});

test("every word is said with its number", () => {
  for (const word of Object.keys(STATUS) as StatusWord[]) {
    expect(statusInWords("app1", word, { pid: 1, word, master: "db1" })).toContain(`${STATUS[word]}:${word}`);
  }
  expect(statusInWords("app1", "PING_OK", { pid: 5, word: "PING_OK", master: "db1" })).toBe(
    "app1 (pid:5) is running(0:PING_OK), master:db1",
  );
});
