import { describe, expect, it } from "vitest";
import { attachInWords, decideAttach } from "./attach.ts";
import type { ChannelFacts, MemberFacts } from "./member.ts";
import type { RejoinFacts } from "./rejoin.ts";

const WRITER = "192.0.2.2:3306";
const SERVER = "192.0.2.1:3306";
const at = (file: string, offset: number) => ({ file, offset });

const channel = (changes: Partial<ChannelFacts> = {}): ChannelFacts => ({
  channel: "",
  source: SERVER,
  sourceId: "1",
  io: "stopped",
  sql: "stopped",
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
  serverId: "2",
  closedBy: null,
  end: at("m2-bin.000001", 700),
  gtids: { product: "mariadb", position: "0-2-10", binlogState: "0-1-5,0-2-10", slavePos: "0-1-5" },
  channels: [channel()],
  semiSync: null,
  ...changes,
});

const returned = (changes: Partial<MemberFacts> = {}): MemberFacts =>
  member({ serverId: "1", closedBy: "read_only", end: at("m1-bin.000002", 330), channels: [], ...changes });

const facts = (changes: Partial<RejoinFacts> = {}): RejoinFacts => ({
  writer: { address: WRITER, facts: member() },
  server: { address: SERVER, facts: returned() },
  extra: { kind: "none" },
  lost: null,
  purged: "",
  pair: true,
  ring: false,
  ...changes,
});

const opening = new Map([[SERVER, { executed: at("m1-bin.000001", 900), position: at("m2-bin.000001", 500) }]]);
const decide = (given: RejoinFacts, more: Partial<Parameters<typeof decideAttach>[0]> = {}) =>
  decideAttach({ facts: given, opening, replication: "auto", takesBackOwn: false, attachedBefore: false, ...more });
const classic = member({ channels: [channel({ gtid: false })] });

describe("a server that has returned, without a ring", () => {
  it("is attached as the writer followed it: by GTID, or from the position before the writer's first write", () => {
    expect(decide(facts())).toEqual({ kind: "create", at: null });
    const byPosition = facts({ writer: { address: WRITER, facts: classic } });
    expect(decide(byPosition)).toEqual({ kind: "create", at: at("m2-bin.000001", 500) });
    expect(decide(byPosition, { replication: "gtid" })).toEqual({ kind: "create", at: null });
    expect(decide(facts(), { replication: "position" })).toMatchObject({ at: at("m2-bin.000001", 500) });
    expect(decide(byPosition, { opening: null })).toMatchObject({ kind: "refuse" });
  });

  it("that was attached before and has lost its channel is left in classic mode: the noted position is behind what it has executed", () => {
    const byPosition = facts({ writer: { address: WRITER, facts: classic } });
    const refused = { kind: "refuse", reason: expect.stringContaining("channel from this server was removed") };
    expect(decide(byPosition, { attachedBefore: true })).toEqual(refused);
    expect(decide(facts(), { attachedBefore: true })).toEqual({ kind: "create", at: null });
  });

  it("with a channel from the writer is started, or left where it has stopped with an error", () => {
    const own = (changes: Partial<ChannelFacts>) => {
      const channels = [channel({ source: WRITER, sourceId: "2", ...changes })];
      return facts({ server: { address: SERVER, facts: returned({ channels }) } });
    };
    expect(decide(own({}))).toEqual({ kind: "start", channel: "" });
    expect(decide(own({ io: "running", sql: "running" }))).toEqual({ kind: "fine" });
    expect(decide(own({ ioError: { number: 2003, text: "gone" } }))).toEqual({ kind: "start", channel: "" });
    expect(decide(own({ ioError: { number: 1236, text: "purged" } }))).toMatchObject({ kind: "refuse" });
    expect(decide(own({ sqlError: { number: 1062, text: "Duplicate entry" } }))).toMatchObject({ kind: "refuse" });
  });

  it("is left with what nobody else has, and with what it has lost unless that comes back", () => {
    expect(decide(facts({ extra: { kind: "some", what: "0-1-6", count: 1 } }))).toMatchObject({ kind: "refuse" });
    const lost = facts({ lost: "0-1-5" });
    expect(decide(lost)).toMatchObject({ kind: "refuse", reason: expect.stringContaining("has lost transactions") });
    expect(decide(lost, { takesBackOwn: true })).toEqual({ kind: "create", at: null });
    // By file and position it skips them whatever is set.
    expect(decide(lost, { takesBackOwn: true, replication: "position" })).toMatchObject({ kind: "refuse" });
  });

  it("is told in words", () => {
    expect(attachInWords(SERVER, { kind: "create", at: at("m2-bin.000001", 500) })).toBe(
      `attach ${SERVER} to this server, from m2-bin.000001:500 on`,
    );
  });
});
