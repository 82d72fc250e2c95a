/**
 * What must be ordered so that one service of the kernel becomes as it is wanted. Pure: the engine decides which services are ours and what
 * the kernel has. The order of the orders keeps traffic going: servers come before others go, and a service is changed, never made anew.
 */
import type { DestinationKey, IpvsDestination, IpvsOrder, IpvsService } from "./ipvs/model.ts";
import { destinationText } from "./ipvs/words.ts";
import type { WantedService } from "./table.ts";

/** A service as the kernel has it, servers by destinationText. */
export interface PresentService {
  readonly service: IpvsService;
  readonly destinations: ReadonlyMap<string, IpvsDestination>;
}

/** Null: it is not wanted, or not there. */
export function serviceOrders(wanted: WantedService | null, present: PresentService | null): readonly IpvsOrder[] {
  if (wanted === null) return present === null ? [] : [{ kind: "remove-service", key: present.service.key }];
  const { key, destinations } = wanted;
  const orders: IpvsOrder[] = [];
  if (present === null) orders.push({ kind: "add-service", service: serviceOf(wanted) });
  else if (!sameService(wanted, present.service)) orders.push({ kind: "set-service", service: serviceOf(wanted) });
  const kept = new Set<string>();
  for (const destination of destinations) {
    const text = destinationText(destination);
    kept.add(text);
    const before = present?.destinations.get(text);
    if (before === undefined) orders.push({ kind: "add-destination", key, destination });
    else if (!sameDestination(destination, before)) orders.push({ kind: "set-destination", key, destination });
  }
  for (const [text, destination] of present?.destinations ?? []) {
    if (!kept.has(text)) orders.push({ kind: "remove-destination", key, destination: keyOf(destination) });
  }
  return orders;
}

/** What the kernel has after an order was carried out. */
export function afterOrder(present: PresentService | null, order: IpvsOrder): PresentService | null {
  switch (order.kind) {
    case "add-service":
      return { service: order.service, destinations: new Map() };
    case "set-service":
      return { service: order.service, destinations: present?.destinations ?? new Map() };
    case "remove-service":
      return null;
    case "add-destination":
    case "set-destination":
    case "remove-destination": {
      if (present === null) return null;
      const destinations = new Map(present.destinations);
      if (order.kind === "remove-destination") destinations.delete(destinationText(order.destination));
      else destinations.set(destinationText(order.destination), order.destination);
      return { service: present.service, destinations };
    }
    default:
      return present;
  }
}

export function sameService(one: IpvsService, other: IpvsService): boolean {
  const [p, q] = [one.persistence, other.persistence];
  const samePersistence =
    p === null || q === null
      ? p === q
      : p.timeout === q.timeout && p.granularity === q.granularity && p.engine === q.engine;
  return (
    samePersistence &&
    one.scheduler === other.scheduler &&
    one.flags.onePacket === other.flags.onePacket &&
    one.flags.flag1 === other.flags.flag1 &&
    one.flags.flag2 === other.flags.flag2 &&
    one.flags.flag3 === other.flags.flag3
  );
}

export function sameDestination(one: IpvsDestination, other: IpvsDestination): boolean {
  const [t, u] = [one.forwarding.tunnel, other.forwarding.tunnel];
  const sameTunnel =
    t === null || u === null ? t === u : t.type === u.type && t.port === u.port && t.checksum === u.checksum;
  return (
    sameTunnel &&
    one.forwarding.method === other.forwarding.method &&
    one.weight === other.weight &&
    one.upperThreshold === other.upperThreshold &&
    one.lowerThreshold === other.lowerThreshold
  );
}

function serviceOf({ key, scheduler, flags, persistence }: WantedService): IpvsService {
  return { key, scheduler, flags, persistence };
}

const keyOf = ({ address, port }: DestinationKey): DestinationKey => ({ address, port });
