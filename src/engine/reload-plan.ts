/**
 * What a reload would change, one line each, and what it must not: take a service away for an interface that is not there. Places in
 * the file do not count: a moved block is no change. It reads nothing; the caller knows the host.
 */
import { DIAGNOSTIC_CODES } from "../core/config/codes.ts";
import type { Diagnostic, HoldfastConfig, InstanceConfig } from "../core/config/model.ts";
import { sameSettings, withoutSpans } from "../core/config/same-settings.ts";

type Named = { readonly name: string; readonly text: string };

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
  const servers = (list: HoldfastConfig["mysql" | "redis"]): Named[] =>
    list.map((server) => ({ name: server.name, text: withoutSpans(server) }));
  const groups = ({ groups }: HoldfastConfig): Named[] =>
    groups.map((group) => ({ name: group.name, text: withoutSpans(group) }));
  const services = ({ lvs }: HoldfastConfig): Named[] =>
    lvs.servers.map((server) => ({ name: server.name, text: withoutSpans(server) }));
  const changes = [
    ...compare("vrrp_sync_group", groups(before), groups(now)),
    ...compare("vrrp_instance", instances(before), instances(now)),
    ...compare("vrrp_script", scripts(before), scripts(now)),
    ...compare("track_file", files(before), files(now)),
    ...compare("vrrp_track_process", processes(before), processes(now)),
    ...compare("mysql", servers(before.mysql), servers(now.mysql)),
    ...compare("redis", servers(before.redis), servers(now.redis)),
    ...compare("virtual_server", services(before), services(now)),
  ];
  if (!sameSettings([before.lvs.options, before.lvs.ssl], [now.lvs.options, now.lvs.ssl]))
    changes.unshift("the settings of LVS are changed");
  if (!sameSettings(before.quorum, now.quorum)) changes.push("quorum_store is changed");
  if (!sameSettings(before.peerLink, now.peerLink)) changes.push("peer_link is changed");
  if (!sameSettings(before.host, now.host)) changes.push("static objects or link settings are changed");
  if (!sameSettings(before.api, now.api)) changes.push("the HTTP listener of the API is changed");
  if (!sameSettings(before.global, now.global)) changes.unshift("global_defs is changed");
  return changes;
}

/**
 * Interfaces that the new file gives an instance and the host has not: for its adverts, or for an address (`dev`). Empty with
 * dynamic_interfaces; an instance that has waited for its interface before the reload may go on waiting.
 */
export function missingInterfaces(
  before: HoldfastConfig,
  now: HoldfastConfig,
  hasInterface: (name: string) => boolean | null,
): readonly Diagnostic[] {
  if (now.global.dynamicInterfaces) return [];
  const made = madeInterfaces(now);
  const unmade = madeInterfaces(before);
  const had = new Map(before.instances.map((instance) => [instance.vrrp.name, carriersOf(instance)]));
  const waited = (name: string, device: string): boolean => had.get(name)?.has(device) === true && !unmade.has(device);
  // A thousand instances share a few interfaces.
  const known = new Map<string, boolean>();
  const isMissing = (name: string): boolean => {
    const missing = known.get(name) ?? (!made.has(name) && (unmade.has(name) || hasInterface(name) === false));
    known.set(name, missing);
    return missing;
  };
  return now.instances.flatMap((instance) => {
    const { name } = instance.vrrp;
    const fresh = [...carriersOf(instance)].filter((device) => !waited(name, device) && isMissing(device));
    return fresh.map((device) => ({
      code: REFUSAL,
      severity: DIAGNOSTIC_CODES[REFUSAL].severity,
      span: instance.span,
      message: `vrrp_instance ${name}: interface ${device} does not exist on this host`,
      remedy: "name one that `ip -br link` shows, or set dynamic_interfaces in global_defs if it comes later",
    }));
  });
}

const REFUSAL = "reload-interface";

/** Those that Holdfast makes (use_vmac and its kin), and removes when no instance wants them. */
function madeInterfaces({ instances }: HoldfastConfig): ReadonlySet<string> {
  return new Set(instances.flatMap(({ vrrp }) => vrrp.virtualInterfaces.map(({ name }) => name)));
}

function carriersOf({ vrrp }: InstanceConfig): ReadonlySet<string> {
  return new Set([vrrp.interface, ...[...vrrp.advertised, ...vrrp.excluded].flatMap(({ device }) => device ?? [])]);
}
