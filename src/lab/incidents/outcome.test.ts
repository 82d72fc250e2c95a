import { expect, test } from "vitest";
import { longestGap, type Outcome, Telling } from "./outcome.ts";
import type { ClientWrite } from "./scene.ts";
import { tableOf } from "./table.ts";

const write = (end: number, changes: Partial<ClientWrite> = {}): ClientWrite => ({
  id: end,
  start: end - 5,
  end,
  ok: true,
  server: "r",
  error: null,
  client: "client",
  key: `w0:${end}`,
  ...changes,
});

const gapOf = (writes: readonly ClientWrite[], since: number): number => longestGap({ writes }, since);

test("an interruption begins at the fault and counts only what the application in the network was told", () => {
  const writes = [write(50), write(700), write(110), write(400, { ok: false }), write(500, { client: "db1" })];
  // 110 to 700: the refused write between them and the one on the writer's own host end nothing.
  expect(gapOf(writes, 100)).toBe(590);
  expect(gapOf([write(50), write(700)], 100)).toBe(600);
});

test("times are told from the fault on, and what never happened has none", () => {
  const lines: string[] = [];
  const telling = new Telling((text) => lines.push(text));
  const at = telling.fault("the fault");
  telling.at(at + 1_234.4, "later");
  telling.at(null, "never");
  expect(lines).toEqual(["     0 ms  the fault", "  1234 ms  later", "        -  never"]);
});

test("a row tells every problem by its first line", () => {
  const outcome: Outcome = {
    incident: "partition",
    kind: "keepalived",
    acknowledged: 10,
    lost: 3,
    copied: 1,
    outage: 12.3,
    answeredTwice: 0,
    problems: ["two of them\n-- db1: a log", "2 acknowledged keys are gone"],
  };
  expect(tableOf([outcome, { ...outcome, kind: "holdfast", problems: [] }]).slice(2)).toEqual([
    "| partition | keepalived, scripts | 10 | 3 | 1 | 12 ms | FAILED: two of them; 2 acknowledged keys are gone |",
    "| partition | Holdfast | 10 | 3 | 1 | 12 ms | PASSED |",
  ]);
});
