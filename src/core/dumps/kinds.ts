/** The dumps by name, as signals, API and command line call them. */

/** In this order USR1, USR2, SIGRTMAX-1 and SIGRTMIN+2 of keepalived. */
export const DUMP_KINDS = ["data", "stats", "stats-clear", "json"] as const;
export type DumpKind = (typeof DUMP_KINDS)[number];
