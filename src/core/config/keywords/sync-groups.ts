/** Keywords of vrrp_sync_group and garp_group: what several instances, or several interfaces, share. */
import type { KeywordEntry } from "./types.ts";
import { bool, command, done, later, list, none, seconds, word } from "./types.ts";

export const VRRP_SYNC_GROUP: readonly KeywordEntry[] = [
  done("group", list, "Names of the instances that move together; they may be defined further down."),
  done("track_script", list, "Checks that decide for every member, as if each tracked it."),
  done("track_interface", list, "Interfaces whose loss means FAULT, or another priority, for every member."),
  done("track_file", list, "Files whose number moves the priority of every member, or means FAULT."),
  done("track_process", list, "Processes that decide for every member."),
  done("track_mysql", list, "Database servers that decide for every member.", { extension: true }),
  done("track_redis", list, "Redis servers that decide for every member.", { extension: true }),
  later("track_bfd", list, "BFD sessions that decide for every member.", { safety: "the session is not watched" }),
  done("notify", command, "Runs after the members' hooks at every change, with GROUP, name, state and 0."),
  done("notify_master", command, "Runs when every member has become MASTER."),
  done("notify_backup", command, "Runs when every member has become BACKUP."),
  done("notify_fault", command, "Runs when the group has gone to FAULT because of one of its members."),
  done("notify_stop", command, "Runs when every member has stopped."),
  done("hook_timeout", seconds(0.1, 3_600), "Seconds that a hook of the group may take before it is ended.", {
    default: "60",
    extension: true,
  }),
  done("smtp_alert", bool, "Mail at state changes of the group.", { default: "smtp_alert_vrrp" }),
  done("notify_priority_changes", bool, "On: writes priority changes of all members to the notify FIFOs.", {
    default: "off: each member as it says itself",
  }),
  done("global_tracking", none, "Old name of sync_group_tracking_weight.", { aliasOf: "sync_group_tracking_weight" }),
  done(
    "sync_group_tracking_weight",
    none,
    "Members keep the weights of what they track themselves; without it these trackers are left out.",
  ),
];

export const GARP_GROUP: readonly KeywordEntry[] = [
  done(
    "garp_interval",
    seconds(0.000_001, 4_294),
    "Seconds between two gratuitous ARP frames on the group's interfaces together.",
    {
      default: "vrrp_garp_interval",
    },
  ),
  done("gna_interval", seconds(0.000_001, 4_294), "The same for neighbour advertisements of IPv6.", {
    default: "vrrp_gna_interval",
  }),
  done("interface", word, "An interface of the group; may be given several times."),
  done("interfaces", list, "Interfaces of the group."),
];
