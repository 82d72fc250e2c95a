/**
 * What a takeover has to know of one server of a group, and the commands that tell it. A daemon says who it is on a channel that it is
 * subscribed to at its own server, whose name carries what it has written down: PUBSUB CHANNELS tells it to the daemons of the others, who
 * need no other way to each other.
 */
import { factsOf, parseInfo, type RedisFacts } from "./info.ts";
import { type Command, pairsOf, type Reply, textOf } from "./reply.ts";

/** What a daemon has written down of its own server: in which epoch, and as what, it was last known to be in step. */
export interface Mark {
  /** One more with every promotion in the group. */
  readonly epoch: number;
  readonly role: Role;
}

export interface WrittenMark extends Mark {
  readonly run: string | null;
}

/**
 * writer: the writer, with no peer in step. paired: the writer, with a peer in step, which therefore has what it has but for what was under way.
 * replica: it was in step. Told, never written down: insync, a replica whose server has not restarted since; and a writer whose server has.
 */
export type Role = "writer" | "paired" | "replica" | "insync" | "writer-restarted" | "paired-restarted";

/**
 * Whose data count for more within one epoch where histories do not say it, because a server was started anew: what a restart has left of a paired
 * writer is at best what its replica has; whether it is better than what a restart has left of the replica nobody knows.
 */
const RANKS: Readonly<Record<Role, number>> = {
  writer: 3,
  "writer-restarted": 3,
  insync: 2,
  paired: 1,
  "paired-restarted": 1,
  replica: 0,
};
const ROLES = Object.keys(RANKS) as Role[];

/** What it holds is the writer's data set. */
export const isWriter = (mark: Mark | null): mark is Mark => mark?.role === "writer" || mark?.role === "paired";

export const wasWriter = (mark: Mark | null): mark is Mark => mark !== null && /^(writer|paired)/.test(mark.role);

export const wasPaired = (mark: Mark | null): boolean => mark?.role.startsWith("paired") === true;

export const epochOf = (mark: Mark | null): number => mark?.epoch ?? 0;

/** The later epoch counts; within one the higher rank. Who has written down nothing comes last. */
export const outranks = (one: Mark | null, other: Mark | null): boolean =>
  epochOf(one) > epochOf(other) ||
  (epochOf(one) === epochOf(other) && one !== null && other !== null && RANKS[one.role] > RANKS[other.role]);

export interface MemberFacts extends RedisFacts {
  /** min-replicas-to-write; null when the server does not say. */
  readonly minReplicas: number | null;
  /** Somebody listens to Sentinel's channel: this server is watched by one. */
  readonly sentinel: boolean;
  /** Of the daemon on its host; null when none is there. */
  readonly mark: Mark | null;
}

const PREFIX = "holdfast:";

/** The channel's name; `epoch` 0 is a daemon that has written down nothing. */
export const markChannel = (name: string, mark: Mark | null): string =>
  `${PREFIX}${name}:${mark?.epoch ?? 0}:${mark?.role ?? "replica"}`;

export const memberCommands = (name: string): readonly Command[] => [
  ["INFO"],
  ["CONFIG", "GET", "min-replicas-to-write"],
  ["PUBSUB", "CHANNELS", `${PREFIX}${escaped(name)}:*`],
  ["PUBSUB", "NUMSUB", "__sentinel__:hello"],
];

/** Characters that a glob would take for more than themselves. */
const escaped = (name: string): string => name.replaceAll(/[\\*?[\]]/g, "\\$&");

/** Null when it is no server; the answers are those to memberCommands, in their order. */
export function memberOf(replies: readonly Reply[]): MemberFacts | null {
  const [info, config, channels, sentinel] = replies;
  const facts = factsOf(parseInfo(textOf(info)));
  if (facts === null) return null;
  const min = pairsOf(config).get("min-replicas-to-write");
  return {
    ...facts,
    minReplicas: min === undefined ? null : Number(min),
    sentinel: sentinel?.kind === "list" && sentinel.items.some((item) => item.kind === "number" && item.value > 0),
    mark: markOf(channels),
  };
}

/** The newest, while a daemon changes from one to the next. */
function markOf(reply: Reply | undefined): Mark | null {
  const items = reply?.kind === "list" ? reply.items : [];
  const marks = items.flatMap((item): readonly Mark[] => {
    const mark = markIn(/:(\d{1,12}):([\w-]+)$/.exec(textOf(item)));
    return mark === null ? [] : [mark];
  });
  return marks.reduce<Mark | null>((best, one) => (best === null || one.epoch > best.epoch ? one : best), null);
}

/** As it lies on the disk: `7 replica RUN`, with the run_id of the server that it was written of. */
export const markText = ({ epoch, role, run }: WrittenMark): string =>
  `${epoch} ${role}${run === null ? "" : ` ${run}`}\n`;

export function markFrom(text: string): WrittenMark | null {
  const found = /^(\d{1,12}) ([\w-]+)(?: ([\w-]+))?\s*$/.exec(text);
  const mark = markIn(found);
  return mark === null ? null : { ...mark, run: found?.[3] ?? null };
}

function markIn(found: RegExpExecArray | null): Mark | null {
  const role = ROLES.find((one) => one === found?.[2]);
  return role === undefined ? null : { epoch: Number(found?.[1]), role };
}
