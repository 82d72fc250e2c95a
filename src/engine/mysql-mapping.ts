/** Asks the two servers and maps a replica's place into the writer's binary log: core/mysql/mapping.ts says how that is exact. */
import { err, ok, type Result } from "../core/lib/result.ts";
import { executedBefore } from "../core/mysql/binlog.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import type { Coordinates } from "../core/mysql/coordinates.ts";
import { mariadbContains } from "../core/mysql/gtid.ts";
import { createMarks, type Mark, mapTail } from "../core/mysql/mapping.ts";
import type { MemberFacts } from "../core/mysql/member.ts";
import type { BinlogExporter } from "../ports/binlog-export.ts";
import { pageOfBinlog, readBinlog } from "./mysql-binlog.ts";
import { failureInWords } from "./mysql-group.ts";
import type { MysqlMember } from "./mysql-member.ts";

export interface MappingScene {
  readonly exporter: BinlogExporter;
  readonly config: MysqlConfig;
  readonly writer: MysqlMember;
  readonly replica: MysqlMember;
  /** Its threads stand. */
  readonly facts: MemberFacts;
}

const ASK_MILLIS = 10_000;
const HEAD = 4;
/** Transactions of the replica that must be found as one run. */
const RUN = 10;
const SHORTEST_RUN = 3;
/** Newest files of the writer that are looked through with mysqlbinlog; an older place is too far away for a replica that was there a moment ago. */
const MOST_FILES = 3;

export function mapReplica(scene: MappingScene): Promise<Result<Coordinates, string>> {
  return scene.facts.gtids.product === "mariadb" ? byGtid(scene, scene.facts.gtids.slavePos) : byCommitTime(scene);
}

/** MariaDB counts what a replica in classic mode executes in gtid_slave_pos as well. */
async function byGtid({ writer }: MappingScene, executed: string): Promise<Result<Coordinates, string>> {
  if (!/^\d+-\d+-\d+$/.test(executed)) {
    return err(`its gtid_slave_pos is "${executed}", and only one GTID is a place in a log`);
  }
  const files = await filesOf(writer);
  if (!files.ok) return files;
  for (const file of files.value.toReversed()) {
    const head = await pageOfBinlog(writer, { file, from: 0 }, HEAD);
    if (!head.ok) return head;
    const before = executedBefore(head.value);
    if (before === null) return err(`${file} of the writer does not say what was before it`);
    if (mariadbContains({ binlogState: before, slavePos: "" }, executed)) continue;
    const marks: Mark[] = [];
    const read = await readBinlog(writer, { file, from: 0 }, (transactions) => {
      for (const { gtid, to } of transactions) {
        if (gtid === executed) marks.push({ key: gtid, end: { file, offset: to } });
      }
      return true;
    });
    return read.ok ? mapTail([executed], marks) : read;
  }
  return err(`${executed} is in a binary log that the writer no longer has`);
}

async function byCommitTime(scene: MappingScene): Promise<Result<Coordinates, string>> {
  const { writer, replica, facts } = scene;
  const own = await filesOf(replica);
  if (!own.ok) return err(`the replica: ${own.error}`);
  const tail = await marksOf(scene, replica, own.value.slice(-MOST_FILES));
  if (!tail.ok) return err(`the replica: ${tail.error}`);
  const keys = tail.value.map(({ key }) => key).filter((key) => !key.startsWith(`server ${facts.serverId} `));
  const run = keys.slice(-RUN);
  if (run.length < SHORTEST_RUN) {
    return err("its own binary log does not hold enough of what it has executed (log_replica_updates)");
  }
  if (run.some((key) => key.startsWith("unmarked"))) return err("its transactions do not say when they were committed");
  const files = await filesOf(writer);
  if (!files.ok) return files;
  const log = await marksOf(scene, writer, files.value.slice(-MOST_FILES));
  return log.ok ? mapTail(run, log.value) : log;
}

async function filesOf(member: MysqlMember): Promise<Result<readonly string[], string>> {
  const listed = await member.order("SHOW BINARY LOGS", ASK_MILLIS);
  if (!listed.ok) return err(`its binary logs cannot be listed: ${failureInWords(listed.error)}`);
  return ok(listed.value.flatMap((row) => row.Log_name ?? []));
}

const FIRST = 4;
/** As far as the file goes. */
const LAST = 0xffff_ffff;

async function marksOf(
  { exporter, config }: MappingScene,
  member: MysqlMember,
  files: readonly string[],
): Promise<Result<readonly Mark[], string>> {
  const marks: Mark[] = [];
  for (const file of files) {
    const reader = createMarks(file);
    const read = await exporter.run({
      product: "mysql",
      program: config.group.mysqlbinlog,
      server: { ...config, address: member.address },
      ranges: [{ file, from: FIRST, to: LAST }],
      file: null,
      head: [],
      line: (text) => {
        reader.line(text);
        return text;
      },
    });
    if (!read.ok) return read;
    marks.push(...reader.marks());
  }
  return ok(marks);
}
