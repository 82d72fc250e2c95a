/** Keywords of global_defs about IPVS. */
import type { KeywordEntry } from "./types.ts";
import { bool, done, integer, none, refused, words } from "./types.ts";

const NO_MARKS =
  "Each address of a virtual_server_group is an IPVS service of its own; rules that put one mark on all of them are not made.";

export const GLOBAL_LVS: readonly KeywordEntry[] = [
  done(
    "lvs_sync_daemon",
    words,
    "INTERFACE [inst INSTANCE] [id N] [maxlen N] [port N] [ttl N] [group ADDRESS]: connections are passed on to the other director.",
    { default: "none" },
  ),
  done("lvs_timeouts", words, "tcp N, tcpfin N and udp N: seconds that IPVS keeps connections; put back at a stop.", {
    default: "the kernel's",
  }),
  done("lvs_flush", none, "Empties the kernel's table at the start.", { default: "off", reload: "restart-daemon" }),
  done("lvs_flush_on_stop", words, "Empties the kernel's table at a stop; with VS only the services of the file.", {
    default: "server by server",
  }),
  done("lvs_flush_onstop", words, "Old name of lvs_flush_on_stop.", { aliasOf: "lvs_flush_on_stop" }),
  done("rs_init_notifies", bool, "Runs notify_up also for servers that are up at the start.", { default: "off" }),
  done(
    "lvs_netlink_cmd_rcv_bufs",
    integer(0, 2_147_483_647),
    "Bytes of the receive buffer of the IPVS command socket.",
    {
      default: "the system's",
      reload: "restart-daemon",
    },
  ),
  done("lvs_netlink_cmd_rcv_bufs_force", bool, "Lets that buffer exceed net.core.rmem_max.", {
    default: "on while no size is given",
    reload: "restart-daemon",
  }),
  done(
    "lvs_netlink_monitor_rcv_bufs",
    integer(0, 2_147_483_647),
    "The same for address changes, which ha_suspend needs.",
    {
      default: "the system's",
      reload: "restart-daemon",
    },
  ),
  done("lvs_netlink_monitor_rcv_bufs_force", bool, "Lets that buffer exceed net.core.rmem_max.", {
    default: "on while no size is given",
    reload: "restart-daemon",
  }),
  refused("nftables_ipvs", words, NO_MARKS),
  refused("nftables_ipvs_priority", integer(-2_147_483_648, 2_147_483_647), NO_MARKS),
  refused("nftables_ipvs_start_fwmark", integer(1, 4_294_967_295), NO_MARKS),
];
