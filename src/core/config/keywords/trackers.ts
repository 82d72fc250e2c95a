/** Keywords of track_file and vrrp_track_process: things outside the network that instances and sync groups can track. */
import type { KeywordEntry } from "./types.ts";
import { choice, done, integer, none, seconds, weight, word, words } from "./types.ts";

export const TRACK_FILE: readonly KeywordEntry[] = [
  done(
    "file",
    word,
    "Path of the file. The number in it, -254 to 254, counts whenever a writer closes it; a file that is missing or holds no number counts as 0.",
  ),
  done(
    "weight",
    weight(-254, 254),
    "The number in the file times this is added to the priority, FAULT at -254 and below; 0 means FAULT while the number is not 0, and with `reverse` while it is 0.",
    { default: "1" },
  ),
  done("init_file", words, "Creates the file with VALUE at the start, `overwrite` also where it exists.", {
    default: "VALUE 0",
  }),
];

export const VRRP_TRACK_PROCESS: readonly KeywordEntry[] = [
  done(
    "process",
    words,
    "Name of the process as in /proc/PID/comm; with parameters, param_match or full_command its command line is compared.",
  ),
  done(
    "param_match",
    choice("initial", "partial"),
    "`partial`: the process may have more parameters; `initial`: its last one may also be longer.",
    { default: "all parameters, exactly" },
  ),
  done("full_command", none, "Compares the whole command line instead of the name."),
  done("weight", weight(-254, 254), "Change of priority by the quorum; 0 means FAULT without quorum.", {
    default: "0",
  }),
  done("quorum", integer(1, 65_535), "Least number of such processes.", { default: "1" }),
  done("quorum_max", integer(0, 65_535), "Greatest number of such processes; 0 means that none may run.", {
    default: "no limit",
  }),
  done("delay", seconds(0.000_001, 3_600), "Sets fork_delay and terminate_delay.", { default: "0" }),
  done("fork_delay", seconds(0.000_001, 3_600), "Seconds that a quorum changed by a new process must last to count.", {
    default: "0",
  }),
  done("terminate_delay", seconds(0.000_001, 3_600), "Seconds that a quorum changed by an ended process must last.", {
    default: "0",
  }),
];
