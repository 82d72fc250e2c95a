import { expect, test } from "vitest";
import type { IpAddress } from "../lib/ip.ts";
import { millis } from "../lib/units.ts";
import { judgeGateways } from "./gateways.ts";

const [A, B, C] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as [IpAddress, IpAddress, IpAddress];

const judge = (quorum: number, reached: IpAddress[], silent: IpAddress[], gateways: IpAddress[] = [A, B, C]) =>
  judgeGateways({ gateways, quorum, timeout: millis(500) }, { reached: new Set(reached), silent: new Set(silent) });

test.each([
  [1, [A], [], "open"],
  [1, [], [A, B], "wait"],
  [1, [], [A, B, C], "refuse"],
  [2, [A], [B], "wait"],
  [2, [A], [B, C], "refuse"],
  [2, [A, C], [B], "open"],
  [3, [A, B], [], "wait"],
  [3, [], [C], "refuse"],
] as const)("quorum %i, answers from %j, none from %j: %s", (quorum, reached, silent, kind) => {
  expect(judge(quorum, [...reached], [...silent]).kind).toBe(kind);
});

test("an answer that comes after its time still counts: it proves the network", () => {
  expect(judge(1, [A], [A], [A]).kind).toBe("open");
});

test("the refusal names who does not answer, and the count where there are several", () => {
  expect(judge(1, [], [A], [A])).toEqual({
    kind: "refuse",
    reason: "track_gateway: no answer from 192.0.2.1: this host may be the one that is cut off",
  });
  expect(judge(2, [B], [A, C])).toMatchObject({
    reason:
      "track_gateway: no answer from 192.0.2.1, 192.0.2.3, 1 of 3 answered and 2 must: this host may be the one that is cut off",
  });
});
