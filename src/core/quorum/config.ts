/** What `quorum_store etcd { }` means: where the store is, how this host proves itself to it, and for how long a grant counts. */
import type { Micros } from "../lib/units.ts";

export interface StoreEndpoint {
  /** "https://192.168.11.90:2379", without a slash at the end. */
  readonly url: string;
  readonly tls: boolean;
}

export interface QuorumConfig {
  readonly kind: "etcd";
  /** At least one; members of one cluster. */
  readonly endpoints: readonly StoreEndpoint[];
  /** Begins with a slash and does not end with one: what stands before the names of the groups. */
  readonly prefix: string;
  /** File in the form of my.cnf with user and password; null: the store asks for none. */
  readonly credentials: string | null;
  /** Paths of PEM files; null: the host's certificate authorities, no client certificate. */
  readonly tlsCa: string | null;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
  /** How long a written record counts for its holder, from before it was sent. */
  readonly ttl: Micros;
  /** Between two writes of the holder, and two looks of everybody else. */
  readonly renew: Micros;
  /** How long the store may take for one answer, all its endpoints together. */
  readonly timeout: Micros;
}
