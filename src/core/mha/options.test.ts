import { expect, test } from "vitest";
import { type CommandSpec, helpText, parseOptions } from "./options.ts";

const SPEC: CommandSpec = {
  name: "masterha_x",
  purpose: "tests",
  options: [
    { name: "conf", kind: "text", help: "file" },
    { name: "manager_log", kind: "text", aliases: ["log_output"], help: "log" },
    { name: "manager_workdir", kind: "text", help: "directory" },
    { name: "last_failover_minute", kind: "number", help: "minutes" },
    { name: "ignore_last_failover", kind: "flag", help: "go on" },
    { name: "secondary_host", kind: "list", help: "host" },
  ],
  exits: [[0, "done"]],
  example: "masterha_x --conf=a",
};

function read(...args: readonly string[]) {
  const result = parseOptions(SPEC, args);
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

test("values behind = or a blank, one dash or two, names shortened, lists collected", () => {
  const options = read(
    "--conf=/a=b",
    "-last_failover_minute",
    "5",
    "--ignore",
    "-s",
    "h1",
    "-s",
    "h2",
    "--log_output=x",
  );
  expect(options.text("conf")).toBe("/a=b");
  expect(options.number("last_failover_minute")).toBe(5);
  expect(options.flag("ignore_last_failover")).toBe(true);
  expect(options.list("secondary_host")).toEqual(["h1", "h2"]);
  expect(options.text("manager_log")).toBe("x");
  expect(options.number("nothing")).toBeNull();
});

test("what is unknown, unclear, without its value or no number is refused", () => {
  expect(() => read("--foo")).toThrow("unknown option --foo");
  expect(() => read("--manager=1")).toThrow("--manager is not clear: --manager_log, --manager_workdir");
  expect(() => read("--conf")).toThrow("--conf needs a value");
  expect(() => read("--last_failover_minute=soon")).toThrow("is a number");
  expect(() => read("word")).toThrow("unexpected: word");
});

test("the help names every option and exit code", () => {
  const text = helpText(SPEC);
  for (const { name } of SPEC.options) expect(text).toContain(`--${name}`);
  expect(text).toContain("0   done");
});
