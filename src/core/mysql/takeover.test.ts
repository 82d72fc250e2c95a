import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChannelFacts, MemberFacts } from "./member.ts";
import { decideTakeover, NOTHING_DONE, type Peer, positionInWords, type TakeoverFacts, withTails } from "./takeover.ts";
import { expectedAfter, planTakeover, waitedFor } from "./takeover-plan.ts";

const PEER = "192.168.11.82:3306";

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
  sourceId: "1",
  received: { file: "m2-bin.000003", offset: 900 },
  executed: { file: "m2-bin.000003", offset: 900 },
  ...changes,
});

const member = (changes: Partial<MemberFacts> = {}): MemberFacts => ({
  version: { product: "mariadb", major: 10, minor: 11, patch: 19 },
  serverId: "1",
  closedBy: "read_only",
  end: { file: "m1-bin.000001", offset: 400 },
  gtids: { product: "mariadb", position: "0-2-100", binlogState: "0-2-100", slavePos: "0-2-100" },
  channels: [channel()],
  semiSync: null,
  ...changes,
});

const other = (changes: Partial<MemberFacts> = {}): MemberFacts =>
  member({ serverId: "2", end: { file: "m2-bin.000003", offset: 900 }, channels: [], ...changes });

const up = (facts: MemberFacts): Peer => ({ address: PEER, state: { kind: "up", facts } });
const down: Peer = { address: PEER, state: { kind: "down", detail: "nobody listens" } };
const silent: Peer = { address: PEER, state: { kind: "silent", detail: "no connection within 1 s" } };

const facts = (changes: Partial<TakeoverFacts> = {}): TakeoverFacts => ({
  own: member(),
  peers: [down],
  policy: "balanced",
  gateway: "reachable",
  known: true,
  consented: false,
  progress: NOTHING_DONE,
  ...changes,
});

const plan = (changes: Partial<TakeoverFacts> = {}) => planTakeover(facts(changes));
const refusal = (changes: Partial<TakeoverFacts> = {}): string => plan(changes).end;

describe("the order of a takeover", () => {
  it("from a peer that is down: receive nothing more, execute everything, leave the channel, record, open", () => {
    const behind = channel({ io: "connecting", drained: false, executed: { file: "m2-bin.000003", offset: 800 } });
    expect(plan({ own: member({ channels: [behind] }) })).toEqual({
      steps: [
        "stop the I/O thread",
        "wait until everything received is executed (m2-bin.000003:800 of m2-bin.000003:900)",
        "leave the channel standing, its coordinates are kept",
        "record the own position m1-bin.000001:400 0-2-100",
        "open the own server for writes",
      ],
      end: "ready",
    });
  });

  it("from a peer that answers: close it first, then wait for its last transaction; the channel goes on", () => {
    const theirs = { product: "mariadb", position: "0-2-105", binlogState: "0-2-105", slavePos: "" } as const;
    expect(plan({ peers: [up(other({ closedBy: null, gtids: theirs }))] })).toEqual({
      steps: [
        `close ${PEER} for writes and end its sessions`,
        `wait until everything that ${PEER} has is executed`,
        "record the own position m1-bin.000001:400 0-2-100",
        "open the own server for writes",
      ],
      end: "ready",
    });
  });

  it("of several that followed the dead one whoever has received most takes over", () => {
    const third = (changes: Partial<ChannelFacts>): Peer => ({
      address: "192.168.11.83:3306",
      state: { kind: "up", facts: member({ serverId: "3", channels: [channel({ io: "connecting", ...changes })] }) },
    });
    const received = { file: "m2-bin.000003", offset: 950 };
    const behind = plan({ peers: [down, third({ received })] });
    expect(behind.steps).toEqual([]);
    expect(behind.end).toBe(
      `192.168.11.83:3306 has received more from ${PEER} (m2-bin.000003:950, here m2-bin.000003:900): it is to take over`,
    );
    expect(plan({ peers: [down, third({ received })], consented: true }).end).toBe("ready");
    expect(plan({ peers: [down, third({})] }).end).toBe("ready");
    expect(plan({ peers: [down, third({ received: { file: "m2-bin.000002", offset: 999 } })] }).end).toBe("ready");
    // It could not execute what it has received, so it is not waited for.
    const broken = third({ received, sql: "stopped", sqlError: { number: 1062, text: "Duplicate entry" } });
    expect(plan({ peers: [down, broken] }).end).toBe("ready");
  });

  it("is refused to a server that lost what it had committed itself, while a peer has it: its position hides that", () => {
    const gtids = { product: "mariadb", position: "0-2-99", binlogState: "0-1-50,0-2-99", slavePos: "0-1-60" } as const;
    const theirs = other({ gtids: { ...gtids, position: "0-1-60", binlogState: "0-2-99,0-1-60" } });
    expect(plan({ own: member({ gtids }), peers: [up(theirs)] }).end).toContain(
      "lost what it had committed itself (0-1-60)",
    );
  });

  it("an applier that stands is started before the receiver is stopped", () => {
    const stands = channel({ sql: "stopped", io: "connecting" });
    expect(plan({ own: member({ channels: [stands] }) }).steps.slice(0, 2)).toEqual([
      "start the SQL thread",
      "stop the I/O thread",
    ]);
  });

  it("a server that is open without having been opened is closed first", () => {
    expect(plan({ own: member({ closedBy: null }) }).steps[0]).toBe("close the own server for writes");
  });

  it("acknowledgements are asked for exactly when somebody gives them", () => {
    const semiSync = {
      word: "master",
      enabled: false,
      clients: 0,
      waiting: 0,
      acknowledged: 0,
      acknowledges: true,
    } as const;
    // A standby that was the writer before: its applier would wait for an acknowledgement of the server that is gone.
    const behind = channel({ io: "stopped", drained: false });
    const before = member({ semiSync: { ...semiSync, enabled: true }, channels: [behind] });
    expect(decideTakeover(facts({ own: before, peers: [down] }))).toEqual({
      kind: "step",
      step: { kind: "acknowledgements", word: "master", wanted: false },
    });
    const off = { ...before, semiSync: { ...semiSync, enabled: false } };
    expect(decideTakeover(facts({ own: off, peers: [down] }))).toMatchObject({ kind: "wait" });
    const acker = other({ semiSync, channels: [channel({ source: "192.168.11.81:3306" })] });
    expect(plan({ own: member({ semiSync }), peers: [up(acker)] }).steps).toContain(
      "commits wait for an acknowledgement (semi-sync on)",
    );
    const armed = member({ semiSync: { ...semiSync, enabled: true } });
    expect(plan({ own: armed }).steps.join()).toContain("degraded: no acker");
  });
});

describe("refusals", () => {
  it.each([
    [
      "a silent peer and a gateway out of reach",
      { peers: [silent], gateway: "unreachable" },
      "this host is the one cut off",
    ],
    ["a server that was never seen following", { known: false }, "may hold older data"],
    [
      "consistency with a silent peer",
      { peers: [silent], policy: "consistency" },
      "nothing proves that it takes no writes",
    ],
    ["consistency without semi-sync", { policy: "consistency" }, "did not wait for an acknowledgement"],
  ] as const)("%s, unless an operator consents", (_, changes, words) => {
    expect(refusal(changes)).toContain(words);
    expect(refusal({ ...changes, consented: true })).toBe("ready");
  });

  it("a peer that answers and cannot be closed is alive: no consent helps", () => {
    const locked: Peer = { address: PEER, state: { kind: "unusable", detail: "the server refuses the login" } };
    expect(refusal({ peers: [locked], consented: true })).toContain("is alive and cannot be closed");
  });

  it("an applier with an error is told with it, and never skipped", () => {
    const broken = channel({ sql: "stopped", sqlError: { number: 1062, text: "Duplicate entry" } });
    expect(refusal({ own: member({ channels: [broken] }), consented: true })).toContain("error 1062: Duplicate entry");
  });

  it("MariaDB with GTIDs and both threads stopped would throw its relay log away", () => {
    const stopped = channel({ io: "stopped", sql: "stopped", drained: false });
    expect(refusal({ own: member({ channels: [stopped] }) })).toContain("MDEV-4698");
    // In classic mode and with MySQL what was received is kept.
    expect(refusal({ own: member({ channels: [{ ...stopped, gtid: false }] }) })).toBe("ready");
  });

  it("a peer with transactions that nobody receives from", () => {
    const theirs = { product: "mariadb", position: "0-2-105", binlogState: "0-2-105", slavePos: "" } as const;
    const peers = [up(other({ gtids: theirs }))];
    expect(refusal({ peers, own: member({ channels: [] }) })).toContain("does not receive from it");
    const stands = channel({ io: "stopped", ioError: { number: 1236, text: "could not find" } });
    expect(refusal({ peers, own: member({ channels: [stands] }) })).toContain("error 1236: could not find");
  });

  it("without GTIDs the coordinates of the channel decide, and two series of files prove nothing", () => {
    const executed = { file: "m2-bin.000003", offset: 900 };
    const own = member({ channels: [channel({ gtid: false, executed })] });
    expect(decideTakeover(facts({ own, peers: [up(other())] })).kind).toBe("step");
    const further = up(other({ end: { file: "m2-bin.000003", offset: 901 } }));
    expect(decideTakeover(facts({ own, peers: [further] }))).toMatchObject({ kind: "wait" });
    const elsewhere = up(other({ end: { file: "other-bin.000001", offset: 4 } }));
    expect(decideTakeover(facts({ own, peers: [elsewhere] }))).toMatchObject({ kind: "wait" });
  });
});

const anyChannel = fc.record({
  io: fc.constantFrom("running", "connecting", "stopped") as fc.Arbitrary<ChannelFacts["io"]>,
  sql: fc.constantFrom("running", "stopped") as fc.Arbitrary<ChannelFacts["sql"]>,
  drained: fc.constantFrom(true, false),
  gtid: fc.boolean(),
});
const anyPosition = fc.constantFrom("0-2-100", "0-2-105", "0-1-7");
const anyPeer: fc.Arbitrary<Peer> = fc.oneof(
  fc.constantFrom(down, silent),
  fc.record({ closed: fc.boolean(), position: anyPosition }).map(({ closed, position }) =>
    up(
      other({
        closedBy: closed ? "read_only" : null,
        gtids: { product: "mariadb", position, binlogState: position, slavePos: "" },
      }),
    ),
  ),
);
const anyFacts: fc.Arbitrary<TakeoverFacts> = fc
  .record({
    channels: fc.array(anyChannel, { maxLength: 1 }),
    open: fc.boolean(),
    peer: anyPeer,
    policy: fc.constantFrom("availability", "balanced", "consistency") as fc.Arbitrary<TakeoverFacts["policy"]>,
    gateway: fc.constantFrom("reachable", "unreachable", null) as fc.Arbitrary<TakeoverFacts["gateway"]>,
    known: fc.boolean(),
    consented: fc.boolean(),
  })
  .map(({ channels, open, peer, ...rest }) =>
    facts({
      ...rest,
      peers: [peer],
      own: member({ closedBy: open ? null : "read_only", channels: channels.map((one) => channel(one)) }),
    }),
  );

const MOST = 60;

/** Every state that a run passes through, the last one included. */
function statesOf(start: TakeoverFacts): readonly TakeoverFacts[] {
  const states = [start];
  for (let now = start; states.length < MOST; ) {
    const decision = decideTakeover(now);
    if (decision.kind === "ready" || decision.kind === "refuse") break;
    now = decision.kind === "step" ? expectedAfter(now, decision.step) : waitedFor(now);
    states.push(now);
  }
  return states;
}

function expectSafe({ own, peers, progress }: TakeoverFacts): void {
  for (const { state } of peers) {
    if (state.kind === "up") expect(state.facts.closedBy).not.toBeNull();
    else for (const one of own.channels) expect(one).toMatchObject({ io: "stopped", sql: "stopped", drained: true });
  }
  expect(progress.recorded).toBe(positionInWords(own));
}

describe("whatever the facts", () => {
  it("a run ends, and opens only when every peer that answers is closed and what is gone is left with nothing to execute", () => {
    fc.assert(
      fc.property(anyFacts, (start) => {
        const states = statesOf(start);
        expect(states.length).toBeLessThan(MOST);
        for (const now of states) {
          const decision = decideTakeover(now);
          if (decision.kind === "step" && decision.step.kind === "open") expectSafe(now);
        }
      }),
    );
  });

  it("a run that was cut off anywhere is begun again and ends as if nothing had happened", () => {
    fc.assert(
      fc.property(anyFacts, (start) => {
        const end = planTakeover(start).end;
        for (const cutOff of statesOf(start)) {
          expect(planTakeover({ ...cutOff, progress: NOTHING_DONE }).end).toBe(end);
        }
      }),
    );
  });
});

describe("what a dead writer had not sent", () => {
  const FETCH = `fetch what ${PEER} has in its log behind m2-bin.000003:900, from the daemon of its host`;
  const left = member({ channels: [channel({ io: "stopped", sql: "stopped" })] });

  it("is fetched once everything received is executed, before the position is recorded", () => {
    expect(plan({ followed: true }).steps).toEqual([
      "stop the I/O thread",
      "leave the channel standing, its coordinates are kept",
      FETCH,
      "record the own position m1-bin.000001:400 0-2-100",
      "open the own server for writes",
    ]);
  });

  it("a server that was the writer before asks nobody for acknowledgements before it executes the tail", () => {
    const semiSync = {
      word: "master",
      enabled: true,
      clients: 0,
      waiting: 0,
      acknowledged: 5,
      acknowledges: true,
    } as const;
    const { steps } = plan({ followed: true, own: { ...left, semiSync } });
    expect(steps.slice(0, 2)).toEqual(["degraded: no acker, commits are on this server alone (semi-sync off)", FETCH]);
  });

  it.each([
    ["after this server was open, or before it was proved to follow", { followed: false }],
    ["from a silent host", { followed: true, peers: [silent] }],
    ["from a server that answers", { followed: true, peers: [up(other())] }],
    ["among more than two servers", { followed: true, peers: [down, { ...down, address: "192.168.11.83:3306" }] }],
    ["once it is open", { followed: true, progress: { closed: true, recorded: "", opened: true } }],
    ["a second time", { followed: true, progress: { ...NOTHING_DONE, tails: new Map([[PEER, null]]) } }],
    ["with nothing executed", { followed: true, own: member({ channels: [channel({ executed: null })] }) }],
  ])("is not fetched %s", (_name, changes) => {
    expect(plan({ own: left, ...(changes as Partial<TakeoverFacts>) }).steps).not.toContain(FETCH);
  });

  it("a channel that forgets its coordinates when it is pointed back is where the tail ended", () => {
    const end = { file: "m2-bin.000004", offset: 77 };
    const progress = { ...NOTHING_DONE, tails: new Map([[PEER, end]]) };
    const forgotten = member({ channels: [channel({ executed: null, received: null })] });
    const known = facts({ own: left, progress });
    expect(withTails(facts({ own: forgotten, progress })).own.channels[0]).toMatchObject({
      executed: end,
      received: end,
    });
    expect(withTails(known)).toBe(known);
  });
});
