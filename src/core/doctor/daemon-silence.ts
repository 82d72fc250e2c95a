/** What it means that the daemon gave no account of itself: that none runs is only one of the reasons. Pure. */
import { found, type HostFinding, type Unseen } from "./catalogue.ts";

export interface Silence {
  /** `nobody`: nobody listens at the socket; `not-permitted`: the caller may not use it; `no-answer`: all else. */
  readonly kind: "nobody" | "not-permitted" | "no-answer";
  /** In words. */
  readonly why: string;
}

export interface SilenceVerdict {
  readonly findings: readonly HostFinding[];
  readonly unseen: readonly Unseen[];
  /** Why a daemon may run all the same; null: none does. */
  readonly perhaps: string | null;
}

const OWN_ACCOUNT = "what the daemon itself says";

/** `living`: a process of Holdfast on this host, by its pid. */
export function judgeSilence({ kind, why }: Silence, living: number | null): SilenceVerdict {
  if (kind === "no-answer") return { findings: [found("daemon-silent", null, why)], unseen: [], perhaps: why };
  if (kind === "not-permitted")
    return { findings: [], unseen: [{ what: OWN_ACCOUNT, why, fix: "run doctor as root" }], perhaps: why };
  if (living === null) return { findings: [found("daemon-absent", null, why)], unseen: [], perhaps: null };
  const perhaps = `a holdfast runs (pid ${living}), and it is not at the socket that was asked`;
  const fix = `holdfast doctor with --socket or -p of that daemon: tr '\\0' ' ' < /proc/${living}/cmdline`;
  return { findings: [], unseen: [{ what: OWN_ACCOUNT, why: perhaps, fix }], perhaps };
}
