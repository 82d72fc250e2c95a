/** Keywords that stand outside every block. */
import type { KeywordEntry } from "./types.ts";
import { block, done, later, list, none, seconds, word, words } from "./types.ts";

export const ROOT: readonly KeywordEntry[] = [
  done("global_defs", block("global_defs"), "Options of the whole daemon."),
  done("vrrp_script", block("vrrp_script", 1), "A check that instances can track."),
  done("vrrp_instance", block("vrrp_instance", 1), "A virtual router."),
  done("vrrp_sync_group", block("vrrp_sync_group", 1), "Instances that are MASTER together or not at all."),
  done("vrrp_track_process", block("vrrp_track_process", 1), "A process that instances and sync groups can track."),
  done("track_file", block("track_file", 1), "A file with a number that instances and sync groups can track."),
  done("vrrp_track_file", block("track_file", 1), "Old name of track_file.", { aliasOf: "track_file" }),
  done("redis", block("redis", 1), "A Redis or Valkey server whose check instances and sync groups can track.", {
    extension: true,
  }),
  done("mysql", block("mysql", 1), "A database server whose check instances and sync groups can track.", {
    extension: true,
  }),
  done("peer_link", block("peer_link"), "The authenticated connection to the daemons of the peers.", {
    extension: true,
  }),
  done(
    "quorum_store",
    block("quorum_store", 1),
    "The store outside the pair that says who may be the writer; `etcd` or `witness`.",
    {
      extension: true,
    },
  ),
  done("witness", block("witness"), "What `holdfast witness` serves on this host, for the quorum_store of others.", {
    extension: true,
  }),
  done("api", block("api"), "HTTP listener of the API, with metrics and health, beside the Unix socket.", {
    extension: true,
  }),
  later("bfd_instance", block("bfd_instance", 1), "A BFD session.", { safety: "the session is not run" }),
  done(
    "garp_group",
    block("garp_group"),
    "Interfaces that share one spacing of gratuitous ARP and neighbour advertisements.",
  ),
  done("virtual_server_group", block("virtual_server_group", 1), "Addresses and marks that virtual servers share."),
  done("virtual_server", block("virtual_server", 2), "An IPVS service and the real servers behind it."),
  done("SSL", block("SSL"), "What SSL_GET shows of itself and checks."),
  done("track_group", block("track_group", 1), "Instances that depend on static addresses, routes and rules."),
  done(
    "static_ipaddress",
    list,
    "Addresses that are there while the daemon runs and do not move; put back when somebody deletes them.",
  ),
  done("static_routes", list, "Routes that are there while the daemon runs, in the words of ip-route(8)."),
  done("static_rules", list, "Routing rules that are there while the daemon runs, in the words of ip-rule(8)."),
  done("net_namespace", word, "Network namespace to run in (ip-netns(8)), with a /run/keepalived of its own.", {
    reload: "restart-daemon",
  }),
  later("net_namespace_ipvs", words, "Network namespace of IPVS."),
  done("namespace_with_ipsets", none, "ipsets in namespaces on old kernels: accepted; nftables is used instead."),
  done("instance", word, "Name in the pid files and in the log's ident.", { reload: "restart-daemon" }),
  done("use_pid_dir", none, "Pid files in /run/keepalived.", { reload: "restart-daemon" }),
  later("linkbeat_use_polling", none, "Polls link states."),
  later("linkbeat_interfaces", list, "Interfaces whose link state is polled."),
  done(
    "child_wait_time",
    seconds(0, 4_294_967_295),
    "Seconds that a stop may take, beyond the longest release_timeout.",
    {
      default: "5",
    },
  ),
  done(
    "interface_up_down_delays",
    list,
    "Per interface: seconds it must be down, and seconds it must be up, before that counts; 0 to 255, up as down unless given.",
  ),
  done("include_check", words, "As in global_defs; keepalived 2.2.7 knows it only there.", { default: "none" }),
];
