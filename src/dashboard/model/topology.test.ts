import { describe, expect, it } from "vitest";
import type { InstanceView, PeerView, PositionsReply, StatusReply } from "../../control/contract/types.ts";
import { hostOf, OWN, topologyOf } from "./topology.ts";

const OURS = "192.168.11.82";
const THEIRS = "192.168.11.81";
const VIP = "192.168.11.100";

const instance = (changes: Partial<InstanceView> = {}): InstanceView =>
  ({
    name: "VI_1",
    state: "BACKUP",
    phase: "BACKUP",
    priority: 100,
    addresses: [`${VIP}/24`],
    holding: false,
    source: OURS,
    master: { source: THEIRS, priority: 150, heardMillisAgo: 10 },
    ...changes,
  }) as InstanceView;

const peer = (changes: Partial<PeerView> = {}): PeerView => ({
  peer: `${THEIRS}:8112`,
  connected: true,
  since: 1,
  detail: null,
  host: "db1",
  version: "0.1.0",
  askedAt: 1,
  instances: [{ name: "VI_1", state: "MASTER", phase: "MASTER", priority: 150, addresses: [VIP], holding: true }],
  writers: [],
  ...changes,
});

function topology(changes: Partial<StatusReply>, servers?: PositionsReply["servers"]) {
  const status = {
    daemon: { version: "0.1.0" },
    keeper: { detail: null },
    stale: false,
    instances: [instance()],
    mysql: [],
    redis: [],
    peers: [],
    ...changes,
  } as unknown as StatusReply;
  const positions = new Map(servers === undefined ? [] : [["orders", servers]]);
  return topologyOf({ status, session: { api: 1, host: "db2", who: null, role: "read" }, positions });
}

describe("hosts", () => {
  it("knows a place with a port, an IPv6 place, and a path, which is no host", () => {
    expect(["10.0.0.1:3306", "[2001:db8::1]:3306", "db1", "/run/mysqld.sock", ""].map(hostOf)).toEqual([
      "10.0.0.1",
      "2001:db8::1",
      "db1",
      null,
      null,
    ]);
  });

  it("takes the peer's own word for who holds the address", () => {
    const { nodes, vips } = topology({ peers: [peer()] });
    expect(nodes.map(({ key, title, kind }) => [key, title, kind])).toEqual([
      [OWN, "db2", "own"],
      [THEIRS, "db1", "peer"],
    ]);
    expect(vips).toEqual([{ address: VIP, instance: "VI_1", holders: [THEIRS] }]);
  });

  it("does not count what a host held when it was last seen", () => {
    const master = { state: "MASTER", phase: "MASTER", holding: true } as const;
    const { nodes, vips } = topology({ instances: [instance(master)], peers: [peer({ connected: false })] });
    expect(nodes[1]).toMatchObject({ fresh: false, routers: [{ phase: "MASTER" }] });
    expect(vips[0]?.holders).toEqual([OWN]);
  });

  it("tells when two hosts hold it, and when nobody known does", () => {
    const master = { state: "MASTER", phase: "MASTER", holding: true } as const;
    expect(topology({ instances: [instance(master)], peers: [peer()] }).vips[0]?.holders).toEqual([OWN, THEIRS]);
    expect(topology({ instances: [instance({ master: null })] }).vips[0]?.holders).toEqual([]);
  });

  it("shows a master that is only heard", () => {
    const { nodes, vips } = topology({});
    expect(nodes[1]).toMatchObject({ key: THEIRS, kind: "heard", routers: [{ phase: "MASTER", priority: 150 }] });
    expect(vips[0]?.holders).toEqual([THEIRS]);
  });
});

describe("replication", () => {
  const server = (changes: Partial<PositionsReply["servers"][number]>): PositionsReply["servers"][number] => ({
    address: `${THEIRS}:3306`,
    own: false,
    trouble: null,
    version: "MariaDB 10.11",
    closedBy: null,
    lines: [{ name: "gtid_binlog_pos", value: "0-1-7" }],
    channels: [],
    ...changes,
  });
  const channel = (source: string) => ({
    channel: "",
    source,
    io: "running" as const,
    sql: "running" as const,
    lag: 2,
    drained: true,
    lines: [{ name: "gtid_slave_pos", value: "0-1-6" }],
  });
  const mysql = [{ name: "orders", server: "127.0.0.1:3306", replicas: [] }] as unknown as StatusReply["mysql"];

  it("runs from a source to whoever reads from it, both ways in a pair", () => {
    const own = server({
      address: "/run/m.sock",
      own: true,
      closedBy: "read_only",
      channels: [channel(`${THEIRS}:3306`)],
    });
    const other = server({ channels: [channel(`${OURS}:3306`)] });
    const { nodes, arrows } = topology({ mysql, peers: [peer()] }, [own, other]);
    expect(nodes).toHaveLength(2);
    expect(nodes[0]?.servers).toMatchObject([{ open: false, position: "0-1-7" }]);
    expect(nodes[1]?.servers).toMatchObject([{ open: true }]);
    expect(arrows).toMatchObject([
      { from: THEIRS, to: OWN, state: "running", lagSeconds: 2, position: "0-1-6" },
      { from: OWN, to: THEIRS },
    ]);
  });

  it("follows an address that moves to whoever holds it", () => {
    const own = server({ own: true, channels: [channel(`${VIP}:3306`)] });
    expect(topology({ mysql, peers: [peer()] }, [own]).arrows).toMatchObject([{ from: THEIRS, to: OWN }]);
  });

  it("does not say open or closed of a server that cannot be asked", () => {
    const { nodes } = topology({ mysql, peers: [peer()] }, [server({ trouble: "no answer" })]);
    expect(nodes[1]?.servers).toMatchObject([{ open: null, trouble: "no answer" }]);
  });

  it("draws Redis both from the master and from the replica, and nothing to port 1", () => {
    const of = (replication: object) =>
      topology({
        peers: [peer()],
        redis: [{ name: "cache", server: "127.0.0.1:6379", replication }] as unknown as StatusReply["redis"],
      }).arrows;
    const replica = { role: "replica", source: `${THEIRS}:6379`, linkUp: true, offset: 9, replicas: [] };
    expect(of(replica)).toMatchObject([{ from: THEIRS, to: OWN, state: "running" }]);
    expect(of({ ...replica, source: "127.0.0.1:1", linkUp: false })).toEqual([]);
    const replicas = [{ address: `${THEIRS}:6379`, online: true, offset: 8, lagSeconds: 1 }];
    expect(of({ role: "master", source: null, linkUp: null, offset: 9, replicas })).toMatchObject([
      { from: OWN, to: THEIRS, lagSeconds: 1, position: "8" },
    ]);
  });
});
