/** Named pipes that others read. Nothing here ever waits for a reader. */
import type { Result } from "../core/lib/result.ts";

export interface FifoOrder {
  readonly path: string;
  /** Owner of a pipe that has to be made; null: we. */
  readonly user: string | null;
  readonly group: string | null;
}

export interface Fifo {
  /** `full`: nothing of it was written. The error is a sentence with the remedy. */
  write(line: string): "written" | "full" | { readonly error: string };
  /** Bytes that nobody has read yet. */
  unread(): number;
  /** Closes our end; a pipe that was made here is removed. */
  close(): void;
}

export interface FifoPort {
  /** Makes the pipe if there is none, as keepalived does. The error is a sentence with the remedy. */
  open(order: FifoOrder): Result<Fifo, string>;
}
