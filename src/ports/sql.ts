/** One kept connection to a database server, and what the host knows of a server that runs on it. */

import type { TlsConfig } from "../core/database/config.ts";
import type { Result } from "../core/lib/result.ts";
import type { MysqlAddress } from "../core/mysql/config.ts";
import type { SqlRow } from "../core/mysql/facts.ts";
import type { SqlFailure } from "../core/mysql/failure.ts";

export interface SqlTarget {
  readonly address: MysqlAddress;
  /** File in the form of my.cnf, read anew at every connection: a changed password needs no restart. */
  readonly credentials: string | null;
  /** Instead of the name in that file; null: that name, else the one of the user that runs this process. */
  readonly user: string | null;
  /** Instead of the one in that file: it stands in a configuration of its own, as MHA's does. */
  readonly password?: string;
  readonly tls: TlsConfig;
  /** For connecting, TLS and login together. */
  readonly connectTimeoutMillis: number;
  /** For the answer of its host alone, which its kernel gives, however busy the server is; at most connectTimeoutMillis. */
  readonly reachTimeoutMillis?: number;
}

export interface SqlSession {
  /**
   * Rows of one statement. A session that has failed by `timeout` or `lost` is closed: a late answer could be taken for that of another
   * statement. Never two statements at once.
   */
  query(sql: string, timeoutMillis: number): Promise<Result<readonly SqlRow[], SqlFailure>>;
  /** The own end of a TCP connection: how the server sees this host. */
  readonly localAddress?: string | undefined;
  /** A clause on how it got in, where that will not last; null or absent: as the file says. */
  readonly remark?: string | null;
  /** Ends it at once, without a farewell; onLost is not called. */
  close(): void;
}

export interface SqlPort {
  /** onLost is called once, when the socket of an open session ends: nobody has to ask to learn it. */
  open(target: SqlTarget, onLost: (detail: string) => void): Promise<Result<SqlSession, SqlFailure>>;
}

export interface DatabaseHost {
  /** MiB that an ordinary user can still write there; null when that is not known in time. */
  freeMib(path: string): Promise<number | null>;
  /**
   * Whether a database server process works in that directory, or anywhere with null, that listens on no socket: it starts, recovers or
   * ends. Null when the host does not say.
   */
  serverStarts(dataDirectory: string | null): boolean | null;
}
