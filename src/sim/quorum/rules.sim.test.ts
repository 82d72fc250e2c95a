// The rule of two with a policy that lets two answer for a while: what it allows, and where that ends. No run of sound code gets near the end.
import { expect, test } from "vitest";
import type { Policy } from "../../core/database/config.ts";
import type { IpAddress } from "../../core/lib/ip.ts";
import type { World } from "../world.ts";
import { QuorumRules } from "./rules.ts";

const TIMES = { ttl: 4_000_000, renew: 500_000, timeout: 700_000 };
/** Wait of 5.1 s and four turns. */
const SETTLED = 10_000_000;

function twoAnswer(policy: Policy) {
  const failed: string[] = [];
  const deaf = new Set<number>();
  const heard = { at: null as number | null };
  const kernel = { validUntil: () => 0 };
  const world = {
    now: 0,
    hosts: [0, 1].map((node) => ({ node, answers: () => true, serving: true, now: () => world.now, kernel })),
    host: (node: number) => world.hosts[node],
    fail: ({ rule }: { readonly rule: string }) => failed.push(rule),
  };
  const rules = new QuorumRules({
    world: world as unknown as World,
    address: "192.0.2.100" as IpAddress,
    policy,
    times: TIMES,
    hears: (node) => !deaf.has(node),
    now: () => ({ revision: "0", value: null }),
    heardAt: () => heard.at,
  });
  const at = (now: number): readonly string[] => {
    world.now = now;
    rules.check();
    return failed;
  };
  return { rules, deaf, heard, at };
}

test("availability: two that hear the store have one wait to find each other, counted anew after each silence", () => {
  const { at, deaf } = twoAnswer("availability");
  expect(at(0)).toEqual([]);
  expect(at(SETTLED - 1_000_000)).toEqual([]);
  deaf.add(1);
  expect(at(SETTLED + 1_000_000)).toEqual([]);
  deaf.clear();
  expect(at(2 * SETTLED)).toEqual([]);
  expect(at(3 * SETTLED - 1_000_000)).toEqual([]);
  expect(at(3 * SETTLED)).toEqual(["I1"]);
});

test("consistency: two that answer are two too many, unless one of them serves by an order and does not hear the store", () => {
  expect(twoAnswer("consistency").at(0)).toContain("I1");
  const { rules, at, deaf } = twoAnswer("consistency");
  for (const node of [0, 1]) for (const action of ["ordered", "overridden"]) rules.told(node, action);
  deaf.add(1);
  expect(at(3 * SETTLED)).toEqual([]);
  deaf.clear();
  expect(at(4 * SETTLED)).toEqual([]);
  expect(at(5 * SETTLED)).toEqual(["I1"]);
});

test("an order that nobody gave, or that an answer has followed, lets no claim go on", () => {
  const { rules, heard, at } = twoAnswer("consistency");
  const found = (now: number): number => at(now).filter((rule) => rule === "order").length;
  rules.told(0, "overridden");
  expect(found(0)).toBe(1);
  rules.told(0, "ordered");
  rules.told(0, "overridden");
  expect(found(1_000)).toBe(1);
  rules.told(0, "ordered");
  heard.at = 1_001;
  rules.told(0, "overridden");
  expect(found(2_000)).toBe(2);
});
