import { expect, test } from "vitest";
import { parseProbe } from "./probe-options.ts";

const value = (...words: readonly string[]) => {
  const parsed = parseProbe(["mysql", ...words]);
  if (!parsed.ok || parsed.value === "help") throw new Error(JSON.stringify(parsed));
  return parsed.value;
};
const problem = (...words: readonly string[]): string => {
  const parsed = parseProbe(words);
  return parsed.ok ? "" : parsed.error;
};

test("the words of a checkMySQL.py line mean the same here: -h is the host", () => {
  expect(value("-h", "127.0.0.1", "-P", "3307")).toMatchObject({
    host: "127.0.0.1",
    port: 3307,
    socket: null,
    timeoutMillis: 2_000,
    rules: { readOnly: "ignore", brokenReplication: "ignore", lag: "ignore", maxConnections: "fail" },
  });
});

test("what counts is asked for", () => {
  expect(value("--writable", "--replication").rules).toMatchObject({
    readOnly: "fail",
    brokenReplication: "fail",
    lag: "ignore",
  });
  expect(value("--max-lag", "5").rules).toMatchObject({ brokenReplication: "fail", lag: "fail", maxLag: 5 });
});

test.each([["-pZq7"], ["-p"], ["--password=Zq7"], ["--passw", "Zq7"]])(
  "a password (%s) is refused and not repeated",
  (...words) => {
    expect(problem("mysql", ...words)).toContain("--defaults-file");
    expect(problem("mysql", ...words)).not.toContain("Zq7");
  },
);

test("help is --help, also without a word; other mistakes are named", () => {
  expect(parseProbe([])).toEqual({ ok: true, value: "help" });
  expect(parseProbe(["mysql", "--help"])).toEqual({ ok: true, value: "help" });
  expect(problem("redis")).toContain("known: mysql");
  expect(problem("mysql", "-P", "0")).toBe("--port takes a whole number from 1 to 65535");
  expect(problem("mysql", "--timeout", "soon")).toContain("--timeout takes a number");
  expect(problem("mysql", "--tls", "maybe")).toContain("verify-identity");
  expect(problem("mysql", "--nonsense")).toContain("--nonsense");
});
