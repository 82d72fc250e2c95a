/** Keywords of global_defs about the processes themselves: priorities, processors, memory. */
import type { KeywordEntry } from "./types.ts";
import { done, integer, none, refused, words } from "./types.ts";

const NO_CHECKER = "Holdfast has no checker process of its own: checks run in control, which keeps ordinary priority.";
const NO_BFD = "Holdfast has no BFD process.";

const strangers = (prefix: string, why: string): readonly KeywordEntry[] => [
  ...["priority", "rt_priority", "rlimit_rttime", "cpu_affinity"].map((name) =>
    refused(`${prefix}_${name}`, words, why),
  ),
  refused(`${prefix}_rlimit_rtime`, words, `Old name of ${prefix}_rlimit_rttime.`, {
    aliasOf: `${prefix}_rlimit_rttime`,
  }),
  refused(`${prefix}_no_swap`, none, why),
];

export const GLOBAL_PROCESS: readonly KeywordEntry[] = [
  done("vrrp_priority", integer(-20, 19), "Nice value of the keeper, all its threads.", { default: "0" }),
  done("vrrp_rt_priority", integer(1, 99), "Real-time priority (SCHED_RR) of the keeper's loop, that thread alone.", {
    default: "none",
  }),
  done(
    "vrrp_rlimit_rttime",
    integer(2, 2_147_483_647),
    "Microseconds the loop may run at real-time priority without waiting; less than 1000000 counts as 1000000.",
    { default: "10000000" },
  ),
  done("vrrp_rlimit_rtime", integer(2, 2_147_483_647), "Old name of vrrp_rlimit_rttime.", {
    aliasOf: "vrrp_rlimit_rttime",
  }),
  done("vrrp_cpu_affinity", words, "Numbers of the processors the keeper may run on.", { default: "all" }),
  done(
    "vrrp_no_swap",
    none,
    "Locks the keeper's program, libraries and frames in memory, page by page as they are used; not the heap of its runtime, which would not survive it.",
  ),
  done(
    "max_auto_priority",
    words,
    "Highest real-time priority that the keeper gives its loop by itself, one step each time it was late; 0 or -1: none.",
    { default: "0; 99 if no number follows" },
  ),
  done(
    "min_auto_priority_delay",
    integer(1, 10_000_000),
    "Microseconds of lateness that make the keeper raise its priority.",
    { default: "1000000" },
  ),
  ...strangers("checker", NO_CHECKER),
  ...strangers("bfd", NO_BFD),
];
