import { describe, expect, it } from "vitest";
import type { ChannelFacts, MemberFacts } from "./member.ts";
import { decideReplica, type ReplicaScene, repointInWords } from "./replicas.ts";
import type { Peer } from "./takeover.ts";

const PEER = "192.168.11.81:3306";
const at = (file: string, offset: number) => ({ file, offset });

const channel = (changes: Partial<ChannelFacts> = {}): ChannelFacts => ({
  channel: "",
  source: PEER,
  sourceId: "1",
  io: "connecting",
  sql: "running",
  lag: null,
  drained: true,
  ioError: null,
  sqlError: null,
  gtid: true,
  received: at("m1-bin.000001", 900),
  executed: at("m1-bin.000001", 900),
  ...changes,
});

const member = (changes: Partial<MemberFacts> = {}): MemberFacts => ({
  version: { product: "mariadb", major: 10, minor: 11, patch: 19 },
  serverId: "3",
  closedBy: "read_only",
  end: at("r-bin.000001", 4),
  gtids: { product: "mariadb", position: "0-1-90", binlogState: "0-1-90", slavePos: "0-1-90" },
  channels: [channel()],
  semiSync: null,
  ...changes,
});

const writer = (changes: Partial<MemberFacts> = {}): MemberFacts =>
  member({
    serverId: "2",
    closedBy: null,
    end: at("m2-bin.000001", 1_000),
    gtids: { product: "mariadb", position: "0-2-120", binlogState: "0-1-100,0-2-120", slavePos: "0-1-100" },
    channels: [channel({ io: "stopped", sql: "stopped" })],
    ...changes,
  });

const down: Peer = { address: PEER, state: { kind: "down", detail: "nobody listens" } };
const back = (changes: Partial<MemberFacts> = {}): Peer => ({
  address: PEER,
  state: {
    kind: "up",
    facts: member({ serverId: "1", channels: [channel({ source: "192.168.11.82:3306", sourceId: "2" })], ...changes }),
  },
});

const scene = (changes: Partial<ReplicaScene> = {}): ReplicaScene => ({
  own: writer(),
  peers: [down],
  opening: new Map([[PEER, { position: at("m2-bin.000001", 500), executed: at("m1-bin.000001", 900) }]]),
  virtualHosts: ["192.168.11.100"],
  ...changes,
});

const decide = (replica: Partial<MemberFacts> = {}, changes: Partial<ReplicaScene> = {}) =>
  decideReplica(scene(changes), member(replica));
const detail = (...given: Parameters<typeof decide>): string => {
  const decision = decide(...given);
  return decision.kind === "trouble" ? decision.detail : decision.kind;
};

describe("a replica of the dead writer", () => {
  it("with GTIDs is pointed at the new one wherever it stands", () => {
    const decision = decide();
    expect(decision).toEqual({ kind: "repoint", channel: "", at: null, from: PEER });
    if (decision.kind === "repoint")
      expect(repointInWords("r:3306", decision)).toContain("r:3306 at this server, by GTID");
    expect(decide({}, { opening: null }).kind).toBe("repoint");
    expect(decide({}, { peers: [{ address: PEER, state: { kind: "silent", detail: "" } }] }).kind).toBe("repoint");
    const product = (executed: string) => ({ gtids: { product: "mysql", executed, on: true } as const });
    const uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    expect(decide(product(`${uuid}:1-5`), { own: writer(product(`${uuid}:1-9`)) }).kind).toBe("repoint");
  });

  it("with transactions that the writer lacks is left, also when only gtid_slave_pos knows of them", () => {
    const beyond = "0-1-101";
    expect(
      detail({ gtids: { product: "mariadb", position: beyond, binlogState: beyond, slavePos: beyond } }),
    ).toContain("the writer lacks");
    expect(detail({ gtids: { product: "mariadb", position: "", binlogState: "", slavePos: beyond } })).toContain(
      "the writer lacks",
    );
  });

  it("is known by its source's address or number, but not when it follows the address that moves", () => {
    expect(decide({ channels: [channel({ source: "db1.example:3306" })] }).kind).toBe("repoint");
    expect(decide({ channels: [channel({ source: "192.168.11.100:3306" })] }).kind).toBe("fine");
    expect(decide({ channels: [channel({ source: "elsewhere:3306", sourceId: "9" })] }).kind).toBe("fine");
    expect(decide({ channels: [channel({ source: "elsewhere:3306", sourceId: "0" })] }).kind).toBe("fine");
  });

  it("that follows the writer already is left, and not given a second channel", () => {
    const both = [channel(), channel({ channel: "new", source: "192.168.11.82:3306", sourceId: "2", io: "running" })];
    expect(decide({ channels: both }).kind).toBe("fine");
  });

  it("is left while its source is in the ring, and taken from one in quarantine", () => {
    expect(decide({}, { peers: [back()] }).kind).toBe("fine");
    const errant = {
      gtids: { product: "mariadb", position: "0-1-105", binlogState: "0-1-105", slavePos: "" } as const,
    };
    expect(decide({}, { peers: [back(errant)] }).kind).toBe("repoint");
  });
});

describe("in classic mode", () => {
  const classic = (changes: Partial<ChannelFacts> = {}) => ({ channels: [channel({ gtid: false, ...changes })] });

  it("a replica that had executed the same goes on at the recorded position", () => {
    expect(decide(classic())).toEqual({ kind: "repoint", channel: "", at: at("m2-bin.000001", 500), from: PEER });
  });

  it("one that will get there is waited for; one that is ahead, or never gets there, is left", () => {
    const behind = at("m1-bin.000001", 800);
    expect(decide(classic({ executed: behind })).kind).toBe("fine");
    expect(decide(classic({ executed: behind, received: behind }))).toEqual({
      kind: "map",
      channel: "",
      from: PEER,
      why: expect.stringContaining("the rest will not come"),
      notBehind: at("m2-bin.000001", 500),
    });
    const ahead = at("m1-bin.000001", 950);
    expect(detail(classic({ executed: ahead, received: ahead }))).toContain("it has more");
    expect(detail(classic({ executed: at("other-bin.000001", 900) }))).toContain("it has more");
    expect(detail(classic({ executed: null }))).toBe("it does not say how far it is");
  });

  it("one of which the opening is not known is mapped, once it has executed what it received", () => {
    for (const opening of [null, new Map()]) {
      expect(decide(classic(), { opening })).toMatchObject({ kind: "map", notBehind: null });
      expect(detail(classic({ drained: false }), { opening })).toBe("it still executes what it has received");
    }
  });
});

describe("what somebody has to know", () => {
  it.each([
    ["open for writes", { closedBy: null }, "it is open for writes"],
    ["no channel", { channels: [] }, "it replicates from nobody"],
    [
      "a broken applier",
      { channels: [channel({ sql: "stopped", sqlError: { number: 1062, text: "Duplicate entry" } })] },
      "its SQL thread has stopped with error 1062: Duplicate entry",
    ],
    [
      "a receiver that gave up",
      {
        channels: [
          channel({
            source: "192.168.11.82:3306",
            sourceId: "2",
            io: "stopped",
            ioError: { number: 1236, text: "purged" },
          }),
        ],
      },
      "it does not receive from 192.168.11.82:3306 (error 1236: purged)",
    ],
    [
      "a replica that acknowledges",
      {
        channels: [channel({ source: "192.168.11.82:3306", sourceId: "2", io: "running" })],
        semiSync: { word: "master", enabled: false, clients: 0, waiting: 0, acknowledged: 0, acknowledges: true },
      },
      "it acknowledges commits (semi-sync)",
    ],
  ] as const)("%s", (_, changes, text) => {
    expect(detail(changes as Partial<MemberFacts>)).toContain(text);
  });
});
