/** What a server has that its writer lacks, written out as SQL and counted per table. */
import { rangesOf } from "../core/mysql/binlog.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import { createTally, reenterable, type TableChanges } from "../core/mysql/tally.ts";
import type { Looked, Two } from "./mysql-compare.ts";
import type { TakeoverTools } from "./mysql-takeover.ts";

export interface ExportHost {
  readonly tools: Pick<TakeoverTools, "wallMillis" | "exporter">;
  readonly tell: (step: string, outcome: "done", detail: string) => void;
}

export interface ExtraReport {
  /** GTIDs, or the place in its binary log. */
  readonly what: string;
  readonly transactions: number;
  /** Why not all of them could be read; null when all were. */
  readonly missing: string | null;
  /** Where they are; null when nothing was written. */
  readonly file: string | null;
  readonly tables: readonly TableChanges[];
}

interface Extra {
  readonly two: Two;
  readonly looked: Looked;
  /** Counted only. */
  readonly dryRun: boolean;
}

export async function exportExtra(host: ExportHost, config: MysqlConfig, extra: Extra): Promise<ExtraReport> {
  const { two, dryRun } = extra;
  const { facts, found, missing } = extra.looked;
  const what = facts.extra.kind === "some" ? facts.extra.what : "";
  const report = { what, transactions: found.length, tables: [] };
  if (found.length === 0) return { ...report, file: null, missing };
  const tally = createTally();
  const { product } = two.server.facts.version;
  const time = new Date(host.tools.wallMillis()).toISOString();
  const exported = await host.tools.exporter.run({
    product,
    program: config.group.mysqlbinlog,
    server: { ...config, address: two.server.member.address },
    ranges: rangesOf(found),
    file: dryRun ? null : fileName(config.name, two.server.address, time),
    head: headOf({ name: config.name, two, what, time, missing }),
    line: (text) => {
      tally.line(text);
      return product === "mariadb" ? reenterable(text) : text;
    },
  });
  if (!exported.ok) return { ...report, file: null, missing: exported.error };
  if (exported.value !== null) host.tell(`export ${what}`, "done", exported.value);
  return { ...report, tables: tally.tables(), file: exported.value, missing };
}

const fileName = (name: string, address: string, time: string): string =>
  `${`${name}-${address}`.replaceAll(/[^\w.-]/g, "_")}-${time.replaceAll(":", "-")}.sql`;

interface Head {
  readonly name: string;
  readonly two: Two;
  readonly what: string;
  readonly time: string;
  readonly missing: string | null;
}

function headOf({ name, two: { writer, server }, what, time, missing }: Head): readonly string[] {
  const mariadb = server.facts.version.product === "mariadb";
  return [
    `mysql ${name}: transactions of ${server.address} that ${writer.address} lacks`,
    `time: ${time}`,
    `which: ${what}`,
    ...(missing === null ? [] : [`not all of them: ${missing}`]),
    mariadb
      ? "Entered on another server they get new GTIDs; those that they have here are comments."
      : "Entered on another server they keep their GTIDs, if GTIDs are on.",
    "Lines with ### are what the row events say, in words; the events themselves are in BINLOG '...'.",
  ];
}
