/**
 * Control's own hands on the kernel, for the moment after its keeper has died: takes the keeper's addresses off in one batch, then
 * says priority 0 in its name. Sockets are opened beforehand; a release only uses them. Decides nothing.
 */
import type { IpAddress } from "../core/lib/ip.ts";
import { ok, type Result } from "../core/lib/result.ts";
import { millis } from "../core/lib/units.ts";
import type { StaticObjects } from "../core/routing/host.ts";
import type { GuardOrder, GuardPort } from "../ports/guard.ts";
import type { AddressChange, InterfaceAddress, KernelError, Link } from "../ports/network.ts";
import type { RoutingChange, RoutingPort } from "../ports/routing.ts";
import { type AdvertSender, createAdvertSender } from "./advert-sender.ts";
import type { Arena } from "./arena.ts";
import { createMonotonicClock } from "./clock.ts";
import { createFence } from "./fence.ts";
import { createFirewall } from "./firewall.ts";
import { openKernelPort, type RtnetlinkPort } from "./kernel-port.ts";
import { openNftables } from "./nftables.ts";
import { isAlive } from "./process.ts";
import { openRoutingPort } from "./routing-port.ts";
import { createSockets } from "./sockets.ts";
import { openVirtualInterfaces } from "./virtual-interfaces.ts";

export function openGuardPort(arena: Arena): Result<GuardPort & { close(): void }, KernelError> {
  const opened = openKernelPort(arena);
  if (!opened.ok) return opened;
  const kernel = opened.value;
  const routed = openRoutingPort(arena);
  if (!routed.ok) {
    kernel.close();
    return routed;
  }
  const routing = routed.value;
  const sender = createAdvertSender(arena, createSockets(arena));
  // A kernel without IPv6 has no instance that needs it.
  sender.open(6);
  const sending = sender.open(4);
  if (!sending.ok) {
    kernel.close();
    routing.close();
    return sending;
  }
  const owned = { arena, owner: process.pid, isAlive };
  const virtual = openVirtualInterfaces({ ...owned, onRefused: () => undefined });
  const nftables = openNftables({ ...owned, watch: null });
  const firewall = createFirewall(nftables);
  const fence = createFence(nftables);
  const clock = createMonotonicClock(arena);
  const removeInterfaces = (limit: number): void => {
    if (!virtual.ok) return;
    const until = clock.now() + limit;
    virtual.value.look();
    while (virtual.value.removeAllBut(NONE, AT_ONCE).length === AT_ONCE && clock.now() < until);
  };
  return ok({
    tidy: () => removeInterfaces(Number.POSITIVE_INFINITY),
    release(orders, statics) {
      const links = new Map(kernel.links().map((link) => [link.name, link]));
      const unrouted = removeRouting(routing, links, [...orders, statics]);
      const { removed, errors } = removeAddresses(kernel, links, orders);
      const resigned = resign(sender, links, orders);
      const unplaced = removeStatics(kernel, links, statics);
      // Last: they carried the addresses, and the priority 0 left by them.
      removeInterfaces(TIDYING);
      firewall.sweep();
      // An address that did not go stays behind the fence.
      if (errors.length === 0) fence.sweep();
      return { removed, errors: [...unrouted, ...errors, ...resigned, ...unplaced] };
    },
    close() {
      kernel.close();
      routing.close();
      sender.dispose();
      if ("close" in nftables) nftables.close();
      if (virtual.ok) virtual.value.close();
    },
  });
}

const NONE: ReadonlySet<string> = new Set();
/** Virtual interfaces removed in one request. */
const AT_ONCE = 8;
/** What a release spends on them at most: the next keeper waits for it to start. */
const TIDYING = millis(100);

type Links = ReadonlyMap<string, Link>;

/** Rules, then routes, each list from its end, as the keeper takes them off. */
function removeRouting(
  routing: RoutingPort,
  links: Links,
  owners: readonly Pick<GuardOrder, "routes" | "rules">[],
): readonly KernelError[] {
  const changes = owners.flatMap(({ routes, rules }): RoutingChange[] => [
    ...rules.toReversed().map((rule): RoutingChange => ({ action: "remove", object: { kind: "rule", rule } })),
    ...routes.toReversed().map((route): RoutingChange => ({ action: "remove", object: { kind: "route", route } })),
  ]);
  if (changes.length === 0) return [];
  return routing.apply(changes, (name) => links.get(name)?.index ?? null).flatMap(({ error }) => error ?? []);
}

function removeStatics(kernel: RtnetlinkPort, links: Links, { addresses }: StaticObjects): readonly KernelError[] {
  const changes = addresses.flatMap(({ address }): AddressChange[] => {
    const link = links.get(address.device);
    return link === undefined ? [] : [{ action: "remove", interfaceIndex: link.index, address, lifetime: null }];
  });
  return kernel.change(changes).map(({ error }) => error);
}

function removeAddresses(
  kernel: RtnetlinkPort,
  links: Links,
  orders: readonly GuardOrder[],
): { removed: readonly IpAddress[]; errors: readonly KernelError[] } {
  const present = new Set(kernel.addresses().map(keyOf));
  const changes = orders
    .flatMap((order) => removalsOf(order, links))
    .filter((change) => present.has(keyOfChange(change)));
  const failures = kernel.change(changes);
  const failed = new Set(failures.map(({ change }) => change));
  return {
    removed: changes.filter((change) => !failed.has(change)).map((change) => change.address.address),
    errors: failures.map(({ error }) => error),
  };
}

function removalsOf(order: GuardOrder, links: Links): AddressChange[] {
  return order.addresses.flatMap((address) => {
    const link = links.get(address.device ?? order.interface);
    // An interface that is gone has taken its addresses along.
    return link === undefined ? [] : [{ action: "remove", interfaceIndex: link.index, address, lifetime: null }];
  });
}

function resign(sender: AdvertSender, links: Links, orders: readonly GuardOrder[]): readonly KernelError[] {
  const slots: number[] = [];
  for (const [slot, { resign: advert, sendsVia: name }] of orders.entries()) {
    const link = links.get(name);
    if (advert === null || link === undefined) continue;
    sender.prepare(slot, {
      interfaceIndex: link.index,
      source: advert.source,
      destinations: advert.packets.map(({ destination }) => destination),
      hopLimit: advert.hopLimit,
      packets: advert.packets.map(({ packet }) => packet),
      seal: advert.seal,
    });
    sender.queue(slot);
    slots.push(slot);
  }
  const failures = sender.flush();
  for (const slot of slots) sender.forget(slot);
  return failures.map(({ error }) => error);
}

function keyOf({
  interfaceIndex,
  address,
  prefixLength,
}: Pick<InterfaceAddress, "interfaceIndex" | "address" | "prefixLength">): string {
  return `${interfaceIndex} ${address}/${prefixLength}`;
}

function keyOfChange({ interfaceIndex, address }: AddressChange): string {
  return keyOf({ interfaceIndex, address: address.address, prefixLength: address.prefixLength });
}
