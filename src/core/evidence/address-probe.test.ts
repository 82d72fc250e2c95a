import { expect, test } from "vitest";
import type { IpAddress } from "../lib/ip.ts";
import { objectionOf } from "./address-probe.ts";

const [ONE, TWO] = ["02:00:00:00:00:01", "02:00:00:00:00:02"];
const answered = (macs: readonly string[], problem: string | null = null) => ({
  address: "192.0.2.100" as IpAddress,
  interface: "eth0",
  macs,
  problem,
});

test.each([
  ["nobody answers", answered([]), new Set<string>(), null],
  ["a stranger answers", answered([ONE]), new Set<string>(), ONE],
  ["the preempted master answers", answered([ONE]), new Set([ONE]), null],
  ["a stranger beside the preempted master", answered([ONE, TWO]), new Set([ONE]), TWO],
  ["a master behind a router answers", answered([ONE]), "any" as const, null],
  ["two answer, and the master is behind a router", answered([ONE, TWO]), "any" as const, `${ONE}, ${TWO}`],
  ["it cannot be asked", answered([], "interface eth0 is down"), new Set<string>(), "eth0 is down"],
])("before a claim: %s", (_name, answers, rightful, words) => {
  const found = objectionOf(answers, rightful);
  if (words === null) expect(found).toBeNull();
  else expect(found).toContain(words);
});
