/** Names of the dump files: keepalived's in TMPDIR or /tmp, with the instance in them if asked for, or as configured. */
import type { DumpSettings } from "../config/model.ts";

export interface DumpPlace {
  readonly settings: DumpSettings;
  /** TMPDIR, or /tmp. */
  readonly folder: string;
  /** `instance` and network namespace of the daemon, null where it has none. */
  readonly instance: string | null;
  readonly namespace: string | null;
}

export interface DumpFiles {
  readonly parent: string;
  readonly data: string;
  readonly stats: string;
  readonly json: string;
}

export function dumpFiles(place: DumpPlace): DumpFiles {
  const { settings, folder } = place;
  const { stateFile } = settings;
  return {
    parent: stateFile === null ? named(place, "keepalived_parent") : withParent(stateFile),
    data: stateFile ?? named(place, "keepalived"),
    stats: settings.statsFile ?? `${folder}/keepalived.stats`,
    json: settings.jsonFile ?? `${folder}/keepalived.json`,
  };
}

/** `keepalived.INSTANCE.data`, `keepalived.NAMESPACE.INSTANCE.data`. */
function named({ settings, folder, instance, namespace }: DumpPlace, name: string): string {
  const parts = settings.useInstance ? [namespace, instance].filter((part) => part !== null) : [];
  return `${folder}/${[name, ...parts, "data"].join(".")}`;
}

/** `/x/state.txt` becomes `/x/state_parent.txt`. */
function withParent(path: string): string {
  const slash = path.lastIndexOf("/");
  const dot = path.lastIndexOf(".");
  return dot <= slash + 1 ? `${path}_parent` : `${path.slice(0, dot)}_parent${path.slice(dot)}`;
}
