/** Copies transactions out of a server's binary log, as SQL that can be read and entered elsewhere. */
import type { Result } from "../core/lib/result.ts";
import type { BinlogRange } from "../core/mysql/binlog.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import type { Product } from "../core/mysql/version.ts";

export interface BinlogExport {
  readonly product: Product;
  /** Path of mysqlbinlog or mariadb-binlog; null: the one that is found in PATH. */
  readonly program: string | null;
  readonly server: Pick<MysqlConfig, "address" | "credentials" | "tls">;
  readonly ranges: readonly BinlogRange[];
  /** Name of the file; null: nothing is kept, the lines are only handed on. */
  readonly file: string | null;
  /** First lines of the file, as comments. */
  readonly head: readonly string[];
  /** Each line of the program's text as it is written to the file. */
  readonly line: (text: string) => string;
}

export interface BinlogExporter {
  /** The path of a new file of mode 0600, on the disk when this resolves; null when nothing is kept. The error says what to do. */
  run(order: BinlogExport): Promise<Result<string | null, string>>;
}
