/**
 * macvlan and ipvlan interfaces of the keeper on the real kernel, with the settings that a virtual MAC needs: nothing but the virtual
 * interface answers ARP for its addresses, and it says nothing by itself.
 *
 * The settings are keepalived's (2.2.7, observed); what the base had before is kept in the interface's alias, given back when the last
 * of our interfaces leaves it, also by the daemon that comes after a crash. keepalived leaves arp_ignore and arp_filter changed.
 */
import { macText } from "../core/arp/frame.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { dumpLinks } from "../core/netlink/links.ts";
import { type OwnerTag, readOwnerTag, writeOwnerTag } from "../core/netlink/owner-tag.ts";
import {
  askLink,
  createLink,
  deleteGroup,
  deleteLink,
  readVirtualLink,
  setAlias,
  setGroup,
  setUp,
  stopAddressGeneration,
  type VirtualLinkRecord,
} from "../core/netlink/virtual-links.ts";
import type { VirtualInterface } from "../core/vrrp/virtual-interface.ts";
import type { KernelError } from "../ports/network.ts";
import type { VirtualInterfacePort } from "../ports/virtual-interfaces.ts";
import type { Arena } from "./arena.ts";
import { errnoName } from "./libc.ts";
import { readSetting, writeSetting } from "./net-settings.ts";
import { createNetlinkRequests, type NetlinkRequests } from "./netlink-requests.ts";
import { openNetlinkSocket } from "./netlink-socket.ts";
import { createReversePathFilter } from "./reverse-path-filter.ts";
import { createSockets } from "./sockets.ts";

/** Interfaces that are about to be removed together; the next one that is free if somebody has it. */
const PARTING_GROUP = 0x4846_0000;
const LOCAL_REPORTS = "ipv4/igmp_link_local_mcast_reports";
/** On the virtual interface: it alone answers for its addresses, and takes packets whose way back leads through its base. */
const OWN_SETTINGS = { arp_ignore: 1, rp_filter: 0, accept_local: 1, promote_secondaries: 1 } as const;
/**
 * On its base: no answers with the base's MAC for addresses of the virtual interface, and no questions in their name. The latter is not
 * keepalived's: there the first packet that the host sends to a client by its base teaches the client the base's MAC.
 */
const BASE_SETTINGS = { arp_ignore: 1, arp_filter: 1, arp_announce: 2 } as const;

export interface VirtualInterfaceOptions {
  readonly arena: Arena;
  /** The process that the interfaces belong to. */
  readonly owner: number;
  /** Whether a process lives. */
  readonly isAlive: (pid: number) => boolean;
  /** A setting that the kernel did not take; the interface works without it, less well. */
  readonly onRefused: (error: KernelError) => void;
}

export function openVirtualInterfaces(
  options: VirtualInterfaceOptions,
): Result<VirtualInterfacePort & { close(): void }, KernelError> {
  const opened = openNetlinkSocket(options.arena, createSockets(options.arena), 0);
  if (!opened.ok) return opened;
  const socket = opened.value;
  const port = new VirtualInterfaces(createNetlinkRequests(socket), options);
  return ok(Object.assign(port, { close: () => socket.close() }));
}

class VirtualInterfaces implements VirtualInterfacePort {
  readonly #requests: NetlinkRequests;
  readonly #options: VirtualInterfaceOptions;
  readonly #reversePath = createReversePathFilter((path, value) => this.#set(path, value));
  #reportsBefore: number | null = null;
  /** By name, as last read and as changed here since; null when it must be read. */
  #table: Map<string, VirtualLinkRecord> | null = null;

  constructor(requests: NetlinkRequests, options: VirtualInterfaceOptions) {
    this.#requests = requests;
    this.#options = options;
  }

  look(): void {
    this.#table = null;
  }

  ensure(wanted: VirtualInterface): Result<"made" | "found", KernelError> {
    const ensured = this.#ensure(wanted);
    // Perhaps because something is not as it was read.
    if (!ensured.ok) this.#table = null;
    return ensured;
  }

  #ensure(wanted: VirtualInterface): Result<"made" | "found", KernelError> {
    const table = this.#links();
    const base = table.get(wanted.base);
    if (base === undefined) return err({ errno: "ENODEV", what: `find interface ${wanted.base} for ${wanted.name}` });
    const links = [...table.values()];
    const present = table.get(wanted.name);
    if (present !== undefined && isAsWanted(present, wanted, base)) {
      const tag = readOwnerTag(present.alias);
      return tag?.pid === this.#options.owner ? ok("found") : this.#adopt(present, wanted, { links, base });
    }
    if (present !== undefined) {
      const removed = this.#makeRoom(present, wanted);
      if (!removed.ok) return removed;
    }
    return this.#make(wanted, { links: links.filter((link) => link !== present), base });
  }

  removeAllBut(wanted: ReadonlySet<string>, most: number): readonly string[] {
    const table = this.#links();
    const links = [...table.values()];
    const gone = links.filter((link) => !wanted.has(link.name) && this.#mayRemove(link)).slice(0, most);
    this.#delete(gone, new Set(links.map(({ group }) => group)));
    // Also one that the kernel would not remove: it is not asked again and again.
    for (const { name } of gone) table.delete(name);
    const left = links.filter((link) => !gone.includes(link) && readOwnerTag(link.alias) !== null);
    for (const link of gone) {
      const base = links.find(({ index }) => index === link.base);
      if (base === undefined || left.some((other) => other.base === base.index)) continue;
      this.#giveBack(base.name, readOwnerTag(link.alias));
    }
    const first = gone[0];
    if (first !== undefined && left.length === 0) this.#reversePath.giveBack(readOwnerTag(first.alias)?.saved ?? {});
    return gone.map((link) => link.name);
  }

  silenceLocalReports(silent: boolean): void {
    if (silent) {
      this.#reportsBefore ??= readSetting(LOCAL_REPORTS);
      this.#set(LOCAL_REPORTS, 0);
    } else if (this.#reportsBefore !== null) {
      this.#set(LOCAL_REPORTS, this.#reportsBefore);
      this.#reportsBefore = null;
    }
  }

  #links(): Map<string, VirtualLinkRecord> {
    this.#table ??= new Map(this.#requests.dump(dumpLinks, readVirtualLink).map((link) => [link.name, link]));
    return this.#table;
  }

  /** Several go by a device group that nobody else has. */
  #delete(links: readonly VirtualLinkRecord[], groups: ReadonlySet<number>): void {
    let group = PARTING_GROUP;
    while (groups.has(group)) group++;
    const gathered =
      links.length > 1 && links.every(({ index }) => this.#ask((sequence) => setGroup(index, group, sequence)) === 0);
    if (gathered && this.#ask((sequence) => deleteGroup(group, sequence)) === 0) return;
    for (const { index } of links) this.#ask((sequence) => deleteLink(index, sequence));
  }

  #make(wanted: VirtualInterface, place: Place): Result<"made", KernelError> {
    const { name, base, kind } = wanted;
    const alias = this.#tag(wanted, place);
    const order = { link: wanted, baseIndex: place.base.index, master: vrfOf(place) };
    const errno = this.#requests.ask((sequence) => createLink(order, sequence));
    if (errno !== 0) {
      const missing = errnoName(-errno) === "EOPNOTSUPP" ? `; the kernel lacks the module ${kind}` : "";
      return err({ errno: errnoName(-errno), what: `create ${kind} ${name} on ${base}${missing}` });
    }
    const made = this.#requests.dump((sequence) => askLink(name, sequence), readVirtualLink)[0];
    if (made === undefined) return err({ errno: "ENODEV", what: `find ${name} after it was created` });
    // The kernel takes no alias with a new link. Without it nobody would ever remove it.
    const tagged = this.#ask((sequence) => setAlias(made.index, alias, sequence));
    const ready = tagged === 0 ? this.#prepare(made, wanted) : err({ errno: errnoName(-tagged), what: `mark ${name}` });
    if (ready.ok) this.#table?.set(name, { ...made, alias });
    else this.#ask((sequence) => deleteLink(made.index, sequence));
    return ready.ok ? ok("made") : ready;
  }

  /** Left by a daemon that is gone, Holdfast or keepalived: just what is wanted, so it becomes ours. */
  #adopt(present: VirtualLinkRecord, wanted: VirtualInterface, place: Place): Result<"found", KernelError> {
    const alias = this.#tag(wanted, place);
    this.#ask((sequence) => setAlias(present.index, alias, sequence));
    this.#table?.set(present.name, { ...present, alias });
    const ready = this.#prepare(present, wanted);
    return ready.ok ? ok("found") : ready;
  }

  #makeRoom(present: VirtualLinkRecord, { name }: VirtualInterface): Result<void, KernelError> {
    if (!this.#mayRemove(present)) {
      const what = `create ${name}: an interface of this name exists and was not made by Holdfast (remove or rename it)`;
      return err({ errno: "EEXIST", what });
    }
    const errno = this.#ask((sequence) => deleteLink(present.index, sequence));
    return errno === 0 ? ok(undefined) : err({ errno: errnoName(-errno), what: `replace ${name}` });
  }

  #prepare({ index }: VirtualLinkRecord, { name, kind, ipv6, base }: VirtualInterface): Result<void, KernelError> {
    this.#ask((sequence) => stopAddressGeneration(index, sequence));
    if (!ipv6) this.#set(`ipv6/conf/${name}/disable_ipv6`, 1);
    if (kind === "macvlan") {
      for (const [setting, value] of Object.entries(OWN_SETTINGS)) this.#set(`ipv4/conf/${name}/${setting}`, value);
      for (const [setting, value] of Object.entries(BASE_SETTINGS)) this.#set(`ipv4/conf/${base}/${setting}`, value);
      this.#reversePath.pushDown(name);
    }
    const errno = this.#requests.ask((sequence) => setUp(index, sequence));
    return errno === 0 ? ok(undefined) : err({ errno: errnoName(-errno), what: `bring ${name} up` });
  }

  /** The base's settings before the first of our interfaces came, from the tag of an earlier one if there is any. */
  #tag({ kind }: VirtualInterface, { links, base }: Place): string {
    const tags = links.flatMap((link) => {
      const tag = readOwnerTag(link.alias);
      return tag === null ? [] : [{ link, tag }];
    });
    const onBase = tags.find(({ link, tag }) => link.base === base.index && "arp_ignore" in tag.saved);
    const saved: Record<string, number> = { ...onBase?.tag.saved };
    if (kind === "macvlan" && onBase === undefined) {
      for (const setting of Object.keys(BASE_SETTINGS)) {
        saved[setting] = readSetting(`ipv4/conf/${base.name}/${setting}`) ?? 0;
      }
    }
    Object.assign(saved, this.#reversePath.toSave(tags.map(({ tag }) => tag.saved)));
    return writeOwnerTag({ pid: this.#options.owner, saved });
  }

  #giveBack(base: string, tag: OwnerTag | null): void {
    for (const setting of Object.keys(BASE_SETTINGS)) {
      const before = tag?.saved[setting];
      if (before !== undefined) this.#set(`ipv4/conf/${base}/${setting}`, before);
    }
  }

  /** Ours, or of a process that is no more. */
  #mayRemove(link: VirtualLinkRecord): boolean {
    const tag = readOwnerTag(link.alias);
    return tag !== null && (tag.pid === this.#options.owner || !this.#options.isAlive(tag.pid));
  }

  #set(path: string, value: number): void {
    const written = writeSetting(path, value);
    if (!written.ok) this.#options.onRefused(written.error);
  }

  #ask(encode: (sequence: number) => Uint8Array): number {
    return this.#requests.ask(encode);
  }
}

interface Place {
  readonly links: readonly VirtualLinkRecord[];
  readonly base: VirtualLinkRecord;
}

/** A base that belongs to a VRF takes what stands on it along. */
function vrfOf({ links, base }: Place): number | null {
  const master = links.find((link) => link.index === base.master);
  return master?.kind === "vrf" ? master.index : null;
}

function isAsWanted(present: VirtualLinkRecord, wanted: VirtualInterface, base: VirtualLinkRecord): boolean {
  if (present.kind !== wanted.kind || present.base !== base.index) return false;
  if (wanted.mac === null) return true;
  return present.isPrivate && macText(present.mac) === macText(Uint8Array.from(wanted.mac));
}
