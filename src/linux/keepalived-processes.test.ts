import { expect, test } from "vitest";
import { fileArgument } from "./keepalived-processes.ts";

test.each([
  [["-n", "-l", "-f", "/a"], "/a"],
  [["-f/a"], "/a"],
  [["-nf", "/a"], "/a"],
  [["--use-file", "/a"], "/a"],
  [["--use-file=/a"], "/a"],
  [["-D", "--log-console"], null],
])("the file of keepalived %j is %j", (words, file) => {
  expect(fileArgument(words)).toBe(file);
});
