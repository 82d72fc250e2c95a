/**
 * Who is the master, who follows it and who is out: MHA's sorting of the servers of one application, and its reasons for refusing one.
 * Input are servers with their facts, null for one that cannot be reached. Pure; the words are for the manager's log.
 */
import { err, ok, type Result } from "../lib/result.ts";
import { coordinatesInWords } from "../mysql/coordinates.ts";
import { hostInfo, type MhaServer } from "./config.ts";
import type { MhaFacts } from "./facts.ts";

export interface Seen {
  readonly server: MhaServer;
  /** Null: dead. */
  readonly facts: MhaFacts | null;
  /** Address of the server it replicates from, looked up; null when it is no replica or the name is unknown. */
  readonly masterIp: string | null;
}

export interface Alive extends Seen {
  readonly facts: MhaFacts;
}

export type Mode = "gtid" | "position";

export interface Topology {
  readonly master: Seen;
  readonly dead: readonly Seen[];
  readonly alive: readonly Alive[];
  /** Replicas of the master whose execution is in order. */
  readonly slaves: readonly Alive[];
  /** Replicas whose executing thread has stopped with an error. */
  readonly failed: readonly Alive[];
  /** Replicas of replicas, with multi_tier_slave. */
  readonly unmanaged: readonly Alive[];
  readonly mode: Mode;
  /** More than one of them is master and replica; this one takes the writes. */
  readonly multiMaster: boolean;
}

const isAlive = (one: Seen): one is Alive => one.facts !== null;
const isReplica = (one: Alive): boolean => one.facts.replication !== null;
const same = (one: Seen, other: Seen): boolean => one.server.id === other.server.id;

/** `expected` is a master that is known to be dead: nobody else may be it. */
export function sortServers(seen: readonly Seen[]): Result<Topology, string> {
  const alive = seen.filter(isAlive);
  if (alive.length === 0) return err("There is no alive server. A failover is not possible");
  const several = alive.find(({ facts }) => facts.channels > 1);
  if (several !== undefined) {
    return err(
      `Server ${hostInfo(several.server)} replicates from several servers; one source per server is supported`,
    );
  }
  const replicas = alive.filter(isReplica);
  const loose = alive.length - replicas.length;
  if (loose >= 2)
    return err(`There are ${loose} non-slave servers! At most one server may be no replica. Check the configuration`);
  if (replicas.length === 0) return err("There is not any alive slave! Check the settings of replication");
  const masters = mastersOf(seen, replicas);
  if (!masters.ok) return masters;
  const master = masters.value.length === 1 ? ok(masters.value[0] as Seen) : primaryOf(masters.value, replicas);
  if (!master.ok) return master;
  return placed(seen, master.value, masters.value.length > 1);
}

function mastersOf(seen: readonly Seen[], replicas: readonly Alive[]): Result<readonly Seen[], string> {
  const found: Seen[] = [];
  for (const replica of replicas) {
    const master = masterOf(seen, replica);
    if (master === undefined) {
      const { masterHost, masterPort } = replica.facts.replication ?? { masterHost: "?", masterPort: 0 };
      return err(
        `Master ${masterHost}:${masterPort} from which slave ${hostInfo(replica.server)} replicates is not defined in the configuration file`,
      );
    }
    if (!found.includes(master)) found.push(master);
  }
  return ok(found);
}

const masterOf = (seen: readonly Seen[], replica: Alive): Seen | undefined => {
  const { masterHost, masterPort } = replica.facts.replication ?? { masterHost: "", masterPort: 0 };
  return seen.find(
    ({ server }) =>
      server.port === masterPort &&
      (server.ip === replica.masterIp || server.ip === masterHost || server.hostname === masterHost),
  );
};

/** Several servers are replicated from: the one that takes writes, or is dead, leads; more than one such is no topology to decide on. */
function primaryOf(masters: readonly Seen[], replicas: readonly Alive[]): Result<Seen, string> {
  const known = masters
    .map((one) => `${hostInfo(one.server)}${one.facts === null ? ", dead" : one.facts.readOnly ? ", read-only" : ""}`)
    .join("; ");
  // Those that only multi-tier replicas follow are no candidates: a replica in the middle is read-only, or follows the primary itself.
  const writable = masters.filter(({ facts }) => facts === null || !facts.readOnly);
  const top = writable.length < 2 ? writable : writable.filter((one) => !isMiddle(one, replicas));
  const [only] = top;
  if (only === undefined) return err(`Multi-master configuration is detected, but all of them are read-only! ${known}`);
  if (top.length > 1) {
    return err(`Multi-master configuration is detected, but two or more masters are either writable or dead! ${known}`);
  }
  return ok(only);
}

/** A tier between, not a second master: all that follow it say multi_tier_slave. */
function isMiddle(one: Seen, replicas: readonly Alive[]): boolean {
  if (one.facts === null || one.facts.replication === null) return false;
  const below = replicas.filter((replica) => masterOf([one], replica) !== undefined);
  return below.every(({ server }) => server.multiTier);
}

function placed(seen: readonly Seen[], master: Seen, multiMaster: boolean): Result<Topology, string> {
  const alive = seen.filter(isAlive);
  const places = { slaves: [] as Alive[], failed: [] as Alive[], unmanaged: [] as Alive[] };
  for (const one of alive) {
    if (same(one, master)) continue;
    const place = placeOf(one, masterOf(seen, one), master);
    if (!place.ok) return place;
    places[place.value].push(one);
  }
  const { slaves } = places;
  if (slaves.length === 0) {
    const broken = places.failed.map(
      ({ server, facts }) => `${hostInfo(server)}: ${facts.replication?.sqlError ?? ""}`,
    );
    return err(["There is no alive slave. A failover is not possible", ...broken].join("; "));
  }
  const dead = seen.filter((one) => one.facts === null);
  return ok({ master, dead, alive, ...places, mode: modeOf(alive, slaves), multiMaster });
}

function placeOf(one: Alive, above: Seen | undefined, master: Seen): Result<"slaves" | "failed" | "unmanaged", string> {
  const { replication } = one.facts;
  if (replication === null) return err(`Server ${hostInfo(one.server)} is alive, but does not work as a slave!`);
  if (above !== undefined && same(above, master)) {
    return ok(replication.sql === "stopped" && replication.sqlError !== null ? "failed" : "slaves");
  }
  if (one.server.multiTier) return ok("unmanaged");
  return err(
    `Slave ${hostInfo(one.server)} replicates from ${replication.masterHost}:${replication.masterPort}, but real master is ${hostInfo(master.server)}; ` +
      "multi_tier_slave=1 leaves such a replica alone",
  );
}

/** GTIDs are used when every server has them and replicas find their place by them. */
function modeOf(alive: readonly Alive[], slaves: readonly Alive[]): Mode {
  if (slaves.some(({ facts }) => facts.version.product === "mariadb")) {
    return slaves.every(({ facts }) => facts.replication?.byGtid === true) ? "gtid" : "position";
  }
  if (!alive.every(({ facts }) => facts.gtid) || slaves.some(({ facts }) => facts.position === "")) return "position";
  const wanted = slaves.some(({ facts, server }) => facts.replication?.byGtid === true || server.useGtidAutoPos);
  return wanted ? "gtid" : "position";
}

/** A server that is dead or broken stops everything, unless it may fail. */
export function missingServer({ master, dead, failed }: Topology, ignoreFail: boolean): string | null {
  const excused = ({ server }: Seen): boolean => ignoreFail && server.ignoreFail;
  const gone = dead.find((one) => !same(one, master) && !excused(one));
  if (gone !== undefined)
    return `Server ${hostInfo(gone.server)} is dead, but must be alive! ignore_fail=1 goes on without it`;
  const broken = failed.find((one) => !excused(one));
  if (broken === undefined) return null;
  return `Replication on ${hostInfo(broken.server)} fails! ${broken.facts.replication?.sqlError ?? ""}`;
}

/** Replicas must filter alike, and alike the master's log: what one leaves out cannot be had from it by the others. */
export function filterProblem({ master, slaves }: Topology): string | null {
  const [first] = slaves;
  if (first === undefined) return null;
  const rules = (one: Alive): string => (one.facts.replication?.filters ?? []).join("; ");
  const logs = (one: Alive): string => one.facts.binlogFilters.join("; ");
  const other = slaves.find((one) => rules(one) !== rules(first));
  if (other !== undefined) {
    return `Replication filtering check failed on ${hostInfo(other.server)}: [${rules(other)}] there, [${rules(first)}] on ${hostInfo(first.server)}`;
  }
  const logging = [...(isAlive(master) ? [master] : []), ...slaves.filter(({ facts }) => facts.logBin)];
  const [reference] = logging;
  const differs = logging.find((one) => reference !== undefined && logs(one) !== logs(reference));
  if (differs === undefined || reference === undefined) return null;
  return `Binlog filtering check failed on ${hostInfo(differs.server)}: [${logs(differs)}] there, [${logs(reference)}] on ${hostInfo(reference.server)}`;
}

/** One server as lines of the log. */
export function serverInWords({ server, facts }: Seen): readonly string[] {
  const label = server.label === null ? "" : ` (${server.label})`;
  if (facts === null) return [`  ${hostInfo(server)}${label}`];
  const log = facts.logBin ? "log-bin:enabled" : "log-bin:disabled";
  const lines = [`  ${hostInfo(server)}${label}  Version=${facts.versionText} ${log}`];
  if (facts.gtid) lines.push("    GTID ON");
  if (facts.replication === null) return lines;
  const { masterHost, masterPort, received } = facts.replication;
  lines.push(
    `    Replicating from ${masterHost}:${masterPort}${received === null ? "" : `, received up to ${coordinatesInWords(received)}`}`,
  );
  if (server.noMaster) lines.push("    no_master is set: never a new master");
  else if (server.candidate) lines.push("    candidate_master is set: preferred as new master");
  return lines;
}

/** The tree that masterha_check_repl shows. */
export function treeInWords({ master, slaves }: Pick<Topology, "master" | "slaves">): readonly string[] {
  const name = ({ server }: Seen): string => `${hostInfo(server)}${server.label === null ? "" : ` (${server.label})`}`;
  return [`${name(master)} (current master)`, ...slaves.map((one) => ` +--${name(one)}`)];
}
