/** What a probe may touch: where it looks for files of its user, and where it writes. */
export interface ProbeIo {
  readonly home: string | null;
  /** Whole lines without their newline. */
  out(text: string): void;
  err(text: string): void;
}
