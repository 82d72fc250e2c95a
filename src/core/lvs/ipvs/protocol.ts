/** Numbers of the generic netlink family IPVS (linux/ip_vs.h) and of the controller that knows families by name (linux/genetlink.h). */

/** Message type of the controller. */
export const GENL_ID_CTRL = 16;
export const CTRL_CMD_NEWFAMILY = 1;
export const CTRL_CMD_GETFAMILY = 3;
export const CTRL_ATTR_FAMILY_ID = 1;
export const CTRL_ATTR_FAMILY_NAME = 2;

export const IPVS_FAMILY = "IPVS";
/** Of both families. */
export const GENL_VERSION = 1;
export const GENL_HEADER_BYTES = 4;

export const COMMAND = {
  newService: 1,
  setService: 2,
  deleteService: 3,
  getService: 4,
  newDestination: 5,
  setDestination: 6,
  deleteDestination: 7,
  getDestination: 8,
  newDaemon: 9,
  deleteDaemon: 10,
  getDaemon: 11,
  setConfig: 12,
  getConfig: 13,
  setInfo: 14,
  getInfo: 15,
  zero: 16,
  flush: 17,
} as const;

export const COMMAND_ATTRIBUTE = {
  service: 1,
  destination: 2,
  daemon: 3,
  timeoutTcp: 4,
  timeoutTcpFin: 5,
  timeoutUdp: 6,
} as const;

export const SERVICE_ATTRIBUTE = {
  family: 1,
  protocol: 2,
  address: 3,
  port: 4,
  fwmark: 5,
  scheduler: 6,
  flags: 7,
  timeout: 8,
  netmask: 9,
  stats: 10,
  engine: 11,
  stats64: 12,
} as const;

export const DESTINATION_ATTRIBUTE = {
  address: 1,
  port: 2,
  forwarding: 3,
  weight: 4,
  upperThreshold: 5,
  lowerThreshold: 6,
  activeConnections: 7,
  inactiveConnections: 8,
  persistentConnections: 9,
  stats: 10,
  family: 11,
  stats64: 12,
  tunnelType: 13,
  tunnelPort: 14,
  tunnelFlags: 15,
} as const;

export const DAEMON_ATTRIBUTE = {
  state: 1,
  interface: 2,
  id: 3,
  maxLength: 4,
  group: 5,
  group6: 6,
  port: 7,
  ttl: 8,
} as const;

/** Of both forms, with 32 and with 64 bits. */
export const STATS_ATTRIBUTE = {
  connections: 1,
  inPackets: 2,
  outPackets: 3,
  inBytes: 4,
  outBytes: 5,
  connectionRate: 6,
  inPacketRate: 7,
  outPacketRate: 8,
  inByteRate: 9,
  outByteRate: 10,
} as const;

export const INFO_ATTRIBUTE = { version: 1, connectionTableSize: 2 } as const;

/** IP_VS_SVC_F_*; "hashed" (2) is the kernel's own mark. */
export const SERVICE_FLAG = { persistent: 0x1, onePacket: 0x4, flag1: 0x8, flag2: 0x10, flag3: 0x20 } as const;

/** IP_VS_CONN_F_FWD_MASK. */
export const FORWARDING_MASK = 0x7;
/** IP_VS_CONN_F_MASQ to IP_VS_CONN_F_BYPASS, by their number. */
export const FORWARDING_METHODS = ["nat", "local", "tun", "dr", "bypass"] as const;
/** IP_VS_CONN_F_TUNNEL_TYPE_*, by their number. */
export const TUNNEL_TYPES = ["ipip", "gue", "gre"] as const;
/** IP_VS_TUNNEL_ENCAP_FLAG_*, by their number. */
export const TUNNEL_CHECKSUMS = ["none", "full", "remote"] as const;

/** IP_VS_STATE_*. */
export const DAEMON_STATE = { master: 1, backup: 2 } as const;

/** Every address is 16 bytes long in these messages (union nf_inet_addr). */
export const ADDRESS_ROOM = 16;
/** What a service without persistence carries. */
export const WHOLE_ADDRESS = { 4: 0xffff_ffff, 6: 128 } as const;
