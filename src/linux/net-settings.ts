/**
 * Per-interface settings of IPv4 and IPv6 (ip-sysctl.rst of the kernel) by /proc/sys/net: reading, and writing with what was there
 * before. Belongs to the network namespace of the process. Knows no setting's meaning.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { KernelError } from "../ports/network.ts";

/** "ipv4/conf/eth0/arp_ignore": a path below /proc/sys/net. */
export type SettingPath = string;

/** Null when the kernel has no such setting. */
export function readSetting(path: SettingPath): number | null {
  try {
    const value = Number.parseInt(readFileSync(`/proc/sys/net/${path}`, "utf8"), 10);
    return Number.isNaN(value) ? null : value;
  } catch {
    return null;
  }
}

/** Writes only what differs: in a container /proc/sys is often read-only, and right already. */
export function writeSetting(path: SettingPath, value: number): Result<void, KernelError> {
  if (readSetting(path) === value) return ok(undefined);
  try {
    writeFileSync(`/proc/sys/net/${path}`, String(value));
    return ok(undefined);
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? "EIO";
    return err({ errno, what: `set net.${path.replaceAll("/", ".")} to ${value}` });
  }
}
