/**
 * The words after an address in virtual_ipaddress, virtual_ipaddress_excluded and static_ipaddress (keepalived.conf(5)), judged as
 * keepalived 2.2.7 judges them. Owns the options, not the address before them.
 */
import type { IpAddress } from "../lib/ip.ts";
import { familyOf, HOST_PREFIX, ipBytes, ipFromBytes, isMulticast, parseIp } from "../lib/ip.ts";
import type { AddressOptions, VirtualAddress } from "../vrrp/config.ts";
import type { LineReader } from "./line-reader.ts";
import type { Word } from "./words.ts";

/** rtnetlink's numbers of the scopes that ip-address(8) names. */
const SCOPES: ReadonlyMap<string, number> = new Map(
  Object.entries({ global: 0, site: 200, link: 253, host: 254, nowhere: 255 }),
);

/** IFA_F_* of linux/if_addr.h. */
const FLAGS: ReadonlyMap<string, number> = new Map([
  ["home", 0x10],
  ["mngtmpaddr", 0x100],
  ["noprefixroute", 0x200],
  ["autojoin", 0x400],
]);

const LONGEST_LABEL = 15;

type Editable<T> = { -readonly [Key in keyof T]: T[Key] };

interface AddressReading {
  readonly line: LineReader;
  readonly address: Editable<VirtualAddress>;
  readonly options: Editable<AddressOptions>;
  readonly prefixGiven: boolean;
  /** Names of track groups; null where none may be named. */
  readonly trackGroups: ReadonlySet<string> | null;
  trackGroup: string | null;
}

export interface OptionsContext {
  readonly prefixGiven: boolean;
  readonly trackGroups: ReadonlySet<string> | null;
}

export interface AddressWithOptions {
  readonly address: VirtualAddress;
  readonly trackGroup: string | null;
}

const NO_OPTIONS: AddressOptions = {
  peer: null,
  flags: 0,
  duplicateDetection: false,
  preferredLifetime: null,
  untracked: false,
};

/** Reads the rest of the line; null when the address is left out, which was reported. */
export function readAddressOptions(
  line: LineReader,
  base: VirtualAddress,
  context: OptionsContext,
): AddressWithOptions | null {
  const reading: AddressReading = {
    ...context,
    line,
    address: { ...base },
    options: { ...NO_OPTIONS },
    trackGroup: null,
  };
  for (let word = line.take(); word !== null; word = line.take()) {
    if (!readOption(reading, word)) return null;
  }
  const { address, options, trackGroup } = reading;
  const plain = Object.entries(options).every(([key, value]) => NO_OPTIONS[key as keyof AddressOptions] === value);
  return { address: plain ? address : { ...address, options }, trackGroup };
}

/** False: the address is left out. */
function readOption(reading: AddressReading, word: Word): boolean {
  const { options, line } = reading;
  const flag = FLAGS.get(word.text);
  if (word.text === "autojoin" && !isMulticast(reading.address.address)) {
    const message = "`autojoin` joins a multicast group: the kernel refuses it for this address, so it is left out";
    line.report("autojoin-unicast", word, message, "remove it");
  } else if (flag !== undefined) {
    options.flags |= flag;
  } else if (word.text === "-nodad") options.duplicateDetection = true;
  else if (word.text === "no_track") options.untracked = true;
  // What carries the address is compile-virtual.ts's matter.
  else if (word.text === "use_vmac") return true;
  else if (word.text === "track_group" && reading.trackGroups === null) return notUnderstood(line, word);
  else return readValued(reading, word);
  return true;
}

/** `10.0.0.5/24 scope global eth0`: ip-address(8) takes a bare name after `dev` only. */
function notUnderstood(line: LineReader, word: Word): boolean {
  line.report(
    "bad-value",
    word,
    `\`${word.text}\` is no option of an address and is ignored`,
    "one address per line; options are dev, brd, label, scope, peer, home, noprefixroute, preferred_lft, no_track ...",
  );
  return true;
}

const VALUED: ReadonlyMap<string, (reading: AddressReading, value: Word) => string | null> = new Map([
  ["dev", setDevice],
  ["brd", setBroadcast],
  ["broadcast", setBroadcast],
  ["label", setLabel],
  ["scope", setScope],
  ["peer", setPeer],
  ["preferred_lft", setPreferred],
  ["track_group", setTrackGroup],
]);

/** What costs the option alone; the rest costs the address. */
const FORGIVEN = new Set(["scope", "preferred_lft", "track_group", "peer"]);

/** What an IPv6 address cannot have, and whether keepalived still takes the address. */
const IPV4_ONLY: ReadonlyMap<string, boolean> = new Map([
  ["label", true],
  ["scope", true],
  ["brd", false],
  ["broadcast", false],
]);

function readValued(reading: AddressReading, word: Word): boolean {
  const { line } = reading;
  const set = VALUED.get(word.text);
  if (set === undefined) return notUnderstood(line, word);
  const value = line.value(word);
  if (value === null) return false;
  const foreign = familyOf(reading.address.address) === 6 ? IPV4_ONLY.get(word.text) : undefined;
  const problem = foreign === undefined ? set(reading, value) : "nothing that an IPv6 address has";
  if (problem === null) return true;
  // A prefix that has no broadcast address still is an address.
  const forgiven = foreign ?? (FORGIVEN.has(word.text) || value.text === "+" || value.text === "-");
  const outcome = forgiven ? "the option is ignored" : "the address is left out";
  line.report(
    word.text === "track_group" ? "unknown-track-group" : "bad-value",
    value,
    `\`${value.text}\` is ${problem}; ${outcome}`,
    null,
  );
  return forgiven;
}

function setDevice({ address }: AddressReading, { text }: Word): null {
  address.device = text;
  return null;
}

function setLabel({ address }: AddressReading, { text }: Word): string | null {
  if (text.length > LONGEST_LABEL) return `longer than ${LONGEST_LABEL} characters`;
  address.label = text;
  return null;
}

function setScope({ address }: AddressReading, { text }: Word): string | null {
  const scope = SCOPES.get(text) ?? (/^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : null);
  if (scope === null) return "no scope (global, site, link, host)";
  address.scope = scope;
  return null;
}

function setBroadcast({ address }: AddressReading, { text }: Word): string | null {
  address.broadcast = broadcastOf(address, text);
  return address.broadcast === null ? "no broadcast address here" : null;
}

/** `+` sets the host bits, `-` clears them, as in ip-address(8). */
function broadcastOf(address: VirtualAddress, text: string): IpAddress | null {
  if (familyOf(address.address) !== 4) return null;
  if (text !== "+" && text !== "-") {
    const given = parseIp(text);
    return given !== null && familyOf(given) === 4 ? given : null;
  }
  if (address.prefixLength > 30) return null;
  const bytes = ipBytes(address.address);
  for (let bit = address.prefixLength; bit < 32; bit++) {
    const mask = 0x80 >> (bit & 7);
    const byte = bytes[bit >> 3] ?? 0;
    bytes[bit >> 3] = text === "+" ? byte | mask : byte & ~mask;
  }
  return ipFromBytes(4, bytes, 0);
}

/** keepalived takes no prefix length beside a peer, on either address. */
function setPeer({ address, options, prefixGiven }: AddressReading, { text }: Word): string | null {
  const peer = parseIp(text);
  if (peer === null) return "no address";
  if (familyOf(peer) !== familyOf(address.address)) return "of the other address family";
  if (prefixGiven) {
    address.prefixLength = HOST_PREFIX[familyOf(address.address)];
    options.peer = peer;
    return "given beside a prefix length, which is not used: a point-to-point address has none";
  }
  options.peer = peer;
  return null;
}

const LONGEST_LIFETIME = 0xffff_fffe;

function setPreferred({ options }: AddressReading, { text }: Word): string | null {
  const seconds = /^\d{1,10}$/.test(text) ? Number(text) : LONGEST_LIFETIME + 1;
  if (text !== "forever" && seconds > LONGEST_LIFETIME) return "no lifetime (seconds, or forever)";
  options.preferredLifetime = text === "forever" ? "forever" : seconds;
  return null;
}

function setTrackGroup(reading: AddressReading, { text }: Word): string | null {
  if (reading.trackGroups?.has(text) !== true) return "no track_group that is defined above";
  reading.trackGroup = text;
  return null;
}
