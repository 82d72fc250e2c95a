/**
 * Requests to the kernel's IPVS over generic netlink, one message for each. Who sends them, in which order and batch, is the engine's and the
 * port's affair. A service is written as ipvsadm(8) writes it, byte for byte; a change of a destination names its service by the key alone.
 *
 *    netlink header (16) | command | version | 0 0 | attributes
 */
import { familyOf, ipBytes } from "../../lib/ip.ts";
import { type AttributeWriter, composeMessage } from "../../netlink/attribute-writer.ts";
import { familyNumber } from "../../netlink/family.ts";
import { NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from "../../netlink/message.ts";
import { PROTOCOL_NUMBER, type ServiceFlags, type ServiceKey } from "../config.ts";
import type {
  DestinationKey,
  IpvsDestination,
  IpvsForwarding,
  IpvsOrder,
  IpvsService,
  IpvsTimeouts,
  SyncDaemon,
} from "./model.ts";
import {
  ADDRESS_ROOM,
  COMMAND,
  COMMAND_ATTRIBUTE,
  CTRL_ATTR_FAMILY_NAME,
  CTRL_CMD_GETFAMILY,
  DAEMON_ATTRIBUTE,
  DAEMON_STATE,
  DESTINATION_ATTRIBUTE,
  FORWARDING_METHODS,
  GENL_ID_CTRL,
  GENL_VERSION,
  IPVS_FAMILY,
  SERVICE_ATTRIBUTE,
  SERVICE_FLAG,
  TUNNEL_CHECKSUMS,
  TUNNEL_TYPES,
  WHOLE_ADDRESS,
} from "./protocol.ts";

/** Which family, which number: what every request needs. */
export interface RequestHead {
  /** The number that the kernel has given the family IPVS (readFamilyId). */
  readonly familyId: number;
  readonly sequence: number;
}

/** Asks the controller for the number of the family IPVS; a kernel with module loading loads ip_vs for it. */
export function lookUpFamily(sequence: number): Uint8Array {
  const head = { type: GENL_ID_CTRL, flags: ASK, sequence };
  const fixed = Uint8Array.of(CTRL_CMD_GETFAMILY, GENL_VERSION, 0, 0);
  return composeMessage(head, fixed, (writer) => writer.text(CTRL_ATTR_FAMILY_NAME, IPVS_FAMILY));
}

export const askInfo = (head: RequestHead): Uint8Array => compose(head, COMMAND.getInfo, ASK);
export const askTimeouts = (head: RequestHead): Uint8Array => compose(head, COMMAND.getConfig, ASK);
export const dumpServices = (head: RequestHead): Uint8Array => compose(head, COMMAND.getService, DUMP);
export const dumpDaemons = (head: RequestHead): Uint8Array => compose(head, COMMAND.getDaemon, DUMP);

export function dumpDestinations(key: ServiceKey, head: RequestHead): Uint8Array {
  return compose(head, COMMAND.getDestination, DUMP, (writer) =>
    writer.nest(COMMAND_ATTRIBUTE.service, () => writeKey(writer, key)),
  );
}

/** One change; `acknowledged`: the kernel answers success as well, not only failure. */
export function writeOrder(order: IpvsOrder, head: RequestHead, acknowledged: boolean): Uint8Array {
  const flags = acknowledged ? NLM_F_REQUEST | NLM_F_ACK : NLM_F_REQUEST;
  return compose(head, COMMAND_OF[order.kind], flags, (writer) => writeBody(writer, order));
}

const DUMP = NLM_F_REQUEST | NLM_F_DUMP;
/** The acknowledgement marks the end of the answer. */
const ASK = NLM_F_REQUEST | NLM_F_ACK;

const COMMAND_OF = {
  "add-service": COMMAND.newService,
  "set-service": COMMAND.setService,
  "remove-service": COMMAND.deleteService,
  "add-destination": COMMAND.newDestination,
  "set-destination": COMMAND.setDestination,
  "remove-destination": COMMAND.deleteDestination,
  "start-daemon": COMMAND.newDaemon,
  "stop-daemon": COMMAND.deleteDaemon,
  "set-timeouts": COMMAND.setConfig,
  flush: COMMAND.flush,
} as const satisfies Record<IpvsOrder["kind"], number>;

const NOTHING = (): void => undefined;

function compose(
  { familyId, sequence }: RequestHead,
  command: number,
  flags: number,
  body: (writer: AttributeWriter) => void = NOTHING,
): Uint8Array {
  return composeMessage({ type: familyId, flags, sequence }, Uint8Array.of(command, GENL_VERSION, 0, 0), body);
}

function writeBody(writer: AttributeWriter, order: IpvsOrder): void {
  const nest = (type: number, body: () => void): void => writer.nest(type, body);
  if ("key" in order) nest(COMMAND_ATTRIBUTE.service, () => writeKey(writer, order.key));
  switch (order.kind) {
    case "add-service":
    case "set-service":
      nest(COMMAND_ATTRIBUTE.service, () => writeService(writer, order.service));
      break;
    case "add-destination":
    case "set-destination":
      nest(COMMAND_ATTRIBUTE.destination, () => writeDestination(writer, order.destination));
      break;
    case "remove-destination":
      nest(COMMAND_ATTRIBUTE.destination, () => writeDestinationKey(writer, order.destination));
      break;
    case "start-daemon":
      nest(COMMAND_ATTRIBUTE.daemon, () => writeDaemon(writer, order.daemon));
      break;
    case "stop-daemon":
      nest(COMMAND_ATTRIBUTE.daemon, () => writer.uint32(DAEMON_ATTRIBUTE.state, DAEMON_STATE[order.state]));
      break;
    case "set-timeouts":
      writeTimeouts(writer, order.timeouts);
      break;
    case "remove-service":
    case "flush":
      break;
  }
}

function writeKey(writer: AttributeWriter, key: ServiceKey): void {
  writer.uint16(SERVICE_ATTRIBUTE.family, familyNumber(key.family));
  if (key.kind === "fwmark") {
    writer.uint32(SERVICE_ATTRIBUTE.fwmark, key.mark);
    return;
  }
  writer.uint16(SERVICE_ATTRIBUTE.protocol, PROTOCOL_NUMBER[key.protocol]);
  writer.bytes(SERVICE_ATTRIBUTE.address, roomy(ipBytes(key.address)));
  writer.uint16be(SERVICE_ATTRIBUTE.port, key.port);
}

function writeService(writer: AttributeWriter, { key, scheduler, flags, persistence }: IpvsService): void {
  writeKey(writer, key);
  writer.text(SERVICE_ATTRIBUTE.scheduler, scheduler);
  if (persistence?.engine) writer.text(SERVICE_ATTRIBUTE.engine, persistence.engine);
  writer.bytes(SERVICE_ATTRIBUTE.flags, flagBytes(flags, persistence !== null));
  writer.uint32(SERVICE_ATTRIBUTE.timeout, persistence?.timeout ?? 0);
  const granularity = persistence?.granularity ?? WHOLE_ADDRESS[key.family];
  // The same attribute is a mask in network order or a length in the host's.
  if (key.family === 4) writer.uint32be(SERVICE_ATTRIBUTE.netmask, granularity);
  else writer.uint32(SERVICE_ATTRIBUTE.netmask, granularity);
}

/** struct ip_vs_flags: the bits, and which of them count. */
function flagBytes(flags: ServiceFlags, persistent: boolean): Uint8Array {
  let bits = persistent ? SERVICE_FLAG.persistent : 0;
  for (const name of ["onePacket", "flag1", "flag2", "flag3"] as const) if (flags[name]) bits |= SERVICE_FLAG[name];
  return Uint8Array.of(bits, 0, 0, 0, 0xff, 0xff, 0xff, 0xff);
}

function writeDestinationKey(writer: AttributeWriter, { address, port }: DestinationKey): void {
  // A tunnel may lead to the other family.
  writer.uint16(DESTINATION_ATTRIBUTE.family, familyNumber(familyOf(address)));
  writer.bytes(DESTINATION_ATTRIBUTE.address, roomy(ipBytes(address)));
  writer.uint16be(DESTINATION_ATTRIBUTE.port, port);
}

function writeDestination(writer: AttributeWriter, destination: IpvsDestination): void {
  writeDestinationKey(writer, destination);
  writer.uint32(DESTINATION_ATTRIBUTE.forwarding, FORWARDING_METHODS.indexOf(destination.forwarding.method));
  writer.uint32(DESTINATION_ATTRIBUTE.weight, destination.weight);
  writeTunnel(writer, destination.forwarding);
  writer.uint32(DESTINATION_ATTRIBUTE.upperThreshold, destination.upperThreshold);
  writer.uint32(DESTINATION_ATTRIBUTE.lowerThreshold, destination.lowerThreshold);
}

function writeTunnel(writer: AttributeWriter, { tunnel }: IpvsForwarding): void {
  if (tunnel === null) return;
  writer.uint8(DESTINATION_ATTRIBUTE.tunnelType, TUNNEL_TYPES.indexOf(tunnel.type));
  if (tunnel.type === "gue") writer.uint16be(DESTINATION_ATTRIBUTE.tunnelPort, tunnel.port);
  // The kernel refuses flags of a type that has none.
  if (tunnel.type !== "ipip")
    writer.uint16(DESTINATION_ATTRIBUTE.tunnelFlags, TUNNEL_CHECKSUMS.indexOf(tunnel.checksum));
}

function writeDaemon(writer: AttributeWriter, daemon: SyncDaemon): void {
  writer.uint32(DAEMON_ATTRIBUTE.state, DAEMON_STATE[daemon.state]);
  writer.text(DAEMON_ATTRIBUTE.interface, daemon.interface);
  writer.uint32(DAEMON_ATTRIBUTE.id, daemon.id);
  if (daemon.maxLength !== null) writer.uint16(DAEMON_ATTRIBUTE.maxLength, daemon.maxLength);
  if (daemon.port !== null) writer.uint16(DAEMON_ATTRIBUTE.port, daemon.port);
  if (daemon.ttl !== null) writer.uint8(DAEMON_ATTRIBUTE.ttl, daemon.ttl);
  if (daemon.group === null) return;
  const type = familyOf(daemon.group) === 4 ? DAEMON_ATTRIBUTE.group : DAEMON_ATTRIBUTE.group6;
  writer.bytes(type, ipBytes(daemon.group));
}

function writeTimeouts(writer: AttributeWriter, { tcp, tcpFin, udp }: IpvsTimeouts): void {
  writer.uint32(COMMAND_ATTRIBUTE.timeoutTcp, tcp);
  writer.uint32(COMMAND_ATTRIBUTE.timeoutTcpFin, tcpFin);
  writer.uint32(COMMAND_ATTRIBUTE.timeoutUdp, udp);
}

function roomy(address: Uint8Array): Uint8Array {
  if (address.length === ADDRESS_ROOM) return address;
  const bytes = new Uint8Array(ADDRESS_ROOM);
  bytes.set(address);
  return bytes;
}
