/** One kept connection to a Redis or Valkey server. */
import type { ServerAddress, TlsConfig } from "../core/database/config.ts";
import type { Result } from "../core/lib/result.ts";
import type { Command, RedisFailure, Reply } from "../core/redis/reply.ts";

export interface RedisTarget {
  readonly address: ServerAddress;
  /** File in the form of my.cnf, read anew at every connection: a changed password needs no restart. */
  readonly credentials: string | null;
  /** Instead of the name in that file; null: that name, else "default". */
  readonly user: string | null;
  readonly tls: TlsConfig;
  /** For connecting, TLS and AUTH together. */
  readonly connectTimeoutMillis: number;
  /** For the answer of its host alone, which its kernel gives, however busy the server is; at most connectTimeoutMillis. */
  readonly reachTimeoutMillis?: number;
}

export interface RedisSession {
  /**
   * The replies to commands that are sent in one go, in their order; an error reply is a reply. A session that has failed by `timeout` or
   * `lost` is closed: a late answer could be taken for that of another command. Never two calls at once.
   */
  call(commands: readonly Command[], timeoutMillis: number): Promise<Result<readonly Reply[], RedisFailure>>;
  /** The own end of a TCP connection: how the server sees this host. */
  readonly localAddress?: string | undefined;
  /** Ends it at once, without a farewell; onLost is not called. */
  close(): void;
}

export interface RedisPort {
  /** onLost is called once, when the socket of an open session ends: nobody has to ask to learn it. */
  open(target: RedisTarget, onLost: (detail: string) => void): Promise<Result<RedisSession, RedisFailure>>;
  /** What a credentials file holds, for the server's own logins to another; the error says why it cannot be used. */
  login(path: string): Promise<Result<{ readonly user: string | null; readonly password: string }, string>>;
}

/** Copies of data sets on this host. */
export interface DataCopies {
  /** A copy of that file beside it, on the disk when this resolves with its path; the error says why it is not. */
  keep(path: string): Promise<Result<string, string>>;
}
