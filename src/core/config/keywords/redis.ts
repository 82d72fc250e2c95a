/** Keywords of `redis NAME { }`: one Redis or Valkey server of this host, and how its check counts. All of them are extensions. */
import type { ArgSpec, KeywordEntry } from "./types.ts";
import { choice, done, integer, seconds, word, words } from "./types.ts";

const known = (name: string, args: ArgSpec, doc: string, fallback?: string): KeywordEntry =>
  done(name, args, doc, { extension: true, ...(fallback === undefined ? {} : { default: fallback }) });

const counts = choice("ignore", "standby", "fail");

export const REDIS: readonly KeywordEntry[] = [
  known(
    "server",
    words,
    "HOST [PORT] of the own server; the address that the daemon itself connects to.",
    "127.0.0.1 6379",
  ),
  known("socket", word, "Path of the server's Unix socket; the daemon then connects by it instead of HOST and PORT."),
  known(
    "credentials",
    word,
    "File in the form of my.cnf with `user` and `password` in [client]; mode 0600, read anew at every connection.",
    "no password",
  ),
  known(
    "tls",
    choice("off", "required", "verify-ca", "verify-identity"),
    "`required` encrypts, `verify-ca` also checks who signed the certificate, `verify-identity` also its name.",
    "off",
  ),
  known("tls_ca", word, "Path of the certificate authorities (PEM).", "those of Node"),
  known("tls_cert", word, "Path of the client's certificate (PEM)."),
  known("tls_key", word, "Path of the client's key (PEM)."),
  known("interval", seconds(0.1, 3_600), "Seconds between two looks; a broken connection is noticed without one.", "1"),
  known("connect_timeout", seconds(0.1, 60), "Seconds that connecting, TLS and AUTH may take together.", "1"),
  known("timeout", seconds(0.1, 60), "Seconds that one answer may take.", "1"),
  known("rise", integer(1, 1_000), "Looks in a row that must be good before it counts as good.", "1"),
  known(
    "fall",
    integer(1, 1_000),
    "Looks in a row that must be bad before it counts as bad; a server that is gone counts at once.",
    "2",
  ),
  known("max_lag", integer(0, 31_536_000), "Seconds that a replica may hear nothing from its master.", "30"),
  known(
    "on_lag",
    counts,
    "What a longer silence means: `standby` fails the check of instances that are not MASTER.",
    "standby",
  ),
  known(
    "on_unsynced",
    counts,
    "What it means that a replica was never in step since it started, or is being filled: its data are old.",
    "standby",
  ),
  known("on_circle", counts, "What it means that a server is a replica of a replica of itself.", "fail"),
  known("on_misconf", counts, "What a failed save means that makes a master refuse writes (MISCONF).", "fail"),
  known("on_memory_full", counts, "What full memory with maxmemory-policy noeviction means.", "ignore"),
  known("on_too_few_replicas", counts, "What it means that min-replicas-to-write refuses writes.", "ignore"),
  known("on_read_only", choice("ignore", "fail"), "What a server that takes no writes means.", "ignore"),
  known("peer", words, "HOST [PORT] of another server of the group, for manage_redis; one line each."),
  known("replica", words, "HOST [PORT] of a server that follows one of the group and takes no writes; one line each."),
  known("known_as", words, "HOST [PORT] at which replicas find this server.", "where this host reaches them from"),
  known(
    "takeover_deadline",
    seconds(0.1, 3_600),
    "Seconds that preparing the server may take with manage_redis; then the claim is refused.",
    "10",
  ),
  known(
    "policy",
    choice("availability", "balanced", "consistency"),
    "What a takeover may risk, and when the writer goes on without a replica: see docs/redis.md.",
    "balanced",
  ),
  known(
    "min_replicas_max_lag",
    integer(1, 3_600),
    "min-replicas-max-lag of a writer with a replica, in seconds; policy availability sets none.",
    "3",
  ),
  known(
    "replication_credentials",
    word,
    "File like `credentials`: masteruser and masterauth, set before a server is told to follow another.",
    "as redis.conf has them",
  ),
  known(
    "on_divergence",
    choice("save", "ask"),
    "A server that may have what the writer lacks: `save` keeps a copy of its data set and lets it follow, `ask` leaves it alone.",
    "save",
  ),
];
