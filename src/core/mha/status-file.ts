/**
 * The manager's status file and guard files: their names, words and exit codes, which scripts of administrators read. The same words as
 * MHA 0.58.
 */

/** Word of the status file to the number that masterha_check_status exits with. */
export const STATUS = {
  PING_OK: 0,
  NOT_RUNNING: 2,
  PARTIALLY_RUNNING: 3,
  INITIALIZING_MONITOR: 10,
  PING_FAILING: 20,
  PING_FAILED: 21,
  RETRYING_MONITOR: 30,
  CONFIG_ERROR: 31,
  TIMESTAMP_OLD: 32,
  FAILOVER_RUNNING: 50,
  FAILOVER_ERROR: 51,
} as const;

export type StatusWord = keyof typeof STATUS;

export const statusText = (word: StatusWord): string => `${STATUS[word]}:${word}`;

/** The name of the application: its file without folder and last extension. */
export function applicationName(path: string): string {
  const base = path.slice(path.lastIndexOf("/") + 1);
  return base.replace(/^(.*)\..*?$/, "$1") || path;
}

export interface GuardFiles {
  readonly status: string;
  /** A failover has succeeded: none again for some hours. */
  readonly complete: string;
  /** A failover has failed half way: none before somebody has looked. */
  readonly error: string;
}

export function guardFiles(workdir: string, application: string): GuardFiles {
  const path = `${workdir.replace(/\/$/, "")}/${application}`;
  return {
    status: `${path}.master_status.health`,
    complete: `${path}.failover.complete`,
    error: `${path}.failover.error`,
  };
}

export interface StatusRecord {
  readonly pid: number;
  readonly word: StatusWord;
  /** Null before the master is known. */
  readonly master: string | null;
}

export const formatStatus = ({ pid, word, master }: StatusRecord): string =>
  `${pid}\t${statusText(word)}${master === null ? "" : `\tmaster:${master}`}`;

export function parseStatus(text: string): StatusRecord | null {
  const [pid = "", status = "", master] = text.trim().split("\t");
  const word = status.replace(/^\d+:/, "");
  if (!/^\d+$/.test(pid) || !Object.hasOwn(STATUS, word) || statusText(word as StatusWord) !== status) return null;
  return { pid: Number(pid), word: word as StatusWord, master: master?.replace(/^master:/, "") ?? null };
}

/** After so many seconds without a ping a status PING_OK is not believed. */
export const STATUS_LIMIT_SECONDS = 10;

/** What masterha_check_status prints, without the line that names the log. */
export function statusInWords(application: string, word: StatusWord, record: StatusRecord | null): string {
  const state = statusText(word);
  const master = record?.master === null || record === null ? "" : ` master:${record.master}`;
  switch (word) {
    case "PING_OK":
      return `${application} (pid:${record?.pid ?? 0}) is running(${state}),${master}`;
    case "NOT_RUNNING":
      return `${application} is stopped(${state}).`;
    case "PARTIALLY_RUNNING":
      return `${application}: the manager has ended and left processes behind (${state}). Look for them with ps and end them.`;
    case "INITIALIZING_MONITOR":
      return `${application} begins to monitor (${state}). Ask again in a moment.`;
    case "PING_FAILING":
    case "PING_FAILED":
      return `${application} master maybe down(${state}).${master}`;
    case "RETRYING_MONITOR":
      return `${application} waits before it monitors again (${state}). Ask again in a moment.`;
    case "CONFIG_ERROR":
      return `${application}: the servers are not set up as a failover needs them (${state}).`;
    case "TIMESTAMP_OLD":
      return `${application} is running, but has not looked at its master for long (${state}). It may hang.${master}`;
    case "FAILOVER_RUNNING":
      return `${application} master is down and failover is running(${state}).${master}`;
    case "FAILOVER_ERROR":
      return `${application} master is down and failover was not successful(${state}).${master}`;
  }
}
