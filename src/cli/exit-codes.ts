/** Exit codes of every command; `holdfast --help` and the operator's guide list them. */
export const EXIT = {
  ok: 0,
  /** It was not so, did not happen in time, or was refused. */
  failed: 1,
  /** Wrong use of the command line. */
  usage: 2,
  /** Nobody answers at the socket. */
  notRunning: 3,
  /** The socket or a file may not be opened by this user. */
  notPermitted: 4,
} as const;

export const EXIT_CODES_HELP = `
Exit codes:
  0  done, or it is so
  1  it is not so, was refused, or did not happen in time
  2  wrong use of the command line
  3  the daemon is not running (nobody answers at its socket)
  4  not permitted (the socket belongs to another user)
  -t has keepalived's: 4 cannot read, 5 errors in the file, 6 only script security`;

/** An expected failure: printed as a message with its remedy, never as a stack trace. */
export class CliError extends Error {
  readonly exitCode: number;
  readonly remedy: string | null;

  constructor(message: string, exitCode: number, remedy: string | null = null) {
    super(message);
    this.name = "CliError";
    this.exitCode = exitCode;
    this.remedy = remedy;
  }
}
