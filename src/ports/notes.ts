/** Small texts of the daemon by name. A write replaces the whole text or nothing; a failed one is as if nothing had been written. */
export interface Notes {
  /** Null when there is none, or it cannot be read. */
  read(name: string): Promise<string | null>;
  /** The error says why it is not written; with durable notes it is on the disk when this resolves. */
  write(name: string, text: string): Promise<string | null>;
  remove(name: string): Promise<void>;
}
