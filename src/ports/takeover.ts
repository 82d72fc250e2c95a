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
