/** Keywords of `mysql NAME { }`: one database server of this host, and how its check counts. All of them are extensions. */
import type { ArgSpec, KeywordEntry } from "./types.ts";
import { choice, command, done, integer, seconds, word, words } from "./types.ts";

const known = (name: string, args: ArgSpec, doc: string, fallback?: string): KeywordEntry =>
  done(name, args, doc, { extension: true, ...(fallback === undefined ? {} : { default: fallback }) });

export const MYSQL: readonly KeywordEntry[] = [
  known(
    "server",
    words,
    "HOST [PORT] of the own server; the address that the daemon itself connects to.",
    "127.0.0.1 3306",
  ),
  known("socket", word, "Path of the server's Unix socket; the daemon then connects by it instead of HOST and PORT."),
  known(
    "credentials",
    word,
    "File in the form of my.cnf with `user` and `password` in [client]; mode 0600, read anew at every connection.",
    "the daemon's own user, no password",
  ),
  done("defaults_file", word, "The same as credentials, by the name that MySQL's clients give it.", {
    aliasOf: "credentials",
    extension: true,
  }),
  known(
    "tls",
    choice("off", "required", "verify-ca", "verify-identity"),
    "`required` encrypts, `verify-ca` also checks who signed the certificate, `verify-identity` also its name.",
    "off",
  ),
  known("tls_ca", word, "Path of the certificate authorities (PEM).", "those of Node"),
  known("tls_cert", word, "Path of the client's certificate (PEM)."),
  known("tls_key", word, "Path of the client's key (PEM)."),
  known("reserved_port", integer(1, 65_535), "extra_port or admin_port, tried when all connections are taken."),
  known("interval", seconds(0.1, 3_600), "Seconds between two looks; a broken connection is noticed without one.", "1"),
  known("connect_timeout", seconds(0.1, 60), "Seconds that connecting, TLS and login may take together.", "1"),
  known("timeout", seconds(0.1, 60), "Seconds that one statement may take.", "1"),
  known("rise", integer(1, 1_000), "Looks in a row that must be good before it counts as good.", "1"),
  known(
    "fall",
    integer(1, 1_000),
    "Looks in a row that must be bad before it counts as bad; a server that is gone counts at once.",
    "2",
  ),
  known("max_lag", integer(0, 31_536_000), "Seconds that replication may lag behind.", "30"),
  known(
    "on_lag",
    choice("ignore", "standby", "fail"),
    "What more lag than that means; see on_broken_replication.",
    "standby",
  ),
  known(
    "on_broken_replication",
    choice("ignore", "standby", "fail"),
    "What a stopped or broken replication thread means: `standby` fails the check of instances that are not MASTER.",
    "standby",
  ),
  known("on_read_only", choice("ignore", "fail"), "What a server that takes no writes means.", "ignore"),
  known("on_max_connections", choice("ignore", "fail"), "What it means that all connections are taken.", "ignore"),
  known(
    "min_disk_free",
    integer(0, 1_073_741_824),
    "MiB that must be free where the data and the binary log of a server on this host are; 0 does not look.",
    "1",
  ),
  known("peer", words, "HOST [PORT] of another server of the group, for manage_mysql; one line each."),
  known("replica", words, "HOST [PORT] of a server that follows one of the group and takes no writes; one line each."),
  known("known_as", words, "HOST [PORT] at which replicas find this server.", "where this host reaches them from"),
  known(
    "replication",
    choice("gtid", "position", "auto"),
    "How the servers follow each other: what does not is told, and a server without a channel is attached that way; `auto`: by GTID where both have them.",
    "auto",
  ),
  known(
    "ring",
    choice("yes", "no"),
    "`yes`: two masters that receive from each other; `no`: only the other servers receive, from the writer, and one that returns is attached to it.",
    "yes",
  ),
  known(
    "replication_credentials",
    word,
    "File in the form of my.cnf, mode 0600, with the account of replication: for `ring no`, where a server that returns has no channel.",
  ),
  known(
    "event_scheduler",
    choice("follow", "ignore"),
    "`follow`: on at the writer, off at the others, and events that came by replication are enabled at the writer.",
    "ignore",
  ),
  known(
    "takeover_deadline",
    seconds(0.1, 3_600),
    "Seconds that preparing the server may take with manage_mysql; then the claim is refused.",
    "10",
  ),
  known(
    "policy",
    choice("availability", "balanced", "consistency"),
    "What a takeover may risk when a peer cannot be asked: see docs/mysql.md.",
    "balanced",
  ),
  known(
    "record_position",
    word,
    "Directory in which each takeover writes the own position before the server opens: a dated file of mode 0600.",
    "only in the journal",
  ),
  known(
    "mysqlbinlog",
    word,
    "Path of mysqlbinlog or mariadb-binlog, with which `holdfast rejoin` exports what a returned server has too many.",
    "found in PATH",
  ),
  known(
    "stop_server",
    command,
    "Command that stops this host's server, for `holdfast rejoin --reseed`: `systemctl stop mariadb`. Run as root, without a shell.",
  ),
  known("start_server", command, "Command that starts it again: `systemctl start mariadb`."),
  known(
    "copy_from",
    command,
    "Command that writes a copy of the writer to its standard output, as `mariadb-backup --backup --stream=mbstream` does, for --reseed (MariaDB).",
  ),
];
