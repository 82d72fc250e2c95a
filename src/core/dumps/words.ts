/** Texts that several dumps share: an address with its options, a command, a moment, as keepalived writes them. */
import type { Command, InstanceConfig } from "../config/model.ts";
import { mapped } from "../config/text.ts";
import { commandWords } from "../config/words.ts";
import { asctime } from "../events/log-line.ts";
import { familyOf, HOST_PREFIX } from "../lib/ip.ts";
import type { StaticAddress } from "../routing/host.ts";
import type { Tracked, VirtualAddress, VrrpInstanceConfig } from "../vrrp/config.ts";
import type { VrrpStateName } from "../vrrp/state.ts";
import type { VrrpInstanceStatus } from "../vrrp/status.ts";
import type { VirtualInterface } from "../vrrp/virtual-interface.ts";
import type { Accounts, DumpInput } from "./input.ts";

/** rtnetlink(7) scopes by the names of rt_scopes; another number stands for itself. */
const SCOPES: Readonly<Record<number, string>> = { 0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere" };

/** IFA_F_* of linux/if_addr.h. */
const FLAGS = [
  [0x10, "home"],
  [0x100, "mngtmpaddr"],
  [0x200, "noprefixroute"],
  [0x400, "autojoin"],
] as const;

/** `10.0.0.1/24 brd 10.0.0.255 dev eth0 scope global label eth0:1 set`; a whole-host prefix is left out. */
export function addressText(entry: VirtualAddress, { vrrp, status, written }: InstanceRow): string {
  const carrier = vrrp.virtualInterfaces.find(({ name }) => name === entry.device);
  // Asked for by the address itself, not by the instance.
  const marked = carrier !== undefined && !written.ownInterface && carrier.base === vrrp.interface;
  const device = entry.device ?? vrrp.interface;
  return [
    ...beforeScope(entry, carrier === undefined ? device : `${device}@${carrier.base}`),
    ...(marked ? ["use_vmac"] : []),
    ...fromScope(entry),
    ...(status.holding ? ["set"] : []),
    ...(status.holding && vrrp.filter?.closed === true ? ["nftable_set"] : []),
  ].join(" ");
}

/** Whether it is there is known to the keeper alone, which puts it back when it is not. */
export function staticAddressText({ address }: StaticAddress): string {
  return [...beforeScope(address, address.device), ...fromScope(address), "set"].join(" ");
}

function beforeScope(entry: VirtualAddress, device: string): readonly string[] {
  const plain = entry.prefixLength === HOST_PREFIX[familyOf(entry.address)] || (entry.options?.peer ?? null) !== null;
  return [
    plain ? entry.address : `${entry.address}/${entry.prefixLength}`,
    ...(entry.broadcast === null ? [] : ["brd", entry.broadcast]),
    "dev",
    device,
  ];
}

function fromScope({ address, prefixLength, scope, label, options }: VirtualAddress): readonly string[] {
  const peer = options?.peer ?? null;
  const flags = options?.flags ?? 0;
  const six = familyOf(address) === 6;
  return [
    `scope ${SCOPES[scope] ?? scope}`,
    ...(label === null ? [] : [`label ${label}`]),
    ...(peer === null ? [] : [`peer ${peer}/${prefixLength}`]),
    ...(options?.duplicateDetection === true ? ["-nodad"] : []),
    ...FLAGS.flatMap(([flag, word]) => ((flags & flag) === 0 ? [] : [word])),
    ...(six ? [lifetimeText(options?.preferredLifetime ?? (prefixLength === HOST_PREFIX[6] ? 0 : "forever"))] : []),
    ...(options?.untracked === true ? ["no_track"] : []),
  ];
}

const lifetimeText = (lifetime: number | "forever"): string =>
  lifetime === 0 ? "deprecated" : `preferred_lft ${lifetime}`;

/** `weight 5 reverse`. */
export const weightText = ({ weight, reverse }: Tracked): string => `weight ${weight}${reverse ? " reverse" : ""}`;

/** The script of a key: `NAME`, or `NAME@INSTANCE` for a check that runs once for each of them. */
export const baseKey = (key: string): string => key.replace(/@.*$/, "");

/** `'/path/to/program' 'argument'`, without secrets. */
export const commandText = (command: Command): string =>
  commandWords(mapped(command.text))
    .words.map(({ text }) => `'${text}'`)
    .join(" ");

/** keepalived's default user for scripts, where it exists. */
const DEFAULT_USER = "keepalived_script";

/** Who a script runs as, in numbers. */
export function ownerText({ user, group }: Pick<Command, "user" | "group">, { config, accounts }: DumpInput): string {
  if (user !== null) return numbersText(user, group, accounts);
  const { scriptUser } = config.global;
  const fallback = accounts.users.has(DEFAULT_USER) ? DEFAULT_USER : null;
  return numbersText(scriptUser?.user ?? fallback, group ?? scriptUser?.group ?? null, accounts);
}

/** The group is the user's unless it is named; a name that the host does not know stands for itself. */
export function numbersText(user: string | null, group: string | null, { users, groups }: Accounts): string {
  const account = user === null ? { uid: 0, gid: 0 } : users.get(user);
  const uid = account?.uid ?? user;
  const gid = group === null ? (account?.gid ?? user) : (groups.get(group) ?? group);
  return `${uid}:${gid}`;
}

/** keepalived's numbers of the states. */
export const STATE_NUMBERS: Readonly<Record<VrrpStateName, number>> = {
  INIT: 0,
  BACKUP: 1,
  MASTER: 2,
  FAULT: 3,
  STOP: 97,
};

/** Seconds since the epoch with microseconds, of an instant on the monotonic clock. */
export function wallSeconds(input: DumpInput, at: number): string {
  return ((input.now.wall - (input.now.at - at)) / 1e6).toFixed(6);
}

/** `1795646475.903040 (Wed Nov 25 22:41:15.903040 2026)`. */
export function momentText(input: DumpInput, at: number): string {
  const seconds = wallSeconds(input, at);
  const fraction = seconds.slice(seconds.indexOf("."));
  const text = asctime(Math.floor(Number(seconds)) * 1_000, input.now.utcOffsetMinutes);
  const year = text.lastIndexOf(" ");
  return `${seconds} (${text.slice(0, year)}${fraction}${text.slice(year)})`;
}

export interface InstanceRow extends Pick<InstanceConfig, "hooks" | "notices" | "written"> {
  readonly vrrp: VrrpInstanceConfig;
  readonly status: VrrpInstanceStatus;
}

/** Instances that the keeper knows, in the order of the configuration. */
export function instanceRows(input: DumpInput): readonly InstanceRow[] {
  const byName = new Map(input.instances.map((status) => [status.name, status]));
  return input.config.instances.flatMap(({ vrrp, hooks, notices, written }) => {
    const status = byName.get(vrrp.name);
    return status === undefined ? [] : [{ vrrp, status, hooks, notices, written }];
  });
}

/** The interface that an instance lives on by use_vmac or use_ipvlan; it is made first. */
export const ownInterface = ({ vrrp, written }: Pick<InstanceConfig, "vrrp" | "written">): VirtualInterface | null =>
  written.ownInterface ? (vrrp.virtualInterfaces[0] ?? null) : null;

/** Seconds; strict mode never has a burst that would be delayed. */
export const lowerPriorityDelay = ({ vrrp: { garp }, written }: InstanceRow): number =>
  written.strict && garp.lowerPrioRepeat === 0 ? 0 : garp.lowerPrioDelay / 1e6;
