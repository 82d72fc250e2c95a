/** The machine under the daemon: disk, limits, processors, clock, access control, its unit. Pure. */
import { printable } from "../lib/printable.ts";
import { found, type HostFinding } from "./catalogue.ts";

export interface HostFacts {
  /** Null: there is none yet. */
  readonly stateDir: {
    readonly path: string;
    /** Null: not known, because only root's own attempt tells of the disk and not of the caller's rights. */
    readonly writable: boolean | null;
    readonly freeBytes: number;
    readonly totalBytes: number;
  } | null;
  readonly processes: readonly ProcessFacts[];
  /** Of all processors' time while the doctor listened, 0 to 1; null: too short. */
  readonly steal: number | null;
  /** How long the keeper, or the doctor where there is none, waited for a processor each time it wanted to run; null: not known. */
  readonly waits: { readonly who: string; readonly millis: number } | null;
  /** Milliseconds; null: no instance. */
  readonly shortestInterval: number | null;
  /** Null: not known. */
  readonly clockSynchronised: boolean | null;
  /** Lines of the kernel's or audit's log. */
  readonly denials: readonly string[];
  /** Denials from then on are of now: seconds since the epoch. */
  readonly denialsSince: number;
  /** Properties as `systemctl show` has them; null: the daemon is no service of systemd. */
  readonly unit: Readonly<Record<string, string>> | null;
}

export interface ProcessFacts {
  readonly name: "control" | "keeper";
  readonly pid: number;
  /** Capabilities that it needs and lacks. */
  readonly missing: readonly string[];
  readonly openFiles: number;
  readonly openFilesMax: number;
}

export function judgeHost(facts: HostFacts): readonly HostFinding[] {
  return [
    ...diskFaults(facts),
    ...facts.processes.flatMap(processFaults),
    ...processorFaults(facts),
    ...clockFaults(facts),
    ...denialFaults(facts),
    ...unitFaults(facts),
  ];
}

const MEBIBYTE = 1024 * 1024;
const FREE_LEAST = 64 * MEBIBYTE;

function diskFaults({ stateDir }: HostFacts): readonly HostFinding[] {
  if (stateDir === null) return [];
  const { path, writable, freeBytes, totalBytes } = stateDir;
  if (writable === false) {
    return [
      found("journal-unwritable", path, `${path} cannot be written`, `findmnt -T ${path}; mount -o remount,rw ...`),
    ];
  }
  if (freeBytes >= FREE_LEAST) return [];
  const what = `${Math.floor(freeBytes / MEBIBYTE)} MiB are free of ${Math.floor(totalBytes / MEBIBYTE)} MiB`;
  return [found("journal-space", path, what, `df -h ${path}; du -xsh ${path}`)];
}

const MOST = 0.8;

function processFaults({ name, pid, missing, openFiles, openFilesMax }: ProcessFacts): readonly HostFinding[] {
  const findings: HostFinding[] = [];
  if (missing.length > 0) {
    const fix = `systemctl edit holdfast: AmbientCapabilities=${missing.join(" ")}; or run it as root`;
    findings.push(found("capabilities", name, `pid ${pid} lacks ${missing.join(" and ")}`, fix));
  }
  if (openFiles >= openFilesMax * MOST) {
    const what = `pid ${pid} has ${openFiles} files open of ${openFilesMax}`;
    findings.push(found("open-files", name, what, "systemctl edit holdfast: LimitNOFILE=65536; now: prlimit --nofile"));
  }
  return findings;
}

/** Shares and tenths from which on adverts of a busy host are noticeably late. */
const STEAL_MOST = 0.05;
const INTERVAL_SHARE = 0.1;

function processorFaults({ steal, waits, shortestInterval }: HostFacts): readonly HostFinding[] {
  const findings: HostFinding[] = [];
  if (steal !== null && steal > STEAL_MOST) {
    findings.push(
      found("cpu-steal", null, `${Math.round(steal * 100)} % of the processors' time went to other machines`),
    );
  }
  if (waits !== null && shortestInterval !== null && waits.millis > shortestInterval * INTERVAL_SHARE) {
    const what = `the ${waits.who} waited ${waits.millis.toFixed(1)} ms for a processor each time, and the shortest advert interval is ${shortestInterval} ms`;
    findings.push(found("late-scheduling", null, what));
  }
  return findings;
}

function clockFaults({ clockSynchronised }: HostFacts): readonly HostFinding[] {
  if (clockSynchronised !== false) return [];
  return [
    found("clock-unsynchronised", null, "the clock is not synchronised", "timedatectl set-ntp true; or install chrony"),
  ];
}

/** What concerns the daemon or a check that it runs. */
const OURS = /holdfast|keepalived/;
const DENIED = /avc:\s+denied|apparmor="DENIED"/;

/** Seconds since the epoch, as audit(8) and the kernel write it: audit(1364481363.243:24287). */
const deniedAt = (line: string): number => Number(/\baudit\((\d+)/.exec(line)?.[1] ?? 0);

/** What has been denied before and not since may have been mended meanwhile. */
function denialFaults({ denials, denialsSince }: HostFacts): readonly HostFinding[] {
  const ours = denials.filter((line) => DENIED.test(line) && OURS.test(line));
  const fresh = ours.filter((line) => deniedAt(line) >= denialsSince);
  const told = fresh.length > 0 ? fresh : ours;
  const last = told.at(-1);
  if (last === undefined) return [];
  const fix = last.includes("apparmor=")
    ? "aa-logprof, which proposes the line for the profile"
    : "ausearch -m AVC -ts today | audit2allow -M holdfast-local; read holdfast-local.te, then semodule -i holdfast-local.pp";
  const what = `${told.length} times, the last: ${printable(last.trim())}`;
  return [found(fresh.length > 0 ? "access-denied" : "access-denied-before", null, what, fix)];
}

interface Wanted {
  readonly property: string;
  readonly good: (value: string) => boolean;
  readonly write: string;
}

const WANTED: readonly Wanted[] = [
  { property: "KillMode", good: (value) => value === "mixed", write: "KillMode=mixed" },
  { property: "Restart", good: (value) => value !== "no", write: "Restart=on-failure" },
  { property: "WatchdogUSec", good: (value) => value !== "0" && value !== "infinity", write: "WatchdogSec=30" },
  { property: "LimitCORE", good: (value) => value === "0", write: "LimitCORE=0" },
  { property: "ProtectKernelModules", good: (value) => value === "yes", write: "ProtectKernelModules=true" },
  { property: "RestrictSUIDSGID", good: (value) => value === "yes", write: "RestrictSUIDSGID=true" },
];

/** For `systemctl show --property`. */
export const UNIT_PROPERTIES: readonly string[] = WANTED.map(({ property }) => property);

function unitFaults({ unit }: HostFacts): readonly HostFinding[] {
  if (unit === null) return [];
  return WANTED.flatMap(({ property, good, write }) => {
    const value = unit[property];
    if (value === undefined || value === "" || good(value)) return [];
    return [
      found(
        "unit-setting",
        "holdfast.service",
        `${property} is ${value}`,
        `systemctl edit holdfast: [Service] ${write}`,
      ),
    ];
  });
}
