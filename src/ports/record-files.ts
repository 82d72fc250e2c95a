/** Small records of which nothing may be lost: unlike notes, one that cannot be read is not the same as none. */
export interface RecordFiles {
  /** Null: there is none. Rejects when there is one that cannot be read, with the reason. */
  read(name: string): Promise<string | null>;
  /** Rejects when it is not certain that it is on the disk; what stands there then is found out by reading. */
  write(name: string, text: string): Promise<void>;
  /** How many there are; rejects when that cannot be found out. */
  count(): Promise<number>;
  /** Where that record is, for people. */
  pathOf(name: string): string;
}
