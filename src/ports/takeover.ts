/** What a takeover of a database needs besides the servers themselves. */
import type { Result } from "../core/lib/result.ts";

export interface GatewayProbe {
  /** Asks the host of the default route once; null when there is none, so that nobody can be asked. Never throws. */
  ask(timeoutMillis: number): Promise<"reachable" | "unreachable" | null>;
}

export interface PositionFiles {
  /** A new file of mode 0600 that is on the disk when this resolves with its path; the error says why it is not. */
  write(directory: string, name: string, text: string): Promise<Result<string, string>>;
}

/** What an operator has fenced, kept over a restart. */
export interface FenceMarks {
  /** Name of the block to when that was; read once, when the daemon starts. */
  list(): ReadonlyMap<string, string>;
  /** On the disk when it resolves; the error says why it is not. */
  write(name: string, since: string): Promise<Result<void, string>>;
  remove(name: string): Promise<Result<void, string>>;
}
