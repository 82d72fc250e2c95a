/**
 * What `peer_link { }` means: where this host's daemon listens for the daemons of its peers, where theirs are, and the keys that
 * prove who is who. Keys are never told, logged or dumped.
 */
import type { IpAddress } from "../lib/ip.ts";
import type { Micros } from "../lib/units.ts";

export interface PeerPlace {
  readonly address: IpAddress;
  readonly port: number;
}

/** What proves who is who. */
export interface LinkKeys {
  /** 32 to 64 bytes each, by number 1 to 255: a key that is to go stays beside its successor while hosts are changed one after the other. */
  readonly keys: readonly { readonly id: number; readonly secret: readonly number[] }[];
  /** The key that this daemon shows when it asks. */
  readonly activeKey: number;
}

export interface PeerLinkConfig extends LinkKeys {
  /** Where this daemon listens, and where its questions come from: never a virtual address, it may move away. */
  readonly listen: PeerPlace;
  /** At least one; only these addresses are let in. */
  readonly peers: readonly PeerPlace[];
  /** Between two questions that only find out whether the peer is there. */
  readonly interval: Micros;
  /** How long connecting or an answer may take. */
  readonly timeout: Micros;
}

export const PEER_LINK_PORT = 8_112;

/** "192.168.11.82:8112", "[2001:db8::2]:8112" */
export const placeInWords = ({ address, port }: PeerPlace): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
