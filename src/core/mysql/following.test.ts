import { describe, expect, it } from "vitest";
import { channelToResume, type FollowingFacts, isOutrun, provesFollowing } from "./following.ts";
import type { ChannelFacts, MemberFacts, MemberGtids } from "./member.ts";
import type { Peer } from "./takeover.ts";

const PEER = "192.168.11.82:3306";
const at = (offset: number) => ({ file: "m2-bin.000003", offset });

const channel = (changes: Partial<ChannelFacts> = {}): ChannelFacts => ({
  channel: "",
  source: PEER,
  io: "running",
  sql: "running",
  lag: 0,
  drained: true,
  ioError: null,
  sqlError: null,
  gtid: true,
  sourceId: "2",
  received: at(900),
  executed: at(900),
  ...changes,
});

const mariadb = (state: string): MemberGtids => ({
  product: "mariadb",
  position: state.split(",").at(-1) ?? "",
  binlogState: state,
  slavePos: "",
});

const semiSync = (enabled: boolean) =>
  ({ word: "master", enabled, clients: 1, waiting: 0, acknowledged: 3, acknowledges: true }) as const;

const member = (changes: Partial<MemberFacts> = {}): MemberFacts => ({
  version: { product: "mariadb", major: 10, minor: 11, patch: 19 },
  serverId: "1",
  closedBy: "read_only",
  end: { file: "m1-bin.000001", offset: 400 },
  gtids: mariadb("0-1-50,0-2-100"),
  channels: [channel()],
  semiSync: semiSync(false),
  ...changes,
});

const writer = (changes: Partial<MemberFacts> = {}): Peer => ({
  address: PEER,
  state: {
    kind: "up",
    facts: member({ serverId: "2", closedBy: null, end: at(900), channels: [], semiSync: semiSync(true), ...changes }),
  },
});

const facts = (own: Partial<MemberFacts> = {}, peer: Peer = writer()): FollowingFacts => ({
  own: member(own),
  peers: [peer],
});

describe("a standby may open alone", () => {
  it("when it receives, has what the writer had, and the writer's commits wait for it", () => {
    expect(provesFollowing(facts())).toBe(true);
  });

  it("also while it executes what it has received", () => {
    const busy = { gtids: mariadb("0-1-50,0-2-60"), channels: [channel({ executed: at(500), drained: false })] };
    expect(provesFollowing(facts(busy))).toBe(true);
  });

  it("but not when it has lost what it had committed itself, although its position is the writer's", () => {
    const theirs = writer({ gtids: mariadb("0-2-99,0-1-60") });
    const position = { product: "mariadb", position: "0-2-99", slavePos: "0-1-60" } as const;
    const restored = member({ gtids: { ...position, binlogState: "0-2-99,0-1-50" }, semiSync: null });
    expect(provesFollowing({ own: restored, peers: [theirs] })).toBe(false);
  });

  it.each([
    ["that is connecting", { channels: [channel({ io: "connecting" })] }],
    ["that stands", { channels: [channel({ io: "stopped" })] }],
    [
      "that lacks what the writer has",
      { gtids: mariadb("0-1-50,0-2-60"), channels: [channel({ received: at(899), executed: at(500) })] },
    ],
  ])("but not one %s", (_, own) => {
    expect(provesFollowing(facts(own))).toBe(false);
  });

  it("not after a writer that went on without acknowledgements, until they are waited for again", () => {
    expect(provesFollowing(facts({}, writer({ semiSync: semiSync(false) })))).toBe(false);
    const never = { semiSync: null };
    expect(provesFollowing(facts(never, writer(never)))).toBe(true);
  });

  it("after a peer that is closed whatever its semi-sync says, and not while another one is open that it does not follow", () => {
    const closed = writer({ closedBy: "read_only", semiSync: semiSync(false) });
    expect(provesFollowing(facts({}, closed))).toBe(true);
    const stranger: Peer = { ...writer({ serverId: "3", gtids: mariadb("0-3-500") }), address: "192.168.11.83:3306" };
    expect(provesFollowing({ own: member(), peers: [closed, stranger] })).toBe(false);
  });
});

describe("a channel that a takeover left", () => {
  const left = { channels: [channel({ io: "stopped", sql: "stopped" })] };

  it("is received from again when its peer is the writer and this server has nothing extra", () => {
    expect(channelToResume(facts(left))).toMatchObject({ channel: { channel: "" }, peer: PEER });
    // The error of a source that was gone stays in the status after STOP.
    const gone = { io: "stopped", sql: "stopped", ioError: { number: 2003, text: "cannot connect" } } as const;
    expect(channelToResume(facts({ channels: [channel(gone)] }))).toMatchObject({
      channel: { channel: "" },
      peer: PEER,
    });
  });

  it("stays when this server has lost what it had committed itself: it would skip that", () => {
    const restored = { ...left, gtids: mariadb("0-1-30,0-2-100"), semiSync: null };
    expect(channelToResume(facts(restored))).toBeNull();
  });

  it.each([
    ["while the peer is closed", left, writer({ closedBy: "read_only" })],
    ["with transactions that the writer lacks", { ...left, gtids: mariadb("0-1-51,0-2-100") }, writer()],
    [
      "after an error",
      { channels: [channel({ io: "stopped", sql: "stopped", sqlError: { number: 1062, text: "Duplicate entry" } })] },
      writer(),
    ],
  ])("stays %s", (_, own, peer) => {
    expect(channelToResume(facts(own, peer))).toBeNull();
  });
});

describe("a writer that hears another one", () => {
  const opened = mariadb("0-1-40,0-2-100");
  const own = { closedBy: null };
  const standby = writer({ closedBy: "read_only" });

  it("goes on when nobody else was the writer", () => {
    expect(isOutrun(facts(own, standby), opened)).toBe(false);
    expect(isOutrun(facts(own, { address: PEER, state: { kind: "silent", detail: "" } }), opened)).toBe(false);
  });

  it("is outrun by a peer that is open, that has more, or whose transactions have come in since", () => {
    expect(isOutrun(facts(own, writer()), opened)).toBe(true);
    expect(isOutrun(facts(own, writer({ closedBy: "read_only", gtids: mariadb("0-1-50,0-2-101") })), opened)).toBe(
      true,
    );
    const arrived = mariadb("0-1-50,0-2-101");
    const from = writer({ closedBy: "read_only", gtids: arrived });
    expect(isOutrun(facts({ ...own, gtids: arrived }, from), opened)).toBe(true);
  });

  it("goes on when nothing can come from that peer: both have gone their own ways", () => {
    const left = { ...own, channels: [channel({ io: "stopped", sql: "stopped" })] };
    expect(isOutrun(facts(left, writer()), opened)).toBe(false);
    const leaving = { ...own, channels: [channel({ io: "connecting", sql: "stopped" })] };
    expect(isOutrun(facts(leaving, writer()), opened)).toBe(false);
  });

  it("goes on when it has committed what nobody acknowledged, but not with commits that still wait", () => {
    const alone = { ...own, gtids: mariadb("0-1-60,0-2-100") };
    const theirs = writer({ gtids: mariadb("0-1-50,0-2-110") });
    expect(isOutrun(facts({ ...alone, semiSync: semiSync(false) }, theirs), opened)).toBe(false);
    expect(isOutrun(facts({ ...alone, semiSync: semiSync(true) }, theirs), opened)).toBe(true);
  });

  it("knows its own transactions on MySQL by server_uuid", () => {
    const uuid = (digit: string): string => `${digit.repeat(8)}-1111-1111-1111-${digit.repeat(12)}`;
    const set = (ours: number, theirs: number): MemberGtids => ({
      product: "mysql",
      on: true,
      uuid: uuid("a"),
      executed: `${uuid("a")}:1-${ours},${uuid("b")}:1-${theirs}`,
    });
    const version = { product: "mysql", major: 9, minor: 7, patch: 0 } as const;
    const mysql = (gtids: MemberGtids) =>
      facts({ ...own, version, gtids }, writer({ closedBy: "read_only", version, gtids }));
    expect(isOutrun(mysql(set(70, 5)), set(50, 5))).toBe(false);
    expect(isOutrun(mysql(set(70, 6)), set(50, 5))).toBe(true);
  });
});
