/**
 * What a replica lacks and only files hold: the end of the dead master's binary log, saved over ssh, or relay logs of the replica that has
 * received most. Cut to whole transactions, kept in the manager's directory, and executed on whoever lacks them.
 */

import { join } from "node:path";
import { hostInfo, type MhaServer } from "../core/mha/config.ts";
import { comparePositions } from "../core/mha/election.ts";
import type { Alive } from "../core/mha/topology.ts";
import { type Coordinates, coordinatesInWords } from "../core/mysql/coordinates.ts";
import { applyFile } from "./apply.ts";
import { type Cut, cutLogs, type LogFile } from "./binlog-files.ts";
import { MhaError, wordsOf } from "./environment.ts";
import { type MhaLog, stamp } from "./log.ts";
import { catchUpByGtid, type RecoveryContext } from "./recovery.ts";
import { fetchOne, fetchSeries, findLogs, type RemoteShell } from "./remote-logs.ts";
import { onHost, sshWords } from "./ssh.ts";

export interface DifferencesContext extends RecoveryContext {
  readonly dead: MhaServer;
  /** To the dead master's host; null when it cannot be used. */
  readonly shell: RemoteShell | null;
  readonly workdir: string;
  /** Where copies of the master's logs are kept; asked when its own host does not answer. */
  readonly binlogServers: readonly MhaServer[];
  readonly ignoreBinlogServerError: boolean;
}

interface Tail {
  readonly files: readonly LogFile[];
  readonly from: Coordinates;
}

export class Differences {
  readonly #context: DifferencesContext;
  readonly #log: MhaLog;
  readonly #stamp = stamp(new Date());
  #tail: Tail | null = null;
  #relay: readonly LogFile[] | null = null;

  constructor(context: DifferencesContext) {
    this.#context = context;
    this.#log = context.log;
  }

  /** From the position on that the last of the replicas has executed. False: it could not be had, and the log says why. */
  async saveTail(slaves: readonly Alive[]): Promise<boolean> {
    const { shell, dead, binlogServers, ignoreBinlogServerError } = this.#context;
    const from = earliest(slaves);
    if (from === null) return false;
    if (shell === null)
      this.#log.warning("The dead master's host cannot be reached by ssh: its binary log is not saved.");
    else if (await this.#saveFrom(shell, dead, from)) return true;
    for (const server of binlogServers) if (await this.#saveFrom(shellOf(server), server, from)) return true;
    if (binlogServers.length > 0 && !ignoreBinlogServerError) {
      throw new MhaError("No [binlog] server could be used; --ignore_binlog_server_error goes on without them");
    }
    return false;
  }

  async #saveFrom(shell: RemoteShell, { hostname, port, binlogDirs }: MhaServer, from: Coordinates): Promise<boolean> {
    try {
      const prefix = `saved_master_binlog_from_${hostname}_${port}_${this.#stamp}`;
      const files = await fetchSeries(shell, { from, directories: binlogDirs, into: this.#context.workdir, prefix });
      this.#tail = { files, from };
      this.#log.info(
        `Saved binary logs of ${hostname} from ${coordinatesInWords(from)} on: ${files.map(({ path }) => path).join(", ")}`,
      );
      return true;
    } catch (error) {
      this.#log.warning(`The binary log could not be saved from ${hostname}: ${wordsOf(error)}`);
      return false;
    }
  }

  /** Lets the server execute what follows `from` in the saved log; how many transactions that were. */
  async applyTail(target: Alive, from: Coordinates): Promise<number> {
    if (this.#tail === null) return 0;
    const output = this.#output("diff_from_master", target.server);
    const beginsThere = comparePositions(from, this.#tail.from) === 0;
    const cut = cutLogs(this.#tail.files, { from, output, fresh: true, beginsThere });
    return this.#apply(target, cut, { from, output });
  }

  get hasTail(): boolean {
    return this.#tail !== null;
  }

  #output(what: string, { hostname, port }: MhaServer): string {
    return join(this.#context.workdir, `${what}_${hostname}_${port}_${this.#stamp}.binlog`);
  }

  async #apply(
    target: Alive,
    cut: Cut,
    { from, output }: { readonly from: Coordinates; readonly output: string },
  ): Promise<number> {
    const { server, facts } = target;
    const filters = facts.replication?.filters ?? [];
    if (!cut.covered)
      throw new MhaError(`${coordinatesInWords(from)}, where ${hostInfo(server)} stands, is not in the saved logs`);
    if (cut.transactions === 0) {
      this.#log.info(` ${hostInfo(server)} lacks nothing that files hold.`);
      return 0;
    }
    if (filters.length > 0) {
      throw new MhaError(
        `${hostInfo(server)} lacks ${cut.transactions} transactions, and filters (${filters.join("; ")}), which mysqlbinlog does not know; they are in ${output}`,
      );
    }
    this.#log.info(
      ` Applying ${cut.transactions} transactions (${cut.bytes} bytes) on ${hostInfo(server)}, kept in ${output}..`,
    );
    const database = this.#context.cluster.of(target);
    // Half a transaction at the end of what was received holds its locks as long as the thread waits for the rest: stopping it rolls that back.
    await database.thread("STOP", facts.replication?.channel ?? "", "SQL_THREAD");
    await database.withPackets(cut.bytes, () => applyFile(server, output));
    this.#log.info("  done.");
    return cut.transactions;
  }

  /**
   * Position mode: brings a replica to what the freshest one has. With MariaDB by GTID, which its logs always have; otherwise by relay logs
   * of the freshest, over ssh.
   */
  async levelWith(freshest: Alive, target: Alive, from: Coordinates): Promise<void> {
    const canServe = freshest.facts.logBin && freshest.facts.logUpdates;
    if (target.facts.version.product === "mariadb" && canServe) {
      await catchUpByGtid(this.#context, target, freshest);
      return;
    }
    this.#relay ??= await this.#fetchRelayLogs(freshest, from);
    const output = this.#output(`relay_from_${freshest.server.hostname}`, target.server);
    const cut = cutLogs(this.#relay, { from, output, fresh: true });
    await this.#apply(target, cut, { from, output });
  }

  /** Backwards from the newest until the position is in them. */
  async #fetchRelayLogs(freshest: Alive, from: Coordinates): Promise<readonly LogFile[]> {
    const { server, facts } = freshest;
    const shell = shellOf(server);
    const directory = await this.#relayDirectory(freshest);
    const newest = facts.replication?.relayFile ?? "";
    const logs = await findLogs(shell, [directory], newest);
    let files: readonly LogFile[] = [];
    for (const name of logs.names.toReversed()) {
      const path = join(this.#context.workdir, `relay_log_of_${server.hostname}_${server.port}_${this.#stamp}.${name}`);
      await fetchOne(shell, join(logs.directory, name), { path, offset: 0 });
      files = [{ path, name: "" }, ...files];
      const trial = cutLogs(files, {
        from,
        fresh: true,
        output: join(this.#context.workdir, `relay_trial_${this.#stamp}.binlog`),
      });
      if (trial.covered) return files;
    }
    throw new MhaError(
      `The relay logs of ${hostInfo(server)} do not go back to ${coordinatesInWords(from)}: they were purged (relay_log_purge)`,
    );
  }

  async #relayDirectory(freshest: Alive): Promise<string> {
    const database = this.#context.cluster.of(freshest);
    const [row] = await database.order("SHOW GLOBAL VARIABLES LIKE 'relay_log_basename'", {
      what: "asking for the relay logs",
    });
    const base = row?.Value ?? "";
    const relative = base === "" ? freshest.facts.dataDirectory : base.slice(0, base.lastIndexOf("/"));
    return relative.startsWith("/") ? relative : join(freshest.facts.dataDirectory, relative);
  }
}

const shellOf = (server: MhaServer): RemoteShell => ({
  run: (command, options) => onHost(server, command, options),
  words: (command) => sshWords(server, command),
});

function earliest(slaves: readonly Alive[]): Coordinates | null {
  const positions = slaves.map(({ facts }) => facts.replication?.executed ?? null);
  const [first = null, ...rest] = positions;
  return rest.reduce((least, one) => (comparePositions(one, least) < 0 ? one : least), first);
}
