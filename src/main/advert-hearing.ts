/** What a daemon does when a peer's doctor asks whether its test advert arrives: it listens for a moment, by two kinds of sockets (core/doctor). */
import type { HoldfastConfig } from "../core/config/model.ts";
import { heardKey, hearsVia } from "../core/doctor/adverts.ts";
import { isTestAdvert, TEST_ROUTER } from "../core/doctor/test-advert.ts";
import type { PeerAnswer, PeerAsk } from "../core/peer-link/questions.ts";
import { type AdvertTap, createAdvertTap } from "../linux/advert-tap.ts";
import type { Arena } from "../linux/arena.ts";
import { readInterfaces } from "../linux/interface-facts.ts";
import { createSockets } from "../linux/sockets.ts";
import { placesOf } from "./listen-places.ts";

export type AdvertHearing = (ask: PeerAsk<"advert-test">) => Promise<PeerAnswer<"advert-test">>;

/** The asking host sends several times meanwhile. */
const HEAR_SECONDS = 0.6;

export function createAdvertHearing(arena: Arena, config: () => HoldfastConfig): AdvertHearing {
  const sockets = createSockets(arena);
  let tap: AdvertTap | null = null;
  let busy = false;
  const hear: AdvertHearing = async ({ virtualRouterId, family, nonce }) => {
    const none = { interface: null, arrived: false, delivered: null, ah: false };
    const vrrp = config()
      .instances.map((one) => one.vrrp)
      .find((one) => one.virtualRouterId === virtualRouterId && one.family === family);
    const ah = vrrp?.authentication.kind === "ah";
    if (vrrp === undefined) {
      const problem = `no virtual router ${virtualRouterId} of IPv${family} is configured there`;
      return { ...none, problem, wallMillis: Date.now() };
    }
    const devices = new Map(readInterfaces(arena, new Set(), sockets).map((one) => [one.name, one]));
    tap ??= createAdvertTap(arena);
    const listened = await tap.listen(placesOf(vrrp, devices), HEAR_SECONDS);
    if (!listened.ok) return { ...none, ah, problem: listened.error, wallMillis: Date.now() };
    const { adverts, delivered } = listened.value;
    const key = heardKey(hearsVia(vrrp), family, TEST_ROUTER);
    return {
      interface: hearsVia(vrrp),
      arrived: adverts.some(({ direction, packet }) => direction === "in" && isTestAdvert(packet, nonce)),
      delivered: delivered === null ? null : delivered.has(key),
      problem: null,
      ah,
      wallMillis: Date.now(),
    };
  };
  return async (ask) => {
    // One at a time: it shares its sockets' buffers, and nobody needs two.
    if (busy) throw new Error("it listens for another test already");
    busy = true;
    try {
      return await hear(ask);
    } finally {
      busy = false;
    }
  };
}
