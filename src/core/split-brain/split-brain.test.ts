import { describe, expect, test } from "vitest";
import type { IpAddress } from "../lib/ip.ts";
import { instant } from "../lib/units.ts";
import { CLEAN, type Judged, judge, NOTHING_SEEN, SETTLE } from "./judgement.ts";
import { resolve, type Sign, signInWords } from "./signs.ts";

const OTHER = "192.0.2.2" as IpAddress;
const VIP = "192.0.2.100" as IpAddress;
const heard: Sign = { kind: "adverts", source: OTHER, priority: 90, ours: 100 };
const answers: Sign = { kind: "address", address: VIP, mac: "02:00:00:00:00:02", interface: "eth0" };
const says = (priority: number): Sign => ({ kind: "peer", peer: "db2", priority, ours: 100 });
const opened: Sign = { kind: "writer", group: "orders", peer: "db2", epoch: 7, ours: 7 };

function looks(...all: readonly (readonly [number, readonly Sign[]])[]) {
  let judged: Judged = NOTHING_SEEN;
  const verdicts = all.map(([at, signs]) => {
    const result = judge(judged, signs, instant(at));
    judged = result.judged;
    return result.verdict;
  });
  return { judged, verdicts };
}

describe("when signs count", () => {
  test("what one look sees, as at every hand-over, is not told; what two see that far apart is, once", () => {
    expect(looks([0, [heard]], [SETTLE, []], [2 * SETTLE, [heard]]).verdicts).toEqual([null, null, null]);
    expect(looks([0, [heard]], [SETTLE - 1, [heard]]).verdicts).toEqual([null, null]);
    const { judged, verdicts } = looks([5, [heard]], [5 + SETTLE, [answers]], [5 + 2 * SETTLE, [heard]]);
    expect(verdicts).toEqual([null, "begun", null]);
    expect(judged.since).toBe(5);
  });

  test("it is over when nothing is seen for long enough, and may begin again", () => {
    const begun = [
      [0, [heard]],
      [SETTLE, [heard]],
    ] as const;
    expect(looks(...begun, [SETTLE + CLEAN - 1, []], [SETTLE + CLEAN, []]).verdicts).toEqual([
      null,
      "begun",
      null,
      "over",
    ]);
    const flapping = looks(...begun, [2 * SETTLE, []], [3 * SETTLE, [heard]], [3 * SETTLE + CLEAN - 1, []]);
    expect(flapping.verdicts.slice(2)).toEqual([null, null, null]);
    expect(flapping.judged.since).toBe(0);
    const late = SETTLE + CLEAN;
    expect(looks(...begun, [late, []], [late + 1, [heard]], [late + 1 + SETTLE, [heard]]).verdicts.slice(3)).toEqual([
      null,
      "begun",
    ]);
  });
});

describe("who will let go", () => {
  test.each<[string, readonly Sign[], string, RegExp]>([
    [
      "who is heard with a lower priority",
      [answers, heard],
      "other",
      /192\.0\.2\.2 has the lower priority, 90 against 100/,
    ],
    ["of equal ones the lower address", [{ ...heard, priority: 100 } as Sign], "other", /has the lower address/],
    ["adverts blocked, the peer ranks lower", [says(90)], "other", /IP protocol 112.* db2 yields/],
    ["adverts blocked, this host ranks lower", [says(110), answers], "this-host", /this host yields/],
    ["adverts blocked, equal priorities", [says(100)], "undecided", /lower address yields/],
    ["two servers open", [opened], "undecided", /server of orders/],
    ["a stranger", [answers], "nobody", /holdfast doctor --vip 192\.0\.2\.100/],
  ])("%s", (_what, signs, yields, why) => {
    expect(resolve(signs).yields).toBe(yields);
    expect(resolve(signs).why).toMatch(why);
  });

  test("every sign is told in words that name the other host", () => {
    expect([heard, answers, says(90), opened].map(signInWords)).toEqual([
      "adverts of 192.0.2.2 with priority 90 are heard",
      "02:00:00:00:00:02 answers for 192.0.2.100 on eth0",
      "db2 says that it holds the addresses, too, with priority 90",
      "db2 has opened orders in epoch 7, this host in epoch 7",
    ]);
  });
});
