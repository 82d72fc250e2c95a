/** Keywords of `quorum_store etcd { }` and `quorum_store witness { }`: a store outside the pair that says who may be a writer. All of them are extensions. */
import type { ArgSpec, KeywordEntry } from "./types.ts";
import { done, integer, seconds, word, words } from "./types.ts";

const known = (name: string, args: ArgSpec, doc: string, fallback?: string): KeywordEntry =>
  done(name, args, doc, { extension: true, ...(fallback === undefined ? {} : { default: fallback }) });

export const QUORUM_STORE: readonly KeywordEntry[] = [
  known(
    "endpoint",
    words,
    "etcd: URL of a member of the cluster, such as https://192.168.11.90:2379; one or several, also on several lines. witness: ADDRESS [PORT] of `holdfast witness`.",
    "witness: port 8113",
  ),
  known(
    "prefix",
    word,
    "What the names of the records begin with; another one for each pair that shares a store.",
    "/holdfast",
  ),
  known(
    "credentials",
    word,
    "etcd: file in the form of my.cnf, mode 0600, with user and password of an account of the store.",
    "none",
  ),
  known(
    "tls_ca",
    word,
    "etcd: PEM file of the authority that has signed the members' certificates.",
    "the host's authorities",
  ),
  known("tls_cert", word, "etcd: PEM file of the certificate that this host shows to the members.", "none"),
  known("tls_key", word, "etcd: PEM file of the key of tls_cert.", "none"),
  known(
    "key",
    words,
    "witness: ID hex:VALUE or file:/PATH (32 to 64 bytes, mode 0600), one of the witness's; several while a key is changed.",
  ),
  known("active_key", integer(1, 255), "witness: the key that this daemon shows."),
  known("ttl", seconds(1, 300), "Seconds that a record counts for its holder, from before it was sent.", "4"),
  known("renew", seconds(0.1, 60), "Seconds between two renewals of the holder, and two looks of a standby.", "0.5"),
  known("timeout", seconds(0.05, 60), "Seconds that the store may take for an answer, all endpoints together.", "0.7"),
];
