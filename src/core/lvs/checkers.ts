/**
 * What one checker block of a real server means, with every default of keepalived 2.2.7. The check engine runs them; what a result does to
 * the server is pool.ts.
 */
import type { Command, SourceSpan } from "../config/written.ts";
import type { TlsConfig } from "../database/config.ts";
import type { IpAddress } from "../lib/ip.ts";
import type { Micros } from "../lib/units.ts";

export interface CheckerTiming {
  /** Between the end of a check and the next. */
  readonly delayLoop: Micros;
  /** Further tries of a server that was up before it counts as down; the very first check has none. */
  readonly retry: number;
  readonly delayBeforeRetry: Micros;
  /** The first check comes at random within this. */
  readonly warmup: Micros;
  readonly alpha: boolean;
  /** log_all_failures, or checker_log_all_failures of global_defs. */
  readonly logAllFailures: boolean;
}

/** Where to and how a checker connects. */
export interface CheckerConnection {
  readonly address: IpAddress;
  readonly port: number;
  readonly timeout: Micros;
  readonly bindAddress: IpAddress | null;
  /** 0: any. */
  readonly bindPort: number;
  readonly bindInterface: string | null;
  /** SO_MARK; 0: none. */
  readonly mark: number;
}

export type HttpProtocol = "1.0" | "1.0C" | "1.1";

export interface RegexCheck {
  /** As the file has it (PCRE). */
  readonly text: string;
  /** The same in JavaScript's language; null: it cannot be said there, and the page fails. */
  readonly pattern: string | null;
  readonly flags: string;
  /** A match is the failure. */
  readonly noMatch: boolean;
  /** Bytes of the body; a match must begin from the first and not beyond the last. */
  readonly minOffset: number;
  readonly maxOffset: number | null;
}

export interface UrlCheck {
  readonly path: string;
  /** Accepted status codes, inclusive ranges. */
  readonly status: readonly (readonly [number, number])[];
  /** MD5 of the body, 32 lower case hex digits. */
  readonly digest: string | null;
  readonly virtualhost: string | null;
  readonly regex: RegexCheck | null;
}

interface Common {
  readonly timing: CheckerTiming;
  readonly span: SourceSpan;
}

interface Connecting extends Common {
  readonly connection: CheckerConnection;
}

export interface TcpChecker extends Connecting {
  readonly kind: "tcp";
}

export interface PingChecker extends Connecting {
  readonly kind: "ping";
}

export interface HttpChecker extends Connecting {
  readonly kind: "http";
  readonly tls: boolean;
  readonly protocol: HttpProtocol;
  /** Of the checker, the real server or the virtual server. */
  readonly virtualhost: string | null;
  /** A server name is sent in the TLS hello. */
  readonly sni: boolean;
  /** Null: the virtualhost. */
  readonly sniName: string | null;
  readonly fastRecovery: boolean;
  readonly urls: readonly UrlCheck[];
}

export interface SmtpChecker extends Connecting {
  readonly kind: "smtp";
  readonly heloName: string | null;
}

export interface DnsChecker extends Connecting {
  readonly kind: "dns";
  readonly type: string;
  readonly name: string;
}

export interface UdpChecker extends Connecting {
  readonly kind: "udp";
  /** Null: random bytes. */
  readonly payload: readonly number[] | null;
  readonly reply: UdpReply | null;
}

export interface UdpReply {
  readonly bytes: readonly number[];
  /** A set bit is not compared; as long as bytes. */
  readonly ignore: readonly number[];
  readonly minLength: number;
  readonly maxLength: number;
}

export interface MiscChecker extends Common {
  readonly kind: "misc";
  readonly command: Command;
  /** Null: delay_loop. */
  readonly timeout: Micros | null;
  /** The exit code changes the weight. */
  readonly dynamic: boolean;
}

/** No check of its own: the number in a track_file, times weight, is added to the server's weight. */
export interface FileChecker {
  readonly kind: "file";
  /** Name of the track_file. */
  readonly file: string;
  readonly weight: number;
  readonly reverse: boolean;
  readonly span: SourceSpan;
}

/** Which server belongs behind the service. */
export type MysqlCheckRole = "replica" | "writer" | "any";

export interface MysqlChecker extends Connecting {
  readonly kind: "mysql";
  /** Path of a my.cnf-style file; null: no password, the daemon's own user. */
  readonly credentials: string | null;
  readonly tls: TlsConfig;
  readonly role: MysqlCheckRole;
  /** Seconds a replica may lag behind; null: not looked at. */
  readonly maxLag: number | null;
  /** Seconds it may lag to come back after it was out; never above maxLag. */
  readonly rejoinLag: number | null;
  /** DATABASE.TABLE with a timestamp that the writer renews; null: Seconds_Behind_Source. */
  readonly heartbeatTable: string | null;
  /** The weight falls with the lag, to 1 at maxLag. */
  readonly lagWeight: boolean;
}

export interface RedisChecker extends Connecting {
  readonly kind: "redis";
  /** Path of a file with user and password; null: none. */
  readonly credentials: string | null;
  readonly tls: TlsConfig;
  readonly role: "replica" | "master" | "any";
  /** Bytes of the stream that a replica may lack; null: not looked at. */
  readonly maxBehind: number | null;
}

export type CheckerConfig =
  | TcpChecker
  | PingChecker
  | HttpChecker
  | SmtpChecker
  | DnsChecker
  | UdpChecker
  | MiscChecker
  | FileChecker
  | MysqlChecker
  | RedisChecker;
