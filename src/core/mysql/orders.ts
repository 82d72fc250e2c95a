/** The statements of a takeover, for both products and their versions. Names of channels are quoted; nothing else comes from outside. */
import type { Coordinates } from "./coordinates.ts";
import { BAR, type ReplicaFacts, type SqlRow } from "./facts.ts";
import { atLeast, type ServerVersion } from "./version.ts";

/** super_read_only closes for accounts with SUPER as well and implies read_only; MariaDB has none. */
export const closeStatement = ({ product, ...version }: ServerVersion): string =>
  product === "mysql" && atLeast({ product, ...version }, 5, 7, 8)
    ? "SET GLOBAL super_read_only = 1"
    : "SET GLOBAL read_only = 1";

/** On MySQL this takes super_read_only off as well. */
export const OPEN_STATEMENT = "SET GLOBAL read_only = 0";

export type ThreadName = "IO_THREAD" | "SQL_THREAD";

/** START and STOP of one thread of one channel, or of both. MySQL renamed the statements in 8.0.22. */
export function replicaOrder(
  version: ServerVersion,
  verb: "START" | "STOP",
  { channel, thread }: { readonly channel: string; readonly thread: ThreadName | null },
): string {
  const what = thread === null ? "" : ` ${thread}`;
  if (version.product === "mariadb") return `${verb} SLAVE${channel === "" ? "" : ` ${quoted(channel)}`}${what}`;
  const word = atLeast(version, 8, 0, 22) ? "REPLICA" : "SLAVE";
  // The nameless channel is one among others: without FOR CHANNEL all of them are meant.
  return `${verb} ${word}${what} FOR CHANNEL ${quoted(channel)}`;
}

/** A channel as it was seen; one that was never barred needs no more than its name. */
export type SeenChannel = Pick<ReplicaFacts, "channel" | "user" | "barred">;

/** Both threads of a channel; one that is barred gets its account back before. */
export function startOrders(version: ServerVersion, seen: SeenChannel): readonly string[] {
  const both = { channel: seen.channel, thread: null };
  const start = replicaOrder(version, "START", both);
  if (seen.barred === undefined) return [start];
  return [replicaOrder(version, "STOP", both), accountOrder(version, seen.channel, seen.user ?? ""), start];
}

/** For a channel whose threads stand and that has executed everything: it cannot log in any more, and keeps its coordinates and its password. */
export const barOrder = (version: ServerVersion, channel: string, user: string): string =>
  accountOrder(version, channel, `${BAR}${user}`);

/** Neither product forgets coordinates over another account: host and port would do that. */
function accountOrder(version: ServerVersion, channel: string, user: string): string {
  const { word, before, after } = changeOf(version, channel);
  return `${before} TO ${word}_USER = ${quoted(user)}${after}`;
}

/** CHANGE MASTER in the words of each product; MySQL renamed it in 8.0.23. */
function changeOf(
  version: ServerVersion,
  channel: string,
): { readonly word: "SOURCE" | "MASTER"; readonly before: string; readonly after: string } {
  if (version.product === "mariadb") {
    return { word: "MASTER", before: `CHANGE MASTER${channel === "" ? "" : ` ${quoted(channel)}`}`, after: "" };
  }
  const after = ` FOR CHANNEL ${quoted(channel)}`;
  return atLeast(version, 8, 0, 23)
    ? { word: "SOURCE", before: "CHANGE REPLICATION SOURCE", after }
    : { word: "MASTER", before: "CHANGE MASTER", after };
}

/**
 * Another source for a channel whose threads stand; password and TLS stay as they are, and the user, unless the channel was barred. With `at` null the GTIDs say where to go on.
 * Host and file name come from the group itself.
 */
export function sourceOrder(
  version: ServerVersion,
  seen: string | SeenChannel,
  to: { readonly host: string; readonly port: number; readonly at: Coordinates | null },
): string {
  const { channel, user, barred }: SeenChannel = typeof seen === "string" ? { channel: seen } : seen;
  const { word, before, after } = changeOf(version, channel);
  const parts = [`${word}_HOST = ${quoted(to.host)}`, `${word}_PORT = ${to.port}`];
  if (barred !== undefined) parts.push(`${word}_USER = ${quoted(user ?? "")}`);
  if (to.at !== null) parts.push(`${word}_LOG_FILE = ${quoted(to.at.file)}`, `${word}_LOG_POS = ${to.at.offset}`);
  return `${before} TO ${parts.join(", ")}${after}`;
}

/** Where a channel receives from, completely but for the account. */
export interface ChannelPlace {
  readonly host: string;
  readonly port: number;
  /** In the source's log; null where MySQL counts GTIDs and takes none. */
  readonly at: Coordinates | null;
  /** MariaDB: "slave_pos" or "current_pos"; null by position, and on MySQL. */
  readonly usingGtid: string | null;
  /** Null: left as it is. */
  readonly tls: boolean | null;
}

/** As sourceOrder, with the coordinates kept also where GTIDs count: MariaDB takes both, and shows them. */
export function placeOrder(version: ServerVersion, channel: string, to: ChannelPlace): string {
  const base = sourceOrder(version, channel, to);
  const modern = version.product === "mysql" && atLeast(version, 8, 0, 23);
  const word = modern ? "SOURCE" : "MASTER";
  const parts = [
    ...(to.tls === null ? [] : [`${word}_SSL = ${to.tls ? 1 : 0}`]),
    ...(version.product === "mariadb" ? [`MASTER_USE_GTID = ${gtidWord(to.usingGtid)}`] : []),
  ];
  const at = base.indexOf(" TO ") + 4;
  return `${base.slice(0, at)}${parts.map((part) => `${part}, `).join("")}${base.slice(at)}`;
}

const gtidWord = (word: string | null): string => (word === "slave_pos" || word === "current_pos" ? word : "no");

/**
 * MySQL 8.0.22 and later: forgets relay logs and where it stood in them, and keeps the account. For a copy of another server only, whose relay
 * logs have not come along.
 */
export const forgetRelayOrder = (channel: string): string => `RESET REPLICA FOR CHANNEL ${quoted(channel)}`;

/** MariaDB 10.10 and later: gtid_slave_pos takes in what the server has committed itself, also where strict mode refuses to set it. */
export const demoteOrder = (channel: string): string =>
  `CHANGE MASTER${channel === "" ? "" : ` ${quoted(channel)}`} TO MASTER_DEMOTE_TO_SLAVE = 1`;
/** A new nameless channel; with `at` null by GTIDs. Holds the password: never to be shown. */
export function attachOrder(
  version: ServerVersion,
  to: {
    readonly host: string;
    readonly port: number;
    readonly at: Coordinates | null;
    readonly user: string;
    readonly password: string;
  },
): string {
  const modern = version.product === "mysql" && atLeast(version, 8, 0, 23);
  const word = modern ? "SOURCE" : "MASTER";
  const parts = [
    `${word}_HOST = ${quoted(to.host)}`,
    `${word}_PORT = ${to.port}`,
    `${word}_USER = ${quoted(to.user)}`,
    `${word}_PASSWORD = ${quoted(to.password)}`,
    `${word}_CONNECT_RETRY = 2`,
    ...(to.at === null ? [] : [`${word}_LOG_FILE = ${quoted(to.at.file)}`, `${word}_LOG_POS = ${to.at.offset}`]),
    gtidOption(version, word, to.at === null),
    // What caching_sha2_password asks for without TLS.
    ...(modern ? ["GET_SOURCE_PUBLIC_KEY = 1"] : []),
  ];
  return `${modern ? "CHANGE REPLICATION SOURCE" : "CHANGE MASTER"} TO ${parts.join(", ")}`;
}

/** MariaDB before 10.10 has no other way to count what a former writer has committed itself. */
function gtidOption(version: ServerVersion, word: "SOURCE" | "MASTER", wanted: boolean): string {
  if (version.product === "mysql") return `${word}_AUTO_POSITION = ${wanted ? 1 : 0}`;
  if (!wanted) return "MASTER_USE_GTID = no";
  return `MASTER_USE_GTID = ${atLeast(version, 10, 10, 0) ? "slave_pos" : "current_pos"}`;
}

export const schedulerOrder = (wanted: boolean): string => `SET GLOBAL event_scheduler = ${wanted ? "ON" : "OFF"}`;

/** Events that came by replication and were switched off by that; the words of both products, old and new. */
export const FOREIGN_EVENTS =
  "SELECT EVENT_SCHEMA AS place, EVENT_NAME AS name, DEFINER AS definer FROM information_schema.EVENTS WHERE STATUS IN ('SLAVESIDE_DISABLED', 'REPLICA_SIDE_DISABLED')";

/** With its definer: without one whoever enables it becomes that. Null when the server's answer is not understood. */
export function enableEvent({ place, name, definer }: SqlRow): string | null {
  const [, user, host] = /^(.*)@([^@]*)$/.exec(definer ?? "") ?? [];
  if (place == null || name == null || user === undefined || host === undefined) return null;
  return `ALTER DEFINER = ${quoted(user)}@${quoted(host)} EVENT ${identifier(place)}.${identifier(name)} ENABLE`;
}

const identifier = (text: string): string => `\`${text.replaceAll("`", "``")}\``;

export const semiSyncOrder = (word: "master" | "source", wanted: boolean): string =>
  `SET GLOBAL rpl_semi_sync_${word}_enabled = ${wanted ? 1 : 0}`;

/** A string of SQL, for both products in their ordinary sql_mode. */
export function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

export interface SessionRow {
  readonly Id?: string | null;
  readonly User?: string | null;
  readonly Command?: string | null;
}

export const SESSIONS_STATEMENT = "SHOW PROCESSLIST";

const SERVER_USERS: ReadonlySet<string> = new Set(["system user", "event_scheduler", "unauthenticated user"]);
const REPLICATION = /^(Binlog Dump|Slave_|Daemon$)/;

/** The sessions that a demotion ends: of everybody but replication, the server itself, and the account that the daemons use. */
export function sessionsToEnd(rows: readonly SessionRow[], ownUser: string): readonly string[] {
  return rows
    .filter(
      ({ User, Command }) => !SERVER_USERS.has(User ?? "") && !REPLICATION.test(Command ?? "") && User !== ownUser,
    )
    .flatMap(({ Id }) => (Id !== null && Id !== undefined && /^\d+$/.test(Id) ? [`KILL ${Id}`] : []));
}
