/**
 * What the kernel's IPVS table holds (ipvsadm(8)), in host order and the field's words. It is wider than what a configuration can ask for:
 * other programs put schedulers and forwarding methods there that we have no keyword for. Bytes are messages.ts and records.ts.
 */
import type { Family, IpAddress } from "../../lib/ip.ts";

export type Protocol = "tcp" | "udp" | "sctp";

/** IPPROTO_* of netinet/in.h. */
export const PROTOCOL_NUMBER = { tcp: 6, udp: 17, sctp: 132 } as const satisfies Record<Protocol, number>;

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

/** IP_VS_SVC_F_* that an administrator sets; what the bits mean is the scheduler's affair. */
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
  /** Seconds. */
  readonly timeout: number;
  /** IPv4: the mask as an unsigned 32-bit number; IPv6: the prefix length. */
  readonly granularity: number;
  /** Persistence engine, such as "sip". */
  readonly engine: string | null;
}

export interface IpvsService {
  readonly key: ServiceKey;
  /** Name of the kernel module without "ip_vs_". */
  readonly scheduler: string;
  readonly flags: ServiceFlags;
  readonly persistence: Persistence | null;
}

export interface Tunnel {
  readonly type: "ipip" | "gue" | "gre";
  /** UDP port of GUE, 1 to 65535; 0 with the other types. */
  readonly port: number;
  readonly checksum: "none" | "full" | "remote";
}

/** NAT, DR and TUN of ipvsadm(8): masquerading, direct routing, tunnelling; "local" and "bypass" are the kernel's own. */
export type ForwardingMethod = "nat" | "dr" | "tun" | "local" | "bypass";

export interface IpvsForwarding {
  readonly method: ForwardingMethod;
  /** Of "tun" alone. */
  readonly tunnel: Tunnel | null;
}

/** What the kernel knows a server of a service by. */
export interface DestinationKey {
  readonly address: IpAddress;
  /** 0 behind a firewall mark: the port of the packet. */
  readonly port: number;
}

export interface IpvsDestination extends DestinationKey {
  readonly forwarding: IpvsForwarding;
  /** 0: keeps its connections, gets no new ones. */
  readonly weight: number;
  /** Most connections; 0: no limit. */
  readonly upperThreshold: number;
  /** Connections below which a full server is served again; 0: three quarters of the upper one. */
  readonly lowerThreshold: number;
}

/** Counters since the entry was made or zeroed, and rates as the kernel estimates them every 2 s. */
export interface IpvsStats {
  readonly connections: number;
  readonly inPackets: number;
  readonly outPackets: number;
  readonly inBytes: number;
  readonly outBytes: number;
  /** Each second. */
  readonly connectionRate: number;
  readonly inPacketRate: number;
  readonly outPacketRate: number;
  readonly inByteRate: number;
  readonly outByteRate: number;
}

export interface ServiceRecord extends IpvsService {
  readonly stats: IpvsStats;
}

export interface DestinationRecord extends IpvsDestination {
  readonly activeConnections: number;
  readonly inactiveConnections: number;
  readonly persistentConnections: number;
  readonly stats: IpvsStats;
}

/** One of the two threads that pass connections on (ipvsadm(8), `--start-daemon`). */
export interface SyncDaemon {
  readonly state: "master" | "backup";
  readonly interface: string;
  /** 0 to 255. */
  readonly id: number;
  /** Bytes of one message; null: what the interface's MTU leaves. */
  readonly maxLength: number | null;
  /** Null: 224.0.0.81. */
  readonly group: IpAddress | null;
  /** Null: 8848. */
  readonly port: number | null;
  /** Null: 1. */
  readonly ttl: number | null;
}

/** Seconds that a connection is kept. An order leaves what is 0 as it is. */
export interface IpvsTimeouts {
  readonly tcp: number;
  readonly tcpFin: number;
  readonly udp: number;
}

export interface IpvsInfo {
  /** Such as "1.2.1". */
  readonly version: string;
  readonly connectionTableSize: number;
}

/** A change of the table; each is one message. */
export type IpvsOrder =
  | { readonly kind: "add-service" | "set-service"; readonly service: IpvsService }
  | { readonly kind: "remove-service"; readonly key: ServiceKey }
  | {
      readonly kind: "add-destination" | "set-destination";
      readonly key: ServiceKey;
      readonly destination: IpvsDestination;
    }
  | { readonly kind: "remove-destination"; readonly key: ServiceKey; readonly destination: DestinationKey }
  | { readonly kind: "start-daemon"; readonly daemon: SyncDaemon }
  | { readonly kind: "stop-daemon"; readonly state: SyncDaemon["state"] }
  | { readonly kind: "set-timeouts"; readonly timeouts: IpvsTimeouts }
  | { readonly kind: "flush" };
