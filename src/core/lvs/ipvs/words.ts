/** How services, servers and orders are named in messages: as ipvsadm(8) prints them. Decides nothing. */
import { familyOf } from "../../lib/ip.ts";
import type { ServiceKey } from "../config.ts";
import type { DestinationKey, IpvsOrder } from "./model.ts";

/** "TCP 192.0.2.1:80", "UDP [2001:db8::1]:53", "FWM 7", "FWM 7 IPv6". */
export function serviceText(key: ServiceKey): string {
  if (key.kind === "fwmark") return key.family === 4 ? `FWM ${key.mark}` : `FWM ${key.mark} IPv6`;
  return `${key.protocol.toUpperCase()} ${destinationText(key)}`;
}

/** "192.0.2.11:80", "[2001:db8::11]:53". */
export function destinationText({ address, port }: DestinationKey): string {
  return familyOf(address) === 4 ? `${address}:${port}` : `[${address}]:${port}`;
}

/** What is being done, for errors: "add the virtual service TCP 192.0.2.1:80 (scheduler wlc)". */
export function orderText(order: IpvsOrder): string {
  switch (order.kind) {
    case "add-service":
    case "set-service":
      return `${VERB[order.kind]} the virtual service ${serviceText(order.service.key)} (scheduler ${order.service.scheduler})`;
    case "remove-service":
      return `remove the virtual service ${serviceText(order.key)}`;
    case "add-destination":
    case "set-destination":
    case "remove-destination":
      return `${VERB[order.kind]} the server ${destinationText(order.destination)} of ${serviceText(order.key)}`;
    case "start-daemon":
      return `start the ${order.daemon.state} sync daemon on ${order.daemon.interface}`;
    case "stop-daemon":
      return `stop the ${order.state} sync daemon`;
    case "set-timeouts":
      return "set the timeouts of IPVS";
    case "flush":
      return "empty the table of IPVS";
  }
}

const VERB = {
  "add-service": "add",
  "set-service": "change",
  "add-destination": "add",
  "set-destination": "change",
  "remove-destination": "remove",
} as const;
