/**
 * What the kernel's IPVS table holds (ipvsadm(8)), in host order and the field's words. It is wider than what a configuration can ask for:
 * other programs put schedulers and forwarding methods there that we have no keyword for. Bytes are messages.ts and records.ts.
 */
import type { IpAddress } from "../../lib/ip.ts";
import type { Persistence, ServiceFlags, ServiceKey, Tunnel } from "../config.ts";

export interface IpvsService {
  readonly key: ServiceKey;
  /** Name of the kernel module without "ip_vs_". */
  readonly scheduler: string;
  readonly flags: ServiceFlags;
  readonly persistence: Persistence | null;
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
