/** Keywords of global_defs about the daemon itself: dump files, reload, includes, names of processes. */
import type { KeywordEntry } from "./types.ts";
import { bool, choice, done, integer, none, refused, word, words } from "./types.ts";

const DUMPS: readonly KeywordEntry[] = [
  done("data_use_instance", bool, "Puts network namespace and instance into the names of the data dumps.", {
    default: "off",
  }),
  done("state_dump_file", word, "Path of the data dump (USR1); the parent's gets _parent before its last dot.", {
    default: "keepalived.data in TMPDIR, else in /tmp",
  }),
  done("stats_dump_file", word, "Path of the dump of counters (USR2).", {
    default: "keepalived.stats in TMPDIR, else in /tmp",
  }),
  done("json_dump_file", word, "Path of the JSON dump (SIGRTMIN+2).", {
    default: "keepalived.json in TMPDIR, else in /tmp",
  }),
  done(
    "json_version",
    choice("1", "2"),
    "Form of the JSON dump: 1 the bare list of instances, 2 an object around it.",
    {
      default: "1",
    },
  ),
];

const RELOAD: readonly KeywordEntry[] = [
  done(
    "reload_check_config",
    words,
    "Checks the file before a reload: always so here, with or without the keyword. What is wrong goes to the log, and to the file " +
      "named behind the keyword, which each reload writes anew; it is empty when nothing is wrong.",
    { default: "no file" },
  ),
  done(
    "reload_time_file",
    word,
    "File whose first line says when to reload: HH:MM:SS, YY-MM-DD HH:MM:SS or YYYY-MM-DD HH:MM:SS, with Z for UTC. It is removed " +
      "when the reload begins.",
    { default: "none" },
  ),
  done("reload_repeat", none, "Keeps a reload_time_file that holds no date: a reload each day at that time."),
  done(
    "reload_file",
    words,
    "File that exists, empty, while a reload reads the configuration; whoever writes the configuration waits until it is gone.",
    { default: "none; without a path keepalived.reload beside the pid file" },
  ),
  done("config_save_dir", word, "Directory that gets a copy of the files, mode 0600, at each reload.", {
    default: "none",
  }),
  refused(
    "tmp_config_directory",
    word,
    "The files are read once, by one process, into memory; there is no copy that could lie elsewhere.",
  ),
  done(
    "include_check",
    words,
    "What includes from here on must find: readable, match, wildcard_match, brace_match, each perhaps with + or -; alone: all.",
    { default: "none" },
  ),
];

const NO_SUCH_PROCESS = "There is no such process; control and the keeper have process_name and vrrp_process_name.";

const NAMES: readonly KeywordEntry[] = [
  done("process_names", none, "Names the processes keepalived and keepalived_vrrp.", { reload: "restart-daemon" }),
  done("process_name", word, "Name of control in process lists (its first 15 characters).", {
    default: "node",
    reload: "restart-daemon",
  }),
  done("vrrp_process_name", word, "Name of the keeper in process lists (its first 15 characters).", {
    default: "holdfast-vrrp",
    reload: "restart-daemon",
  }),
  refused("checker_process_name", word, NO_SUCH_PROCESS),
  refused("bfd_process_name", word, NO_SUCH_PROCESS),
  refused("lvs_process_name", word, NO_SUCH_PROCESS, { aliasOf: "checker_process_name" }),
];

export const GLOBAL_DAEMON: readonly KeywordEntry[] = [
  ...DUMPS,
  ...RELOAD,
  ...NAMES,
  refused("random_seed", integer(0, 4_294_967_295), "Nothing that the daemon does is drawn by lot."),
];
