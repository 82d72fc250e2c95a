import { describe, expect, test } from "vitest";
import { wasLeftOut } from "./left-out.ts";
import type { ChannelFacts, MemberFacts } from "./member.ts";
import { noteLeftOut } from "./quarantine.ts";
import { NOTHING_DONE, type Peer, type TakeoverFacts } from "./takeover.ts";
import { planTakeover } from "./takeover-plan.ts";

const PEER = "192.168.11.82:3306";

const left: ChannelFacts = {
  channel: "",
  source: PEER,
  io: "stopped",
  sql: "stopped",
  lag: null,
  drained: true,
  ioError: null,
  sqlError: null,
  gtid: true,
  sourceId: "2",
  received: null,
  executed: null,
};
const member = (gtids: MemberFacts["gtids"], changes: Partial<MemberFacts> = {}): MemberFacts => ({
  version: { product: gtids.product, major: 10, minor: 11, patch: 19 },
  serverId: "1",
  closedBy: null,
  end: { file: "m1-bin.000001", offset: 400 },
  gtids,
  channels: [left],
  semiSync: null,
  ...changes,
});
const mariadb = (binlogState: string): MemberFacts["gtids"] => ({
  product: "mariadb",
  position: binlogState.split(",").at(-1) ?? "",
  binlogState,
  slavePos: "",
});
const UUID = { one: "3e11fa47-71ca-11e1-9e33-c80aa9429562", two: "4e11fa47-71ca-11e1-9e33-c80aa9429562" };
const mysql = (executed: string): MemberFacts["gtids"] =>
  ({ product: "mysql", on: true, executed, purged: "" }) as never;
const peerWith = (gtids: MemberFacts["gtids"], closedBy: MemberFacts["closedBy"] = "read_only"): Peer => ({
  address: PEER,
  state: { kind: "up", facts: member(gtids, { serverId: "2", closedBy, channels: [] }) },
});

const OURS = mariadb("0-2-1293,0-1-1600");
const THEIRS = mariadb("0-1-1500,0-2-1514");
const NOTED = new Map([[PEER, "0-2-1514"]]);

describe("what the writer notes", () => {
  const see = (peer: Peer, before = new Map<string, string>(), own = OURS) =>
    noteLeftOut(before, { own: member(own), peers: [peer] });

  test("what a quarantined peer has too many, and not what it follows", () => {
    expect(see(peerWith(THEIRS))).toEqual(NOTED);
    expect(see(peerWith(mariadb("0-2-1514,0-1-1600")))).toEqual(NOTED);
    const [ours, theirs] = [mysql(`${UUID.one}:1-90`), mysql(`${UUID.one}:1-80,${UUID.two}:5-7`)];
    expect(see(peerWith(theirs), new Map(), ours)).toEqual(new Map([[PEER, `${UUID.two}:5-7`]]));
  });

  test("it stays while the peer is away, and goes when that is open, or clean", () => {
    expect(see({ address: PEER, state: { kind: "down", detail: "" } }, NOTED)).toEqual(NOTED);
    expect(see(peerWith(THEIRS, null), NOTED)).toEqual(new Map());
    expect(see(peerWith(mariadb("0-2-1293,0-1-1600")), NOTED)).toEqual(new Map());
    expect(noteLeftOut(NOTED, { own: member(OURS), peers: [] })).toEqual(new Map());
  });
});

describe("a claim of the server that was the writer", () => {
  const claim = (leftOut: TakeoverFacts["leftOut"], theirs: MemberFacts["gtids"]): string =>
    planTakeover({
      own: member(OURS, { closedBy: "read_only" }),
      peers: [peerWith(theirs)],
      policy: "balanced",
      gateway: "reachable",
      known: false,
      consented: false,
      progress: NOTHING_DONE,
      ...(leftOut === undefined ? {} : { leftOut }),
    }).end;

  test("need not wait for what it left out then", () => {
    expect(claim(undefined, THEIRS)).toContain("has transactions that this server lacks");
    expect(claim(NOTED, THEIRS)).toBe("ready");
  });

  test("for anything beyond it does, by one transaction, of whatever server", () => {
    for (const more of ["0-1-1500,0-2-1515", "0-2-1514,0-1-1500,0-3-1", "0-1-1500,0-2-1514,1-2-1"])
      expect(claim(NOTED, mariadb(more))).toContain("has transactions that this server lacks");
  });

  test("GTIDs of MySQL as well; nothing where there are none, or where another server is meant", () => {
    const closed = (gtids: MemberFacts["gtids"]) => member(gtids, { closedBy: "super_read_only" as never });
    const own = member(mysql(`${UUID.one}:1-90`));
    const noted = `${UUID.two}:5-7`;
    expect(wasLeftOut(noted, own, closed(mysql(`${UUID.one}:1-80,${UUID.two}:5-7`)))).toBe(true);
    expect(wasLeftOut(noted, own, closed(mysql(`${UUID.one}:1-91,${UUID.two}:5-7`)))).toBe(false);
    expect(wasLeftOut(noted, own, closed(mysql(`${UUID.two}:4-7`)))).toBe(false);
    expect(wasLeftOut(undefined, own, closed(mysql(`${UUID.one}:1-90`)))).toBe(false);
    expect(wasLeftOut("0-2-1514", member(OURS), member(THEIRS))).toBe(false);
    expect(wasLeftOut("nonsense", member(OURS), member(THEIRS, { closedBy: "read_only" }))).toBe(false);
  });
});
