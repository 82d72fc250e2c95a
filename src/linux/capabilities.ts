/**
 * Does this process have what VRRP needs? Asked before anything is started, so that the answer is one sentence with a remedy and
 * not a failing socket call somewhere later.
 */
import { readFileSync } from "node:fs";
import { err, ok, type Result } from "../core/lib/result.ts";

/** capability.h numbers. */
const NEEDED: readonly (readonly [string, number])[] = [
  ["CAP_NET_ADMIN", 12],
  ["CAP_NET_RAW", 13],
];

export interface MissingCapabilities {
  readonly missing: readonly string[];
  readonly message: string;
}

/** `status` is the text of /proc/self/status; without it the file is read. */
export function checkCapabilities(
  status: string = readFileSync("/proc/self/status", "utf8"),
): Result<void, MissingCapabilities> {
  const effective = /^CapEff:\s*([0-9a-fA-F]+)$/m.exec(status)?.[1];
  const bits = BigInt(`0x${effective ?? "0"}`);
  const missing = NEEDED.filter(([, bit]) => (bits & (1n << BigInt(bit))) === 0n).map(([name]) => name);
  if (missing.length === 0) return ok(undefined);
  const message =
    `missing ${missing.join(" and ")}: needed to send adverts and to set addresses; ` +
    "run as root, or with AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW in the systemd unit";
  return err({ missing, message });
}
