/** keepalived's -P, -C and -I: which of its processes the daemon stands for (keepalived(8)). */
import { PLAIN_HOST } from "../routing/host.ts";
import type { HoldfastConfig } from "./model.ts";

export interface Subsystems {
  /** False with -C alone: no instance runs, and nothing that only instances need. */
  readonly vrrp: boolean;
  /** False with -P alone: no virtual server is served or checked. */
  readonly checkers: boolean;
  /** -I: at a stop the kernel's table stays as it is. */
  readonly keepIpvs: boolean;
}

export const ALL_SUBSYSTEMS: Subsystems = { vrrp: true, checkers: true, keepIpvs: false };

/**
 * The part of a file that is to run. A second daemon may run the other part, so what is left out is not touched either: without
 * checkers the kernel's table is not emptied, without VRRP no static object comes or goes. The sync daemons of IPVS belong to
 * VRRP, because their role follows an instance.
 */
export function partOf(config: HoldfastConfig, { vrrp, checkers, keepIpvs }: Subsystems): HoldfastConfig {
  if (vrrp && checkers && !keepIpvs) return config;
  const { servers, options } = config.lvs;
  const lvs = {
    ...config.lvs,
    servers: checkers ? servers : [],
    options: {
      ...options,
      ...(keepIpvs ? { flushOnStop: "keep" as const } : {}),
      ...(checkers ? {} : UNTOUCHED),
      ...(vrrp ? {} : { syncDaemon: null }),
    },
  };
  return { ...config, lvs, ...(vrrp ? {} : NO_VRRP) };
}

const UNTOUCHED = { flush: false, flushOnStop: "keep", timeouts: { tcp: null, tcpFin: null, udp: null } } as const;
/** Tracked files stay: FILE_CHECK reads them, too. What peers ask, the daemon with the instances answers. */
const NO_VRRP = {
  instances: [],
  groups: [],
  scripts: [],
  processes: [],
  mysql: [],
  redis: [],
  peerLink: null,
  quorum: null,
  host: PLAIN_HOST,
};
