/** Keywords of global_defs about telling others: notify FIFOs, mail, the daemon's own scripts, how scripts are run. */
import type { KeywordEntry } from "./types.ts";
import { bool, choice, command, done, integer, list, none, refused, word, words } from "./types.ts";

const fifo = (name: string, what: string): readonly KeywordEntry[] => [
  done(name, words, `Named pipe for ${what}: PATH [USER [GROUP]]; made with mode 0600 if it does not exist.`),
  done(
    `${name}_script`,
    command,
    `Reader of ${name}, started with the path as last argument and again (after 0, 1, 2 ... 60 s) when it ends.`,
  ),
];

const FIFOS: readonly KeywordEntry[] = [
  ...fifo("notify_fifo", "events of instances, sync groups, virtual and real servers"),
  ...fifo("vrrp_notify_fifo", "events of instances and sync groups"),
  ...fifo("lvs_notify_fifo", "events of virtual and real servers"),
  done("vrrp_notify_priority_changes", bool, "Default of notify_priority_changes.", { default: "off" }),
  done("fifo_write_vrrp_states_on_reload", none, "Writes the states of all instances to the pipes at a reload."),
];

const MAIL: readonly KeywordEntry[] = [
  done("notification_email", list, "Addresses that get alert mail, one a line."),
  done("notification_email_from", word, "Sender of alert mail.", { default: "keepalived@HOSTNAME" }),
  done("smtp_server", words, "Mail server: HOST [PORT].", { default: "none: no mail; port 25" }),
  done("smtp_helo_name", word, "Name given in HELO.", { default: "host name" }),
  done("smtp_connect_timeout", integer(1, 4_294), "Seconds to wait for the mail server.", { default: "30" }),
  done("smtp_alert", bool, "Default of smtp_alert_vrrp and smtp_alert_checker.", { default: "off" }),
  done("smtp_alert_vrrp", bool, "Default of smtp_alert in instances and sync groups.", { default: "smtp_alert" }),
  done("smtp_alert_checker", bool, "Default of smtp_alert in virtual and real servers.", { default: "smtp_alert" }),
  done("no_email_faults", none, "No mail when an instance or a sync group goes to FAULT."),
  done("no_checker_emails", bool, "No mail for each change of a checker; those of real servers go on.", {
    default: "off",
  }),
];

const limit = (name: string): KeywordEntry =>
  done(`${name}_timeout`, integer(1, 1_000), `Seconds that ${name} may take before it is ended.`, { default: "10" });

const SCRIPTS: readonly KeywordEntry[] = [
  done("startup_script", command, "Runs once, before VRRP and the checks begin.", { reload: "restart-daemon" }),
  limit("startup_script"),
  done("shutdown_script", command, "Runs once, after everything else has ended."),
  limit("shutdown_script"),
  done("umask", words, "File mode mask, a number or bits such as IWGRP | IWOTH; the option -u goes before.", {
    default: "0022",
    reload: "restart-daemon",
  }),
  done("set_supplementary_groups", none, "Scripts get the supplementary groups of their user, not only its own."),
  done(
    "use_symlink_paths",
    bool,
    "Scripts run by the path as written; off: by the one that its symbolic links lead to. Both are looked at.",
    { default: "on, as keepalived 2.2; off in later ones" },
  ),
  done(
    "unusable_script",
    choice("fault", "ignore"),
    "A tracked script that is missing, not executable or insecure: FAULT, or ignored as keepalived does.",
    { default: "fault", extension: true },
  ),
  refused(
    "process_monitor_rcv_bufs",
    word,
    "Receive buffer of the process event connector: processes are watched without it, so there is no buffer to set.",
  ),
  refused(
    "process_monitor_rcv_bufs_force",
    bool,
    "Receive buffer of the process event connector: processes are watched without it, so there is no buffer to set.",
  ),
];

export const GLOBAL_NOTIFY: readonly KeywordEntry[] = [...FIFOS, ...MAIL, ...SCRIPTS];
