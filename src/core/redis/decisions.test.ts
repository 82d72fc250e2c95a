/** The claim gate, following, tending and the planned move, rule by rule; whole orders run against real servers in lab/. */
import { describe, expect, test } from "vitest";
import { decideFollow, type FollowFacts } from "./follow.ts";
import type { History, SourceFacts } from "./info.ts";
import { type MemberFacts, markChannel, markFrom, markText } from "./member.ts";
import type { Peer } from "./peer.ts";
import { decideSwitchover } from "./switchover.ts";
import { decideTakeover, NOTHING_DONE, planTakeover, type TakeoverFacts } from "./takeover.ts";
import { decideTending, isOutrun, type TendingFacts, tendingTroubles, writerRole } from "./tending.ts";

const history = (id: string, offset: number, former: Partial<History> = {}): History => ({
  id,
  offset,
  formerId: "0000",
  formerEnd: -1,
  counted: true,
  ...former,
});
const of = (address: string, changes: Partial<SourceFacts> = {}): SourceFacts => ({
  address,
  up: true,
  downSeconds: null,
  everUp: true,
  syncing: false,
  silentSeconds: 0,
  ...changes,
});
const PARKED = of("127.0.0.1:1", { up: false, everUp: false });

const member = (changes: Partial<MemberFacts> = {}): MemberFacts => ({
  version: "Redis 7.0.15",
  runId: "own",
  loading: null,
  source: PARKED,
  readOnly: true,
  history: history("a", 100),
  replicas: [],
  goodReplicas: null,
  memory: { used: 0, limit: 0, evicts: false },
  failedSave: null,
  savesNow: false,
  keys: 10,
  cluster: false,
  minReplicas: 0,
  sentinel: false,
  mark: null,
  ...changes,
});
const up = (changes: Partial<MemberFacts> = {}): Peer => ({
  address: "b:6379",
  state: { kind: "up", facts: member({ runId: "peer", ...changes }) },
});
const DOWN: Peer = { address: "b:6379", state: { kind: "down", detail: "refused" } };
const SILENT: Peer = { address: "b:6379", state: { kind: "silent", detail: "no answer" } };

const claim = (changes: Partial<TakeoverFacts> = {}): TakeoverFacts => ({
  own: member(),
  peers: [DOWN],
  policy: "balanced",
  gateway: "reachable",
  known: true,
  consented: false,
  mark: { epoch: 3, role: "replica" },
  progress: NOTHING_DONE,
  ...changes,
});
const kindOf = (facts: TakeoverFacts) => {
  const decision = decideTakeover(facts);
  return decision.kind === "step" ? decision.step.kind : decision.kind;
};

describe("a claim", () => {
  test("of a writer that came back from an old dump is refused while another has all of it and more; one that went apart counts by its epoch", () => {
    const own = member({ history: history("new", 1_000, { formerId: "x", formerEnd: 1_001 }) });
    const ahead = (epoch: number) => up({ history: history("x", 5_000), mark: { epoch, role: "replica" } });
    const mark = { epoch: 3, role: "writer" } as const;
    for (const epoch of [2, 3]) expect(kindOf(claim({ own, mark, peers: [ahead(epoch)] }))).toBe("refuse");
    const wroteOn = member({ history: history("new", 1_060, { formerId: "x", formerEnd: 1_001 }) });
    expect(kindOf(claim({ own: wroteOn, mark, peers: [ahead(3)] }))).toBe("refuse");
    expect(kindOf(claim({ own: wroteOn, mark, peers: [ahead(2)] }))).toBe("record");
  });

  test.each([
    ["of an older dump", history("x", 250, { formerId: "z", formerEnd: 15 }), { formerId: "z", formerEnd: 15 }],
    ["that cannot be compared", history("x", 250), {}],
  ])(
    "beside a paired writer that was restarted, with data %s, the replica in step goes on and the writer does not",
    (_, mine, theirs) => {
      const old = history("new", 83, theirs);
      const [paired, insync] = [
        { epoch: 3, role: "paired-restarted" },
        { epoch: 3, role: "insync" },
      ] as const;
      const standby = claim({
        own: member({ history: mine }),
        mark: insync,
        peers: [up({ history: old, mark: paired })],
      });
      expect(kindOf(standby)).toBe("record");
      expect(kindOf({ ...standby, known: false })).toBe("record");
      const back = { own: member({ history: old }), mark: paired, peers: [up({ history: mine, mark: insync })] };
      expect(kindOf(claim({ ...back, known: false }))).toBe("refuse");
      // One that was the writer alone has what the replica lacks.
      const alone = [up({ history: history("new", 83), mark: { epoch: 3, role: "writer" } })];
      expect(kindOf(claim({ own: member({ history: history("x", 250) }), mark: insync, peers: alone }))).toBe("refuse");
    },
  );

  test("of two dumps of one stream the longer one counts, whoever was the writer", () => {
    const dump = (id: string, offset: number) => history(id, offset, { formerId: "z", formerEnd: offset + 1 });
    const longer = [up({ history: dump("w", 90), mark: { epoch: 3, role: "paired" } })];
    expect(kindOf(claim({ own: member({ history: dump("r", 70) }), known: false, peers: longer }))).toBe("refuse");
    const shorter = [up({ history: dump("r", 70), mark: { epoch: 3, role: "replica" } })];
    const mark = { epoch: 3, role: "paired" } as const;
    expect(kindOf(claim({ own: member({ history: dump("w", 90) }), known: false, mark, peers: shorter }))).toBe(
      "record",
    );
  });

  test("a daemon that has not said yet what its server was is waited for, where its word decides", () => {
    const starting = [up({ history: history("z", 1), mark: null })];
    expect(kindOf(claim({ known: false, peers: starting }))).toBe("wait");
    expect(kindOf(claim({ known: true, peers: starting }))).toBe("record");
  });

  test("a known standby whose writer is gone writes the next epoch down before it is promoted", () => {
    expect(planTakeover(claim())).toEqual({
      steps: ["write down epoch 4, at a:100", "promote the own server (REPLICAOF NO ONE)"],
      end: "ready",
    });
  });

  test("a writer that answers is closed first, and everything it has is waited for", () => {
    const following = member({ source: of("b:6379"), history: history("a", 90) });
    const open = up({ source: null });
    expect(kindOf(claim({ own: following, peers: [open] }))).toBe("close-peer");
    expect(kindOf(claim({ own: following, peers: [up()] }))).toBe("wait");
    expect(kindOf(claim({ own: member({ source: of("b:6379") }), peers: [up()] }))).toBe("record");
  });

  test.each([
    ["a data set that is being read", { own: member({ loading: { percent: "1", etaSeconds: "9" } }) }, "wait"],
    ["a full resync: what is in memory is old", { own: member({ source: of("b:6379", { syncing: true }) }) }, "wait"],
    ["a Sentinel", { own: member({ sentinel: true }) }, "refuse"],
    ["a cluster", { own: member({ cluster: true }) }, "refuse"],
    ["this server itself as peer", { peers: [up({ runId: "own" })] }, "refuse"],
    [
      "a peer that cannot be asked although it lives",
      { peers: [{ address: "b", state: { kind: "unusable", detail: "NOAUTH" } }] },
      "refuse",
    ],
    ["a server that nobody has seen in step, with its peer gone", { known: false }, "refuse"],
    ["the same under availability", { known: false, policy: "availability" }, "record"],
    [
      "an empty server that was part of the group, even under availability",
      { known: false, policy: "availability", own: member({ keys: 0 }) },
      "refuse",
    ],
    ["a silent peer without a gateway", { peers: [SILENT], gateway: "unreachable" }, "refuse"],
    ["a silent peer with one", { peers: [SILENT] }, "record"],
    ["a silent peer under consistency", { peers: [SILENT], policy: "consistency" }, "refuse"],
    ["a closed peer with newer data", { peers: [up({ history: history("a", 101) })] }, "refuse"],
    [
      "an empty server beside one with data",
      { own: member({ keys: 0 }), peers: [up({ history: history("z", 1) })] },
      "refuse",
    ],
    [
      "histories that cannot be compared, of a peer that was the writer later",
      { known: false, peers: [up({ history: history("z", 1), mark: { epoch: 4, role: "writer" } })] },
      "refuse",
    ],
    [
      "the same, of one that was it earlier",
      { known: false, peers: [up({ history: history("z", 1), mark: { epoch: 2, role: "writer" } })] },
      "record",
    ],
    [
      "the same, when nobody has written anything down",
      { known: false, mark: null, peers: [up({ history: history("z", 1) })] },
      "refuse",
    ],
    ["what an operator takes the responsibility for", { known: false, consented: true }, "record"],
    [
      "a new pair without data",
      { known: false, mark: null, own: member({ keys: 0 }), peers: [up({ keys: 0, history: history("z", 0) })] },
      "record",
    ],
  ] as const)("%s", (_, changes, expected) => {
    expect(kindOf(claim(changes as Partial<TakeoverFacts>))).toBe(expected);
  });

  test("under consistency it is promoted with min-replicas-to-write 1", () => {
    expect(planTakeover(claim({ policy: "consistency" })).steps).toContain("min-replicas-to-write 1");
  });
});

const following = (changes: Partial<FollowFacts> = {}): FollowFacts => ({
  own: member(),
  peers: [up({ source: null, mark: { epoch: 4, role: "writer" }, history: history("a", 120) })],
  mark: { epoch: 3, role: "writer" },
  onDivergence: "save",
  saved: false,
  ...changes,
});
const writer = (changes: Partial<MemberFacts> = {}): readonly Peer[] => [
  up({ source: null, mark: { epoch: 4, role: "writer" }, ...changes }),
];
const PROMOTED = history("n", 150, { formerId: "a", formerEnd: 91 });

test("what is written down lies on the disk and is told as it is", () => {
  for (const role of ["writer", "paired", "replica", "insync", "writer-restarted", "paired-restarted"] as const) {
    for (const run of [null, "0123abcd"])
      expect(markFrom(markText({ epoch: 7, role, run }))).toEqual({ epoch: 7, role, run });
    expect(markChannel("cache", { epoch: 7, role })).toBe(`holdfast:cache:7:${role}`);
  }
  expect(markFrom("7 master\n")).toBeNull();
});

describe("following", () => {
  test.each([
    ["a writer that has everything", {}, "follow"],
    [
      "a writer that was promoted before this one had written on",
      { peers: writer({ history: PROMOTED }), own: member({ history: history("a", 90) }) },
      "follow",
    ],
    [
      "one byte more than it knows: a copy first",
      { peers: writer({ history: PROMOTED }), own: member({ history: history("a", 91) }) },
      "save",
    ],
    ["after the copy", { peers: writer({ history: PROMOTED }), saved: true }, "follow"],
    [
      "or nothing, where the operator wants to be asked",
      { peers: writer({ history: PROMOTED }), onDivergence: "ask" },
      "trouble",
    ],
    ["an append-only file knows no history: a copy first", { peers: writer({ history: history("z", 9) }) }, "save"],
    [
      "who was only ever a replica of this epoch has nothing of its own",
      { peers: writer({ history: history("z", 9) }), mark: { epoch: 4, role: "replica" } },
      "follow",
    ],
    [
      "a writer of the same epoch keeps a copy of what it has",
      { peers: writer({ history: history("z", 9) }), mark: { epoch: 4, role: "writer" } },
      "save",
    ],
    ["an empty writer wipes nobody", { peers: writer({ history: history("z", 9), keys: 0 }) }, "trouble"],
    ["an empty server follows", { own: member({ keys: 0, history: history("z", 0) }) }, "follow"],
    ["a master that no daemon vouches for", { peers: [up({ source: null, history: history("z", 9) })] }, "trouble"],
    [
      "a writer of an older epoch",
      { peers: writer({ history: history("z", 9), mark: { epoch: 2, role: "writer" } }) },
      "trouble",
    ],
    [
      "an open server whose writer was started anew",
      {
        peers: writer({ history: history("z", 9), mark: { epoch: 4, role: "paired-restarted" } }),
        mark: { epoch: 4, role: "replica" },
      },
      "trouble",
    ],
    ["two writers", { peers: [...writer(), ...writer()] }, "trouble"],
    [
      "a dead master is let go before it may come back empty",
      { own: member({ source: of("b:6379", { up: false }) }), peers: [DOWN] },
      "park",
    ],
    [
      "a master that is a replica itself makes a circle",
      { own: member({ source: of("b:6379") }), peers: [up()] },
      "park",
    ],
    ["a silent master with a link that is up", { own: member({ source: of("b:6379") }), peers: [SILENT] }, "fine"],
    ["a Sentinel's server is left alone", { own: member({ sentinel: true }) }, "trouble"],
  ] as const)("%s", (_, changes, expected) => {
    expect(decideFollow(following(changes as unknown as Partial<FollowFacts>)).kind).toBe(expected);
  });

  test("in step it learns the epoch", () => {
    const own = member({ source: of("b:6379") });
    expect(decideFollow(following({ own, peers: writer() }))).toEqual({ kind: "fine", epoch: 4 });
  });
});

const tending = (changes: Partial<TendingFacts> = {}): TendingFacts => ({
  own: member({ source: null, replicas: [{ address: "b:6379", online: true, offset: 100, lag: 0 }] }),
  peers: [],
  replicas: [],
  policy: "balanced",
  mark: { epoch: 4, role: "writer" },
  maxLag: 3,
  gateway: null,
  aloneMillis: 0,
  virtualHosts: ["10.0.0.100"],
  ...changes,
});

test("a writer is outrun by a later epoch's writer that has what it lacks, and by nobody else", () => {
  const own = member({ source: null, readOnly: false });
  const beside = (peer: Peer): boolean => isOutrun({ own, peers: [peer], mark: { epoch: 1, role: "writer" } });
  const later = { epoch: 2, role: "writer" } as const;
  expect(beside(up({ mark: later, history: history("b", 40) }))).toBe(true);
  expect(beside(up({ mark: later, history: history("a", 40) }))).toBe(false);
  expect(beside(up({ mark: later, history: history("b", 40), keys: 0 }))).toBe(false);
  expect(beside(up({ mark: { epoch: 2, role: "replica" }, history: history("b", 40) }))).toBe(false);
  expect(beside(up({ mark: { epoch: 1, role: "writer" }, history: history("b", 40) }))).toBe(false);
  expect(beside(DOWN)).toBe(false);
});

describe("tending a writer", () => {
  test("writes need a replica while there is one; alone it goes on after a while, unless it is the one cut off", () => {
    expect(decideTending(tending())).toEqual({ kind: "min-replicas", wanted: 1 });
    const alone = tending({ own: member({ source: null, minReplicas: 1 }), aloneMillis: 3_000, gateway: "reachable" });
    expect(decideTending(alone)).toEqual({ kind: "min-replicas", wanted: 0 });
    expect(decideTending({ ...alone, aloneMillis: 2_999 })).toBeNull();
    expect(decideTending({ ...alone, gateway: "unreachable" })).toBeNull();
    expect(decideTending({ ...alone, policy: "consistency" })).toBeNull();
    expect(decideTending({ ...alone, policy: "availability" })).toEqual({ kind: "min-replicas", wanted: 0 });
  });

  test("the writer is paired while a peer is in step, and until it may write alone", () => {
    const role = (own: Partial<MemberFacts>, peers: readonly Peer[], was: "paired" | "writer" = "paired") =>
      writerRole({ own: member({ source: null, ...own }), peers, mark: { epoch: 4, role: was }, maxLag: 3 });
    const replica = (address: string, lag = 1) => ({ address, online: true, offset: 1, lag });
    expect(role({}, [up({ source: of("a:6379") })], "writer")).toBe("paired");
    expect(role({}, [up({ source: of("a:6379"), history: history("z", 1) })], "writer")).toBe("writer");
    expect(role({ minReplicas: 0 }, [SILENT])).toBe("writer");
    expect(role({ minReplicas: 1 }, [SILENT])).toBe("paired");
    expect(role({ minReplicas: 1 }, [SILENT], "writer")).toBe("writer");
    expect(role({ minReplicas: 1, replicas: [replica("b:6379")] }, [SILENT])).toBe("paired");
    expect(role({ minReplicas: 1, replicas: [replica("c:6379")] }, [SILENT])).toBe("writer");
    expect(role({ minReplicas: 1, replicas: [replica("c:6379", 9)] }, [SILENT])).toBe("paired");
  });

  test("a second master of an older epoch is closed, one of a later epoch is told", () => {
    const second = (epoch: number) => tending({ peers: [up({ source: null, mark: { epoch, role: "writer" } })] });
    expect(decideTending(second(3))).toEqual({ kind: "close-peer", peer: "b:6379" });
    expect(tendingTroubles(second(5))[0]).toContain("BOTH OPEN");
    expect(decideTending(second(5))?.kind).not.toBe("close-peer");
  });

  test("a replica of somebody else is pointed here only when this server has everything it has", () => {
    const replica = (at: number) =>
      tending({
        own: member({ source: null }),
        replicas: [up({ source: of("c:6379", { up: false }), history: history("a", at) })],
      });
    expect(decideTending(replica(100))).toEqual({ kind: "repoint", replica: "b:6379" });
    expect(decideTending(replica(101))).toBeNull();
    expect(tendingTroubles(replica(101))[0]).toContain("may have what the writer lacks");
  });
});

describe("a planned move", () => {
  const own = member({ source: null });
  const successor = (changes: Partial<MemberFacts> = {}) => [
    up({ source: of("a:6379"), mark: { epoch: 4, role: "replica" }, ...changes }),
  ];

  test("writes are paused, then every byte is waited for", () => {
    expect(decideSwitchover({ own, peers: successor(), paused: false }).kind).toBe("pause");
    expect(decideSwitchover({ own, peers: successor({ history: history("a", 99) }), paused: true }).kind).toBe("wait");
    expect(decideSwitchover({ own, peers: successor(), paused: true }).kind).toBe("hand-over");
  });

  test.each([
    ["nobody answers", [DOWN], "refuse"],
    ["a successor without a daemon", successor({ mark: null }), "refuse"],
    ["one that does not follow", successor({ history: history("z", 1) }), "not-yet"],
    ["one that takes writes", successor({ source: null }), "refuse"],
  ] as const)("%s", (_, peers, expected) => {
    expect(decideSwitchover({ own, peers, paused: false }).kind).toBe(expected);
  });
});
