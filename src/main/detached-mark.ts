/** The mark by which daemonize() tells the process that it starts that it is the daemon. */
export const DETACHED_MARK = "HOLDFAST_DETACHED";

/** True in the process that daemonize() started. Children must not inherit the mark. */
export function takeDetachedMark(): boolean {
  const marked = process.env[DETACHED_MARK] === "1";
  delete process.env[DETACHED_MARK];
  return marked;
}

/** For a process that begins anew in the place of a detached one. */
export const detachedEnvironment = (detached: boolean): Readonly<Record<string, string>> =>
  detached ? { [DETACHED_MARK]: "1" } : {};
