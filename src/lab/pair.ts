/**
 * The lab's standard pair: two MariaDB masters that replicate from each other, a VRRP daemon on each of their hosts,
 * and the hooks that open and close the databases. Foreground programs die with this process; detached ones stay
 * until the sandbox ends.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Daemon, type DaemonKind, daemonCommand, startDaemon } from "./daemon.ts";
import { type Lab, type LabHost, VIP } from "./lab.ts";
import { MariadbServer, replicateFrom, replicating } from "./mariadb.ts";
import { LAB_DATA } from "./paths.ts";
import { sleep, until } from "./processes.ts";

export interface PairNode {
  readonly host: LabHost;
  readonly peerAddress: string;
  readonly priority: number;
  readonly server: MariadbServer;
  readonly daemonKind: DaemonKind;
  /** By the daemon itself instead of hooks: lab/keepalived/managed.conf. */
  readonly managed: boolean;
  /** Proves the adverts of managed pairs; 64 hexadecimal digits. */
  readonly key: string;
  daemon: Daemon | null;
}

export type PairKinds = readonly [DaemonKind, DaemonKind];

/** The configuration of one node, with folders, peer and priority filled in. */
export function demoConfig(
  node: Pick<PairNode, "host" | "peerAddress" | "priority" | "server" | "daemonKind" | "managed" | "key">,
): string {
  const values: Readonly<Record<string, string>> = {
    HOOKS: join(LAB_DATA, "hooks"),
    DATABASE: node.server.directory,
    PEER: node.peerAddress,
    PRIORITY: String(node.priority),
    KEY: node.key,
    // keepalived has no gate: there the database is prepared after the address has moved.
    CLAIM_KEYWORD: node.daemonKind === "holdfast" ? "notify_claim" : "notify_master",
  };
  const template = readFileSync(
    join(LAB_DATA, node.managed ? "keepalived/managed.conf" : "keepalived/demo.conf"),
    "utf8",
  );
  return template.replace(/@([A-Z_]+)@/g, (whole, name: string) => values[name] ?? whole);
}

export class DatabasePair {
  readonly lab: Lab;
  readonly nodes: readonly [PairNode, PairNode];

  constructor(lab: Lab, kinds: PairKinds, { managed = false }: { readonly managed?: boolean } = {}) {
    this.lab = lab;
    const [one, two] = [lab.host("db1"), lab.host("db2")];
    const key = randomBytes(32).toString("hex");
    const node = (host: LabHost, peer: LabHost, index: 0 | 1): PairNode => ({
      host,
      peerAddress: peer.address,
      priority: index === 0 ? 100 : 90,
      server: new MariadbServer(host, index + 1),
      daemonKind: kinds[index],
      managed,
      key,
      daemon: null,
    });
    this.nodes = [node(one, two, 0), node(two, one, 1)];
  }

  async startDatabases(options: { readonly detached?: boolean } = {}): Promise<void> {
    const [a, b] = [this.nodes[0].server, this.nodes[1].server];
    const start = (server: MariadbServer) => (options.detached === true ? server.startDetached() : server.start());
    await Promise.all([a.prepare(), b.prepare()]);
    // What is told here comes back by itself; a quarantine is another story.
    for (const server of [a, b]) server.configure("init_rpl_role = SLAVE");
    await Promise.all([start(a), start(b)]);
    await Promise.all([replicateFrom(a, b), replicateFrom(b, a)]);
  }

  startDaemon(node: PairNode): Daemon {
    node.daemon = startDaemon(node.host, { kind: node.daemonKind, config: demoConfig(node) });
    return node.daemon;
  }

  async startDaemonDetached(node: PairNode): Promise<string> {
    const { argv, pidFile } = daemonCommand(node.host, { kind: node.daemonKind, config: demoConfig(node) });
    await node.host.spawnDetached(argv, join(node.host.directory, "daemon.log"));
    return pidFile;
  }

  /** The nodes whose eth0 carries the virtual address now. */
  async holders(): Promise<readonly PairNode[]> {
    const held = await Promise.all(this.nodes.map((node) => node.host.holds(VIP)));
    return this.nodes.filter((_, index) => held[index]);
  }

  async holder(timeoutMs = 15_000): Promise<PairNode> {
    const one = async () => {
      const held = await this.holders();
      return held.length === 1 ? held[0] : undefined;
    };
    return await until(one, "exactly one host holds the address", timeoutMs);
  }

  other(node: PairNode): PairNode {
    return node === this.nodes[0] ? this.nodes[1] : this.nodes[0];
  }

  /** Waits until the standby follows, has everything the writer had a moment ago, and acknowledges its commits. */
  async caughtUp(writer: PairNode, timeoutMs = 20_000): Promise<void> {
    const standby = this.other(writer);
    await replicating(standby.server, timeoutMs);
    await replicating(writer.server, timeoutMs);
    const position = await writer.server.value("SELECT @@gtid_binlog_pos");
    const waited = await standby.server.value(`SELECT MASTER_GTID_WAIT('${position}', 4)`);
    if (waited !== "0") throw new Error(`${standby.host.name} has not caught up with ${writer.host.name}`);
    const armed = async () => {
      const answer = await writer.server.value(
        "SELECT @@rpl_semi_sync_master_enabled = 1 AND VARIABLE_VALUE > 0 FROM information_schema.global_status " +
          "WHERE VARIABLE_NAME = 'Rpl_semi_sync_master_clients'",
      );
      return answer === "1" ? true : undefined;
    };
    await until(armed, `${standby.host.name} acknowledges commits of ${writer.host.name}`, timeoutMs);
    await sleep(0);
  }

  /** Writes a file into a node's folder; for tests that add a hook of their own. */
  write(node: PairNode, name: string, text: string): string {
    const path = join(node.host.directory, name);
    writeFileSync(path, text, { mode: 0o755 });
    return path;
  }
}
