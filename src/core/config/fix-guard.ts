/** The proof that corrections change neither who is master, nor how hosts prove themselves, nor an address: both configurations, compared. */
import { sameValue } from "../lib/same-value.ts";
import type { HoldfastConfig } from "./model.ts";

/** The first thing that corrections must never change and these would; null when there is none. */
export function whatMustNotChange(old: HoldfastConfig, corrected: HoldfastConfig): string | null {
  const names = ({ instances }: HoldfastConfig): readonly string[] => instances.map(({ vrrp }) => vrrp.name);
  if (!sameValue(names(old), names(corrected))) return "the instances";
  for (const [index, one] of old.instances.entries()) {
    const other = corrected.instances[index];
    const changed = other === undefined ? undefined : KEPT.find((key) => !sameValue(one.vrrp[key], other.vrrp[key]));
    if (changed !== undefined) return `${changed} of ${one.vrrp.name}`;
    if (one.managesMysql !== other?.managesMysql || one.managesRedis !== other.managesRedis)
      return `the managed database of ${one.vrrp.name}`;
  }
  const changed = WHOLE.find((key) => !sameValue(withoutPlaces(old[key]), withoutPlaces(corrected[key])));
  return changed ?? null;
}

/** A correction moves what stands behind it in its line. */
const withoutPlaces = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, inner: unknown) => (key === "span" ? undefined : inner)) ?? "null");

const KEPT = [
  "interface",
  "virtualRouterId",
  "family",
  "version",
  "initialState",
  "priority",
  "preempt",
  "preemptDelay",
  "advertInterval",
  "downTimerAdverts",
  "highestPeerPriority",
  "authentication",
  "authHmac",
  "transport",
  "sourceAddress",
  "advertised",
  "excluded",
  "trackScripts",
  "trackInterfaces",
  "trackFiles",
  "trackProcesses",
  "trackMysql",
  "trackRedis",
  "syncGroup",
  "claimGate",
  "releaseGate",
] as const;

const WHOLE = ["scripts", "files", "processes", "mysql", "redis", "peerLink", "api"] as const;
