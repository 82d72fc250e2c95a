/**
 * A server is made anew from the writer: what has to be known of its directories, what the copy says of itself, and how it is attached
 * afterwards. The old data directory is renamed and kept, so nothing that only it holds is lost.
 */
import { type Coordinates, coordinates } from "./coordinates.ts";
import { BAR, type SqlRow } from "./facts.ts";
import type { MemberFacts } from "./member.ts";
import type { ServerVersion } from "./version.ts";

export interface DataPlaces {
  readonly data: string;
  /** Path and first part of the names; null: none, or inside the data directory. */
  readonly binlog: string | null;
  readonly relay: string | null;
  /** Variables that lead elsewhere. */
  readonly elsewhere: readonly string[];
}

const NAMES = [
  "datadir",
  "log_bin_basename",
  "relay_log_basename",
  "innodb_data_home_dir",
  "innodb_log_group_home_dir",
  "innodb_undo_directory",
] as const;

export const PLACES_STATEMENT = `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${NAMES.map((name) => `'${name}'`).join(", ")})`;

/** Null when the server does not say where its data are. */
export function placesOf(rows: readonly SqlRow[]): DataPlaces | null {
  const values = new Map(rows.map((row) => [row.Variable_name ?? "", row.Value ?? ""]));
  const data = (values.get("datadir") ?? "").replace(/(?<=.)\/+$/, "");
  if (!data.startsWith("/")) return null;
  const outside = (path: string): boolean => path.startsWith("/") && !`${path}/`.startsWith(`${data}/`);
  const named = (name: (typeof NAMES)[number]): string => values.get(name) ?? "";
  return {
    data,
    binlog: outside(named("log_bin_basename")) ? named("log_bin_basename") : null,
    relay: outside(named("relay_log_basename")) ? named("relay_log_basename") : null,
    elsewhere: NAMES.slice(3).filter((name) => outside(named(name))),
  };
}

/** Bytes of the writer's tables, for the room that is needed. */
export const sizeStatement = ({ product }: ServerVersion): string =>
  `SELECT COALESCE(SUM(FILE_SIZE), 0) AS bytes FROM information_schema.${product === "mariadb" ? "INNODB_SYS_TABLESPACES" : "INNODB_TABLESPACES"}`;

const MIB = 1024 * 1024;
/** System tablespace, redo logs and what is no InnoDB, in a guess that is rather too large. */
const BESIDE = 256;

export const neededMib = (bytes: number): number => Math.ceil((bytes * 1.1) / MIB) + BESIDE;

export interface CopiedPosition {
  readonly at: Coordinates;
  /** MariaDB's gtid_binlog_pos at that place; "" without. */
  readonly gtid: string;
}

/** Of `xtrabackup_binlog_info` (since 11.0 `mariadb_backup_binlog_info`): file, offset, GTID position. */
export function copiedPosition(text: string): CopiedPosition | null {
  const [file, offset, gtid = ""] = text.trim().split(/\s+/);
  const at = coordinates(file, offset);
  return at === null ? null : { at, gtid };
}

/**
 * gtid_binlog_state as the writer had it there, for the copy's own `.state` file: without one it would know the last transaction of each
 * domain only, and look as if it lacked those of the server that it was before. Everybody's last number up to the position; the position's own
 * entry last, which is how the file tells the newest.
 */
export function stateAt(writer: MemberFacts, position: string): string {
  const { gtids } = writer;
  const entries = (text: string): readonly string[] => text.split(",").flatMap((one) => one.trim() || []);
  const parts = (gtid: string): readonly [string, string, bigint] => {
    const [domain = "", server = "", sequence = "0"] = gtid.split("-");
    return [domain, server, BigInt(/^\d+$/.test(sequence) ? sequence : "0")];
  };
  const last = entries(position);
  const before = entries(gtids.product === "mariadb" ? gtids.binlogState : "").filter((gtid) => {
    const [domain, server, sequence] = parts(gtid);
    return last.some((one) => {
      const [ofDomain, ofServer, until] = parts(one);
      return ofDomain === domain && ofServer !== server && sequence <= until;
    });
  });
  return [...before, ...last].map((gtid) => `${gtid}\n`).join("");
}

/** What MariaDB keeps of a source in `master.info`: how to log in there. */
export interface KeptSource {
  readonly user: string;
  readonly password: string;
  readonly ssl: { readonly ca: string; readonly cert: string; readonly key: string; readonly verify: boolean } | null;
}

/** Lines by their place (sql/rpl_mi.cc of MariaDB 10.11): 5 user, 6 password, 9 to 15 TLS. */
export function keptSource(masterInfo: string): KeptSource | null {
  const lines = masterInfo.split("\n");
  const [account = "", password = ""] = lines.slice(4, 6);
  const user = account.startsWith(BAR) ? account.slice(BAR.length) : account;
  if (user === "") return null;
  const on = lines[8] === "1";
  const ssl = { ca: lines[9] ?? "", cert: lines[11] ?? "", key: lines[13] ?? "", verify: lines[14] === "1" };
  return { user, password, ssl: on ? ssl : null };
}

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;

export interface Attachment {
  readonly host: string;
  readonly port: number;
  readonly source: KeptSource;
  /** Null: by file and position. */
  readonly gtid: string | null;
  readonly at: Coordinates;
}

/** MariaDB: from where the copy was taken, on. Holds a password. */
export function attachStatements({ host, port, source, gtid, at }: Attachment): readonly string[] {
  const parts = [
    `MASTER_HOST = ${quoted(host)}`,
    `MASTER_PORT = ${port}`,
    `MASTER_USER = ${quoted(source.user)}`,
    `MASTER_PASSWORD = ${quoted(source.password)}`,
    "MASTER_CONNECT_RETRY = 2",
    ...(source.ssl === null ? [] : tlsParts(source.ssl)),
    ...(gtid === null
      ? [`MASTER_LOG_FILE = ${quoted(at.file)}`, `MASTER_LOG_POS = ${at.offset}`, "MASTER_USE_GTID = no"]
      : ["MASTER_USE_GTID = slave_pos"]),
  ];
  const position = gtid === null ? [] : [`SET GLOBAL gtid_slave_pos = ${quoted(gtid)}`];
  return [...position, `CHANGE MASTER TO ${parts.join(", ")}`, "START SLAVE"];
}

function tlsParts({ ca, cert, key, verify }: NonNullable<KeptSource["ssl"]>): readonly string[] {
  const given = [
    [ca, "MASTER_SSL_CA"],
    [cert, "MASTER_SSL_CERT"],
    [key, "MASTER_SSL_KEY"],
  ] as const;
  return [
    "MASTER_SSL = 1",
    ...given.filter(([path]) => path !== "").map(([path, name]) => `${name} = ${quoted(path)}`),
    `MASTER_SSL_VERIFY_SERVER_CERT = ${verify ? 1 : 0}`,
  ];
}

export interface CloneOrder {
  readonly user: string;
  readonly password: string;
  readonly host: string;
  readonly port: number;
  readonly directory: string;
}

/** MySQL: the CLONE plugin copies into a directory that is not there yet. Holds a password. */
export const cloneStatement = ({ user, password, host, port, directory }: CloneOrder): string =>
  `CLONE INSTANCE FROM ${quoted(user)}@${quoted(host)}:${port} IDENTIFIED BY ${quoted(password)} DATA DIRECTORY = ${quoted(directory)}`;

export const donorStatement = (host: string, port: number): string =>
  `SET GLOBAL clone_valid_donor_list = ${quoted(`${host}:${port}`)}`;

export const CLONE_PLUGIN =
  "SELECT plugin_status AS status FROM information_schema.plugins WHERE plugin_name = 'clone'";
