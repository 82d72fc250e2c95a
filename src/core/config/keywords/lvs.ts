/** Keywords of virtual_server, its groups and its real servers. */
import { CHECKER_BLOCKS, CHECKERS } from "./checkers.ts";
import type { ArgSpec, KeywordEntry } from "./types.ts";
import { block, bool, choice, command, done, integer, later, none, seconds, word, words } from "./types.ts";

const UINT32 = 4_294_967_295;
const GREATEST_WEIGHT = 2_147_483_647;
/** Seconds; the longest that a timer of 32 bits in microseconds holds, where keepalived has such a one. */
const LONGEST = 4_294;
const LONGEST_DELAY = 31_536_000;
const SHORTEST = 0.000_001;

const SCHEDULER = choice("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq", "twos");

const METHOD = "NAT, DR or TUN [type ipip | type gue port N | type gre] [nocsum | csum | remcsum]";

const switches = (doc: string, ...names: readonly string[]): readonly KeywordEntry[] =>
  names.map((name) => done(name, none, doc, { default: "off" }));

/** What a virtual server says for its real servers, and a real server for its checkers. */
const timing = (whose: string): readonly KeywordEntry[] => [
  done("delay_loop", seconds(SHORTEST, LONGEST_DELAY), "Seconds between the end of a check and the next.", {
    default: whose === "virtual server" ? "60" : "that of the virtual server",
  }),
  done(
    "connect_timeout",
    seconds(SHORTEST, LONGEST),
    "Seconds that connecting may take, and each answer of the server.",
    { default: whose === "virtual server" ? "5" : "that of the virtual server" },
  ),
  done("retry", integer(1, UINT32), "Further checks of a server that was up before it counts as down.", {
    default: "1; DNS_CHECK 3, MISC_CHECK 0",
  }),
  done("delay_before_retry", seconds(0, LONGEST_DELAY), "Seconds before such a further check.", {
    default: "1; HTTP_GET and SSL_GET 3, DNS_CHECK delay_loop",
  }),
  done("warmup", seconds(0, LONGEST_DELAY), "The first check comes at random within so many seconds.", {
    default: "delay_loop",
  }),
  done(
    "slow_start",
    seconds(0, 86_400),
    "Seconds in which the weight of a server that has come up climbs from 1 to its own, so that cold caches are not overrun.",
    { default: whose === "virtual server" ? "0" : "that of the virtual server", extension: true },
  ),
  done("virtualhost", word, "Host that HTTP_GET and SSL_GET ask for.", { default: "none" }),
];

const SERVICE: readonly KeywordEntry[] = [
  done("lvs_sched", SCHEDULER, "Scheduler, as ipvsadm(8) describes them.", { default: "wlc" }),
  done("lb_algo", SCHEDULER, "Older name of lvs_sched.", { aliasOf: "lvs_sched" }),
  done("lvs_method", words, `Forwarding method: ${METHOD}.`, { default: "NAT" }),
  done("lb_kind", words, "Older name of lvs_method.", { aliasOf: "lvs_method" }),
  done("protocol", word, "TCP, UDP or SCTP; a service by firewall mark has none.", { default: "UDP" }),
  done("ip_family", choice("inet", "inet6"), "Family of a service by firewall mark whose servers are all tunnelled.", {
    default: "inet",
  }),
  done(
    "persistence_timeout",
    words,
    "Seconds for which one client keeps its server, 1 to 2678400; 360 without value.",
    {
      default: "not persistent",
    },
  ),
  done(
    "persistence_granularity",
    word,
    "Clients of one network are one client: an IPv4 mask, or an IPv6 prefix length.",
    {
      default: "255.255.255.255 or 128",
    },
  ),
  done("persistence_engine", word, "Persistence by content: sip.", { default: "none" }),
  done("ops", none, "Each UDP packet is scheduled for itself.", { default: "off" }),
  done("hashed", none, "Always so in the kernel: the word has no effect, as in keepalived.", { reload: "none" }),
  ...switches("Flag of the scheduler, as ipvsadm(8) names it.", "flag-1", "flag-2", "flag-3"),
  ...switches("Flag of the scheduler sh.", "sh-port", "sh-fallback"),
  ...switches("Flag of the scheduler mh.", "mh-port", "mh-fallback"),
];

const POOL: readonly KeywordEntry[] = [
  done("weight", integer(1, GREATEST_WEIGHT), "Weight of real servers that name none.", { default: "1" }),
  done("inhibit_on_failure", none, "A real server that is down gets weight 0 instead of being removed.", {
    default: "off",
  }),
  done("alpha", none, "Real servers begin as down.", { default: "off" }),
  done("omega", none, "A stop runs notify_down and quorum_down.", { default: "off" }),
  done(
    "only_on_master",
    word,
    "The services are in the kernel only while this vrrp_instance is MASTER: for directors that are real servers as well.",
    { default: "always there", extension: true },
  ),
  done("ha_suspend", none, "No checks while the address is not on this host.", { default: "off" }),
  done("quorum", integer(1, UINT32), "Weight that the live real servers must have together.", { default: "1" }),
  done("hysteresis", integer(0, UINT32), "So much beyond the quorum gains it, so much below loses it.", {
    default: "0",
  }),
  done("quorum_up", command, "Runs when the quorum is gained."),
  done("quorum_down", command, "Runs when the quorum is lost."),
  done("sorry_server", words, "ADDRESS [PORT] of the server that answers while the quorum is not reached."),
  done("sorry_server_inhibit", none, "The sorry server stays, with weight 0, while it is not needed.", {
    default: "off",
  }),
  done("sorry_server_lvs_method", words, `Forwarding method of the sorry server: ${METHOD}.`, {
    default: "that of the virtual server",
  }),
  done("smtp_alert", bool, "Mail when the quorum is gained or lost.", { default: "smtp_alert_checker, else off" }),
  later("snmp_name", word, "Name in SNMP."),
  done("real_server", block("real_server", 2), "A server behind the service: ADDRESS [PORT]."),
];

const REAL_SERVER: readonly KeywordEntry[] = [
  done("weight", integer(0, GREATEST_WEIGHT), "Share of the connections; 0: no new ones.", {
    default: "that of the virtual server",
  }),
  done("lvs_method", words, `Forwarding method: ${METHOD}.`, { default: "that of the virtual server" }),
  done("uthreshold", integer(0, UINT32), "Connections at which it gets no more; 0: no limit.", { default: "0" }),
  done("lthreshold", integer(0, UINT32), "Connections below which a full server gets some again.", { default: "0" }),
  done("inhibit_on_failure", bool, "Weight 0 instead of being removed when it is down.", {
    default: "that of the virtual server",
  }),
  done("alpha", bool, "Begins as down.", { default: "that of the virtual server" }),
  ...timing("real server"),
  done("notify_up", command, "Runs when the server comes up."),
  done("notify_down", command, "Runs when the server goes down."),
  done("smtp_alert", bool, "Mail when the server comes up or goes down.", { default: "smtp_alert_checker, else on" }),
  later("snmp_name", word, "Name in SNMP."),
  ...CHECKERS,
];

const tlsFile = (name: string, args: ArgSpec, doc: string): KeywordEntry => done(name, args, doc, { default: "none" });

export const LVS_BLOCKS: Readonly<Record<string, readonly KeywordEntry[]>> = {
  virtual_server_group: [
    done(
      "fwmark",
      words,
      "Firewall mark of a service, perhaps with inet or inet6; other lines are ADDRESS [PORT] or a range.",
    ),
  ],
  virtual_server: [...SERVICE, ...timing("virtual server"), ...POOL],
  real_server: REAL_SERVER,
  ...CHECKER_BLOCKS,
  SSL: [
    tlsFile("password", word, "Password of the key."),
    tlsFile("ca", word, "Path of the authorities (PEM) by which SSL_GET checks servers; without it none is checked."),
    tlsFile("certificate", word, "Path of the client's certificate (PEM)."),
    tlsFile("key", word, "Path of the client's key (PEM)."),
  ],
};
