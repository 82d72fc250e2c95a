/**
 * What virtual_server, virtual_server_group and lvs_* of global_defs mean, complete: every default of keepalived 2.2.7 is filled in, groups
 * are resolved, ports of DR and TUN are set. core/config/compile-lvs.ts makes it; what becomes of it in the kernel is table.ts.
 */
import type { Command, SourceSpan } from "../config/written.ts";
import type { Family, IpAddress } from "../lib/ip.ts";
import type { Micros } from "../lib/units.ts";
import type { CheckerConfig } from "./checkers.ts";

export type Protocol = "tcp" | "udp" | "sctp";

/** IPPROTO_* of netinet/in.h. */
export const PROTOCOL_NUMBER = { tcp: 6, udp: 17, sctp: 132 } as const satisfies Record<Protocol, number>;

/** Scheduler modules of the kernel (ipvsadm(8), `--scheduler`). */
export const SCHEDULERS = [
  "rr",
  "wrr",
  "lc",
  "wlc",
  "lblc",
  "lblcr",
  "sh",
  "mh",
  "dh",
  "fo",
  "ovf",
  "sed",
  "nq",
  "twos",
] as const;

export type Scheduler = (typeof SCHEDULERS)[number];

/** Weights of the kernel: 0 (no new connections) to this. */
export const GREATEST_WEIGHT = 2_147_483_647;

/** What the kernel knows a service by. */
export type ServiceKey =
  | {
      readonly kind: "address";
      readonly family: Family;
      readonly protocol: Protocol;
      readonly address: IpAddress;
      /** 0: every port, for persistent services. */
      readonly port: number;
    }
  | { readonly kind: "fwmark"; readonly family: Family; readonly mark: number };

/** One line of a virtual_server_group. */
export type GroupEntry =
  | { readonly kind: "range"; readonly first: IpAddress; readonly last: IpAddress; readonly port: number }
  /** Family null: that of the virtual servers which use the group. */
  | { readonly kind: "fwmark"; readonly mark: number; readonly family: Family | null };

export interface VirtualServerGroup {
  readonly name: string;
  readonly entries: readonly GroupEntry[];
  readonly span: SourceSpan;
}

export type ServiceTarget =
  | { readonly kind: "address"; readonly address: IpAddress; readonly port: number }
  | { readonly kind: "fwmark"; readonly mark: number }
  | { readonly kind: "group"; readonly group: VirtualServerGroup };

export interface Tunnel {
  readonly type: "ipip" | "gue" | "gre";
  /** UDP port of GUE, 1 to 65535; 0 with the other types. */
  readonly port: number;
  readonly checksum: "none" | "full" | "remote";
}

/** NAT, DR and TUN of ipvsadm(8): masquerading, direct routing, tunnelling. */
export type Forwarding =
  | { readonly method: "nat" | "dr"; readonly tunnel: null }
  | { readonly method: "tun"; readonly tunnel: Tunnel };

/** IP_VS_SVC_F_* that a file can set. */
export interface ServiceFlags {
  /** `ops`: each UDP packet is scheduled for itself. */
  readonly onePacket: boolean;
  /** `flag-1`; sh-fallback and mh-fallback. */
  readonly flag1: boolean;
  /** `flag-2`; sh-port and mh-port. */
  readonly flag2: boolean;
  readonly flag3: boolean;
}

export interface Persistence {
  /** Seconds, 1 to 31 days. */
  readonly timeout: number;
  /** IPv4: the mask as an unsigned 32-bit number; IPv6: the prefix length. */
  readonly granularity: number;
  /** persistence_engine, such as "sip". */
  readonly engine: string | null;
}

/** The server that answers while the quorum is not reached. */
export interface SorryServerConfig {
  /** As logs and scripts name it. */
  readonly name: string;
  readonly address: IpAddress;
  readonly port: number;
  readonly forwarding: Forwarding;
  /** sorry_server_inhibit: stays in the table with weight 0 while it is not needed. */
  readonly inhibit: boolean;
}

export interface RealServerConfig {
  /** `[192.0.2.10]:tcp:80`, as keepalived writes it in its log and passes it to scripts. */
  readonly name: string;
  readonly address: IpAddress;
  /** With DR and TUN that of the service; 0 behind a firewall mark or a group: that of each service. */
  readonly port: number;
  /** 0 to GREATEST_WEIGHT. */
  readonly weight: number;
  readonly forwarding: Forwarding;
  /** uthreshold: most connections; 0: no limit. */
  readonly upperThreshold: number;
  /** lthreshold: connections below which a full server is served again; 0: three quarters of the upper one. */
  readonly lowerThreshold: number;
  /** inhibit_on_failure: weight 0 instead of removal. */
  readonly inhibitOnFailure: boolean;
  /** Starts as down until its checkers have succeeded. */
  readonly alpha: boolean;
  /** slow_start: after it has come up the weight climbs for so long; 0: at once. */
  readonly slowStart: Micros;
  readonly mail: boolean;
  readonly notifyUp: Command | null;
  readonly notifyDown: Command | null;
  readonly snmpName: string | null;
  readonly checkers: readonly CheckerConfig[];
  readonly span: SourceSpan;
}

export interface VirtualServerConfig {
  /** `[192.0.2.1]:tcp:80`, `FWM 5` or `[GROUP]:0` (the number counts the virtual servers of a group), as keepalived writes it. */
  readonly name: string;
  readonly target: ServiceTarget;
  /** Null: a group of both families, all of whose real servers are tunnelled. */
  readonly family: Family | null;
  /** Null: by firewall mark. */
  readonly protocol: Protocol | null;
  readonly scheduler: Scheduler;
  readonly flags: ServiceFlags;
  readonly persistence: Persistence | null;
  /** What `lvs_method` gives real servers that say nothing. */
  readonly forwarding: Forwarding;
  /** Weight that the live real servers must have together, 1 or more; never above their total. */
  readonly quorum: number;
  /** 0 to quorum - 1. */
  readonly hysteresis: number;
  readonly quorumUp: Command | null;
  readonly quorumDown: Command | null;
  readonly sorryServer: SorryServerConfig | null;
  readonly alpha: boolean;
  /** Runs the down notifiers at a stop. */
  readonly omega: boolean;
  /** No checks while the address is not on this host. */
  readonly haSuspend: boolean;
  /** Name of the instance that must be MASTER for the services to be in the kernel; null: always. */
  readonly onlyOnMaster: string | null;
  readonly mail: boolean;
  readonly snmpName: string | null;
  readonly realServers: readonly RealServerConfig[];
  readonly span: SourceSpan;
}

/** lvs_sync_daemon: connections are passed on to the other director (ipvsadm(8), `--start-daemon`). */
export interface SyncDaemonConfig {
  readonly interface: string;
  /** The state of this instance decides between master and backup; null: both run. */
  readonly instance: string | null;
  /** 0 to 255; null: the instance's virtual_router_id, 0 without an instance. */
  readonly id: number | null;
  /** Bytes of one message, 1 to 65507; null: what the interface's MTU leaves. */
  readonly maxLength: number | null;
  /** Null: 8848. */
  readonly port: number | null;
  /** Null: 1. */
  readonly ttl: number | null;
  /** Null: 224.0.0.81. */
  readonly group: IpAddress | null;
  readonly span: SourceSpan;
}

/** lvs_timeouts in seconds; null leaves the kernel's. */
export interface LvsTimeouts {
  readonly tcp: number | null;
  readonly tcpFin: number | null;
  readonly udp: number | null;
}

/** Receive buffer of a netlink socket; size null: the default. */
export interface LvsBuffer {
  readonly size: number | null;
  readonly force: boolean;
}

export interface LvsOptions {
  /** lvs_flush: empties the kernel's table at start. */
  readonly flush: boolean;
  /**
   * lvs_flush_on_stop: the whole table, or the file's services as a whole instead of one server after the other. "keep" is no word of
   * the file but keepalived's option -I.
   */
  readonly flushOnStop: "no" | "all" | "services" | "keep";
  readonly timeouts: LvsTimeouts;
  readonly syncDaemon: SyncDaemonConfig | null;
  /** rs_init_notifies: UP notifiers also at the start. */
  readonly initNotifies: boolean;
  /** no_checker_emails: no mail for every single checker. */
  readonly noCheckerMail: boolean;
  /** net_namespace_ipvs; "" is the namespace that the daemon was started in. */
  readonly netNamespace: string | null;
  readonly commandBuffer: LvsBuffer;
  readonly monitorBuffer: LvsBuffer;
}

/** The block SSL: what SSL_GET shows of itself. */
export interface SslClientConfig {
  readonly ca: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
  /** Never shown. */
  readonly password: string | null;
}

export interface LvsConfig {
  readonly servers: readonly VirtualServerConfig[];
  readonly options: LvsOptions;
  /** Null: SSL_GET shows no certificate and checks none. */
  readonly ssl: SslClientConfig | null;
}

const DEFAULT_BUFFER: LvsBuffer = { size: null, force: true };

/** Of a file without virtual servers. */
export const NO_LVS: LvsConfig = {
  servers: [],
  options: {
    flush: false,
    flushOnStop: "no",
    timeouts: { tcp: null, tcpFin: null, udp: null },
    syncDaemon: null,
    initNotifies: false,
    noCheckerMail: false,
    netNamespace: null,
    commandBuffer: DEFAULT_BUFFER,
    monitorBuffer: DEFAULT_BUFFER,
  },
  ssl: null,
};
