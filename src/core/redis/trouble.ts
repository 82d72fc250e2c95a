/** What only a Redis server can suffer from, and the words for it. The rest is database/trouble.ts. */

export type RedisTrouble =
  /** It reads its data from the disk, and answers nothing else meanwhile. */
  | { readonly kind: "loading"; readonly percent: string; readonly etaSeconds: string }
  /** Bytes. */
  | { readonly kind: "memory-full"; readonly used: number; readonly limit: number }
  | { readonly kind: "misconf"; readonly save: "rdb" | "aof" }
  | { readonly kind: "replica"; readonly source: string }
  | { readonly kind: "unsynced"; readonly source: string; readonly syncing: boolean }
  /** Each follows the next, the last one the first. */
  | { readonly kind: "circle"; readonly members: readonly string[] }
  | { readonly kind: "too-few-replicas"; readonly good: number }
  | { readonly kind: "behind"; readonly source: string; readonly seconds: number; readonly limit: number }
  /** `command` is null when the server does not name it. */
  | { readonly kind: "acl"; readonly command: string | null; readonly detail: string };

export type RedisTroubleKind = RedisTrouble["kind"];

const KINDS: ReadonlySet<string> = new Set<RedisTroubleKind>([
  "loading",
  "memory-full",
  "misconf",
  "replica",
  "unsynced",
  "circle",
  "too-few-replicas",
  "behind",
  "acl",
]);

export const isRedisTrouble = (trouble: { readonly kind: string }): trouble is RedisTrouble => KINDS.has(trouble.kind);

const mebibytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MiB`;

/** A clause that can follow "redis NAME: ". */
export function redisTroubleInWords(trouble: RedisTrouble): string {
  switch (trouble.kind) {
    case "loading":
      return trouble.percent === ""
        ? "it loads its data and answers nothing yet"
        : `it loads its data: ${trouble.percent} %, ${trouble.etaSeconds} s to go`;
    case "memory-full":
      return `its memory is full (${mebibytes(trouble.used)} of ${mebibytes(trouble.limit)}) and noeviction refuses writes`;
    case "misconf":
      return trouble.save === "aof"
        ? "it cannot write its append-only file, and refuses writes (MISCONF)"
        : "its last save has failed, and it refuses writes (MISCONF)";
    case "replica":
      return `it is a replica of ${trouble.source} and takes no writes`;
    case "unsynced":
      return trouble.syncing
        ? `a full resync from ${trouble.source} runs: what it has is old`
        : `it has not been in step with ${trouble.source} since it started: what it has may be old`;
    case "circle":
      return `replication goes in a circle, so nobody takes writes: ${[...trouble.members, trouble.members[0]].join(" follows ")}`;
    case "too-few-replicas":
      return `min-replicas-to-write refuses writes: ${trouble.good} good replicas`;
    case "behind":
      return `it has heard nothing from ${trouble.source} for ${trouble.seconds} s, max_lag is ${trouble.limit} s`;
    case "acl":
      return trouble.command === null
        ? `its ACL refuses what the check asks (${trouble.detail})`
        : `its ACL refuses ${trouble.command}`;
  }
}

/** What has to happen before it is over, as a clause. */
export function redisTroubleRemedy(trouble: RedisTrouble): string {
  switch (trouble.kind) {
    case "loading":
      return "the server has to finish loading";
    case "memory-full":
      return "keys have to be deleted, or maxmemory raised";
    case "misconf":
      return "its disk has to take a save again; its log says why it does not";
    case "replica":
      return "it has to be promoted (REPLICAOF NO ONE)";
    case "unsynced":
      return "it has to be in step with its master once";
    case "circle":
      return "one of them has to be made the master: the one with the newer data";
    case "too-few-replicas":
      return "a replica has to be attached, or min-replicas-to-write lowered";
    case "behind":
      return "its master has to be reached again";
    case "acl":
      return trouble.command === null
        ? "the account needs the commands of docs/redis.md"
        : `ACL SETUSER has to give +${trouble.command.toLowerCase().replace(" ", "|")} to the account`;
  }
}
