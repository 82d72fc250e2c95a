/**
 * Which hosts there are, what each of them is and has, and what replicates from where: put together from what this daemon says of
 * itself, of its peers' daemons, of heard adverts and of database servers. A host is known by its address; nothing is guessed.
 */
import type { PositionsReply, SessionReply, StatusReply } from "../../control/contract/types.ts";

export interface Router {
  readonly instance: string;
  readonly phase: string;
  readonly priority: number;
  readonly addresses: readonly string[];
  /** Its addresses are on the interface and announced; of a host that is only heard: it says so by its adverts. */
  readonly holding: boolean;
}

export interface Server {
  readonly product: "mysql" | "redis";
  readonly name: string;
  readonly address: string;
  readonly version: string | null;
  /** Open for writes; null: not known. */
  readonly open: boolean | null;
  readonly trouble: string | null;
  readonly position: string | null;
}

export interface TopologyNode {
  /** Address of the host, or "own". */
  readonly key: string;
  readonly title: string;
  /** own: this daemon; peer: its daemon is asked over the peer link; heard: only its adverts; server: only its database. */
  readonly kind: "own" | "peer" | "heard" | "server";
  /** False: what is shown of it is as it was last seen. */
  readonly fresh: boolean;
  /** Why it is not fresh. */
  readonly detail: string | null;
  readonly version: string | null;
  readonly routers: readonly Router[];
  readonly servers: readonly Server[];
}

export interface Arrow {
  /** Keys of nodes: data flow from one to the other. */
  readonly from: string;
  readonly to: string;
  readonly group: string;
  readonly state: "running" | "connecting" | "stopped";
  readonly lagSeconds: number | null;
  /** How far the receiver is, in the words of its product. */
  readonly position: string | null;
}

export interface Vip {
  readonly address: string;
  readonly instance: string;
  /** Keys of nodes that hold it; none, one, or a problem. */
  readonly holders: readonly string[];
}

export interface Topology {
  readonly nodes: readonly TopologyNode[];
  readonly vips: readonly Vip[];
  readonly arrows: readonly Arrow[];
}

export interface TopologyInput {
  readonly status: StatusReply;
  readonly session: SessionReply | null;
  readonly positions: ReadonlyMap<string, PositionsReply["servers"]>;
}

type Draft = { -readonly [Key in keyof TopologyNode]: TopologyNode[Key] } & { routers: Router[]; servers: Server[] };

export const OWN = "own";

export function topologyOf(input: TopologyInput): Topology {
  const hosts = new Hosts(input);
  addPeers(hosts, input.status);
  addHeard(hosts, input.status);
  const arrows = [...addGroups(hosts, input), ...addRedis(hosts, input.status)];
  return { nodes: hosts.all(), vips: vipsOf(input.status, hosts.all()), arrows };
}

/** "192.0.2.1:3306" and "[2001:db8::1]:3306" without the port; a path is no host. */
export function hostOf(place: string): string | null {
  if (place === "" || place.startsWith("/")) return null;
  return /^\[(.*)\]:\d+$/.exec(place)?.[1] ?? /^([^:]+):\d+$/.exec(place)?.[1] ?? place;
}

class Hosts {
  readonly #nodes = new Map<string, Draft>();
  readonly #ownAddresses: ReadonlySet<string>;

  constructor({ status, session }: TopologyInput) {
    const sources = status.instances.flatMap(({ source }) => source ?? []);
    this.#ownAddresses = new Set([...sources, "127.0.0.1", "::1", "localhost", ...(session ? [session.host] : [])]);
    const routers = status.instances.map(({ name, phase, priority, addresses, holding }) => {
      return { instance: name, phase, priority, addresses: addresses.map(bare), holding };
    });
    this.#nodes.set(OWN, {
      key: OWN,
      title: session?.host ?? sources[0] ?? "",
      kind: "own",
      fresh: !status.stale,
      detail: status.keeper.detail,
      version: status.daemon.version,
      routers,
      servers: [],
    });
  }

  all(): readonly TopologyNode[] {
    return [...this.#nodes.values()];
  }

  /** The node with that address, a new one if need be. */
  at(address: string, kind: TopologyNode["kind"]): Draft {
    const key = this.keyOf(address);
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    const made: Draft = {
      key,
      title: address,
      kind,
      fresh: true,
      detail: null,
      version: null,
      routers: [],
      servers: [],
    };
    this.#nodes.set(key, made);
    return made;
  }

  /** A virtual address leads to who holds it: replication may be set up through it. */
  keyOf(address: string): string {
    if (this.#ownAddresses.has(address)) return OWN;
    const holder = this.all().find(({ routers }) =>
      routers.some((one) => one.holding && one.addresses.includes(address)),
    );
    return holder?.key ?? address;
  }
}

/** Without the length of the prefix. */
const bare = (address: string): string => address.split("/", 1)[0] ?? address;

function addPeers(hosts: Hosts, { peers }: StatusReply): void {
  for (const peer of peers) {
    const node = hosts.at(hostOf(peer.peer) ?? peer.peer, "peer");
    node.title = peer.host ?? node.title;
    node.fresh = peer.connected;
    node.detail = peer.detail;
    node.version = peer.version;
    node.routers = peer.instances.map(({ name, phase, priority, addresses, holding }) => {
      return { instance: name, phase, priority, addresses: addresses.map(bare), holding };
    });
  }
}

/** Masters that are heard and have no daemon of ours that could be asked: keepalived, or one without a peer link. */
function addHeard(hosts: Hosts, { instances }: StatusReply): void {
  for (const { name, state, master, addresses } of instances) {
    if (state === "MASTER" || master === null) continue;
    const node = hosts.at(master.source, "heard");
    if (node.kind !== "heard") continue;
    const said = { instance: name, phase: "MASTER", priority: master.priority, holding: true } as const;
    node.routers = [...node.routers, { ...said, addresses: addresses.map(bare) }];
  }
}

function addGroups(hosts: Hosts, { status, positions }: TopologyInput): Arrow[] {
  return status.mysql.flatMap((view) => {
    const servers = positions.get(view.name);
    if (servers === undefined) return addWatched(hosts, view);
    return servers.flatMap((server) => {
      const host = hostOf(server.address);
      const node = server.own || host === null ? hosts.at("localhost", "own") : hosts.at(host, "server");
      const { address, version, trouble, closedBy } = server;
      const open = trouble === null ? closedBy === null : null;
      const position = server.lines.at(-1)?.value ?? null;
      node.servers = [
        ...node.servers,
        { product: "mysql", name: view.name, address, version, open, trouble, position },
      ];
      return server.channels.flatMap((channel) => arrowOf(hosts, node.key, { group: view.name, ...channel }));
    });
  });
}

/** A server that nobody manages: what its check has seen. */
function addWatched(hosts: Hosts, view: StatusReply["mysql"][number]): Arrow[] {
  const host = hostOf(view.server);
  const node = host === null ? hosts.at("localhost", "own") : hosts.at(host, "server");
  const { name, server: address, version, trouble } = view;
  node.servers = [...node.servers, { product: "mysql", name, address, version, open: null, trouble, position: null }];
  return view.replicas.flatMap(({ lagSeconds, ...channel }) =>
    arrowOf(hosts, node.key, { group: name, ...channel, lag: lagSeconds, lines: [] }),
  );
}

interface Channel {
  readonly group: string;
  readonly source: string;
  readonly io: "running" | "connecting" | "stopped";
  readonly sql: "running" | "stopped";
  readonly lag: number | null;
  readonly lines: readonly { readonly name: string; readonly value: string }[];
}

function arrowOf(hosts: Hosts, to: string, { group, source, io, sql, lag, lines }: Channel): Arrow[] {
  const host = hostOf(source);
  if (host === null) return [];
  const from = hosts.at(host, "server").key;
  if (from === to) return [];
  const state = sql === "stopped" ? "stopped" : io;
  return [{ from, to, group, state, lagSeconds: lag, position: lines.at(-1)?.value ?? null }];
}

function addRedis(hosts: Hosts, { redis }: StatusReply): Arrow[] {
  return redis.flatMap((view) => {
    const host = hostOf(view.server);
    const node = host === null ? hosts.at("localhost", "own") : hosts.at(host, "server");
    const { name, server: address, version, trouble, replication } = view;
    const open = replication === null ? null : replication.role === "master";
    const position = replication === null ? null : String(replication.offset);
    node.servers = [...node.servers, { product: "redis", name, address, version, open, trouble, position }];
    return replication === null ? [] : redisArrows(hosts, node.key, name, replication);
  });
}

type RedisReplication = NonNullable<StatusReply["redis"][number]["replication"]>;

function redisArrows(hosts: Hosts, key: string, group: string, replication: RedisReplication): Arrow[] {
  const arrows = replication.replicas.map((replica): Arrow => {
    const to = hosts.at(hostOf(replica.address) ?? replica.address, "server").key;
    const state = replica.online ? "running" : "connecting";
    return { from: key, to, group, state, lagSeconds: replica.lagSeconds, position: String(replica.offset) };
  });
  const { source } = replication;
  const host = source === null ? null : hostOf(source);
  // Port 1 closes a server on purpose: it follows nobody.
  if (source !== null && host !== null && !source.endsWith(":1")) {
    const from = hosts.at(host, "server").key;
    const state = replication.linkUp === true ? "running" : "connecting";
    arrows.push({ from, to: key, group, state, lagSeconds: null, position: String(replication.offset) });
  }
  return arrows.filter(({ from, to }) => from !== to);
}

/** Only who is fresh counts: a host that is gone holds nothing that we know of. */
function vipsOf({ instances }: StatusReply, nodes: readonly TopologyNode[]): Vip[] {
  return instances.flatMap(({ name, addresses }) =>
    addresses.map(bare).map((address) => {
      const holds = ({ fresh, routers }: TopologyNode): boolean =>
        fresh && routers.some((router) => router.holding && router.addresses.includes(address));
      return { address, instance: name, holders: nodes.filter(holds).map(({ key }) => key) };
    }),
  );
}
