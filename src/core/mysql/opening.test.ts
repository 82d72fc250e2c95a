import { expect, test } from "vitest";
import type { ChannelFacts, MemberFacts } from "./member.ts";
import { openingOf, openingText, parseOpening } from "./opening.ts";
import type { Peer } from "./takeover.ts";

const at = (file: string, offset: number) => ({ file, offset });
const PEER = "192.0.2.1:3306";

function facts(executed: number, end: number | null): { own: MemberFacts; peers: readonly Peer[] } {
  const channel: ChannelFacts = {
    channel: "",
    source: PEER,
    sourceId: "1",
    io: "stopped",
    sql: "stopped",
    lag: null,
    drained: true,
    ioError: null,
    sqlError: null,
    gtid: false,
    received: at("m1-bin.000001", executed),
    executed: at("m1-bin.000001", executed),
  };
  const own: MemberFacts = {
    version: { product: "mariadb", major: 10, minor: 11, patch: 19 },
    serverId: "2",
    closedBy: "read_only",
    end: end === null ? null : at("m2-bin.000001", end),
    gtids: { product: "mariadb", position: "", binlogState: "", slavePos: "" },
    channels: [channel],
    semiSync: null,
  };
  return { own, peers: [{ address: PEER, state: { kind: "down", detail: "" } }] };
}

test("the first position counts for as long as nothing more of the peer was executed: what was written since is behind it", () => {
  const first = openingOf(facts(900, 500), null);
  expect(first.get(PEER)).toEqual({ executed: at("m1-bin.000001", 900), position: at("m2-bin.000001", 500) });
  // Opened once more, with rows of its own meanwhile.
  expect(openingOf(facts(900, 800), first)).toEqual(first);
  expect(openingOf(facts(950, 800), first).get(PEER)?.position.offset).toBe(800);
});

test("without a binary log of its own nothing is noted", () => {
  expect(openingOf(facts(900, null), null).size).toBe(0);
});

test("what is noted is read again, and nothing else is taken for it", () => {
  const opening = openingOf(facts(900, 500), null);
  expect(parseOpening(openingText(opening))).toEqual(opening);
  for (const text of [null, "", "{}", "[1]", '[["a",{"executed":{"file":"x","offset":1}}]]', '[["a",null]]']) {
    expect(parseOpening(text)).toBeNull();
  }
});
