/**
 * What GTIDs say of two servers: whether one has executed everything that the other has. Written for both products, whose identifiers
 * have nothing in common but the name. Knows no server; a text that is not understood contains nothing and is contained in nothing.
 */

/** `uuid[:tag]` to intervals, both ends included (MySQL, gtid_executed). */
type MysqlSet = ReadonlyMap<string, readonly (readonly [bigint, bigint])[]>;

/** MySQL: whether every transaction of `wanted` is in `held`. */
export function mysqlContains(held: string, wanted: string): boolean {
  const [have, want] = [parseMysqlSet(held), parseMysqlSet(wanted)];
  if (have === null || want === null) return false;
  return [...want].every(([source, intervals]) =>
    intervals.every(([first, last]) => (have.get(source) ?? []).some(([from, to]) => from <= first && last <= to)),
  );
}

/** Intervals of a source are joined, so that one interval is always inside another or not. Null when it is no set. */
export function parseMysqlSet(text: string): MysqlSet | null {
  const found = new Map<string, Interval[]>();
  for (const entry of text.split(",").map((part) => part.trim())) {
    if (entry !== "" && !addEntry(found, entry.toLowerCase())) return null;
  }
  return new Map([...found].map(([source, intervals]) => [source, joined(intervals)]));
}

type Interval = readonly [bigint, bigint];

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** `uuid[:tag]:first[-last]...`; since 8.3 a word before the intervals is a tag. */
function addEntry(found: Map<string, Interval[]>, entry: string): boolean {
  const [uuid = "", ...rest] = entry.split(":").map((part) => part.trim());
  if (!UUID.test(uuid) || rest.length === 0) return false;
  let source = uuid;
  for (const part of rest) {
    const interval = /^(\d{1,19})(?:-(\d{1,19}))?$/.exec(part);
    if (interval !== null) {
      const first = BigInt(interval[1] ?? "0");
      found.set(source, [...(found.get(source) ?? []), [first, BigInt(interval[2] ?? first)]]);
    } else if (/^[a-z_]\w{0,31}$/.test(part)) source = `${uuid}:${part}`;
    else return false;
  }
  return true;
}

function joined(intervals: readonly Interval[]): readonly Interval[] {
  const result: Interval[] = [];
  for (const interval of [...intervals].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    const before = result.at(-1);
    if (before === undefined || interval[0] > before[1] + 1n) result.push(interval);
    else if (interval[1] > before[1]) result.splice(-1, 1, [before[0], interval[1]]);
  }
  return result;
}

/** MySQL: what of `wanted` is not in `held`, as GTID_SUBTRACT(wanted, held) says it; null when one of them is no set. */
export function mysqlExtra(held: string, wanted: string): string | null {
  const [have, want] = [parseMysqlSet(held), parseMysqlSet(wanted)];
  if (have === null || want === null) return null;
  const parts = [...want].flatMap(([source, intervals]) => {
    const left = intervals.flatMap((interval) => without(interval, have.get(source) ?? []));
    const words = left.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
    return left.length === 0 ? [] : [`${source}:${words.join(":")}`];
  });
  return parts.join(",");
}

/** `taken` is in order and disjoint. */
function without([first, last]: Interval, taken: readonly Interval[]): readonly Interval[] {
  const left: Interval[] = [];
  let from = first;
  for (const [start, end] of taken) {
    if (end < from || start > last) continue;
    if (start > from) left.push([from, start - 1n]);
    from = end + 1n;
  }
  return from <= last ? [...left, [from, last]] : left;
}

export interface MariadbGtids {
  /** gtid_binlog_state: the last number of every domain and server in the own binary log. */
  readonly binlogState: string;
  /** gtid_slave_pos: the last replicated one of every domain; all that a server without log_slave_updates knows of. */
  readonly slavePos: string;
}

/**
 * MariaDB: whether a server has executed every transaction that a position (`gtid_binlog_pos` of another) stands for. Numbers of two
 * servers in one domain cannot be compared: 0-1-100 is no proof of 0-2-99.
 */
export function mariadbContains({ binlogState, slavePos }: MariadbGtids, position: string): boolean {
  const wanted = parseMariadb(position);
  const held = [parseMariadb(binlogState), parseMariadb(slavePos)];
  if (wanted === null || held.includes(null)) return false;
  return wanted.every(({ domain, server, sequence }) =>
    held.some((list) =>
      list?.some((one) => one.domain === domain && one.server === server && one.sequence >= sequence),
    ),
  );
}

/** MariaDB: the last number of each domain and server in `wanted` that is not held, with the last one that is; null when a text is no position. */
export function mariadbExtra(held: MariadbGtids, wanted: string): string | null {
  const parts = lacking(held, wanted)?.map(({ gtid, here }) => `${gtid} (here ${here})`);
  return parts?.join(", ") ?? null;
}

/** The same as a position: "0-2-1514,0-3-7". */
export const mariadbMissing = (held: MariadbGtids, wanted: string): string | null =>
  lacking(held, wanted)
    ?.map(({ gtid }) => gtid)
    .join(",") ?? null;

function lacking(
  { binlogState, slavePos }: MariadbGtids,
  wanted: string,
): readonly { readonly gtid: string; readonly here: string }[] | null {
  const want = parseMariadb(wanted);
  const held = [parseMariadb(binlogState), parseMariadb(slavePos)];
  if (want === null || held.includes(null)) return null;
  return want.flatMap(({ domain, server, sequence }) => {
    const known = held.flatMap((list) => list ?? []).filter((one) => one.domain === domain && one.server === server);
    const most =
      known
        .map((one) => one.sequence)
        .sort((a, b) => (a < b ? -1 : 1))
        .at(-1) ?? 0n;
    if (most >= sequence) return [];
    const here = most === 0n ? "none" : `${domain}-${server}-${most}`;
    return [{ gtid: `${domain}-${server}-${sequence}`, here }];
  });
}

interface MariadbGtid {
  readonly domain: string;
  readonly server: string;
  readonly sequence: bigint;
}

function parseMariadb(text: string): readonly MariadbGtid[] | null {
  const entries = text.split(",").filter((entry) => entry.trim() !== "");
  const found = entries.map((entry) => /^\s*(\d{1,10})-(\d{1,10})-(\d{1,20})\s*$/.exec(entry));
  if (found.includes(null)) return null;
  return found.map((match) => ({
    domain: match?.[1] ?? "",
    server: match?.[2] ?? "",
    sequence: BigInt(match?.[3] ?? "0"),
  }));
}
