/**
 * net.ipv4.conf.all.rp_filter while virtual MACs exist. The kernel uses the greater of `all` and the interface's own value, so a
 * virtual interface cannot be exempt while `all` filters: its value goes to every other interface and `all` becomes 0, as keepalived
 * does. Given back with the last virtual interface.
 */
import { readdirSync } from "node:fs";
import { readSetting } from "./net-settings.ts";

/** Name of the value in an owner tag. */
const SAVED = "all_rp_filter";
const CONF = "ipv4/conf";
const ALL = `${CONF}/all/rp_filter`;

export interface ReversePathFilter {
  /** What belongs into the tag of an interface, given the tags there are. */
  toSave(tags: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>>;
  pushDown(exempt: string): void;
  giveBack(saved: Readonly<Record<string, number>>): void;
}

export function createReversePathFilter(set: (path: string, value: number) => void): ReversePathFilter {
  /** Settings that were raised here; after a crash they stay raised, which is what `all` had them do anyway. */
  const raised = new Map<string, number>();
  return {
    toSave(tags) {
      const known = tags.find((tag) => SAVED in tag)?.[SAVED];
      const value = known ?? readSetting(ALL) ?? 0;
      return value > 0 ? { [SAVED]: value } : {};
    },
    pushDown(exempt) {
      const all = readSetting(ALL) ?? 0;
      if (all === 0) return;
      for (const name of interfaces()) {
        const path = `${CONF}/${name}/rp_filter`;
        const own = readSetting(path) ?? 0;
        if (name === exempt || name === "all" || own >= all) continue;
        raised.set(path, own);
        set(path, all);
      }
      set(ALL, 0);
    },
    giveBack(saved) {
      const before = saved[SAVED];
      if (before === undefined) return;
      set(ALL, before);
      for (const [path, value] of raised) if (readSetting(path) !== null) set(path, value);
      raised.clear();
    },
  };
}

function interfaces(): readonly string[] {
  try {
    return readdirSync(`/proc/sys/net/${CONF}`);
  } catch {
    return [];
  }
}
