/** The data directory of a database server on this host: making a copy beside it, and putting that in its place. */
import type { Result } from "../core/lib/result.ts";
import type { DataPlaces } from "../core/mysql/reseed.ts";

export interface ServerCopy {
  /** MiB that are free beside the data directory; the error says why it cannot be exchanged. */
  examine(places: DataPlaces): Promise<Result<number, string>>;
  /** Makes the directory that the copy is to be in; it belongs to the owner of the data directory where his server fills it, else to this process. */
  begin(places: DataPlaces, directory: string, filledBy: "server" | "daemon"): Promise<Result<void, string>>;
  /** Takes away what begin() and a copy that failed have left. */
  discard(directory: string): Promise<void>;
  /** Runs a program to its end, without a shell; `limitMillis` 0: for as long as it takes. The error is its last words. */
  run(argv: readonly string[], limitMillis: number): Promise<Result<void, string>>;
  /** What the program writes is an archive of mariadb-backup; it is unpacked there. */
  unpack(argv: readonly string[], directory: string): Promise<Result<void, string>>;
  /** The beginning of a small file; null when it is not there. */
  read(path: string): Promise<string | null>;
  /** Whether a server process works in that directory. */
  isRunning(dataDirectory: string): boolean;
  /**
   * Renames the old data directory, binary and relay logs beside it, puts the copy in its place with owner and mode of the old one, and adds
   * `files` to it by their full paths. Resolves with where the old one is.
   */
  exchange(order: Exchange): Promise<Result<string, string>>;
}

export interface Exchange {
  readonly places: DataPlaces;
  /** The copy. */
  readonly directory: string;
  /** Part of the old one's new name. */
  readonly stamp: string;
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

export interface LoginReader {
  /** User and password of a credentials file, for a statement that has to name them; never to be logged. */
  read(credentials: string | null): Promise<Result<{ readonly user: string; readonly password: string }, string>>;
}
