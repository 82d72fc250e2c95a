/** Keywords of `quorum_store etcd { }`: a store outside the pair that says who may be a writer. All of them are extensions. */
import type { ArgSpec, KeywordEntry } from "./types.ts";
import { done, seconds, word, words } from "./types.ts";

const known = (name: string, args: ArgSpec, doc: string, fallback?: string): KeywordEntry =>
  done(name, args, doc, { extension: true, ...(fallback === undefined ? {} : { default: fallback }) });

export const QUORUM_STORE: readonly KeywordEntry[] = [
  known(
    "endpoint",
    words,
    "URL of a member of the cluster, such as https://192.168.11.90:2379; one or several, also on several lines.",
  ),
  known(
    "prefix",
    word,
    "What the names of the records begin with; another one for each pair that shares a cluster.",
    "/holdfast",
  ),
  known(
    "credentials",
    word,
    "File in the form of my.cnf, mode 0600, with user and password of an account of the store.",
    "none",
  ),
  known(
    "tls_ca",
    word,
    "PEM file of the authority that has signed the members' certificates.",
    "the host's authorities",
  ),
  known("tls_cert", word, "PEM file of the certificate that this host shows to the members.", "none"),
  known("tls_key", word, "PEM file of the key of tls_cert.", "none"),
  known("ttl", seconds(1, 300), "Seconds that a record counts for its holder, from before it was sent.", "4"),
  known("renew", seconds(0.1, 60), "Seconds between two renewals of the holder, and two looks of a standby.", "0.5"),
  known("timeout", seconds(0.05, 60), "Seconds that the store may take for an answer, all endpoints together.", "0.7"),
];
