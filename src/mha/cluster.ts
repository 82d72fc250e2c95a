/** All servers of the application: asked side by side, sorted by core/mha/topology.ts, and closed together. */
import type { MhaConfig, MhaServer } from "../core/mha/config.ts";
import { replicationUserStatement } from "../core/mha/orders.ts";
import { type Alive, type Seen, serverInWords, sortServers, type Topology } from "../core/mha/topology.ts";
import type { SqlPort } from "../ports/sql.ts";
import { aliveError, Database, failureWords } from "./database.ts";
import { MhaError } from "./environment.ts";
import type { MhaLog } from "./log.ts";
import { addressOf } from "./settings.ts";

export class Cluster {
  readonly config: MhaConfig;
  readonly #databases: ReadonlyMap<string, Database>;
  readonly #log: MhaLog;

  constructor(sql: SqlPort, config: MhaConfig, log: MhaLog) {
    this.config = config;
    this.#log = log;
    this.#databases = new Map(config.servers.map((server) => [server.id, new Database(sql, server)]));
  }

  of({ server }: { readonly server: MhaServer }): Database {
    const database = this.#databases.get(server.id);
    if (database === undefined) throw new MhaError(`${server.id} is not in the configuration`);
    return database;
  }

  close(): void {
    for (const database of this.#databases.values()) database.close();
  }

  /** Asks everybody but `dead`, which counts as dead without being asked. Throws when the servers are no topology for a failover. */
  async read(dead: MhaServer | null = null): Promise<Topology> {
    const seen = await Promise.all(this.config.servers.map((server) => this.#look(server, dead)));
    const topology = sortServers(seen);
    if (!topology.ok) throw new MhaError(topology.error);
    return topology.value;
  }

  async #look(server: MhaServer, dead: MhaServer | null): Promise<Seen> {
    if (server.id === dead?.id) return { server, facts: null, masterIp: null };
    const database = this.of({ server });
    const opened = database.isOpen ? null : await database.open();
    const failure = opened === null || opened.ok ? null : opened.error;
    const code = failure === null ? null : aliveError(failure);
    if (failure !== null && code !== null) {
      throw new MhaError(
        `${database.name} lives and refuses the manager: ${failureWords(failure)}. Correct user and password, or the server's limits`,
      );
    }
    if (failure !== null) {
      this.#log.debug(`  ${database.name} cannot be reached: ${failureWords(failure)}`);
      return { server, facts: null, masterIp: null };
    }
    const facts = await database.facts();
    if (!facts.ok) {
      // It has answered a moment ago: a missing privilege must not look like a dead server.
      if (facts.error.kind === "server")
        throw new MhaError(`${database.name} does not say how it replicates: ${failureWords(facts.error)}`);
      return { server, facts: null, masterIp: null };
    }
    const host = facts.value.replication?.masterHost ?? null;
    return { server, facts: facts.value, masterIp: host === null ? null : await addressOf(host) };
  }

  tell({ dead, alive, slaves, failed, unmanaged, mode }: Topology): void {
    const log = this.#log;
    log.info(`GTID failover mode = ${mode === "gtid" ? 1 : 0}`);
    const groups: readonly (readonly [string, readonly Seen[]])[] = [
      ["Dead Servers:", dead],
      ["Alive Servers:", alive],
      ["Alive Slaves:", slaves],
      ["Failed Slaves:", failed],
      ["Unmanaged Servers:", unmanaged],
    ];
    for (const [title, members] of groups) {
      if (members.length === 0 && /^(Failed|Unmanaged)/.test(title)) continue;
      log.info(title);
      for (const one of members)
        log.lines(title === "Alive Servers:" ? serverInWords(one).slice(0, 1) : serverInWords(one));
    }
  }

  /** Settings that make a failover weaker: said, not refused. */
  warnAbout({ slaves, mode }: Topology): void {
    for (const { server, facts } of slaves) {
      const name = this.of({ server }).name;
      if (!facts.readOnly) this.#log.info(` read_only=1 is not set on slave ${name}.`);
      if (facts.relayPurge && mode === "position") {
        this.#log.warning(
          ` relay_log_purge=0 is not set on slave ${name}: relay logs that others lack may be gone when they are needed.`,
        );
      }
      if (!facts.logBin) this.#log.warning(` log-bin is not set on slave ${name}. This host cannot be a master.`);
    }
  }

  /** The account that replicas use must exist wherever they may be pointed to. */
  async checkReplicationUsers({ alive, slaves }: Topology): Promise<void> {
    for (const one of alive) {
      const user = this.replicationUser(one, slaves);
      if (user === null) continue;
      const database = this.of(one);
      const rows = await database.query(replicationUserStatement(user));
      if (!rows.ok)
        throw new MhaError(`${database.name} does not say whether ${user} may replicate: ${failureWords(rows.error)}`);
      if (rows.value.some(({ value }) => value === "Y")) continue;
      throw new MhaError(
        `User ${user} does not exist or does not have REPLICATION SLAVE privilege on ${database.name}! Other slaves can not start replication from this host`,
      );
    }
  }

  /** repl_user of the server that is followed; without it the account that replicas use now. */
  replicationUser({ server, facts }: Alive, slaves: readonly Alive[]): string | null {
    const used = facts.replication?.masterUser ?? slaves[0]?.facts.replication?.masterUser ?? null;
    return server.replUser ?? (used === "" ? null : used);
  }
}
