/** The keeper as control sees it: a child with one stream socket (file descriptor 3 of the child). */
export interface KeeperEvents {
  /** Bytes from the keeper, decoded as UTF-8. */
  readonly onData: (text: string) => void;
  /** The process is gone and reaped; nothing it did can happen after this. */
  readonly onExit: (end: { readonly code: number | null; readonly signal: string | null }) => void;
}

export interface KeeperProcess {
  /** Zero when the process could not be started; onExit follows. */
  readonly pid: number;
  send(text: string): void;
  /** SIGKILL. */
  kill(): void;
  /** True: it serves already, taken over from the program that this one has replaced. */
  readonly adopted?: true;
  /** Stops listening and gives the descriptor of the link, for a program that takes it over; null when there is none. */
  detach?(): number | null;
}

export interface KeeperLauncher {
  launch(events: KeeperEvents): KeeperProcess;
}
