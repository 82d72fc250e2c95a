/**
 * interface_up_down_delays: a link must keep a new state for a while before it counts, so that a bouncing one does not move the
 * addresses to and fro. The first look counts at once; so does an interface that is gone. Pure: deadlines are fields.
 */
import { after, type Instant } from "../lib/units.ts";
import type { LinkDelay } from "../routing/host.ts";

/** What is remembered of one interface with a delay. */
export interface DelayedLink {
  /** The state that counts. */
  readonly counted: boolean;
  /** When a differing state will count; null while there is none. */
  readonly changesAt: Instant | null;
}

export interface SeenLink {
  readonly name: string;
  readonly usable: boolean;
}

/** The next record of one link; `before` is null when it was not there. */
export function observeLink(
  before: DelayedLink | null,
  usable: boolean,
  delay: Pick<LinkDelay, "down" | "up">,
  now: Instant,
): DelayedLink {
  if (before === null || before.counted === usable) return { counted: usable, changesAt: null };
  const changesAt = before.changesAt ?? after(now, usable ? delay.up : delay.down);
  return now >= changesAt ? { counted: usable, changesAt: null } : { counted: before.counted, changesAt };
}

/** All links with the state that counts, and when it may change without further news. */
export interface LinkView<T extends SeenLink> {
  readonly links: readonly T[];
  readonly memory: ReadonlyMap<string, DelayedLink>;
  readonly changesAt: Instant | null;
}

export function viewLinks<T extends SeenLink>(
  links: readonly T[],
  memory: ReadonlyMap<string, DelayedLink>,
  how: { readonly delays: ReadonlyMap<string, LinkDelay>; readonly now: Instant },
): LinkView<T> {
  if (how.delays.size === 0) return { links, memory: NOTHING, changesAt: null };
  const next = new Map<string, DelayedLink>();
  let changesAt: Instant | null = null;
  const counted = links.map((link) => {
    const delay = how.delays.get(link.name);
    if (delay === undefined) return link;
    const record = observeLink(memory.get(link.name) ?? null, link.usable, delay, how.now);
    next.set(link.name, record);
    if (record.changesAt !== null && (changesAt === null || record.changesAt < changesAt)) changesAt = record.changesAt;
    return record.counted === link.usable ? link : { ...link, usable: record.counted };
  });
  return { links: counted, memory: next, changesAt };
}

const NOTHING: ReadonlyMap<string, DelayedLink> = new Map();
