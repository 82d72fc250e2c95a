/** Keywords of vrrp_script, vrrp_instance and the blocks inside an instance. */
import type { KeywordEntry } from "./types.ts";
import {
  block,
  bool,
  choice,
  command,
  done,
  integer,
  ip,
  later,
  list,
  none,
  optionalCommand,
  refused,
  seconds,
  weight,
  word,
  words,
} from "./types.ts";

export const VRRP_SCRIPT: readonly KeywordEntry[] = [
  done("script", command, "The command to run; exit 0 means healthy."),
  done("interval", seconds(0.001, 4_294_967), "Seconds between the starts of two runs.", { default: "1" }),
  done("timeout", seconds(0, 4_294_967), "Seconds after which a run counts as failed; 0 means the interval.", {
    default: "0",
  }),
  done("weight", weight(-253, 253), "Change of priority by the result; 0 means FAULT on failure.", { default: "0" }),
  done("rise", integer(1, 2_147_483_647), "Successes in a row until the check counts as healthy.", { default: "1" }),
  done("fall", integer(1, 2_147_483_647), "Failures in a row until the check counts as failed.", { default: "1" }),
  done("user", words, "User, and perhaps group, that the script runs as.", { default: "script_user" }),
  done("init_fail", none, "Counts as failed until the first run has ended well."),
  done(
    "per_instance",
    bool,
    "One run for each instance that tracks the script, with that instance in its environment.",
    { default: "off", extension: true },
  ),
];

const GARP: readonly KeywordEntry[] = [
  done(
    "garp_master_delay",
    seconds(0, 86_400),
    "Pause before the second burst of gratuitous ARP; 0 means no second burst.",
    { default: "vrrp_garp_master_delay" },
  ),
  done("garp_master_repeat", integer(1, 4_294_967_295), "Gratuitous ARP frames per address in a burst.", {
    default: "vrrp_garp_master_repeat",
  }),
  done("garp_master_refresh", seconds(0, 86_400), "Period of gratuitous ARP while MASTER; 0 means none.", {
    default: "vrrp_garp_master_refresh",
  }),
  done("garp_master_refresh_repeat", integer(1, 4_294_967_295), "Frames per address in a refresh.", {
    default: "vrrp_garp_master_refresh_repeat",
  }),
  done("garp_lower_prio_delay", seconds(0, 86_400), "As garp_master_delay, after a lower-priority master was heard.", {
    default: "garp_master_delay",
  }),
  done(
    "garp_lower_prio_repeat",
    integer(0, 4_294_967_295),
    "As garp_master_repeat, after a lower-priority master was heard.",
    { default: "garp_master_repeat" },
  ),
  done(
    "garp_extra_if",
    words,
    "`[all] SECONDS`: announces the addresses on interfaces other than that of the adverts so often, with `all` on every such interface, else on virtual MAC interfaces only; 0 means never, at most 86400.",
    { default: "vrrp_garp_extra_if" },
  ),
  done("vmac_garp_intvl", words, "Old name of garp_extra_if.", { aliasOf: "garp_extra_if" }),
];

const HOOKS: readonly KeywordEntry[] = [
  done("notify", command, "Runs at every state change with INSTANCE, name, state and priority."),
  done("notify_master", command, "Runs when the instance has become MASTER."),
  done("notify_backup", command, "Runs when the instance has become BACKUP."),
  done("notify_fault", command, "Runs when the instance has gone to FAULT."),
  done("notify_stop", command, "Runs when the daemon stops."),
  done("notify_claim", command, "The claim gate: runs before the address is taken, exit 0 opens the gate.", {
    extension: true,
  }),
  done("notify_release", command, "The release gate: runs before the address is given up in order.", {
    extension: true,
  }),
  done("claim_timeout", seconds(0.1, 3_600), "Seconds that notify_claim may take.", { default: "10", extension: true }),
  done("release_timeout", seconds(0.1, 3_600), "Seconds that notify_release may take.", {
    default: "5",
    extension: true,
  }),
  done("hook_timeout", seconds(0.1, 3_600), "Seconds that any other hook may take before it is ended.", {
    default: "half of claim_timeout with notify_claim, else 60",
    extension: true,
  }),
  done(
    "notify_deleted",
    optionalCommand,
    "A reload that removes the instance tells DELETED instead of FAULT, and runs the command if one is given.",
  ),
  done("notify_master_rx_lower_pri", command, "Runs when a MASTER has heard an advert of lower priority."),
  done("notify_priority_changes", bool, "Writes priority changes to the notify FIFOs.", {
    default: "vrrp_notify_priority_changes",
  }),
  done("smtp_alert", bool, "Mail at state changes.", { default: "smtp_alert_vrrp" }),
];

export const VRRP_INSTANCE: readonly KeywordEntry[] = [
  done("state", choice("MASTER", "BACKUP"), "First state; matters with priority 255 only.", {
    default: "BACKUP",
    reload: "restart-instance",
  }),
  done("interface", word, "Interface of the adverts.", { reload: "restart-instance" }),
  done("virtual_router_id", integer(1, 255), "Number of the virtual router, equal on all its hosts.", {
    reload: "restart-instance",
  }),
  done("priority", integer(1, 255), "Priority in the election; 255 is the owner of the address.", { default: "100" }),
  done(
    "advert_int",
    seconds(0.01, 255),
    "Seconds between adverts; whole seconds in version 2, at most 40.95 in version 3.",
    { default: "1" },
  ),
  done("version", integer(2, 3), "VRRP version.", { default: "vrrp_version; IPv6: 3", reload: "restart-instance" }),
  done("virtual_ipaddress", list, "Addresses that move and are named in adverts: one family, up to 255 (IPv6: 89)."),
  done("virtual_ipaddress_excluded", list, "Addresses of either family that move and are not named in adverts."),
  done("authentication", block("authentication"), "Authentication of version 2."),
  done("nopreempt", none, "A BACKUP of higher priority does not push out a living master."),
  done("preempt", none, "The opposite of nopreempt, and the default."),
  done("preempt_delay", seconds(0, 1_000), "Seconds to wait before a lower-priority master is pushed out.", {
    default: "0",
  }),
  done("unicast_src_ip", ip, "Source address of adverts.", {
    default: "first address of the interface; IPv6: its first link-local address",
    reload: "restart-instance",
  }),
  done("mcast_src_ip", ip, "Old name of unicast_src_ip.", { aliasOf: "unicast_src_ip", reload: "restart-instance" }),
  done("mcast_dst_ip", ip, "Multicast group of adverts; of IPv6 one that stays on the link (ff02::/16).", {
    default: "vrrp_mcast_group4 or vrrp_mcast_group6",
    reload: "restart-instance",
  }),
  done(
    "unicast_peer",
    list,
    "Addresses of the other hosts; adverts go there instead of to the multicast group. `ADDRESS min_ttl N max_ttl N` believes its adverts only with such a TTL or hop limit.",
    { reload: "restart-instance" },
  ),
  done("unicast_ttl", integer(0, 255), "TTL, or hop limit, of unicast adverts.", { default: "255; IPv6: 64" }),
  done(
    "check_unicast_src",
    bool,
    "Drops unicast adverts from hosts that are no peers; also on when a peer has min_ttl or max_ttl.",
    { default: "vrrp_check_unicast_src" },
  ),
  done("track_script", list, "Checks that decide over FAULT or priority."),
  done("track_file", list, "Files whose number moves the priority or means FAULT: `NAME weight N [reverse]` per line."),
  done("track_process", list, "Processes that decide over FAULT or priority: `NAME weight N [reverse]` per line."),
  done(
    "track_gateway",
    words,
    "Addresses that must be reachable (ICMP, or ARP on the same link) before the instance claims, so that a host that is cut off does not; no matter while it is MASTER. Several lines add up.",
    { extension: true },
  ),
  done("gateway_quorum", integer(1, 100), "How many of track_gateway have to answer.", {
    default: "1",
    extension: true,
  }),
  done(
    "claim_probe",
    seconds(0.01, 10),
    "Seconds in which others are asked for the addresses (ARP probe, neighbour solicitation) before a claim; one that answers and is no master that is heard refuses it.",
    { extension: true },
  ),
  done("gateway_timeout", seconds(0.01, 60), "Seconds they have to answer in.", { default: "0.5", extension: true }),
  done(
    "manage_mysql",
    word,
    "Database server that is opened for writes before the address is taken, and closed before it goes.",
    {
      extension: true,
    },
  ),
  done(
    "track_mysql",
    list,
    "Database servers that decide over FAULT or priority: `NAME weight N [reverse]` per line.",
    {
      extension: true,
    },
  ),
  done("manage_redis", word, "Redis server that is promoted before the address is taken, and closed before it goes.", {
    extension: true,
  }),
  done("track_redis", list, "Redis servers that decide over FAULT or priority: `NAME weight N [reverse]` per line.", {
    extension: true,
  }),
  done("track_interface", list, "Interfaces whose loss means FAULT or another priority."),
  done("dont_track_primary", bool, "Ignores faults of the instance's own interface.", { default: "off" }),
  done("lower_prio_no_advert", bool, "Does not answer a lower-priority master with an advert.", {
    default: "vrrp_lower_prio_no_advert",
  }),
  done(
    "higher_prio_send_advert",
    bool,
    "A MASTER that yields says its own priority once more after its addresses are gone, so that the winner announces itself last. Off in strict mode.",
    { default: "vrrp_higher_prio_send_advert" },
  ),
  done("down_timer_adverts", integer(1, 100), "Missed adverts until a master counts as dead.", {
    default: "vrrp_down_timer_adverts",
  }),
  done("owner_ignore_adverts", bool, "Priority 255 drops every advert.", { default: "vrrp_owner_ignore_adverts" }),
  done("v3_checksum_as_v2", bool, "Version 3 checksum without pseudo-header.", { default: "v3_checksum_as_v2" }),
  done("skip_check_adv_addr", bool, "Compares the address list only of the first advert of a master, not of each.", {
    default: "vrrp_skip_check_adv_addr",
  }),
  done(
    "debug",
    integer(0, 4),
    "From 1 on each packet and each timer decision of the instance is told as a debug event.",
    { default: "0" },
  ),
  done("vip_lease", word, "Kernel lifetime of the addresses in whole seconds, or off.", {
    default: "from down_timer_adverts x advert_int",
    extension: true,
  }),
  done(
    "fence",
    choice("strict", "off"),
    "strict: nftables lets packets to and from the addresses pass only until a deadline that each advert moves on, so that a host whose processes were frozen or killed is silent before a peer takes over.",
    { default: "off", extension: true },
  ),
  ...HOOKS,
  ...GARP,
  done(
    "auth_hmac",
    block("auth_hmac"),
    "Signs adverts with an HMAC-SHA256 trailer and believes only signed ones, as keepalived 2.4.2 does: any version, family and transport. Takes the place of authentication.",
  ),
  done(
    "use_vmac",
    words,
    "Virtual MAC: a macvlan on the interface carries the addresses and sends the adverts. [[name] IF] [MAC] [group N]; netlink_notify_msg is accepted.",
    {
      default:
        "the first free of vrrp.VRID, IPv6 vrrp6.VRID, vrrp1.VRID ...; 00:00:5e:00:01:VRID, for IPv6 00:00:5e:00:02:VRID",
    },
  ),
  done("vmac_xmit_base", none, "Adverts leave and arrive by the base interface, with its MAC; equal on all hosts."),
  done("use_vmac_addr", none, "A virtual MAC also for addresses on other interfaces (dev), and of the other family."),
  done("use_ipvlan", words, "An ipvlan (mode l2) carries the addresses. [IF] [ADDRESS] [bridge|private|vepa].", {
    default: "vrrp.VRID, bridge",
  }),
  done(
    "vrf",
    word,
    "For instances without interface, which Holdfast, as keepalived 2.2.7, leaves out; elsewhere the VRF of the interface holds, and this is ignored.",
  ),
  done("virtual_routes", list, "Routes that move with the address, one per line, in the words of ip-route(8)."),
  done("virtual_rules", list, "Routing rules that move with the address, one per line, in the words of ip-rule(8)."),
  done("no_virtual_ipaddress", none, "An instance without addresses on purpose: the warning about it is left out."),
  done(
    "track_src_ip",
    none,
    "FAULT while the configured source address is missing. With unicast and IPv6 Holdfast does so always: nothing would arrive there, or leave.",
  ),
  later("track_bfd", list, "BFD sessions that decide over FAULT or priority; BFD is not done.", {
    safety: "the session is not watched",
  }),
  done("unicast_fault_no_peer", none, "FAULT instead of the multicast group when no unicast peer is given."),
  done(
    "old_unicast_checksum",
    words,
    "Version 3 in unicast: the checksum of keepalived before 1.3.6, with the multicast group in the pseudo-header. `never` refuses it also from a peer that speaks it; without the keyword it is taken over from such a peer.",
    { default: "new until a peer speaks old" },
  ),
  later("linkbeat_use_polling", none, "Polls the link state."),
  done(
    "promote_secondaries",
    none,
    "Sets the sysctl promote_secondaries on the interface, so that other addresses of a prefix stay when one goes; restored at stop.",
  ),
  done(
    "timer_expired_backup",
    words,
    "`[PRIORITY]`, 1 to 254, the highest of the peers: a MASTER whose process stood still for longer than such a peer waits becomes BACKUP. Holdfast does so always, without the number as if a peer had 255.",
  ),
  done("thread_timer_expired", words, "Old name of timer_expired_backup.", { aliasOf: "timer_expired_backup" }),
  done("accept", none, "Traffic to and from the addresses passes; the default without strict mode."),
  done("no_accept", none, "While MASTER, nftables drops traffic to and from the addresses; not with priority 255."),
  done(
    "strict_mode",
    bool,
    "Holds the instance to the RFC: no authentication, no preempt_delay, 3 adverts, no answer to lower priorities, and closed addresses unless the priority is 255.",
    { default: "vrrp_strict" },
  ),
  done("native_ipv6", none, "Makes the instance IPv6 before an address says so; the first address decides otherwise.", {
    reload: "restart-instance",
  }),
  done(
    "kernel_rx_buf_size",
    integer(1, 4_294_967_295),
    "Bytes that this instance adds to the receive buffer of its socket; the instances of an interface share one socket and their sizes add up.",
    { default: "vrrp_rx_bufs_policy" },
  ),
  refused("lvs_sync_daemon_interface", word, "It stands in global_defs: lvs_sync_daemon INTERFACE inst INSTANCE."),
];

export const AUTHENTICATION: readonly KeywordEntry[] = [
  done(
    "auth_type",
    choice("PASS", "AH"),
    "PASS sends eight characters in clear; AH proves them with HMAC-MD5 and numbers the adverts. Version 2 only, AH over IPv4 only.",
  ),
  done("auth_pass", word, "The password; eight characters count. With AH the key."),
];

export const AUTH_HMAC: readonly KeywordEntry[] = [
  done(
    "key",
    words,
    "`key ID VALUE`, ID from 1 to 255: `hex:` and digits, `file:` and a path (the file holds either form), or the characters themselves; 32 to 64 bytes. Several while keys are changed: all are believed.",
  ),
  done("active_key", integer(1, 255), "Number of the key that signs."),
  done(
    "anti_replay",
    choice("time", "monotonic"),
    "`time` refuses adverts whose wall clock differs by more than time_window; `monotonic` only wants each sender's numbers to grow.",
    { default: "time" },
  ),
  done("time_window", integer(1, 300), "Seconds that the hosts' clocks may differ.", {
    default: "3 x advert_int, at least 5",
  }),
  done(
    "mode",
    choice("enforce", "permissive", "receive-only"),
    "For the roll-out: `receive-only` does not sign yet, `permissive` signs but still believes unsigned adverts, `enforce` does not. A wrong trailer is refused in each.",
    { default: "enforce" },
  ),
];

export const BFD_INSTANCE: readonly KeywordEntry[] = [
  later("neighbor_ip", word, "The neighbour."),
  later("neighbour_ip", word, "The neighbour.", { aliasOf: "neighbor_ip" }),
  later("source_ip", word, "Our address."),
  later("min_rx", integer(1, 1_000), "Milliseconds."),
  later("min_tx", integer(1, 1_000), "Milliseconds."),
  later("idle_tx", integer(1, 10_000), "Milliseconds."),
  later("multiplier", integer(1, 100), "Missed packets until down."),
  later("passive", none, "Waits for the neighbour."),
  later("ttl", integer(1, 255), "TTL."),
  later("hoplimit", integer(1, 255), "Hop limit.", { aliasOf: "ttl" }),
  later("max_hops", integer(0, 255), "Accepted hops."),
  later("multihop", none, "RFC 5883."),
  later("weight", weight(-253, 253), "Change of priority."),
  later("vrrp", none, "For VRRP only."),
  later("checker", none, "For checkers only."),
];

export const TRACK_GROUP: readonly KeywordEntry[] = [
  done("group", list, "Names of the instances that go to FAULT when a static object of the group cannot be put back."),
];
