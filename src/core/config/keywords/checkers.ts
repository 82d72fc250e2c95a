/** Keywords of the checkers of a real server. */
import type { KeywordEntry } from "./types.ts";
import { block, bool, choice, command, done, integer, ip, later, none, seconds, weight, word, words } from "./types.ts";

const UINT32 = 4_294_967_295;
const GREATEST_WEIGHT = 2_147_483_647;
const LONGEST = 4_294;
const LONGEST_DELAY = 31_536_000;
const SHORTEST = 0.000_001;
const FROM_SERVER = "that of the real server";

const SCHEDULE: readonly KeywordEntry[] = [
  done("retry", integer(0, UINT32), "Further checks of a server that was up before it counts as down.", {
    default: `${FROM_SERVER}, else 1; DNS_CHECK 3, MISC_CHECK 0`,
  }),
  done("delay_before_retry", seconds(0, LONGEST_DELAY), "Seconds before such a further check.", {
    default: `${FROM_SERVER}, else 1; HTTP_GET and SSL_GET 3, DNS_CHECK delay_loop`,
  }),
  done("warmup", seconds(0, LONGEST_DELAY), "The first check comes at random within so many seconds.", {
    default: `${FROM_SERVER}, else delay_loop`,
  }),
  done("delay_loop", seconds(SHORTEST, LONGEST_DELAY), "Seconds between the end of a check and the next.", {
    default: FROM_SERVER,
  }),
  done("alpha", bool, "The server is down until this checker has succeeded.", { default: FROM_SERVER }),
  done("log_all_failures", bool, "Logs every failed check, not only those that change something.", {
    default: "checker_log_all_failures",
  }),
];

const CONNECTION: readonly KeywordEntry[] = [
  done("connect_ip", ip, "Address to connect to.", { default: FROM_SERVER }),
  done("connect_port", integer(1, 65_535), "Port to connect to.", { default: FROM_SERVER }),
  done("bindto", ip, "Address to connect from.", { default: "any" }),
  done("bind_port", integer(1, 65_535), "Port to connect from.", { default: "any" }),
  done("bind_if", word, "Interface to connect by.", { default: "any" }),
  done("fwmark", integer(0, UINT32), "Firewall mark of the checker's packets.", { default: "0" }),
  done("connect_timeout", seconds(SHORTEST, LONGEST), "Seconds that connecting may take, and each answer.", {
    default: FROM_SERVER,
  }),
];

const COMMON: readonly KeywordEntry[] = [...CONNECTION, ...SCHEDULE];

const HTTP: readonly KeywordEntry[] = [
  ...COMMON,
  done("url", block("url"), "A page to fetch; with several, all must be as wanted."),
  done("http_protocol", choice("1.0", "1.0C", "1.0c", "1.1"), "Protocol of the request; 1.0C adds Connection: close.", {
    default: "1.0",
  }),
  done("virtualhost", word, "Host to ask for.", { default: FROM_SERVER }),
  done("enable_sni", bool, "Sends the host's name in the TLS hello.", { default: "off" }),
  done("sni_name", word, "Name to send in the TLS hello; implies enable_sni.", { default: "virtualhost" }),
  done("fast_recovery", bool, "Several pages are fetched without delay when the server comes back.", {
    default: "off",
  }),
  done(
    "tls_compliant",
    none,
    "TLS connections must be closed as the standard says, else the answer counts as cut off.",
    {
      default: "off",
    },
  ),
  done("nb_get_retry", integer(0, UINT32), "Old name of retry.", { aliasOf: "retry" }),
];

const URL_KEYWORDS: readonly KeywordEntry[] = [
  done("path", word, "Path of the page, such as /health."),
  done("status_code", words, "Status codes that are right: numbers and ranges from 100 to 599.", {
    default: "200-299",
  }),
  done("digest", word, "MD5 of the body as `holdfast genhash` prints it.", { default: "not looked at" }),
  done("virtualhost", word, "Host to ask for.", { default: "that of the checker" }),
  done("regex", words, "Regular expression that the body must match.", { default: "not looked at" }),
  done("regex_no_match", none, "It must not match.", { default: "off" }),
  done("regex_options", words, "Options of PCRE, such as caseless or multiline.", { default: "none" }),
  done("regex_min_offset", integer(0, UINT32), "First byte of the body where a match may begin.", { default: "0" }),
  done("regex_max_offset", integer(0, UINT32), "Last byte of the body where a match may begin.", {
    default: "the end",
  }),
  done("regex_stack", words, "Sizes of PCRE's stack: there is none here, so the line has no effect.", {
    reload: "none",
  }),
  done("tls_compliant", none, "As in the checker, for this page.", { default: "off" }),
];

const extension = { extension: true } as const;

/** The client libraries open these connections, so source address, interface and mark cannot be chosen. */
const DATABASE: readonly KeywordEntry[] = [
  ...CONNECTION.filter(({ name }) => ["connect_ip", "connect_port", "connect_timeout"].includes(name)),
  ...SCHEDULE,
  done("tls", choice("off", "required", "verify-ca", "verify-identity"), "As in mysql blocks.", {
    ...extension,
    default: "off",
  }),
  done("tls_ca", word, "Path of the certificate authorities (PEM).", { ...extension, default: "those of Node" }),
  done("tls_cert", word, "Path of the client's certificate (PEM).", extension),
  done("tls_key", word, "Path of the client's key (PEM).", extension),
];

const MYSQL: readonly KeywordEntry[] = [
  ...DATABASE,
  done(
    "credentials",
    word,
    "File in the form of my.cnf with user and password in [client]; mode 0600, read anew at every connection.",
    { ...extension, default: "the daemon's own user, no password" },
  ),
  done("role", choice("replica", "writer", "any"), "What the server must be.", { ...extension, default: "replica" }),
  done("max_lag", integer(0, 31_536_000), "Seconds that a replica may lag behind.", { ...extension, default: "30" }),
  done("rejoin_lag", integer(0, 31_536_000), "Seconds it may lag to come back once it was out; at most max_lag.", {
    ...extension,
    default: "a third of max_lag",
  }),
  done(
    "heartbeat_table",
    word,
    "DATABASE.TABLE with a column ts that the writer renews (pt-heartbeat's form): the lag is counted from it.",
    { ...extension, default: "the replication status" },
  ),
  done("lag_weight", bool, "The weight falls with the lag, down to 1 at max_lag.", { ...extension, default: "off" }),
];

const REDIS: readonly KeywordEntry[] = [
  ...DATABASE,
  done("credentials", word, "File with user and password in [client]; mode 0600.", { ...extension, default: "none" }),
  done("role", choice("replica", "master", "any"), "What the server must be.", { ...extension, default: "replica" }),
  done("max_behind", integer(0, 9_007_199_254_740_991), "Bytes of its master's stream that a replica may lack.", {
    ...extension,
    default: "not looked at",
  }),
];

export const CHECKER_BLOCKS: Readonly<Record<string, readonly KeywordEntry[]>> = {
  TCP_CHECK: COMMON,
  HTTP_GET: HTTP,
  SSL_GET: HTTP,
  url: URL_KEYWORDS,
  SMTP_CHECK: [
    ...COMMON,
    done("helo_name", word, "Name in HELO.", { default: "smtp_helo_name, else the host's name" }),
    done("host", block("smtp_host"), "Old form of the connection; each is a check of its own address."),
  ],
  smtp_host: COMMON,
  DNS_CHECK: [
    ...COMMON,
    done("type", word, "Record type: A, NS, CNAME, SOA, MX, TXT, AAAA, RRSIG or DNSKEY.", { default: "SOA" }),
    done("name", word, "Name to ask for.", { default: ". (the root)" }),
  ],
  MISC_CHECK: [
    ...SCHEDULE,
    done("misc_path", command, "Command; exit code 0 is up."),
    done("misc_timeout", integer(0, LONGEST), "Seconds it may take.", { default: "delay_loop" }),
    done("misc_dynamic", none, "Exit codes from 2 to 255 are up, and code - 2 becomes the weight.", { default: "off" }),
    done("user", words, "USER [GROUP] to run as.", { default: "script_user" }),
  ],
  BFD_CHECK: [
    later("name", word, "BFD instance.", { safety: "the session is not run" }),
    later("alpha", bool, "Starts as down."),
  ],
  PING_CHECK: COMMON,
  UDP_CHECK: [
    ...COMMON,
    done("payload", words, "Bytes to send, in hexadecimal.", { default: "random bytes" }),
    done("require_reply", words, "An answer must come; perhaps these bytes in hexadecimal, x for any half byte.", {
      default: "none",
    }),
    done("min_reply_length", integer(0, 65_535), "Least bytes of the answer.", { default: "0" }),
    done("max_reply_length", integer(0, 65_535), "Most bytes of the answer.", { default: "255" }),
  ],
  FILE_CHECK: [
    done("track_file", word, "Name of a track_file that is defined above."),
    done("weight", weight(-GREATEST_WEIGHT, GREATEST_WEIGHT), "The file's number times this is added to the weight.", {
      default: "that of the track_file",
    }),
    done("dynamic", words, "In keepalived's manual, never read by it: the line has no effect.", { reload: "none" }),
  ],
  MYSQL_CHECK: MYSQL,
  REDIS_CHECK: REDIS,
};

const checker = (name: string, doc: string, own = false): KeywordEntry =>
  done(name, block(name), doc, own ? extension : {});

export const CHECKERS: readonly KeywordEntry[] = [
  checker("TCP_CHECK", "A connection can be made."),
  checker("HTTP_GET", "Pages have the wanted status and content."),
  checker("SSL_GET", "The same over TLS."),
  checker("SMTP_CHECK", "A mail server greets and answers HELO."),
  checker("DNS_CHECK", "A name server answers."),
  checker("MISC_CHECK", "A command says so by its exit code."),
  later("BFD_CHECK", block("BFD_CHECK"), "A BFD session is up.", {
    safety: "BFD is not run, so the server counts as up",
  }),
  checker("PING_CHECK", "The host answers ICMP echo requests."),
  checker("UDP_CHECK", "The host does not refuse, or an answer comes."),
  checker("FILE_CHECK", "A number in a file changes the weight."),
  checker("MYSQL_CHECK", "A MySQL or MariaDB server has the wanted role and is up to date.", true),
  checker("REDIS_CHECK", "A Redis server has the wanted role and is up to date.", true),
];
