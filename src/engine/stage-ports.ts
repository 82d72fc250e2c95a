/**
 * Ports that do nothing, for the warm-up and the rehearsal. What they are given they encode as the real ones would, because that code is
 * to be warm as well; nothing leaves the process.
 */
import { gratuitousArp } from "../core/arp/frame.ts";
import type { IpAddress } from "../core/lib/ip.ts";
import { err } from "../core/lib/result.ts";
import { addAddress, removeAddress, renewAddress } from "../core/netlink/addresses.ts";
import { buildFence, FENCE_TABLE, renewFence } from "../core/nftables/fence.ts";
import { type TableOrder, writeBatch } from "../core/nftables/messages.ts";
import type { AddressChange, Link } from "../ports/network.ts";
import type { EnginePorts } from "./engine-ports.ts";
import { IDLE_ROUTING, IDLE_SETTINGS } from "./idle-ports.ts";

const OWN = "192.0.2.1" as IpAddress;
const LINK: Link = { index: 1, name: "eth0", usable: true, mac: new Uint8Array(6), mtu: 1500 };
const ENCODE = { add: addAddress, renew: renewAddress, remove: removeAddress } as const;

export function stagePorts(): Omit<EnginePorts, "clock" | "keys" | "send"> {
  return {
    pid: 0,
    adverts: {
      open: () => ({ ok: true, value: undefined }),
      close: () => undefined,
      listen: () => undefined,
      prepare: () => undefined,
      forget: () => undefined,
      queue: () => undefined,
      flush: () => [],
    },
    kernel: {
      links: () => [LINK],
      addresses: () => [
        { interfaceIndex: 1, address: OWN, prefixLength: 24, secondary: false, tentative: false, validSeconds: null },
      ],
      change: encodeAll,
    },
    announce: {
      announce: (link, addresses, repeat) => {
        for (const address of addresses) gratuitousArp(link.mac, address);
        return { frames: addresses.length * repeat, error: null };
      },
    },
    conflicts: { watch: () => undefined },
    routing: IDLE_ROUTING,
    settings: IDLE_SETTINGS,
    virtualInterfaces: {
      look: () => undefined,
      ensure: ({ name }) => err({ errno: "EOPNOTSUPP", what: `create ${name}` }),
      removeAllBut: () => [],
      silenceLocalReports: () => undefined,
    },
    firewall: { apply: () => null, sweep: () => [] },
    fence: {
      set: (entries) => encodeFence(buildFence({ ...FENCE, comment: "" }, entries)),
      renew: (entries) => encodeFence(renewFence(FENCE, entries)),
      sweep: () => [],
    },
  };
}

const FENCE = { name: FENCE_TABLE, arp: true };

function encodeFence(orders: readonly TableOrder[]): null {
  writeBatch(orders, 1);
  return null;
}

function encodeAll(changes: readonly AddressChange[]): readonly [] {
  for (const [position, change] of changes.entries()) ENCODE[change.action](change, position);
  return [];
}
