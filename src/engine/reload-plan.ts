/** What a reload would change, one line each. Places in the file do not count: a moved block is no change. */
import type { HoldfastConfig } from "../core/config/model.ts";

type Named = { readonly name: string; readonly text: string };

const withoutSpans = (value: unknown): string =>
  JSON.stringify(value, (key, inner) => (key === "span" ? undefined : inner));

function compare(what: string, before: readonly Named[], now: readonly Named[]): string[] {
  const old = new Map(before.map(({ name, text }) => [name, text]));
  const changes: string[] = [];
  for (const { name, text } of now) {
    if (!old.has(name)) changes.push(`${what} ${name} is added`);
    else if (old.get(name) !== text) changes.push(`${what} ${name} is changed`);
    old.delete(name);
  }
  for (const name of old.keys()) changes.push(`${what} ${name} is removed`);
  return changes;
}

export function reloadChanges(before: HoldfastConfig, now: HoldfastConfig): readonly string[] {
  const instances = ({ instances }: HoldfastConfig): Named[] =>
    instances.map((instance) => ({ name: instance.vrrp.name, text: withoutSpans(instance) }));
  const scripts = ({ scripts }: HoldfastConfig): Named[] =>
    scripts.map((script) => ({ name: script.name, text: withoutSpans(script) }));
  const files = ({ files }: HoldfastConfig): Named[] =>
    files.map((file) => ({ name: file.name, text: withoutSpans(file) }));
  const processes = ({ processes }: HoldfastConfig): Named[] =>
    processes.map((process) => ({ name: process.name, text: withoutSpans(process) }));
  const groups = ({ groups }: HoldfastConfig): Named[] =>
    groups.map((group) => ({ name: group.name, text: withoutSpans(group) }));
  const changes = [
    ...compare("vrrp_sync_group", groups(before), groups(now)),
    ...compare("vrrp_instance", instances(before), instances(now)),
    ...compare("vrrp_script", scripts(before), scripts(now)),
    ...compare("track_file", files(before), files(now)),
    ...compare("vrrp_track_process", processes(before), processes(now)),
  ];
  if (withoutSpans(before.host) !== withoutSpans(now.host)) changes.push("static objects or link settings are changed");
  if (withoutSpans(before.global) !== withoutSpans(now.global)) changes.unshift("global_defs is changed");
  return changes;
}
