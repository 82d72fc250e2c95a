/** Keywords of global_defs. */
import { GLOBAL_DAEMON } from "./global-daemon.ts";
import { GLOBAL_LVS } from "./global-lvs.ts";
import { GLOBAL_NOTIFY } from "./global-notify.ts";
import { GLOBAL_PROCESS } from "./global-process.ts";
import type { KeywordEntry } from "./types.ts";
import { bool, done, integer, ipv4, ipv6, later, none, seconds, word, words } from "./types.ts";

export const GLOBAL_DEFS: readonly KeywordEntry[] = [
  done("router_id", word, "Name of this host in messages.", { default: "host name", reload: "live" }),
  done("script_user", words, "Default user, and perhaps group, of all scripts.", {
    default: "keepalived_script if that user exists, else our own",
  }),
  done("enable_script_security", none, "Refuses scripts that run as root and that others may change."),
  done("vrrp_version", integer(2, 3), "Default VRRP version.", { default: "2", reload: "restart-instance" }),
  done("vrrp_garp_master_delay", seconds(0, 86_400), "Default of garp_master_delay.", { default: "5" }),
  done("vrrp_garp_master_repeat", integer(1, 4_294_967_295), "Default of garp_master_repeat.", { default: "5" }),
  done("vrrp_garp_master_refresh", seconds(0, 86_400), "Default of garp_master_refresh.", { default: "0" }),
  done("vrrp_garp_master_refresh_repeat", integer(1, 4_294_967_295), "Default of garp_master_refresh_repeat.", {
    default: "1",
  }),
  done("vrrp_garp_lower_prio_delay", seconds(0, 86_400), "Default of garp_lower_prio_delay.", {
    default: "vrrp_garp_master_delay",
  }),
  done("vrrp_garp_lower_prio_repeat", integer(0, 4_294_967_295), "Default of garp_lower_prio_repeat.", {
    default: "vrrp_garp_master_repeat",
  }),
  done(
    "vrrp_garp_interval",
    seconds(0.000_001, 4_294),
    "Seconds between two gratuitous ARP frames on one interface. The first goes at once; an address that has to wait is announced once, however often the burst repeats it.",
    { default: "0" },
  ),
  done("vrrp_gna_interval", seconds(0.000_001, 4_294), "The same for neighbour advertisements of IPv6.", {
    default: "0",
  }),
  done("vrrp_min_garp", bool, "One frame per address and no second burst, unless other garp keywords say otherwise.", {
    default: "off",
  }),
  done("vrrp_garp_extra_if", words, "Default of garp_extra_if.", { default: "0" }),
  done("vrrp_vmac_garp_intvl", words, "Old name of vrrp_garp_extra_if.", { aliasOf: "vrrp_garp_extra_if" }),
  done("vrrp_startup_delay", seconds(0, 4_294_967), "Seconds before VRRP begins after the start.", { default: "0" }),
  done("vrrp_mcast_group4", ipv4, "Multicast group of IPv4 adverts.", {
    default: "224.0.0.18",
    reload: "restart-instance",
  }),
  done("vrrp_mcast_group6", ipv6, "Multicast group of IPv6 adverts; one that stays on the link (ff02::/16).", {
    default: "ff02::12",
    reload: "restart-instance",
  }),
  done("vrrp_lower_prio_no_advert", bool, "Default of lower_prio_no_advert.", { default: "off" }),
  done("vrrp_higher_prio_send_advert", bool, "Default of higher_prio_send_advert; keepalived's is off.", {
    default: "on",
  }),
  done("vrrp_check_unicast_src", bool, "Default of check_unicast_src.", { default: "off" }),
  done("vrrp_skip_check_adv_addr", bool, "Default of skip_check_adv_addr.", { default: "off" }),
  done("vrrp_down_timer_adverts", integer(1, 100), "Default of down_timer_adverts.", { default: "3" }),
  done("vrrp_owner_ignore_adverts", bool, "Default of owner_ignore_adverts.", { default: "off" }),
  done("v3_checksum_as_v2", bool, "Default of v3_checksum_as_v2.", { default: "off" }),
  done("default_interface", word, "Interface of addresses that name none and stand outside an instance.", {
    default: "eth0",
  }),
  done("checker_log_all_failures", bool, "Logs every failed check, not only those that change something.", {
    default: "off",
  }),
  done("vrrp_strict", bool, "strict_mode for every instance: it closes their addresses unless the priority is 255.", {
    default: "off",
  }),
  done(
    "dynamic_interfaces",
    words,
    "Interfaces may be missing at start: no warning. Holdfast waits for them with and without this word; allow_if_changes is accepted.",
  ),
  done(
    "vrrp_delay_after_boot",
    seconds(0, 4_294_967),
    "Seconds after the boot of the host before VRRP begins; of this and vrrp_startup_delay the later one counts.",
    {
      default: "0",
    },
  ),
  done(
    "log_unknown_vrids",
    none,
    "Names adverts of virtual routers that are not configured here, each at most once a minute; without it they never leave the kernel.",
    { default: "off" },
  ),
  done(
    "disable_local_igmp",
    none,
    "No membership reports for link-local groups (a sysctl), instead of rules that move them.",
  ),
  done(
    "vrrp_iptables",
    words,
    "Another firewall for no_accept and virtual MAC: nftables does the same, and the names are not used.",
  ),
  done(
    "vrrp_ipsets",
    words,
    "Another firewall for no_accept and virtual MAC: nftables does the same, and the names are not used.",
  ),
  done(
    "nftables",
    words,
    "Name of the nftables table for no_accept and virtual MAC; different for each daemon of a network namespace.",
    {
      default: "keepalived",
    },
  ),
  done("nftables_priority", integer(-2_147_483_648, 2_147_483_647), "Priority of the base chains in that table.", {
    default: "-1",
  }),
  done("nftables_ifindex", none, "Interfaces by their index in rules for link-local addresses: always so."),
  done("nftables_counters", none, "Rules with counters."),
  ...GLOBAL_LVS,
  later("snmp_socket", word, "AgentX socket."),
  later("enable_snmp_vrrp", none, "SNMP."),
  later("enable_snmp_keepalived", none, "SNMP."),
  later("enable_snmp_checker", none, "SNMP."),
  later("enable_snmp_rfc", none, "SNMP."),
  later("enable_snmp_rfcv2", none, "SNMP."),
  later("enable_snmp_rfcv3", none, "SNMP."),
  later("enable_traps", none, "SNMP."),
  later("snmp_vs_stats_update_interval", word, "SNMP."),
  later("snmp_rs_stats_update_interval", word, "SNMP."),
  later("enable_dbus", none, "D-Bus."),
  later("dbus_service_name", word, "D-Bus."),
  later("dbus_no_interface_name", none, "D-Bus."),
  done(
    "vrrp_netlink_cmd_rcv_bufs",
    integer(0, 2_147_483_647),
    "Bytes of the netlink command socket's receive buffer; 0 is the default.",
    {
      default: "1048576",
      reload: "restart-daemon",
    },
  ),
  done("vrrp_netlink_cmd_rcv_bufs_force", bool, "Lets that buffer exceed net.core.rmem_max.", {
    default: "on while no size is given",
    reload: "restart-daemon",
  }),
  done(
    "vrrp_netlink_monitor_rcv_bufs",
    integer(0, 2_147_483_647),
    "Bytes of the netlink notification socket's receive buffer; 0 is the default.",
    {
      default: "1048576",
      reload: "restart-daemon",
    },
  ),
  done("vrrp_netlink_monitor_rcv_bufs_force", bool, "Lets that buffer exceed net.core.rmem_max.", {
    default: "on while no size is given",
    reload: "restart-daemon",
  }),
  done(
    "vrrp_rx_bufs_policy",
    words,
    "What each instance adds to the receive buffer of its socket: `ADVERT` so many adverts of its size, `MTU` so many packets of the interface's MTU (vrrp_rx_bufs_multiplier), or a number of bytes.",
    { default: "1 MiB for each socket" },
  ),
  done("vrrp_rx_bufs_multiplier", integer(1, 65_535), "Adverts or packets in vrrp_rx_bufs_policy.", { default: "3" }),
  done("vmac_prefix", word, "Begin of the names of virtual interfaces; at most 10 characters.", { default: "vrrp" }),
  done("vmac_addr_prefix", word, "The same for those of use_vmac_addr.", { default: "vmac_prefix" }),
  done("iproute_usr_dir", word, "Directory of the distribution's names of routing tables, protocols and scopes.", {
    default: "/usr/lib/iproute2, then /usr/share/iproute2",
  }),
  done("iproute_etc_dir", word, "Directory of the administrator's names of routing tables, protocols and scopes.", {
    default: "/etc/iproute2",
  }),
  ...GLOBAL_DAEMON,
  ...GLOBAL_NOTIFY,
  ...GLOBAL_PROCESS,
];
