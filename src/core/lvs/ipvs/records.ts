/**
 * What the kernel says about its IPVS table, read into values. Reading never throws: a message of another kind, or one that lacks what makes
 * it useful, is null.
 */
import { ADDRESS_BYTES, type Family, type IpAddress, ipFromBytes } from "../../lib/ip.ts";
import { familyOfNumber } from "../../netlink/family.ts";
import { type NetlinkMessage, readAttributes, readText, readUint32, viewOf } from "../../netlink/message.ts";
import { type Persistence, PROTOCOL_NUMBER, type Protocol, type ServiceFlags, type ServiceKey } from "../config.ts";
import type {
  DestinationRecord,
  IpvsForwarding,
  IpvsInfo,
  IpvsStats,
  IpvsTimeouts,
  ServiceRecord,
  SyncDaemon,
} from "./model.ts";
import {
  COMMAND,
  COMMAND_ATTRIBUTE,
  CTRL_ATTR_FAMILY_ID,
  CTRL_CMD_NEWFAMILY,
  DAEMON_ATTRIBUTE,
  DAEMON_STATE,
  DESTINATION_ATTRIBUTE,
  FORWARDING_MASK,
  FORWARDING_METHODS,
  GENL_HEADER_BYTES,
  GENL_ID_CTRL,
  INFO_ATTRIBUTE,
  SERVICE_ATTRIBUTE,
  SERVICE_FLAG,
  STATS_ATTRIBUTE,
  TUNNEL_CHECKSUMS,
  TUNNEL_TYPES,
} from "./protocol.ts";

type Attributes = ReadonlyMap<number, Uint8Array>;

/** The number of the family IPVS, from the controller's answer. */
export function readFamilyId(message: NetlinkMessage): number | null {
  if (message.type !== GENL_ID_CTRL || message.payload[0] !== CTRL_CMD_NEWFAMILY) return null;
  return uint16(readAttributes(message.payload, GENL_HEADER_BYTES), CTRL_ATTR_FAMILY_ID);
}

export function readInfo(message: NetlinkMessage): IpvsInfo | null {
  const attributes = answer(message, COMMAND.setInfo);
  const version = attributes === null ? null : uint32(attributes, INFO_ATTRIBUTE.version);
  if (attributes === null || version === null) return null;
  return {
    version: `${version >>> 16}.${(version >>> 8) & 0xff}.${version & 0xff}`,
    connectionTableSize: uint32(attributes, INFO_ATTRIBUTE.connectionTableSize) ?? 0,
  };
}

export function readTimeouts(message: NetlinkMessage): IpvsTimeouts | null {
  const attributes = answer(message, COMMAND.setConfig);
  if (attributes === null) return null;
  return {
    tcp: uint32(attributes, COMMAND_ATTRIBUTE.timeoutTcp) ?? 0,
    tcpFin: uint32(attributes, COMMAND_ATTRIBUTE.timeoutTcpFin) ?? 0,
    udp: uint32(attributes, COMMAND_ATTRIBUTE.timeoutUdp) ?? 0,
  };
}

/** A service of GET_SERVICE's dump. */
export function readService(message: NetlinkMessage): ServiceRecord | null {
  const attributes = nested(answer(message, COMMAND.newService), COMMAND_ATTRIBUTE.service);
  const key = attributes === null ? null : readKey(attributes);
  if (attributes === null || key === null) return null;
  const bits = uint32(attributes, SERVICE_ATTRIBUTE.flags) ?? 0;
  return {
    key,
    scheduler: text(attributes, SERVICE_ATTRIBUTE.scheduler) ?? "",
    flags: readFlags(bits),
    persistence: (bits & SERVICE_FLAG.persistent) === 0 ? null : readPersistence(attributes, key.family),
    stats: readStats(attributes, SERVICE_ATTRIBUTE),
  };
}

/** A server of GET_DEST's dump of a service of that family. */
export function readDestination(message: NetlinkMessage, family: Family): DestinationRecord | null {
  const attributes = nested(answer(message, COMMAND.newDestination), COMMAND_ATTRIBUTE.destination);
  if (attributes === null) return null;
  // Kernels before 3.18 know no server of another family and do not say.
  const own = uint16(attributes, DESTINATION_ATTRIBUTE.family);
  const address = readIp(attributes, DESTINATION_ATTRIBUTE.address, own === null ? family : familyOfNumber(own));
  if (address === null) return null;
  const number = (type: number): number => uint32(attributes, type) ?? 0;
  return {
    address,
    port: port(attributes, DESTINATION_ATTRIBUTE.port),
    forwarding: readForwarding(attributes),
    weight: number(DESTINATION_ATTRIBUTE.weight),
    upperThreshold: number(DESTINATION_ATTRIBUTE.upperThreshold),
    lowerThreshold: number(DESTINATION_ATTRIBUTE.lowerThreshold),
    activeConnections: number(DESTINATION_ATTRIBUTE.activeConnections),
    inactiveConnections: number(DESTINATION_ATTRIBUTE.inactiveConnections),
    persistentConnections: number(DESTINATION_ATTRIBUTE.persistentConnections),
    stats: readStats(attributes, DESTINATION_ATTRIBUTE),
  };
}

export function readDaemon(message: NetlinkMessage): SyncDaemon | null {
  const attributes = nested(answer(message, COMMAND.newDaemon), COMMAND_ATTRIBUTE.daemon);
  if (attributes === null) return null;
  const state = uint32(attributes, DAEMON_ATTRIBUTE.state);
  if (state !== DAEMON_STATE.master && state !== DAEMON_STATE.backup) return null;
  return {
    state: state === DAEMON_STATE.master ? "master" : "backup",
    interface: text(attributes, DAEMON_ATTRIBUTE.interface) ?? "",
    id: uint32(attributes, DAEMON_ATTRIBUTE.id) ?? 0,
    maxLength: uint16(attributes, DAEMON_ATTRIBUTE.maxLength),
    group: readIp(attributes, DAEMON_ATTRIBUTE.group, 4) ?? readIp(attributes, DAEMON_ATTRIBUTE.group6, 6),
    port: uint16(attributes, DAEMON_ATTRIBUTE.port),
    ttl: attributes.get(DAEMON_ATTRIBUTE.ttl)?.[0] ?? null,
  };
}

function answer(message: NetlinkMessage, command: number): Attributes | null {
  // Numbers of families are given out above the controller's.
  if (message.type <= GENL_ID_CTRL || message.payload[0] !== command) return null;
  return readAttributes(message.payload, GENL_HEADER_BYTES);
}

function nested(attributes: Attributes | null, type: number): Attributes | null {
  const value = attributes?.get(type);
  return value === undefined ? null : readAttributes(value, 0);
}

function readKey(attributes: Attributes): ServiceKey | null {
  const family = familyOfNumber(uint16(attributes, SERVICE_ATTRIBUTE.family) ?? undefined);
  if (family === null) return null;
  const mark = uint32(attributes, SERVICE_ATTRIBUTE.fwmark);
  if (mark !== null) return { kind: "fwmark", family, mark };
  const protocol = protocolOf(uint16(attributes, SERVICE_ATTRIBUTE.protocol));
  const address = readIp(attributes, SERVICE_ATTRIBUTE.address, family);
  if (protocol === null || address === null) return null;
  return { kind: "address", family, protocol, address, port: port(attributes, SERVICE_ATTRIBUTE.port) };
}

function protocolOf(number: number | null): Protocol | null {
  const names = Object.keys(PROTOCOL_NUMBER) as Protocol[];
  return names.find((name) => PROTOCOL_NUMBER[name] === number) ?? null;
}

function readFlags(bits: number): ServiceFlags {
  return {
    onePacket: (bits & SERVICE_FLAG.onePacket) !== 0,
    flag1: (bits & SERVICE_FLAG.flag1) !== 0,
    flag2: (bits & SERVICE_FLAG.flag2) !== 0,
    flag3: (bits & SERVICE_FLAG.flag3) !== 0,
  };
}

function readPersistence(attributes: Attributes, family: Family): Persistence {
  const mask = attributes.get(SERVICE_ATTRIBUTE.netmask);
  const granularity = mask === undefined || mask.length < 4 ? 0 : viewOf(mask).getUint32(0, family === 6);
  return {
    timeout: uint32(attributes, SERVICE_ATTRIBUTE.timeout) ?? 0,
    granularity,
    engine: text(attributes, SERVICE_ATTRIBUTE.engine),
  };
}

function readForwarding(attributes: Attributes): IpvsForwarding {
  const number = (uint32(attributes, DESTINATION_ATTRIBUTE.forwarding) ?? 0) & FORWARDING_MASK;
  const method = FORWARDING_METHODS[number] ?? "bypass";
  if (method !== "tun") return { method, tunnel: null };
  // Kernels before 5.3 know IPIP only and do not say.
  const type = TUNNEL_TYPES[attributes.get(DESTINATION_ATTRIBUTE.tunnelType)?.[0] ?? 0] ?? "ipip";
  const checksum = TUNNEL_CHECKSUMS[uint16(attributes, DESTINATION_ATTRIBUTE.tunnelFlags) ?? 0] ?? "none";
  return { method, tunnel: { type, port: port(attributes, DESTINATION_ATTRIBUTE.tunnelPort), checksum } };
}

/** With 64 bits where the kernel has them (4.1 and later). */
function readStats(
  attributes: Attributes,
  { stats, stats64 }: { readonly stats: number; readonly stats64: number },
): IpvsStats {
  const wide = nested(attributes, stats64);
  const counters = wide ?? nested(attributes, stats) ?? new Map<number, Uint8Array>();
  const read = (name: keyof typeof STATS_ATTRIBUTE): number => counter(counters.get(STATS_ATTRIBUTE[name]));
  return {
    connections: read("connections"),
    inPackets: read("inPackets"),
    outPackets: read("outPackets"),
    inBytes: read("inBytes"),
    outBytes: read("outBytes"),
    connectionRate: read("connectionRate"),
    inPacketRate: read("inPacketRate"),
    outPacketRate: read("outPacketRate"),
    inByteRate: read("inByteRate"),
    outByteRate: read("outByteRate"),
  };
}

function counter(value: Uint8Array | undefined): number {
  if (value === undefined) return 0;
  // Exact up to 2^53, which no byte counter reaches in a machine's life.
  if (value.length >= 8) return Number(viewOf(value).getBigUint64(0, true));
  return readUint32(value) ?? 0;
}

function readIp(attributes: Attributes, type: number, family: Family | null): IpAddress | null {
  const value = attributes.get(type);
  if (value === undefined || family === null || value.length < ADDRESS_BYTES[family]) return null;
  return ipFromBytes(family, value, 0);
}

function text(attributes: Attributes, type: number): string | null {
  const value = attributes.get(type);
  return value === undefined ? null : readText(value);
}

function uint16(attributes: Attributes, type: number): number | null {
  const value = attributes.get(type);
  return value === undefined || value.length < 2 ? null : viewOf(value).getUint16(0, true);
}

function uint32(attributes: Attributes, type: number): number | null {
  const value = attributes.get(type);
  return value === undefined ? null : readUint32(value);
}

function port(attributes: Attributes, type: number): number {
  const value = attributes.get(type);
  return value === undefined || value.length < 2 ? 0 : viewOf(value).getUint16(0);
}
