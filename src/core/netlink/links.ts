/** Network interfaces by rtnetlink (rtnetlink(7), RTM_GETLINK): the request for all of them, and the reading of one. */
import {
  type NetlinkMessage,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  readAttributes,
  readText,
  readUint32,
  viewOf,
  writeMessage,
  writeUint32,
} from "./message.ts";

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;

export const IFINFO_BYTES = 16;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_EXT_MASK = 29;
const RTEXT_FILTER_SKIP_STATS = 8;
const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;

export interface LinkRecord {
  readonly index: number;
  readonly name: string;
  /** IFF_UP and IFF_RUNNING: keepalived's measure of a usable interface. */
  readonly usable: boolean;
  /** Empty for interfaces without a hardware address. */
  readonly mac: Uint8Array;
  readonly mtu: number;
}

export function dumpLinks(sequence: number): Uint8Array {
  return writeMessage(
    { type: RTM_GETLINK, flags: NLM_F_REQUEST | NLM_F_DUMP, sequence },
    new Uint8Array(IFINFO_BYTES),
    [{ type: IFLA_EXT_MASK, value: writeUint32(RTEXT_FILTER_SKIP_STATS) }],
  );
}

/** Reads RTM_NEWLINK and RTM_DELLINK; null when the message is another one or is damaged. */
export function readLink(message: NetlinkMessage): LinkRecord | null {
  if (message.type !== RTM_NEWLINK && message.type !== RTM_DELLINK) return null;
  if (message.payload.length < IFINFO_BYTES) return null;
  const view = viewOf(message.payload);
  const flags = view.getUint32(8, true);
  const attributes = readAttributes(message.payload, IFINFO_BYTES);
  const name = attributes.get(IFLA_IFNAME);
  if (name === undefined) return null;
  return {
    index: view.getInt32(4, true),
    name: readText(name),
    usable: (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0,
    // A copy: the datagram's buffer is used again.
    mac: Uint8Array.from(attributes.get(IFLA_ADDRESS) ?? []),
    mtu: readUint32(attributes.get(IFLA_MTU) ?? new Uint8Array(0)) ?? 0,
  };
}
