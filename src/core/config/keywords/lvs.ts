/** Keywords of virtual servers, real servers and their checkers. They are the part after VRRP; all are known by name. */
import type { KeywordEntry } from "./types.ts";
import { block, bool, command, list, lvs, none, word, words } from "./types.ts";

const names = (doc: string, args: typeof word, ...keywords: readonly string[]): readonly KeywordEntry[] =>
  keywords.map((name) => lvs(name, args, doc));

const CHECKER_COMMON: readonly KeywordEntry[] = [
  ...names("How the checker connects.", word, "connect_ip", "connect_port", "bindto", "bind_port", "bind_if", "fwmark"),
  ...names("Timing of the checker.", word, "connect_timeout", "retry", "delay_before_retry", "warmup", "delay_loop"),
  lvs("alpha", none, "Starts as down."),
  lvs("log_all_failures", bool, "Logs every failure."),
];

const HTTP: readonly KeywordEntry[] = [
  ...CHECKER_COMMON,
  lvs("url", block("url"), "A page to fetch."),
  ...names("Form of the request.", word, "http_protocol", "virtualhost", "sni_name"),
  ...names("Switches of the checker.", none, "fast_recovery", "enable_sni", "tls_compliant"),
  lvs("nb_get_retry", word, "Old name of retry.", { aliasOf: "retry" }),
];

const CHECKERS: readonly KeywordEntry[] = [
  "TCP_CHECK",
  "HTTP_GET",
  "SSL_GET",
  "SMTP_CHECK",
  "DNS_CHECK",
  "MISC_CHECK",
  "BFD_CHECK",
  "PING_CHECK",
  "UDP_CHECK",
  "FILE_CHECK",
].map((name) => lvs(name, block(name), "A checker."));

const SERVER_DEFAULTS: readonly KeywordEntry[] = [
  ...names(
    "Default of the checkers.",
    word,
    "retry",
    "delay_before_retry",
    "warmup",
    "delay_loop",
    "connect_timeout",
    "virtualhost",
    "weight",
    "snmp_name",
  ),
  ...names("Switch of the server.", none, "inhibit_on_failure", "alpha"),
  lvs("smtp_alert", bool, "Mail on changes."),
];

export const LVS_BLOCKS: Readonly<Record<string, readonly KeywordEntry[]>> = {
  virtual_server_group: [lvs("fwmark", words, "Firewall mark.")],
  virtual_server: [
    ...names("Scheduler.", words, "lb_algo", "lvs_sched"),
    ...names("Forwarding method.", words, "lb_kind", "lvs_method", "sorry_server_lvs_method"),
    ...names(
      "Of the service.",
      words,
      "protocol",
      "persistence_timeout",
      "persistence_granularity",
      "persistence_engine",
      "ip_family",
      "quorum",
      "hysteresis",
      "sorry_server",
    ),
    ...names(
      "Switch of the service.",
      none,
      "ops",
      "hashed",
      "flag-1",
      "flag-2",
      "flag-3",
      "sh-port",
      "sh-fallback",
      "mh-port",
      "mh-fallback",
      "ha_suspend",
      "omega",
      "sorry_server_inhibit",
    ),
    ...names("Hook.", command, "quorum_up", "quorum_down"),
    ...SERVER_DEFAULTS,
    lvs("real_server", block("real_server", 2), "A server behind the service."),
  ],
  real_server: [
    ...SERVER_DEFAULTS,
    ...names("Of the server.", words, "lvs_method", "uthreshold", "lthreshold"),
    ...names("Hook.", command, "notify_up", "notify_down"),
    ...CHECKERS,
  ],
  TCP_CHECK: CHECKER_COMMON,
  HTTP_GET: HTTP,
  SSL_GET: HTTP,
  url: [
    ...names(
      "Of the page.",
      words,
      "path",
      "status_code",
      "digest",
      "virtualhost",
      "regex",
      "regex_options",
      "regex_min_offset",
      "regex_max_offset",
      "regex_stack",
    ),
    ...names("Switch of the page.", none, "regex_no_match", "tls_compliant"),
  ],
  SMTP_CHECK: [
    ...CHECKER_COMMON,
    lvs("helo_name", word, "Name in HELO."),
    lvs("host", list, "Old form of the connection."),
  ],
  DNS_CHECK: [...CHECKER_COMMON, lvs("type", word, "Record type."), lvs("name", word, "Record name.")],
  MISC_CHECK: [
    ...CHECKER_COMMON,
    lvs("misc_path", command, "The command."),
    lvs("misc_timeout", word, "Its limit."),
    lvs("misc_dynamic", none, "Exit code is weight."),
    lvs("user", words, "User to run as."),
  ],
  BFD_CHECK: [lvs("name", word, "BFD instance."), lvs("alpha", none, "Starts as down.")],
  PING_CHECK: CHECKER_COMMON,
  UDP_CHECK: [
    ...CHECKER_COMMON,
    ...names("Of the packet.", words, "payload", "require_reply", "min_reply_length", "max_reply_length"),
  ],
  FILE_CHECK: [
    lvs("track_file", word, "The file."),
    lvs("weight", words, "Factor."),
    lvs("dynamic", words, "Documented, never read by keepalived."),
  ],
  SSL: names("Client certificate.", word, "password", "ca", "certificate", "key"),
};
