/** Whether the daemon's network is another one than the doctor's: then nothing that the doctor sees is about the daemon. Pure. */

/** Network namespaces as /proc and /run/netns name them, so that equal text is the same one; null: not known, or none. */
export interface Namespaces {
  readonly own: string | null;
  /** net_namespace of the file. */
  readonly named: { readonly name: string; readonly namespace: string | null } | null;
  /** The daemon that answers, if it can be looked at: -s of its command line counts more than the file. */
  readonly daemon: { readonly pid: number; readonly namespace: string } | null;
}

export interface Elsewhere {
  readonly what: string;
  /** What to start the doctor with, in front of `holdfast doctor`. */
  readonly enter: string;
}

export function elsewhere({ own, named, daemon }: Namespaces): Elsewhere | null {
  if (own === null) return null;
  if (daemon !== null) {
    if (daemon.namespace === own) return null;
    return {
      what: `the daemon (pid ${daemon.pid}) runs in another network namespace`,
      enter: `nsenter -t ${daemon.pid} -n`,
    };
  }
  if (named === null || named.namespace === own) return null;
  return { what: `the file has net_namespace ${named.name}`, enter: `ip netns exec ${named.name}` };
}
