import { expect, test } from "vitest";
import { canonicalWords, type OptionSpec } from "./getopt.ts";

const SPECS: readonly OptionSpec[] = [
  { short: "-f", long: "--use-file", value: "required" },
  { short: "-D", long: "--log-detail", value: "none" },
  { short: "-l", long: "--log-console", value: "none" },
  { short: "-n", long: "--dont-fork", value: "none" },
  { short: "-t", long: "--config-test", value: "optional" },
  { short: null, long: "--signum", value: "required" },
];

const read = (line: string) => canonicalWords(line.split(" "), SPECS);

test.each([
  ["-Dln", ["--log-detail", "--log-console", "--dont-fork"]],
  ["-f /etc/k.conf -n", ["--use-file=/etc/k.conf", "--dont-fork"]],
  ["-f/etc/k.conf", ["--use-file=/etc/k.conf"]],
  ["-nf /etc/k.conf", ["--dont-fork", "--use-file=/etc/k.conf"]],
  ["-t -f x", ["--config-test", "--use-file=x"]],
  ["-tlog -D", ["--config-test=log", "--log-detail"]],
  ["--config-test=log", ["--config-test=log"]],
  ["--use-file x --signum=JSON", ["--use-file=x", "--signum=JSON"]],
  ["--use x --dont", ["--use-file=x", "--dont-fork"]],
  ["-f -n", ["--use-file=-n"]],
])("%s", (line, options) => {
  expect(read(line)).toEqual({ options, operands: [] });
});

test("operands may stand anywhere, and everything behind -- is one", () => {
  expect(read("a -D b -- -n")).toEqual({ options: ["--log-detail"], operands: ["a", "b", "-n"] });
});

test.each([
  ["-z", "unknown option -z"],
  ["-Dz", "unknown option -z"],
  ["--bogus", "unknown option --bogus"],
  ["--log", "option --log is ambiguous"],
  ["--dont-fork=1", "option --dont-fork takes no value"],
  ["-f", "option -f lacks its value"],
  ["--signum", "option --signum lacks its value"],
])("%s is refused with keepalived's exit code", (line, message) => {
  expect(() => read(line)).toThrow(expect.objectContaining({ message, exitCode: 1 }));
});

test("a misspelt name brings the right one", () => {
  expect(() => read("--log-detial")).toThrow(expect.objectContaining({ remedy: "did you mean --log-detail?" }));
});
