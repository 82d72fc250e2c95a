/**
 * Control's own hands on the kernel, for the moment after its keeper has died: takes the keeper's addresses off in one batch, then
 * says priority 0 in its name. Sockets are opened beforehand; a release only uses them. Decides nothing.
 */
import type { IpAddress } from "../core/lib/ip.ts";
import { ok, type Result } from "../core/lib/result.ts";
import type { GuardOrder, GuardPort } from "../ports/guard.ts";
import type { AddressChange, InterfaceAddress, KernelError, Link } from "../ports/network.ts";
import { type AdvertSender, createAdvertSender } from "./advert-sender.ts";
import type { Arena } from "./arena.ts";
import { openKernelPort, type RtnetlinkPort } from "./kernel-port.ts";
import { createSockets } from "./sockets.ts";

export function openGuardPort(arena: Arena): Result<GuardPort & { close(): void }, KernelError> {
  const opened = openKernelPort(arena);
  if (!opened.ok) return opened;
  const kernel = opened.value;
  const sender = createAdvertSender(arena, createSockets(arena));
  // A kernel without IPv6 has no instance that needs it.
  sender.open(6);
  const sending = sender.open(4);
  if (!sending.ok) {
    kernel.close();
    return sending;
  }
  return ok({
    release(orders) {
      const links = new Map(kernel.links().map((link) => [link.name, link]));
      const { removed, errors } = removeAddresses(kernel, links, orders);
      return { removed, errors: [...errors, ...resign(sender, links, orders)] };
    },
    close() {
      kernel.close();
      sender.dispose();
    },
  });
}

type Links = ReadonlyMap<string, Link>;

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
  for (const [slot, { resign: advert, interface: name }] of orders.entries()) {
    const link = links.get(name);
    if (advert === null || link === undefined) continue;
    sender.prepare(slot, {
      interfaceIndex: link.index,
      source: advert.source,
      destinations: advert.packets.map(({ destination }) => destination),
      hopLimit: advert.hopLimit,
      packets: advert.packets.map(({ packet }) => packet),
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
