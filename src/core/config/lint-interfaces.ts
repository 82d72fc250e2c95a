/**
 * Interfaces that the configuration names and the host has not, and link delays that outlast a peer's patience. A file may be tested
 * away from the host it is for, and interfaces may come later, so nothing here is an error.
 */
import type { HostConfig } from "../routing/host.ts";
import type { VrrpInstanceConfig } from "../vrrp/config.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { HoldfastConfig, SourceSpan } from "./model.ts";
import type { ConfigSource } from "./source.ts";
import { closest } from "./suggest.ts";

export function lintInterfaces(config: HoldfastConfig, source: ConfigSource, diagnostics: DiagnosticSink): void {
  const interfaces: Interfaces = { source, known: new Map() };
  const report = absenceReport(config, source, diagnostics);
  lintHostInterfaces(config.host, interfaces, report);
  for (const { vrrp, span } of config.instances) {
    for (const name of interfacesOf(vrrp)) if (isAbsent(interfaces, name)) report(span, vrrp.name, name);
  }
  lintLinkDelays(config, diagnostics);
}

/** Each name is asked for once: a thousand instances share a few interfaces. */
interface Interfaces {
  readonly source: ConfigSource;
  readonly known: Map<string, boolean | null>;
}

/** Addresses, routes and rules name interfaces too. */
function interfacesOf(vrrp: VrrpInstanceConfig): Set<string> {
  const { advertised, excluded, routes, rules, trackInterfaces } = vrrp;
  const devices = [
    ...[...advertised, ...excluded].map(({ device }) => device),
    ...routes.flatMap((route) => [route.device, ...route.nextHops.map((hop) => hop.device)]),
    ...rules.flatMap((rule) => [rule.inputDevice, rule.outputDevice]),
    ...vrrp.virtualInterfaces.map(({ base }) => base),
  ];
  // Those come with the instance.
  const own = new Set<string | null>(vrrp.virtualInterfaces.map(({ name }) => name));
  const named = devices.filter((device) => !own.has(device));
  return new Set([vrrp.interface, ...named, ...trackInterfaces.map(({ key }) => key)].filter((name) => name !== null));
}

function lintHostInterfaces(
  { statics, linkDelays, spacing }: HostConfig,
  interfaces: Interfaces,
  report: Absence,
): void {
  const named = [
    ...statics.addresses.map(({ address }) => address.device),
    ...statics.routes.flatMap((route) => [route.device, ...route.nextHops.map((hop) => hop.device)]),
    ...statics.rules.flatMap((rule) => [rule.inputDevice, rule.outputDevice]),
  ];
  const names = new Set([...named.filter((name) => name !== null), ...linkDelays.map((delay) => delay.interface)]);
  for (const name of names) if (isAbsent(interfaces, name)) report(null, "static objects", name);
  for (const name of new Set(spacing.groups.flatMap((group) => group.interfaces))) {
    if (isAbsent(interfaces, name)) report(null, "garp_group", name);
  }
}

type Absence = (span: SourceSpan | null, who: string, name: string) => void;

/** dynamic_interfaces says that interfaces may come later; Holdfast waits for them either way. */
function absenceReport(config: HoldfastConfig, source: ConfigSource, diagnostics: DiagnosticSink): Absence {
  const code = config.global.dynamicInterfaces ? "dynamic-interface" : "unknown-interface";
  return (span, who, name) => {
    const near = closest(name, source.interfaces?.() ?? []);
    const meant = near === null ? "" : `did you mean \`${near}\`, which exists? `;
    diagnostics.report(
      code,
      span,
      `${who}: interface ${name} does not exist here`,
      `${meant}ip -br link shows the names; what needs it waits until it exists`,
    );
  };
}

/** A peer waits down_timer_adverts - 1 intervals at least: an interface that counts as up for longer lets it take over beside us. */
function lintLinkDelays(config: HoldfastConfig, diagnostics: DiagnosticSink): void {
  for (const { interface: device, down, up } of config.host.linkDelays) {
    const users = config.instances.filter(({ vrrp }) => vrrp.interface === device);
    const limit = Math.min(...users.map(({ vrrp }) => (vrrp.downTimerAdverts - 1) * vrrp.advertInterval));
    if (Math.max(down, up) < limit) continue;
    diagnostics.report(
      "link-delay-long",
      users[0]?.span ?? null,
      `interface_up_down_delays of ${device}: ${Math.max(down, up) / 1e6} s is not below the ${limit / 1e6} s that a peer waits; it is shortened`,
      "a shorter delay, or a longer advert_int",
    );
  }
}

function isAbsent(interfaces: Interfaces, name: string): boolean {
  const known = interfaces.known.get(name);
  if (known !== undefined) return known === false;
  const found = interfaces.source.hasInterface(name);
  interfaces.known.set(name, found);
  return found === false;
}
