/** Where something stands in the files, and commands as they are written there: what every part of the model refers to. */
/** A place in the files that were read. Lines and columns count from 1. */
export interface SourceSpan {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Characters to underline. */
  readonly length: number;
}

/** A command as the file gives it, split as keepalived splits it; never passed to a shell. */
export interface Command {
  readonly argv: readonly string[];
  /** User and group names or numbers; null means the default of the file (script_user) or our own. */
  readonly user: string | null;
  readonly group: string | null;
  /** The text as written but for its secrets, for logs, journal and status. */
  readonly text: string;
  /** Its keyword. */
  readonly span: SourceSpan;
}
