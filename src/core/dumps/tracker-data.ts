/** What instances track, as keepalived's data dump shows it: check scripts, files and processes, each with who tracks it. */
import type { HoldfastConfig, TrackFileConfig, TrackProcessConfig, VrrpScriptConfig } from "../config/model.ts";
import { comparesCommandLine } from "../health/tracked-process.ts";
import type { Tracked, VrrpInstanceConfig } from "../vrrp/config.ts";
import { type DumpInput, type DumpText, trueFalse } from "./input.ts";
import { commandText, ownerText, weightText } from "./words.ts";

type List = "trackScripts" | "trackFiles" | "trackProcesses";

interface Tracking {
  readonly instance: VrrpInstanceConfig;
  readonly tracked: Tracked;
}

export function trackerData(text: DumpText, input: DumpInput): void {
  const { scripts, files, processes } = input.config;
  section(
    text,
    "VRRP Scripts",
    scripts.filter(({ name }) => whoTracks(input.config, "trackScripts", name).length > 0),
    (one) => scriptData(text, input, one),
  );
  section(
    text,
    "VRRP Track files",
    files.filter(({ name }) => whoTracks(input.config, "trackFiles", name).length > 0),
    (one) => fileData(text, input, one),
  );
  // keepalived forgets scripts and files that nobody tracks, but not processes.
  section(text, "VRRP Track processes", processes, (one) => processData(text, input, one));
}

function section<T>(text: DumpText, title: string, entries: readonly T[], print: (entry: T) => void): void {
  if (entries.length > 0) text.section(title);
  for (const entry of entries) print(entry);
}

/** A check with per_instance has a key for each of them. */
function whoTracks({ instances }: HoldfastConfig, list: List, name: string): readonly Tracking[] {
  return instances.flatMap(({ vrrp }) => {
    const tracked = vrrp[list].find(({ key }) => key === name || key === `${name}@${vrrp.name}`);
    return tracked === undefined ? [] : [{ instance: vrrp, tracked }];
  });
}

function trackingInstances(text: DumpText, trackings: readonly Tracking[]): void {
  if (trackings.length > 0) text.line(1, "Tracking instances :");
  for (const { instance, tracked } of trackings) text.line(2, `${instance.name}, ${weightText(tracked)}`);
}

const seconds = (value: number): string => `${value / 1e6} sec`;

function scriptData(text: DumpText, input: DumpInput, script: VrrpScriptConfig): void {
  const { rise, fall } = script;
  const runs = input.checks.filter(({ key }) => key === script.name || key.startsWith(`${script.name}@`));
  const good = runs.length > 0 && runs.every(({ standing }) => standing.kind === "ok");
  const unknown = runs.length === 0 || runs.some(({ standing }) => standing.kind === "unknown");
  text.field(0, "VRRP Script", script.name);
  text.field(1, "Command", commandText(script.command));
  text.field(1, "Interval", seconds(script.interval));
  text.field(1, "Timeout", script.timeout === script.interval ? "0 sec" : seconds(script.timeout));
  text.field(1, "Weight", `${script.weight}${script.reverse ? " reverse" : ""}`);
  text.field(1, "Rise", rise);
  text.field(1, "Fall", fall);
  // keepalived counts up to rise + fall - 1 and calls it good from rise on; before the first run one success is enough.
  const almost = unknown && !script.initFail ? rise - 1 : 0;
  text.field(1, "Result", good ? rise + fall - 1 : almost);
  text.field(1, "Insecure", runs.some(({ standing }) => standing.kind === "unusable") ? "yes" : "no");
  // Of the first run only; afterwards keepalived has forgotten it.
  text.field(1, "Init state", unknown ? (script.initFail ? "FAILED" : "INIT") : "unknown");
  text.field(1, "Status", good ? "GOOD" : "BAD");
  text.field(1, "Script uid:gid", ownerText(script.command, input));
  text.line(1, "VRRP instances :");
  trackingInstances(text, whoTracks(input.config, "trackScripts", script.name));
  text.field(1, "State", runs.some(({ running }) => running) ? "running" : "idle");
}

function fileData(text: DumpText, { config, trackers }: DumpInput, file: TrackFileConfig): void {
  text.field(0, "Track file", file.name);
  text.field(1, "File", file.path);
  text.field(1, "Status", trackers.files[file.name]?.value ?? 0);
  text.field(1, "Weight", `${file.weight}${file.reverse ? " reverse" : ""}`);
  trackingInstances(text, whoTracks(config, "trackFiles", file.name));
}

const delay = (micros: number): string => `${(micros / 1e6).toFixed(6)}s`;

function processData(text: DumpText, { config, trackers }: DumpInput, process: TrackProcessConfig): void {
  const { pattern, quorum } = process;
  const [command = "", ...parameters] = pattern.argv;
  const trackings = whoTracks(config, "trackProcesses", process.name);
  const standing = trackers.processes[process.name];
  text.field(0, "VRRP Track process", process.name);
  text.field(1, "Process", command);
  if (parameters.length > 0) text.field(1, "Parameters", parameters.join(" "));
  text.field(1, "Param match", pattern.paramMatch);
  text.field(1, "Min processes", quorum.least);
  text.field(1, "Max processes", quorum.most);
  text.field(1, "Current processes", standing?.count ?? 0);
  text.field(1, "Have quorum", trueFalse(standing?.kind === "ok"));
  text.field(1, "Weight", `${process.weight}${process.reverse ? " reverse" : ""}`);
  text.field(1, "Terminate delay", delay(quorum.terminateDelay));
  text.field(1, "Fork delay", delay(quorum.forkDelay));
  // Whether one runs is the process engine's business: what counts is above.
  text.line(1, "Fork delay timer not running");
  text.line(1, "Terminate delay timer not running");
  text.field(1, "Full command", trueFalse(comparesCommandLine(pattern)));
  trackingInstances(text, trackings);
}
