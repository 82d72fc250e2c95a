import { describe, expect, it } from "vitest";
import type { ChannelFacts, MemberFacts, SemiSync } from "./member.ts";
import type { Peer } from "./takeover.ts";
import {
  ALONE_MILLIS,
  decideBar,
  decideTending,
  isAlone,
  NOTHING_SEEN,
  type TendingFacts,
  type TendingMemory,
  tendingTrouble,
  toBeRead,
  troubleOfTending,
} from "./tending.ts";

const PEER = "192.168.11.82:3306";

const semiSync = (changes: Partial<SemiSync> = {}): SemiSync => ({
  word: "master",
  enabled: true,
  clients: 1,
  waiting: 0,
  acknowledged: 10,
  acknowledges: true,
  ...changes,
});

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
  sourceId: "1",
  received: null,
  executed: null,
};

const member = (changes: Partial<MemberFacts> = {}): MemberFacts => ({
  version: { product: "mariadb", major: 10, minor: 11, patch: 19 },
  serverId: "1",
  closedBy: null,
  end: null,
  gtids: { product: "mariadb", position: "0-1-100", binlogState: "0-2-90,0-1-100", slavePos: "0-2-90" },
  channels: [left],
  semiSync: null,
  ...changes,
});

const state = (binlogState: string): MemberFacts["gtids"] => ({
  product: "mariadb",
  position: binlogState.split(",").at(-1) ?? "",
  binlogState,
  slavePos: "",
});

const peer = (changes: Partial<MemberFacts> = {}): Peer => ({
  address: PEER,
  state: {
    kind: "up",
    facts: member({ serverId: "2", closedBy: "read_only", gtids: state("0-2-90,0-1-80"), channels: [], ...changes }),
  },
});

const facts = (changes: Partial<TendingFacts> = {}): TendingFacts => ({
  own: member(),
  peers: [peer()],
  gateway: "reachable",
  ...changes,
});

describe("a peer that has come back", () => {
  it("is received from again when it has nothing that this server lacks", () => {
    expect(decideTending(facts(), 0)).toEqual({ kind: "resume", channel: "", peer: PEER });
    expect(tendingTrouble(facts())).toBeNull();
  });

  it("stays quarantined with a transaction of its own, also one hidden behind later ones from here", () => {
    const errant = facts({ peers: [peer({ gtids: state("0-2-91,0-1-100") })] });
    expect(decideTending(errant, 0)).toBeNull();
    expect(tendingTrouble(errant)).toMatchObject({ kind: "errant", detail: expect.stringContaining("0-2-91") });
  });

  it("without GTIDs on MySQL stays quarantined: nothing tells", () => {
    const gtids = { product: "mysql", executed: "", on: false } as const;
    const classic = facts({ own: member({ gtids }), peers: [peer({ gtids })] });
    expect(decideTending(classic, 0)).toBeNull();
    expect(tendingTrouble(classic)).toMatchObject({
      kind: "errant",
      detail: expect.stringContaining("cannot be told"),
    });
  });

  it("that is open for writes is told, and nothing is received from it", () => {
    const open = facts({ peers: [peer({ closedBy: null })] });
    expect(decideTending(open, 0)).toBeNull();
    expect(tendingTrouble(open)).toEqual({ kind: "both-open", peer: PEER });
  });

  it("a channel that broke by itself is not started: its error is somebody's business", () => {
    const broken = member({ channels: [{ ...left, sqlError: { number: 1062, text: "Duplicate entry" } }] });
    expect(decideTending(facts({ own: broken }), 0)).toBeNull();
  });
});

const memory = (changes: Partial<TendingMemory>): TendingMemory => ({ ...NOTHING_SEEN, ...changes });
const away = (kind: "down" | "silent"): Peer => ({ address: PEER, state: { kind, detail: "no answer" } });

describe("a peer that is gone", () => {
  const connecting = { ...left, io: "connecting", sql: "running" } as const;
  const gone = memory({ gone: new Set([PEER]) });

  it("is not received from any more, so that nothing it does meanwhile comes in uncompared; not for a moment's silence", () => {
    const scene = facts({ own: member({ channels: [connecting] }), peers: [away("silent")] });
    expect(decideTending(scene, 0, gone)).toEqual({ kind: "leave", channel: "", peer: PEER });
    expect(decideTending(scene, 0)).toBeNull();
  });

  it("what was received from it is executed first", () => {
    const scene = facts({ own: member({ channels: [{ ...connecting, drained: false }] }), peers: [away("down")] });
    expect(decideTending(scene, 0, gone)).toBeNull();
  });
});

describe("replication on a peer that has come back", () => {
  const theirs = { ...left, source: "192.168.11.81:3306", sourceId: "1" };
  const back = memory({ returned: new Set([PEER]) });

  it("is started once, before this server receives from it; not again when somebody stops it", () => {
    const scene = facts({ peers: [peer({ channels: [theirs] })] });
    expect(decideTending(scene, 0, back)).toEqual({ kind: "follow", channel: "", peer: PEER });
    expect(decideTending(scene, 0)).toMatchObject({ kind: "resume" });
  });

  it("is not started where it broke, where the peer has too many, nor into an older version", () => {
    const broken = { ...theirs, sqlError: { number: 1062, text: "Duplicate entry" } };
    expect(decideTending(facts({ peers: [peer({ channels: [broken] })] }), 0, back)).toMatchObject({ kind: "resume" });
    const errant = peer({ channels: [theirs], gtids: state("0-2-91,0-1-100") });
    expect(decideTending(facts({ peers: [errant] }), 0, back)).toBeNull();
    const older = peer({ channels: [theirs], version: { product: "mariadb", major: 10, minor: 6, patch: 1 } });
    expect(decideTending(facts({ peers: [older] }), 0, back)).toMatchObject({ kind: "resume" });
  });

  it("is stopped when it has lost what it had committed: it would skip that and look well", () => {
    const running = { ...theirs, io: "running", sql: "running" } as const;
    const restored = facts({
      own: member({ gtids: state("0-2-90,0-1-100") }),
      peers: [peer({ gtids: state("0-2-80,0-1-100"), channels: [running] })],
    });
    expect(decideTending(restored, 0)).toMatchObject({ kind: "part", lost: "0-2-90" });
    expect(tendingTrouble(restored)).toMatchObject({ kind: "lost" });
    const stopped = facts({ ...restored, peers: [peer({ gtids: state("0-2-80,0-1-100"), channels: [theirs] })] });
    expect(decideTending(stopped, 0, back)).toMatchObject({ kind: "resume" });
  });
});

it("a receiver that has ended for good, because its binary log does not reach back, is told", () => {
  const ended = { ...left, sql: "running", ioError: { number: 1236, text: "not in the master's binlog" } } as const;
  const broken = facts({ own: member({ channels: [ended] }) });
  expect(decideTending(broken, 0)).toBeNull();
  const trouble = tendingTrouble(broken);
  expect(trouble === null ? "" : troubleOfTending(trouble)).toContain("`holdfast rejoin` compares it and begins anew");
});

it("nothing is received from a newer version, and that is told", () => {
  const newer = facts({ peers: [peer({ version: { product: "mariadb", major: 11, minor: 4, patch: 1 } })] });
  expect(decideTending(newer, 0)).toBeNull();
  expect(tendingTrouble(newer)).toMatchObject({ kind: "newer", detail: expect.stringContaining("newer version") });
});

it("without GTIDs on MySQL its binary log tells, once it has been read", () => {
  const gtids = { product: "mysql", executed: "", on: false } as const;
  const classic = facts({ own: member({ gtids }), peers: [peer({ gtids })] });
  expect(toBeRead(classic)).toEqual([PEER]);
  expect(toBeRead(facts())).toEqual([]);
  const nothing = memory({ read: new Map([[PEER, null]]) });
  expect(decideTending(classic, 0, nothing)).toMatchObject({ kind: "resume" });
  expect(tendingTrouble(classic, nothing)).toBeNull();
  const some = memory({ read: new Map([[PEER, "m2-bin.000001:4 to m2-bin.000001:9"]]) });
  expect(decideTending(classic, 0, some)).toBeNull();
  expect(tendingTrouble(classic, some)).toMatchObject({
    kind: "errant",
    detail: expect.stringContaining("m2-bin.000001:4"),
  });
});

describe("acknowledgements", () => {
  const follows = { ...left, io: "running", sql: "running" } as const;
  const alone = (changes: Partial<TendingFacts> = {}): TendingFacts =>
    facts({ own: member({ channels: [], semiSync: semiSync({ clients: 0 }) }), peers: [], ...changes });

  it("a writer whose standby is gone goes on alone after a while, but not when it is the one cut off", () => {
    expect(decideTending(alone(), ALONE_MILLIS)).toMatchObject({ wanted: false });
    expect(decideTending(alone(), ALONE_MILLIS - 1)).toBeNull();
    expect(decideTending(alone({ gateway: "unreachable" }), ALONE_MILLIS)).toBeNull();
    expect(decideTending(alone({ gateway: null }), ALONE_MILLIS)).toMatchObject({ wanted: false });
  });

  it("nor when the peer takes writes as well", () => {
    expect(decideTending(alone({ peers: [peer({ closedBy: null })] }), ALONE_MILLIS)).toBeNull();
  });

  it("are asked for again when a closed peer receives and gives them", () => {
    const own = member({ channels: [], semiSync: semiSync({ enabled: false }) });
    const back = peer({ semiSync: semiSync(), channels: [follows] });
    expect(decideTending(facts({ own, peers: [back] }), 0)).toMatchObject({ wanted: true });
    const notYet = peer({ semiSync: semiSync(), channels: [{ ...follows, io: "connecting" }] });
    expect(decideTending(facts({ own, peers: [notYet] }), 0)).toBeNull();
  });

  it("alone is who has no acker, or one whose commits wait and get on no further", () => {
    expect(isAlone(semiSync({ clients: 0 }), null)).toBe(true);
    expect(isAlone(semiSync({ waiting: 3 }), semiSync({ waiting: 2 }))).toBe(true);
    expect(isAlone(semiSync({ waiting: 3, acknowledged: 11 }), semiSync({ waiting: 2 }))).toBe(false);
    expect(isAlone(semiSync({ enabled: false, clients: 0 }), null)).toBe(false);
    expect(isAlone(null, null)).toBe(false);
  });
});

describe("how servers follow each other", () => {
  it("is told where it contradicts the file", () => {
    const classic = { ...left, io: "running", sql: "running", gtid: false } as const;
    const facts: TendingFacts = { own: member({ channels: [classic] }), peers: [], gateway: null };
    expect(tendingTrouble({ ...facts, replication: "auto" })).toBeNull();
    expect(tendingTrouble({ ...facts, replication: "position" })).toBeNull();
    const trouble = tendingTrouble({ ...facts, replication: "gtid" });
    expect(trouble === null ? "" : troubleOfTending(trouble)).toBe(
      `this server follows ${PEER} by file and position, and the file says \`replication gtid\``,
    );
  });
});

describe("a channel that was left", () => {
  const at = { file: "m2-bin.000003", offset: 900 };
  const known = { ...left, user: "repl", executed: at, received: at };
  const gone: Peer = { address: PEER, state: { kind: "silent", detail: "" } };
  const errant = peer({ gtids: state("0-2-91,0-1-100") });
  const channel = (changes: Partial<ChannelFacts>) => member({ channels: [{ ...known, ...changes }] });
  const barIt = { kind: "bar", channel: "", peer: PEER, user: "repl", at: "m2-bin.000003:900" };

  it("cannot start with its server: from a peer that is gone, in quarantine, or open, with a ring and without", () => {
    for (const one of [gone, errant, peer({ closedBy: null, gtids: state("0-2-91") })]) {
      expect(decideBar(facts({ own: channel({}), peers: [one] }))).toEqual(barIt);
    }
    expect(decideBar(facts({ own: channel({}), peers: [gone], ring: false }))).toEqual(barIt);
  });

  it("is not touched while it holds what was not executed, has an error, is barred already, or names no account", () => {
    const { user: _user, ...nameless } = known;
    const sqlError = { number: 1062, text: "" };
    for (const own of [
      channel({ drained: false }),
      channel({ sqlError }),
      channel({ barred: "stands" }),
      member({ channels: [nameless] }),
    ]) {
      expect(decideBar(facts({ own, peers: [errant] }))).toBeNull();
    }
  });

  it("that has started with its server is stopped, and still counts as left", () => {
    const runs = facts({ own: channel({ barred: "runs" }), peers: [errant] });
    expect(decideBar(runs)).toEqual({ kind: "halt", channel: "", peer: PEER });
    expect(tendingTrouble(runs)).toMatchObject({ kind: "errant" });
  });

  it("is resumed first when its peer is clean; and a standby that was the writer is started whenever it is barred", () => {
    for (const own of [channel({}), channel({ barred: "runs" })]) {
      expect(decideBar(facts({ own }))).toBeNull();
      expect(decideTending(facts({ own }), 0)).toMatchObject({ kind: "resume" });
    }
    const newer = { version: { product: "mariadb", major: 11, minor: 4, patch: 2 } } as const;
    expect(decideBar(facts({ own: channel({}), peers: [peer(newer)] }))).toEqual(barIt);
    const theirs = { ...known, source: "192.168.11.81:3306", sourceId: "1", barred: "runs" } as const;
    const both = facts({ own: channel({}), peers: [peer({ channels: [theirs] })] });
    expect(decideTending(both, 0)).toEqual({ kind: "follow", channel: "", peer: PEER });
    const { barred: _barred, ...stopped } = theirs;
    expect(decideTending({ ...both, peers: [peer({ channels: [stopped] })] }, 0)).toMatchObject({ kind: "resume" });
  });
});
