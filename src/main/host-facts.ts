/** Collects what core/doctor judges this host by, before and after the doctor listens. */

import { DEFAULT_STATE_DIR } from "../control/contract/types.ts";
import type { LoadedConfig } from "../core/config/load.ts";
import { type AddressVerdict, judgeAddresses } from "../core/doctor/addresses.ts";
import type { HostFinding, Unseen } from "../core/doctor/catalogue.ts";
import type { DaemonFacts } from "../core/doctor/daemon-facts.ts";
import { type HostFacts, judgeHost } from "../core/doctor/host.ts";
import { type DeviceFacts, judgeKernel } from "../core/doctor/kernel-settings.ts";
import { readMemberships } from "../core/doctor/memberships.ts";
import type { InterfaceFacts } from "../core/dumps/input.ts";
import type { IpAddress } from "../core/lib/ip.ts";
import { toSeconds } from "../core/lib/units.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { createAddressProbe } from "../linux/address-probe.ts";
import type { Arena } from "../linux/arena.ts";
import {
  exists,
  managerOf,
  readClock,
  readDenials,
  readProcess,
  readReversePathDrops,
  readStateDir,
  readText,
  readTicks,
  readUnit,
  readWaiting,
} from "../linux/host-facts.ts";
import { keepalivedProcesses } from "../linux/keepalived-processes.ts";
import { readSetting } from "../linux/net-settings.ts";
import { askedOf, asksNeighbours, networksOf, placesOf } from "./host-networks.ts";
import { namesOneOf } from "./stale-address.ts";

const IFF_UP = 1;
const IFF_MULTICAST = 0x1000;

export interface HostQuestion {
  readonly arena: Arena;
  readonly loaded: LoadedConfig;
  readonly daemon: DaemonFacts | null;
  /** When the daemon was started, milliseconds since the epoch; null: none answers. */
  readonly startedAt: number | null;
  readonly devices: ReadonlyMap<string, InterfaceFacts>;
}

/** What is compared with later. */
export interface Before {
  readonly ticks: ReturnType<typeof readTicks>;
  readonly waiting: ReturnType<typeof readWaiting>;
  readonly reversePathDrops: number;
  /** "DEVICE GROUP": the doctor joins them itself when it listens. */
  readonly memberships: ReadonlySet<string>;
}

const waiter = (daemon: DaemonFacts | null): number | "self" => daemon?.keeperPid ?? "self";

export function beforeListening({ daemon }: Pick<HostQuestion, "daemon">): Before {
  return {
    ticks: readTicks(),
    waiting: readWaiting(waiter(daemon)),
    reversePathDrops: readReversePathDrops(),
    memberships: new Set([
      ...readMemberships(readText("/proc/net/igmp") ?? "", 4),
      ...readMemberships(readText("/proc/net/igmp6") ?? "", 6),
    ]),
  };
}

export interface AfterListening {
  readonly before: Before;
  /** Of the adverts. */
  readonly findings: readonly HostFinding[];
  /** Instances of which a master is heard and believed. */
  readonly mastered: ReadonlySet<string>;
  /** Instances whose adverts this host sent meanwhile. */
  readonly sending: ReadonlySet<string>;
  /** Where no daemon answers: why one may run all the same. */
  readonly perhaps: string | null;
}

export async function lookAround(
  question: HostQuestion,
  after: AfterListening,
): Promise<{ readonly findings: readonly HostFinding[]; readonly unseen: readonly Unseen[] }> {
  const [addresses, host] = await Promise.all([aboutAddresses(question, after), aboutHost(question, after)]);
  return {
    findings: [...aboutKernel(question, after), ...addresses.findings, ...host.findings],
    unseen: [...addresses.unseen, ...host.unseen],
  };
}

const vrrpOf = ({ loaded }: HostQuestion): readonly VrrpInstanceConfig[] =>
  loaded.config.instances.map(({ vrrp }) => vrrp);

function aboutKernel(question: HostQuestion, { before, findings }: AfterListening): readonly HostFinding[] {
  const undelivered = findings.filter(({ id }) => id === "advert-blocked-in").map(({ server }) => server ?? "");
  return judgeKernel({
    instances: vrrpOf(question),
    daemon: question.daemon,
    device: (name) => deviceFacts(question.devices.get(name)),
    setting: readSetting,
    joined: (device, group) => before.memberships.has(`${device} ${group}`),
    undelivered: new Set(undelivered),
    reversePathDrops: readReversePathDrops() - before.reversePathDrops,
    ipvs: { wanted: question.loaded.config.lvs.servers.length > 0, there: exists("/proc/net/ip_vs") },
  });
}

function deviceFacts(facts: InterfaceFacts | undefined): DeviceFacts | null {
  if (facts === undefined) return null;
  const { flags, running, name } = facts;
  return {
    up: (flags & IFF_UP) !== 0,
    running,
    multicast: (flags & IFF_MULTICAST) !== 0,
    neighbours: asksNeighbours(facts),
    addresses: networksOf(name),
  };
}

/** How long others are given to say that an address is theirs; asked side by side, so many at once. */
const PROBE_MILLIS = 200;
const AT_ONCE = 16;

async function aboutAddresses(
  question: HostQuestion,
  { mastered, sending, perhaps }: AfterListening,
): Promise<AddressVerdict> {
  const instances = vrrpOf(question);
  const { daemon, devices } = question;
  const ours = new Set(
    instances.flatMap((vrrp) => [...vrrp.advertised, ...vrrp.excluded].map(({ address }) => address)),
  );
  const own = new Set([process.pid, ...(daemon === null ? [] : [daemon.pid, daemon.keeperPid ?? daemon.pid])]);
  return judgeAddresses({
    instances,
    daemon,
    perhaps,
    sending,
    placesOf: (address) => placesOf(address, devices),
    answers: await askAddresses(question),
    ownMacs: new Set([...devices.values()].flatMap(({ mac }) => mac ?? [])),
    mastered,
    keepalived: keepalivedProcesses(own)
      .map(({ pid, file }) => ({ pid, file, names: namesOneOf(file, ours) }))
      .filter(({ names }) => names !== false),
    managers: [...devices.values()].flatMap(({ name, index }) => {
      const manager = managerOf(index);
      return manager === null ? [] : [{ device: name, manager }];
    }),
  });
}

async function askAddresses(question: HostQuestion): Promise<ReadonlyMap<IpAddress, readonly string[]>> {
  const asked = vrrpOf(question).flatMap((vrrp) => askedOf(vrrp, question.devices));
  const answers = new Map<IpAddress, readonly string[]>();
  const probe = createAddressProbe(question.arena);
  while (asked.length > 0) {
    const part = asked.splice(0, AT_ONCE).map(async ({ address, device }) => {
      const answered = await probe.whoAnswers(address, { device, millis: PROBE_MILLIS });
      if (answered.ok) answers.set(address, answered.value);
    });
    await Promise.all(part);
  }
  return answers;
}

const HOUR_MILLIS = 3_600_000;

async function aboutHost(question: HostQuestion, { before }: AfterListening) {
  const { daemon } = question;
  const pids =
    daemon === null
      ? []
      : ([
          ["control", daemon.pid],
          ["keeper", daemon.keeperPid],
        ] as const);
  const [clock, denials, unit] = await Promise.all([
    readClock(),
    readDenials(),
    daemon === null ? null : readUnit(daemon.pid),
  ]);
  const intervals = vrrpOf(question).map(({ advertInterval }) => toSeconds(advertInterval) * 1_000);
  const stateDir = readStateDir(daemon?.stateDir ?? DEFAULT_STATE_DIR);
  const findings = judgeHost({
    stateDir: stateDir.value,
    processes: pids.flatMap(([name, pid]) => {
      const facts = pid === null ? null : readProcess(name, pid);
      return facts === null ? [] : [facts];
    }),
    steal: stealShare(before.ticks, readTicks()),
    waits: waitsOf(daemon, before.waiting),
    shortestInterval: intervals.length === 0 ? null : Math.min(...intervals),
    clockSynchronised: clock.value,
    denials: denials.value,
    denialsSince: Math.floor((question.startedAt ?? Date.now() - HOUR_MILLIS) / 1_000),
    unit,
  });
  return { findings, unseen: [...stateDir.unseen, ...clock.unseen, ...denials.unseen] };
}

/** Fewer ticks or slices say nothing. */
const TICKS_LEAST = 50;
const SLICES_LEAST = 5;

function stealShare(before: Before["ticks"], now: Before["ticks"]): number | null {
  if (before === null || now === null || now.total - before.total < TICKS_LEAST) return null;
  return (now.steal - before.steal) / (now.total - before.total);
}

function waitsOf(daemon: DaemonFacts | null, before: Before["waiting"]): HostFacts["waits"] {
  const now = readWaiting(waiter(daemon));
  if (before === null || now === null || now.slices - before.slices < SLICES_LEAST) return null;
  const millis = (now.nanos - before.nanos) / (now.slices - before.slices) / 1_000_000;
  return { who: daemon?.keeperPid == null ? "doctor" : "keeper", millis };
}
