/**
 * Relates instances to the host: which link, which source address, are the sockets open, is the frame ready; and turns
 * that with the trackers into one `fitness` event for the core.
 */

import type { DatabaseStanding } from "../core/database/standing.ts";
import { evaluateTrackers } from "../core/health/trackers.ts";
import { familyOf, type IpAddress, ipBytes, isLinkLocal } from "../core/lib/ip.ts";
import type { FileStanding, ProcessStanding, ScriptStanding, Standings } from "../core/link/messages.ts";
import type { Fault } from "../core/vrrp/causes.ts";
import { advertTtl, encodeAdvert } from "../core/vrrp/packet.ts";
import type { InterfaceAddress, KernelError, Link } from "../ports/network.ts";
import type { EnginePorts } from "./engine-ports.ts";
import type { EffectRunner } from "./vrrp-effects.ts";
import { channelOf, type Runtime, wireConfig } from "./vrrp-runtime.ts";

/** Reads links and addresses again, brings sockets and frames up to date, and returns the addresses. */
export function refreshNetwork(
  ports: EnginePorts,
  runtimes: readonly Runtime[],
  effects: EffectRunner,
): readonly InterfaceAddress[] {
  const links = effects.virtual.provide(runtimes, ports.kernel.links());
  const addresses = ports.kernel.addresses();
  reportLinks(effects, effects.addresses.links, links, runtimes);
  const before = effects.addresses.links;
  effects.addresses.links = links;
  effects.countedLinks = effects.host.countedLinks(links);
  if (linksDiffer(before, links)) {
    effects.host.statics.verify(addresses);
    effects.routing.verify();
  }
  // Opening a socket joins its group, and the kernel reports that within milliseconds: never from a virtual MAC that another host uses.
  effects.virtual.follow(runtimes, effects.addresses);
  const virtual = effects.addresses.virtualAddresses();
  // Few, however many instances there are: looked through once for each of them.
  const real = addresses.filter(({ address }) => !virtual.has(address));
  const byName = new Map(links.map((link) => [link.name, link]));
  const named = (name: string): Link | null => {
    const link = byName.get(name);
    return link === undefined || effects.virtual.awaits(name) ? null : link;
  };
  for (const runtime of runtimes) {
    runtime.link = named(runtime.config.interface);
    runtime.sendLink = named(runtime.config.sendsVia ?? runtime.config.interface);
    runtime.hearLink = named(runtime.config.hearsVia ?? runtime.config.interface);
    const { source, pending } = sourceOf(runtime, addresses, real);
    openSockets(ports, runtime, effects);
    runtime.observedSource = source;
    runtime.sourcePending = pending;
    prepareFrames(ports, runtime);
  }
  return addresses;
}

/** Whether an interface came, went, or changed its state: routes may have gone with it. */
function linksDiffer(before: readonly Link[], now: readonly Link[]): boolean {
  return (
    before.length !== now.length ||
    now.some(({ index, name, usable }, position) => {
      const old = before[position];
      return old === undefined || old.index !== index || old.name !== name || old.usable !== usable;
    })
  );
}

/** What control has said of everything it watches, by name. */
export interface TrackerStandings {
  readonly scripts: Map<string, ScriptStanding>;
  readonly files: Map<string, FileStanding>;
  readonly processes: Map<string, ProcessStanding>;
  readonly mysql: Map<string, DatabaseStanding>;
  readonly redis: Map<string, DatabaseStanding>;
}

export const emptyStandings = (): TrackerStandings => ({
  scripts: new Map(),
  files: new Map(),
  processes: new Map(),
  mysql: new Map(),
  redis: new Map(),
});

/** What a message does not name stays as it was. */
export function takeStandings(known: TrackerStandings, { scripts, files, processes, mysql, redis }: Standings): void {
  for (const [key, standing] of Object.entries(scripts)) known.scripts.set(key, standing);
  for (const [key, standing] of Object.entries(files)) known.files.set(key, standing);
  for (const [key, standing] of Object.entries(processes)) known.processes.set(key, standing);
  for (const [key, standing] of Object.entries(mysql)) known.mysql.set(key, standing);
  for (const [key, standing] of Object.entries(redis)) known.redis.set(key, standing);
}

/** Evaluates the trackers and tells the core when anything it must know has changed. */
export function assessFitness(
  runtime: Runtime,
  standings: TrackerStandings,
  silent: boolean,
  effects: EffectRunner,
): void {
  const { config } = runtime;
  const evaluation = evaluateTrackers(config, {
    standings: standings.scripts,
    files: standings.files,
    processes: standings.processes,
    mysql: standings.mysql,
    redis: standings.redis,
    serving: isServing(runtime),
    links: effects.countedLinks,
    source: runtime.observedSource,
    controlSilent: silent,
  });
  const faults: Fault[] = [...evaluation.faults, ...effects.host.statics.faultsOf(config.name, effects.countedLinks)];
  if (runtime.virtualFault !== null && runtime.link !== null) faults.push(runtime.virtualFault);
  if (runtime.socketFault !== null && runtime.link?.usable === true) faults.push(runtime.socketFault);
  const making = interfacesInTheMaking(runtime, effects);
  const { priority } = evaluation;
  // The host comes up: an instance that has not begun waits for the end of duplicate address detection.
  const pending = runtime.sourcePending && runtime.state.role.kind === "init";
  effects.dispatch(runtime, {
    kind: "fitness",
    faults: faults.filter(
      (fault) =>
        (fault.kind !== "interface" || !making.includes(fault.interface)) &&
        (fault.kind !== "no-source-address" || !pending),
    ),
    waiting: evaluation.waiting || making.length > 0 || pending,
    priority,
    source: runtime.observedSource,
  });
  prepareFrames(effects.ports, runtime);
}

/** Claiming is not serving: what a standby must have is what the claim is judged by. */
const isServing = ({ state: { role } }: Runtime): boolean => role.kind === "master" && role.phase.kind !== "claiming";

/** Virtual interfaces that are not made yet: an instance that has not begun waits for them in INIT, which is no fault. */
function interfacesInTheMaking(runtime: Runtime, effects: EffectRunner): readonly string[] {
  const { config, state } = runtime;
  if (config.virtualInterfaces.length === 0 || state.role.kind !== "init" || runtime.virtualFault !== null) return [];
  const has = (name: string): boolean => effects.addresses.links.some((link) => link.name === name);
  const unseen = (name: string): boolean =>
    (name === config.sendsVia && runtime.sendLink === null) || (name === config.hearsVia && runtime.hearLink === null);
  return config.virtualInterfaces
    .filter(({ name, base }) => has(base) && (effects.virtual.awaits(name) || unseen(name) || !has(name)))
    .map(({ name }) => name);
}

interface Source {
  readonly source: IpAddress | null;
  /** There will be one as soon as duplicate address detection has passed it. */
  readonly pending: boolean;
}

/**
 * The configured source, otherwise the interface's first address that is not virtual; of IPv6 a link-local one (RFC 9568 section
 * 5.1.2.1). One that duplicate address detection has not passed is no address yet.
 */
function sourceOf(runtime: Runtime, addresses: readonly InterfaceAddress[], real: readonly InterfaceAddress[]): Source {
  const { sourceAddress: configured, requiresSource, family } = runtime.config;
  if (configured !== null) {
    const entries = addresses.filter(({ address }) => address === configured);
    const has = !requiresSource || entries.some(({ tentative }) => !tentative);
    return { source: has ? configured : null, pending: !has && entries.some(isPending) };
  }
  const index = runtime.link?.index;
  const onLink = real.filter((entry) => entry.interfaceIndex === index);
  if (family === 6) {
    const source = linkLocalOf(runtime, onLink);
    const pending = source === null && onLink.some((entry) => isLinkLocal(entry.address) && isPending(entry));
    return { source, pending };
  }
  const own = onLink.filter((entry) => familyOf(entry.address) === 4);
  return { source: (own.find((entry) => !entry.secondary) ?? own[0])?.address ?? null, pending: false };
}

const isPending = ({ tentative, duplicate }: InterfaceAddress): boolean => tentative && duplicate !== true;

/** The kernel lists the newest first: the oldest stays the source when another is added, and while it exists no other becomes it. */
export function linkLocalOf(runtime: Runtime, onLink: readonly InterfaceAddress[]): IpAddress | null {
  const usable = onLink.filter((entry) => isLinkLocal(entry.address) && !entry.tentative);
  const current = usable.find((entry) => entry.address === runtime.observedSource);
  return (current ?? usable.at(-1))?.address ?? null;
}

function openSockets(ports: EnginePorts, runtime: Runtime, effects: EffectRunner): void {
  const { hearLink: link, config } = runtime;
  if (link === null) {
    if (runtime.openedOn !== null) ports.adverts.close(runtime.openedOn, channelOf(config));
    runtime.openedOn = null;
    return;
  }
  if (runtime.openedOn === link.index && runtime.socketFault === null) return;
  const opened = ports.adverts.open(link, channelOf(config), config.transport);
  runtime.openedOn = link.index;
  runtime.preparedFor = null;
  const fault = opened.ok ? null : socketFault(link, opened.error);
  if (fault !== null && runtime.socketFault === null) {
    effects.event({ kind: "socket", interface: link.name, action: "failed", detail: fault.reason });
  }
  runtime.socketFault = fault;
}

function socketFault(link: Link, error: KernelError): Extract<Fault, { kind: "socket" }> {
  return { kind: "socket", interface: link.name, reason: `${error.what}: ${error.errno}` };
}

/** Encodes both adverts again when something that is in them has changed. */
export function prepareFrames(ports: EnginePorts, runtime: Runtime): void {
  const { sendLink: link, state } = runtime;
  const source = runtime.observedSource;
  if (link === null || source === null || runtime.socketFault !== null) {
    runtime.preparedFor = null;
    return;
  }
  const key = `${link.index} ${source} ${state.priority}`;
  if (runtime.preparedFor === key) return;
  const config = wireConfig(runtime);
  const { transport } = config;
  const destinations = transport.kind === "multicast" ? [transport.group] : transport.peers;
  for (const [slot, priority] of [
    [runtime.slot, state.priority],
    [runtime.slot + 1, 0],
  ] as const) {
    const packets = destinations.map((destination) => encodeAdvert(config, { source, destination, priority }));
    const hopLimit = advertTtl(config);
    const seal = runtime.keys?.sealFor(ipBytes(source)) ?? null;
    ports.adverts.prepare(slot, { interfaceIndex: link.index, source, destinations, hopLimit, packets, seal });
  }
  runtime.preparedFor = key;
}

/** Only interfaces that an instance uses or tracks are worth a line. */
function reportLinks(
  effects: EffectRunner,
  before: readonly Link[],
  now: readonly Link[],
  runtimes: readonly Runtime[],
): void {
  const names = new Set(
    runtimes.flatMap(({ config }) => [config.interface, ...config.trackInterfaces.map((tracked) => tracked.key)]),
  );
  for (const name of names) {
    const state = linkChange(before, now, name);
    if (state !== null) effects.event({ kind: "link", interface: name, state });
  }
}

function linkChange(
  before: readonly Link[],
  now: readonly Link[],
  name: string,
): "up" | "down" | "gone" | "new" | null {
  const old = before.find((link) => link.name === name);
  const current = now.find((link) => link.name === name);
  if (current === undefined) return old === undefined ? null : "gone";
  // The first reading finds everything new; that is no event.
  if (old === undefined) return before.length > 0 ? "new" : null;
  if (old.usable === current.usable) return null;
  return current.usable ? "up" : "down";
}
