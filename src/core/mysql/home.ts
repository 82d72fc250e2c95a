/** Where a server's binary log lies on its host: remembered while it lives, so that it can be read when it is dead. */
export interface ServerHome {
  readonly serverId: string;
  readonly dataDirectory: string;
  /** log_bin_basename: the files are this, a dot and a number. */
  readonly basename: string;
  /** log_bin_index: the list of them. */
  readonly index: string;
}

const isPath = (text: unknown): text is string => typeof text === "string" && text.startsWith("/");

/** Of the row that IDENTITY_STATEMENT answers. */
export function homeOf({ datadir, binlog, logs, id }: Readonly<Record<string, string | null>>): ServerHome | null {
  if (!isPath(datadir) || !isPath(binlog) || id == null) return null;
  return { serverId: id, dataDirectory: datadir, basename: binlog, index: isPath(logs) ? logs : `${binlog}.index` };
}

export const homeText = (home: ServerHome): string => JSON.stringify(home);

/** Null for a text that is none. */
export function parseHome(text: string | null): ServerHome | null {
  try {
    const home = JSON.parse(text ?? "null") as ServerHome | null;
    const { serverId, dataDirectory, basename, index } = home ?? {};
    return typeof serverId === "string" && [dataDirectory, basename, index].every(isPath) ? home : null;
  } catch {
    return null;
  }
}

/** What its host's daemon says of a server of which a process is there: its files are its own, until it is up or gone. */
export const SERVER_RUNS = "its server runs, starts or ends";

/** Name of the note. */
export const homeNote = (name: string): string => `server-${name}`;
