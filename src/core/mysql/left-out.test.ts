import { describe, expect, test } from "vitest";
import { placeNote, wasLeftOut } from "./left-out.ts";
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

describe("by file and position", () => {
  const classic = (uuid = UUID.two) => ({ product: "mysql", on: false, executed: "", uuid }) as MemberFacts["gtids"];
  const at = (offset: number, file = "m2-bin.000003") => ({ file, offset });
  const own = member(classic(UUID.one));
  const theirs = (end: MemberFacts["end"], uuid = UUID.two, closedBy: MemberFacts["closedBy"] = "read_only") =>
    member(classic(uuid), { serverId: "2", closedBy, channels: [], end });
  const quarantined = (end: MemberFacts["end"]): Peer => ({
    address: PEER,
    state: { kind: "up", facts: theirs(end) },
  });
  const note = `${UUID.two} m2-bin.000003:900`;

  test("MySQL: the place up to which its log was read is noted, and the one that is further on stays", () => {
    const see = (before: string | undefined, read: number | undefined) =>
      noteLeftOut(
        new Map(before === undefined ? [] : [[PEER, before]]),
        { own, peers: [quarantined(null)] },
        new Map(read === undefined ? [] : [[PEER, at(read)]]),
      ).get(PEER);
    expect(see(undefined, undefined)).toBeUndefined();
    expect(see(undefined, 900)).toBe(note);
    expect(see(note, 700)).toBe(note);
    expect(see(note, 950)).toBe(`${UUID.two} m2-bin.000003:950`);
    expect(see(note, undefined)).toBe(note);
    expect(see(`${UUID.one} m2-bin.000003:9000`, 900)).toBe(note);
    expect(placeNote(member(OURS), member(THEIRS), at(1))).toBeNull();
  });

  test("what that very log holds up to there was left out; one byte more, another log or an open server was not", () => {
    expect(wasLeftOut(note, own, theirs(at(900)))).toBe(true);
    expect(wasLeftOut(note, own, theirs(at(4, "m2-bin.000002")))).toBe(true);
    expect(wasLeftOut(note, own, theirs(at(901)))).toBe(false);
    expect(wasLeftOut(note, own, theirs(at(4, "m2-bin.000004")))).toBe(false);
    expect(wasLeftOut(note, own, theirs(at(4, "other.000001")))).toBe(false);
    expect(wasLeftOut(note, own, theirs(at(900), "5e11fa47-71ca-11e1-9e33-c80aa9429562"))).toBe(false);
    expect(wasLeftOut(note, own, theirs(at(900), UUID.two, null))).toBe(false);
    expect(wasLeftOut(note, own, theirs(null))).toBe(false);
  });

  test("MariaDB notes GTIDs in this mode, too", () => {
    const channels = [{ ...left, gtid: false, executed: { file: "m2-bin.000001", offset: 40 } }];
    const one = member(OURS, { channels });
    const facts = { own: one, peers: [peerWith(THEIRS)] };
    expect(noteLeftOut(new Map(), facts)).toEqual(NOTED);
    const claim = (leftOut: TakeoverFacts["leftOut"]) =>
      planTakeover({
        ...facts,
        own: { ...one, closedBy: "read_only" },
        policy: "balanced",
        gateway: "reachable",
        known: false,
        consented: false,
        progress: NOTHING_DONE,
        ...(leftOut === undefined ? {} : { leftOut }),
      }).end;
    expect(claim(NOTED)).toBe("ready");
    expect(claim(undefined)).toContain("holdfast takeover NAME --accept-loss");
  });
});
