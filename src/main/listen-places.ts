/** Where adverts of an instance are listened for. */
import { hearsVia } from "../core/doctor/adverts.ts";
import type { InterfaceFacts } from "../core/dumps/input.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import type { ListenPlace } from "../linux/advert-tap.ts";

export function placesOf(
  vrrp: VrrpInstanceConfig,
  devices: ReadonlyMap<string, InterfaceFacts>,
): readonly ListenPlace[] {
  const { transport, family, authentication } = vrrp;
  const channel = authentication.kind === "ah" ? "ah" : family;
  return [...new Set([vrrp.interface, hearsVia(vrrp)])].flatMap((name): readonly ListenPlace[] => {
    const device = devices.get(name);
    if (device === undefined) return [];
    const mac = Uint8Array.from((device.mac ?? "").split(":"), (part) => Number.parseInt(part, 16));
    const link = { index: device.index, name, usable: device.running, mac, mtu: device.mtu };
    return [{ link, channel, transport }];
  });
}
