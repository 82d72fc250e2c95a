import { expect, test } from "vitest";
import { loadConfig } from "../config/load.ts";
import { memorySource } from "../config/memory-source.ts";
import { type CheckingState, initialChecking, recordCheck, type TimedChecker } from "./checking.ts";

function checker(block: string): TimedChecker {
  const text = `virtual_server 192.0.2.1 80 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\ndelay_loop 10\nreal_server 192.0.2.10 80 {\n${block}\n}\n}\n`;
  const [one] =
    loadConfig(memorySource({ "/k.conf": text }), "/k.conf").config.lvs.servers[0]?.realServers[0]?.checkers ?? [];
  if (one === undefined || one.kind === "file") throw new Error("no checker");
  return one;
}

/** Each letter a check: + or -. Answers "delay" and, when the pool hears of it, "up" or "down(retries)". */
function run(one: TimedChecker, results: string, from: CheckingState = initialChecking(one)): readonly string[] {
  let state = from;
  return [...results].map((sign) => {
    const step = recordCheck(one, state, sign === "+");
    state = step.state;
    const news = step.verdict === null ? "" : step.verdict.up ? " up" : ` down(${step.verdict.afterRetries ?? ""})`;
    return `${step.delay / 1e6}${news}`;
  });
}

const TCP = "TCP_CHECK {\nretry 2\ndelay_before_retry 1\n}";

test("the very first failure decides, later ones after their retries", () => {
  expect(run(checker(TCP), "-+")).toEqual(["10 down()", "10 up"]);
  expect(run(checker(TCP), "+---")).toEqual(["10 up", "1", "1", "10 down(2)"]);
  expect(run(checker(TCP), "+--+---")).toEqual(["10 up", "1", "1", "10", "1", "1", "10 down(2)"]);
});

test("TCP_CHECK goes through its retries also while it is down, PING_CHECK does not", () => {
  expect(run(checker(TCP), "-----+")).toEqual(["10 down()", "1", "1", "10", "1", "10 up"]);
  expect(run(checker("PING_CHECK {\nretry 2\ndelay_before_retry 1\n}"), "----+")).toEqual([
    "10 down()",
    "10",
    "10",
    "10",
    "10 up",
  ]);
});

test("DNS_CHECK has three retries, a loop apart; MISC_CHECK none", () => {
  expect(run(checker("DNS_CHECK {\n}"), "+----")).toEqual(["10 up", "10", "10", "10", "10 down(3)"]);
  expect(run(checker("MISC_CHECK {\nmisc_path /bin/x\n}"), "+-")).toEqual(["10 up", "10 down()"]);
});

const url = (path: string) => `url {\npath ${path}\n}\n`;

test("all pages must pass; after a failed one has passed, all are fetched again", () => {
  const two = checker(`HTTP_GET {\nretry 1\ndelay_before_retry 2\n${url("/a")}${url("/b")}}`);
  expect(run(two, "++")).toEqual(["10", "10 up"]);
  // the second page fails, its retry as well; then that page alone, then both
  expect(run(two, "+++--")).toEqual(["10", "10 up", "10", "2", "10 down(1)"]);
  expect(run(two, "+++---+++")).toEqual(["10", "10 up", "10", "2", "10 down(1)", "10", "10", "10", "10 up"]);
});

test("fast_recovery does not wait between the pages of a server that comes back", () => {
  const two = checker(`HTTP_GET {\nfast_recovery\nretry 0\n${url("/a")}${url("/b")}}`);
  expect(run(two, "++")).toEqual(["0", "10 up"]);
  expect(run(two, "++-+++")).toEqual(["0", "10 up", "10 down()", "0", "0", "10 up"]);
});

test("a page's delay after a failure that counts is the longer of the two", () => {
  const one = checker(`HTTP_GET {\nretry 0\ndelay_before_retry 30\n${url("/a")}}`);
  expect(run(one, "+-")).toEqual(["10 up", "30 down()"]);
});
