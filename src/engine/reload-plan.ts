/**
 * What a reload would change, one line each, and what it must not: take a service away for an interface that is not there. Places in
 * the file do not count: a moved block is no change. It reads nothing; the caller knows the host.
 */
import { DIAGNOSTIC_CODES } from "../core/config/codes.ts";
import type { Diagnostic, HoldfastConfig, InstanceConfig } from "../core/config/model.ts";
import { sameSettings } from "../core/config/same-settings.ts";

type Named = readonly (readonly [name: string, settings: unknown])[];

function compare(what: string, before: Named, now: Named): string[] {
  const old = new Map(before);
  const changes: string[] = [];
  for (const [name, settings] of now) {
    if (!old.has(name)) changes.push(`${what} ${name} is added`);
    else if (!sameSettings(old.get(name), settings)) changes.push(`${what} ${name} is changed`);
    old.delete(name);
  }
  for (const name of old.keys()) changes.push(`${what} ${name} is removed`);
  return changes;
}

const byName = (list: readonly { readonly name: string }[]): Named => list.map((one) => [one.name, one]);

const instancesByName = ({ instances }: HoldfastConfig): Named => instances.map((one) => [one.vrrp.name, one]);

export function reloadChanges(before: HoldfastConfig, now: HoldfastConfig): readonly string[] {
  const changes = [
    ...compare("vrrp_sync_group", byName(before.groups), byName(now.groups)),
    ...compare("vrrp_instance", instancesByName(before), instancesByName(now)),
    ...compare("vrrp_script", byName(before.scripts), byName(now.scripts)),
    ...compare("track_file", byName(before.files), byName(now.files)),
    ...compare("vrrp_track_process", byName(before.processes), byName(now.processes)),
    ...compare("mysql", byName(before.mysql), byName(now.mysql)),
    ...compare("redis", byName(before.redis), byName(now.redis)),
    ...compare("virtual_server", byName(before.lvs.servers), byName(now.lvs.servers)),
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
