/** Index of a network interface by its name, from /sys/class/net: the scope of link-local addresses. */
import { readFileSync } from "node:fs";

/** 0 when there is no such interface. */
export function interfaceIndex(name: string): number {
  if (!/^[^/\0]{1,15}$/.test(name) || name === "." || name === "..") return 0;
  try {
    return Number.parseInt(readFileSync(`/sys/class/net/${name}/ifindex`, "utf8"), 10) || 0;
  } catch {
    return 0;
  }
}
