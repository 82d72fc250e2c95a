/** What `quorum_store` means: where the store is, how this host proves itself to it, and for how long a grant counts; and what a witness serves. */
import type { IpAddress } from "../lib/ip.ts";
import type { Micros } from "../lib/units.ts";
import { type LinkKeys, type PeerPlace, placeInWords } from "../peer-link/config.ts";

export interface StoreEndpoint {
  /** "https://192.168.11.90:2379", without a slash at the end. */
  readonly url: string;
  readonly tls: boolean;
}

interface AnyStore {
  /** Begins with a slash and does not end with one: what stands before the names of the groups. */
  readonly prefix: string;
  /** How long a written record counts for its holder, from before it was sent. */
  readonly ttl: Micros;
  /** Between two writes of the holder, and two looks of everybody else. */
  readonly renew: Micros;
  /** How long the store may take for one answer, all its endpoints together. */
  readonly timeout: Micros;
}

export interface EtcdConfig extends AnyStore {
  readonly kind: "etcd";
  /** At least one; members of one cluster. */
  readonly endpoints: readonly StoreEndpoint[];
  /** File in the form of my.cnf with user and password; null: the store asks for none. */
  readonly credentials: string | null;
  /** Paths of PEM files; null: the host's certificate authorities, no client certificate. */
  readonly tlsCa: string | null;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
}

/** `holdfast witness` on a third host. */
export interface WitnessStoreConfig extends AnyStore, LinkKeys {
  readonly kind: "witness";
  readonly place: PeerPlace;
}

export type QuorumConfig = EtcdConfig | WitnessStoreConfig;

/** `witness { }`: what `holdfast witness` serves on this host. */
export interface WitnessConfig extends Pick<LinkKeys, "keys"> {
  readonly listen: PeerPlace;
  /** Only these are let in; none: whoever proves a key. */
  readonly clients: readonly IpAddress[];
}

/** Beside the peer link's 8112: both may run on one host. */
export const WITNESS_PORT = 8_113;

/** Where it is, as people write it; at least one. */
export const endpointsOf = (config: QuorumConfig): readonly string[] =>
  config.kind === "etcd" ? config.endpoints.map(({ url }) => url) : [placeInWords(config.place)];
