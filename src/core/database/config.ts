/** What the blocks of all database servers have in common: where a server is, how it is reached, and what its findings count. */

/** Whether a finding counts: for everybody, for instances that are not MASTER, or for nobody. */
export type Counts = "fail" | "standby" | "ignore";

/** What may be lost when: docs/mysql.md and docs/redis.md say it for each. */
export type Policy = "availability" | "balanced" | "consistency";

export type TlsMode = "off" | "required" | "verify-ca" | "verify-identity";

export interface TlsConfig {
  readonly mode: TlsMode;
  /** Paths of PEM files; null: the host's certificate authorities, no client certificate. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

/** Where a server is found. */
export interface ServerAddress {
  /** Path of a Unix socket; null: TCP. */
  readonly socket: string | null;
  readonly host: string;
  readonly port: number;
}

export const addressInWords = ({ socket, host, port }: ServerAddress): string =>
  socket ?? (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);

/**
 * Why a certificate's name cannot be compared: the library compares it with a host name only, and with an address it would compare it with
 * "localhost". Null when nothing stands against it.
 */
export function tlsProblem({ socket, host }: ServerAddress, mode: TlsMode): string | null {
  if (mode !== "verify-identity" || (socket === null && !/^[\d.]+$|:/.test(host))) return null;
  const what = socket === null ? `${host} is an address` : "a Unix socket has none";
  return `tls verify-identity compares the certificate with a host name, and ${what}; name the host, or use verify-ca`;
}

/** Only on this host the daemon can look at disks and processes. */
export function isLocal({ socket, host }: ServerAddress): boolean {
  return socket !== null || host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
