/**
 * What exported transactions change, counted per table from the text that mysqlbinlog and mariadb-binlog write with --verbose, and how that
 * text is made fit to be entered on another server.
 */

export interface TableChanges {
  /** `database.table`, or what a statement names. */
  readonly table: string;
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  /** Statements that are no row changes: CREATE TABLE, TRUNCATE and so on; their first words only. */
  readonly statements: readonly string[];
}

export interface Tally {
  line(text: string): void;
  tables(): readonly TableChanges[];
}

type Counted = "inserts" | "updates" | "deletes";
interface Draft {
  inserts: number;
  updates: number;
  deletes: number;
  readonly statements: string[];
}

const COUNTED: Readonly<Record<string, Counted>> = { INSERT: "inserts", UPDATE: "updates", DELETE: "deletes" };
const ROW = /^### (INSERT|UPDATE|DELETE)(?: INTO| FROM)? (`(?:[^`]|``)*`\.`(?:[^`]|``)*`)/;
const DATABASE = /^use (`(?:[^`]|``)*`|\S+?)(?:\/\*!\*\/;)?$/i;
const STATEMENT =
  /^(CREATE|ALTER|DROP|RENAME|TRUNCATE|GRANT|REVOKE|ANALYZE|OPTIMIZE|REPAIR|FLUSH|INSERT|REPLACE|UPDATE|DELETE|LOAD)\b/i;
/** Behind the verb: up to the name of a table. */
const OBJECT =
  /^\w+\s+(?:(?:OR\s+REPLACE|TEMPORARY|UNIQUE|IGNORE|LOW_PRIORITY|INTO|FROM|ONLINE|OFFLINE)\s+)*(?:(TABLE|TABLES|DATABASE|SCHEMA|INDEX|VIEW|USER|EVENT|TRIGGER|PROCEDURE|FUNCTION|ROLE)\s+)?(?:IF\s+(?:NOT\s+)?EXISTS\s+)?((?:`(?:[^`]|``)*`|[\w$]+)(?:\.(?:`(?:[^`]|``)*`|[\w$]+))?)?/i;
const ROW_VERB = /^(INSERT|REPLACE|UPDATE|DELETE)$/;
const LONGEST_LIST = 20;

/** Fed with the text line by line. A statement's own words stay out: they may hold what is nobody's business in a report. */
export function createTally(): Tally {
  const found = new Map<string, Draft>();
  let database = "";
  // A statement of several lines begins after a line that ends one.
  let begins = true;
  const draft = (table: string): Draft => {
    const known = found.get(table) ?? { inserts: 0, updates: 0, deletes: 0, statements: [] };
    found.set(table, known);
    return known;
  };
  const statement = (text: string): void => {
    const found = statementIn(text, database);
    if (found === null) return;
    const { statements } = draft(found.table);
    if (statements.length < LONGEST_LIST) statements.push(found.words);
  };
  return {
    line(text) {
      const row = ROW.exec(text);
      const counted = COUNTED[row?.[1] ?? ""];
      if (row !== null && counted !== undefined) draft(qualified(row[2] ?? "", ""))[counted] += 1;
      else if (!text.startsWith("#")) {
        database = plainName(DATABASE.exec(text)?.[1] ?? "") || database;
        if (begins) statement(text);
      }
      begins = text.startsWith("#") || text.endsWith("/*!*/;") || text.endsWith(";") || text === "/*!*/;";
    },
    tables: () =>
      [...found]
        .map(([table, changes]) => ({ table, ...changes }))
        .sort((one, other) => (one.table < other.table ? -1 : 1)),
  };
}

/** Its first words and what they are about; null when the line begins none. */
function statementIn(text: string, database: string): { readonly table: string; readonly words: string } | null {
  const verb = STATEMENT.exec(text)?.[1]?.toUpperCase();
  if (verb === undefined) return null;
  const [, kind = verb === "TRUNCATE" ? "TABLE" : "", name = ""] = OBJECT.exec(text) ?? [];
  const words = `${verb} ${kind.toUpperCase()}`.trim();
  if (kind.toUpperCase() === "TABLE" || ROW_VERB.test(verb)) return { table: qualified(name, database), words };
  return { table: "(no table)", words: `${words} ${qualified(name, "")}`.trim() };
}

const plainName = (name: string): string => (name.startsWith("`") ? name.slice(1, -1).replaceAll("``", "`") : name);

function qualified(name: string, database: string): string {
  const parts = name.match(/`(?:[^`]|``)*`|[^.`]+/g)?.map(plainName) ?? [];
  return parts.length === 1 && database !== "" ? `${database}.${parts[0]}` : parts.join(".");
}

/** One line each: "shop.orders: 3 inserted, 1 updated; CREATE TABLE". */
export function tableInWords({ table, inserts, updates, deletes, statements }: TableChanges): string {
  const rows = [
    [inserts, "inserted"],
    [updates, "updated"],
    [deletes, "deleted"],
  ] as const;
  const counted = rows.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  const parts = [...(counted.length === 0 ? [] : [`rows ${counted.join(", ")}`]), ...statements];
  return `${table}: ${parts.join("; ")}`;
}

/**
 * A line of the exported text as it can be entered on another server. MariaDB refuses numbers that are behind its own (gtid_strict_mode), so
 * there the transactions get new ones; MySQL keeps them, and so the server that had them first counts as equal again.
 */
export function reenterable(line: string): string {
  return /^\/\*M?!\d+ SET @@session\.(?:gtid_domain_id|server_id|gtid_seq_no)=/i.test(line) ? `-- ${line}` : line;
}
