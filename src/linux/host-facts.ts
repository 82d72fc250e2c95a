/** What /proc, /sys and the programs of the system tell of this host, for the doctor. Reads only. */
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statfsSync,
  statSync,
} from "node:fs";
import type { Unseen } from "../core/doctor/catalogue.ts";
import type { HostFacts, ProcessFacts } from "../core/doctor/host.ts";
import { UNIT_PROPERTIES } from "../core/doctor/host.ts";
import { checkCapabilities } from "./capabilities.ts";
import { runProgram } from "./program-output.ts";

export function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** False as well where the caller may not look. */
export function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** Its last bytes, from the beginning of a line on; null: it cannot be read. */
export function readTail(path: string, bytes: number): string | null {
  try {
    const descriptor = openSync(path, "r");
    try {
      const from = Math.max(0, fstatSync(descriptor).size - bytes);
      const data = Buffer.alloc(bytes);
      const text = data.toString("utf8", 0, readSync(descriptor, data, 0, bytes, from));
      return from === 0 ? text : text.slice(text.indexOf("\n") + 1);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return null;
  }
}

/** `root`: whether the caller's rights are as good as the daemon's; others' say nothing of the directory. */
export function readStateDir(path: string, root = process.geteuid?.() === 0): Asked<HostFacts["stateDir"]> {
  const why = "the rights of this user are not the daemon's";
  const unseen = root ? [] : [{ what: `whether ${path} can be written`, why, fix: "run doctor as root" }];
  if (!exists(path)) return { value: null, unseen };
  try {
    const { bavail, blocks, bsize } = statfsSync(path);
    const space = { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    return { value: { path, writable: root ? isWritable(path) : null, ...space }, unseen };
  } catch {
    return { value: null, unseen };
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Null: it has ended, or belongs to somebody else. */
export function readProcess(name: ProcessFacts["name"], pid: number): ProcessFacts | null {
  const status = readText(`/proc/${pid}/status`);
  const limits = readText(`/proc/${pid}/limits`);
  if (status === null || limits === null) return null;
  const capable = checkCapabilities(status);
  try {
    return {
      name,
      pid,
      missing: capable.ok ? [] : capable.error.missing,
      openFiles: readdirSync(`/proc/${pid}/fd`).length,
      openFilesMax: Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY),
    };
  } catch {
    return null;
  }
}

export interface Ticks {
  readonly steal: number;
  readonly total: number;
}

/** First line of /proc/stat (proc(5)): user nice system idle iowait irq softirq steal; guests are part of user. */
export function readTicks(): Ticks | null {
  const numbers = /^cpu\s+(.*)$/m
    .exec(readText("/proc/stat") ?? "")?.[1]
    ?.split(" ")
    .slice(0, 8)
    .map(Number);
  if (numbers === undefined) return null;
  return { steal: numbers[7] ?? 0, total: numbers.reduce((sum, one) => sum + one, 0) };
}

/** /proc/PID/schedstat (sched-stats of the kernel): nanoseconds run, nanoseconds waited, time slices. */
export function readWaiting(pid: number | "self"): { readonly nanos: number; readonly slices: number } | null {
  const [, nanos, slices] = (readText(`/proc/${pid}/schedstat`) ?? "").trim().split(" ").map(Number);
  return nanos === undefined || slices === undefined ? null : { nanos, slices };
}

/** TcpExt IPReversePathFilter of /proc/net/netstat: a line of names, a line of numbers. */
export function readReversePathDrops(): number {
  const [names = [], values = []] = (readText("/proc/net/netstat") ?? "")
    .split("\n")
    .filter((line) => line.startsWith("TcpExt:"))
    .map((line) => line.split(" "));
  const at = names.indexOf("IPReversePathFilter");
  return at < 0 ? 0 : Number(values[at] ?? 0);
}

interface Asked<T> {
  readonly value: T;
  readonly unseen: readonly Unseen[];
}

/** By whichever of the two programs of time keeping answers. */
export async function readClock(): Promise<Asked<boolean | null>> {
  const systemd = await runProgram("timedatectl", ["show", "--property=NTPSynchronized", "--value"]);
  const said = systemd.stdout.trim();
  if (systemd.outcome === "done" && said !== "") return { value: said === "yes", unseen: [] };
  const chrony = await runProgram("chronyc", ["-n", "tracking"]);
  const leap = /^Leap status\s*:\s*(.+)$/m.exec(chrony.stdout)?.[1];
  if (chrony.outcome === "done" && leap !== undefined) return { value: leap.trim() !== "Not synchronised", unseen: [] };
  const why = `${systemd.detail}; ${chrony.detail}`;
  return {
    value: null,
    unseen: [{ what: "whether the clock is synchronised", why, fix: "install chrony, or run systemd-timesyncd" }],
  };
}

const AUDIT_LOG = "/var/log/audit/audit.log";
const TAIL_BYTES = 512 * 1024;

/** Of SELinux or AppArmor, where one of them is on. */
export async function readDenials(): Promise<Asked<readonly string[]>> {
  const apparmor = readText("/sys/module/apparmor/parameters/enabled")?.startsWith("Y") === true;
  if (!exists("/sys/fs/selinux/enforce") && !apparmor) return { value: [], unseen: [] };
  const audit = readTail(AUDIT_LOG, TAIL_BYTES);
  if (audit !== null) return { value: audit.split("\n"), unseen: [] };
  const words = ["--dmesg", "--boot", "--quiet", "--no-pager", "--output=cat", "--lines=5000"];
  const journal = await runProgram("journalctl", words);
  if (journal.outcome === "done") return { value: journal.stdout.split("\n"), unseen: [] };
  const why = `${AUDIT_LOG} cannot be read, and ${journal.detail}`;
  return { value: [], unseen: [{ what: "denials of SELinux or AppArmor", why, fix: "run doctor as root" }] };
}

/** Null: that process is no service of systemd by that name. */
export async function readUnit(pid: number): Promise<HostFacts["unit"]> {
  if (!exists("/run/systemd/system")) return null;
  const properties = ["MainPID", ...UNIT_PROPERTIES].join(",");
  const shown = await runProgram("systemctl", ["show", "holdfast.service", `--property=${properties}`]);
  const unit = Object.fromEntries(
    shown.stdout
      .split("\n")
      .filter((line) => line.includes("="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  return unit.MainPID === String(pid) ? unit : null;
}

/** Who sets the interface up: by the notes that both leave below /run. */
export function managerOf(index: number): "NetworkManager" | "systemd-networkd" | null {
  const networkd = readText(`/run/systemd/netif/links/${index}`) ?? "";
  if (/^ADMIN_STATE=(configured|configuring)$/m.test(networkd) && !/^KEEP_CONFIGURATION=(yes|static)$/m.test(networkd))
    return "systemd-networkd";
  const manager = readText(`/run/NetworkManager/devices/${index}`) ?? "";
  return /^managed=(1|true|full)$/m.test(manager) ? "NetworkManager" : null;
}
