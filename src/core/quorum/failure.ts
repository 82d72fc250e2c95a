/** Why a store gave no usable answer, and what has to be done about it, in words. No text here holds a password. */
import type { QuorumConfig } from "./config.ts";

export type StoreFailure =
  | { readonly kind: "unreachable"; readonly detail: string }
  | { readonly kind: "timeout"; readonly detail: string }
  /** User, password or permission. */
  | { readonly kind: "denied"; readonly detail: string }
  /** It answers, and says that it cannot: no leader, no space, too many requests. */
  | { readonly kind: "unable"; readonly detail: string }
  /** Members of more than one cluster, or something that is no etcd. */
  | { readonly kind: "other-store"; readonly detail: string }
  /** The own side: files that cannot be read, certificates that do not fit. */
  | { readonly kind: "setup"; readonly detail: string };

export function failureInWords({ kind, detail }: StoreFailure): string {
  switch (kind) {
    case "unreachable":
      return `the quorum store cannot be reached (${detail})`;
    case "timeout":
      return `the quorum store does not answer (${detail})`;
    case "denied":
      return `the quorum store refuses this host (${detail})`;
    case "unable":
      return `the quorum store answers that it cannot (${detail})`;
    case "other-store":
      return `this is not the quorum store of this pair (${detail})`;
    case "setup":
      return `the quorum store cannot be asked (${detail})`;
  }
}

type Remedies = Readonly<Record<StoreFailure["kind"], string>>;

const REMEDIES: Readonly<Record<QuorumConfig["kind"], Remedies>> = {
  etcd: {
    unreachable: "a majority of its members has to run and be reachable from this host",
    timeout: "a majority of its members has to run and be reachable from this host",
    denied:
      "user and password of the credentials file have to be those of an account that may read and write below the prefix",
    unable: "its members' logs say why: it needs a leader, and space",
    "other-store":
      "every `endpoint` has to be a member of the same etcd cluster; after that was made anew, restart the daemons",
    setup: "that has to be put right",
  },
  witness: {
    unreachable:
      "`holdfast witness` has to run there, be reachable from this host, let it in (`client`) and have its active key",
    timeout: "`holdfast witness` has to run there and be reachable from this host",
    denied: "`holdfast witness` has to let this host in (`client`) and have its active key",
    unable: "its log says why",
    "other-store": "the endpoint has to be that of `holdfast witness`",
    setup: "that has to be put right",
  },
};

export const failureRemedy = (store: QuorumConfig["kind"], { kind }: StoreFailure): string => REMEDIES[store][kind];
