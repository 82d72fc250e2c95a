/**
 * Where received packets come in: finds the virtual router they are for, lets vrrp-receive.ts judge them, watches for floods and storms,
 * names virtual routers that are not ours where that is wanted, and tells all of it packet by packet while somebody debugs. Decides
 * nothing about elections.
 */
import type { IpAddress } from "../core/lib/ip.ts";
import { after, type Instant, seconds } from "../core/lib/units.ts";
import { peekSource, peekVirtualRouterId } from "../core/vrrp/packet.ts";
import type { AdvertChannel, ReceivedPacket } from "../ports/network.ts";
import { countsAsStorm, mostPerSecond, ReceiveGate } from "./receive-gate.ts";
import type { EffectRunner } from "./vrrp-effects.ts";
import { type AddresseeTable, addresseeKey, addresseeTable, receivePacket } from "./vrrp-receive.ts";
import type { Runtime } from "./vrrp-runtime.ts";

/** An unknown virtual router is named once in this time. */
const NAMED_AGAIN = seconds(60);
/** Unknown virtual routers remembered: 255 on each interface at most, and a flood must not fill memory. */
const NAMES_MAX = 1_024;

export class PacketDesk {
  readonly #effects: EffectRunner;
  readonly #gate: ReceiveGate;
  readonly #named = new Map<number, Instant>();
  #table: AddresseeTable = new Map();
  #logUnknown = false;

  constructor(effects: EffectRunner) {
    this.#effects = effects;
    this.#gate = new ReceiveGate(effects.ports.adverts);
  }

  get nextDeadline(): Instant | null {
    return this.#gate.nextDeadline;
  }

  /** Instances, links or configurations may have changed. */
  follow(runtimes: readonly Runtime[], now: Instant): void {
    this.#table = addresseeTable(runtimes);
    this.#logUnknown = runtimes.some(({ config }) => config.receive.logUnknownVrids);
    this.#gate.follow(runtimes, now);
  }

  tick(now: Instant): void {
    this.#gate.tick(now);
  }

  receive(received: ReceivedPacket): void {
    const family = received.header === null ? 4 : 6;
    const virtualRouterId = peekVirtualRouterId(received.packet, family) ?? 0;
    const key = addresseeKey(received.interfaceIndex, family, virtualRouterId);
    const runtime = this.#table.get(key);
    const now = this.#effects.ports.clock.now();
    // Other people's virtual routers share the segment: their adverts are no fault of ours.
    if (runtime === undefined) {
      if (this.#logUnknown) this.#unknown(received, virtualRouterId, key, now);
      return;
    }
    this.#watchStorm(runtime, received, now);
    const refused = receivePacket(runtime, this.#effects, received);
    if (refused !== null) this.#refused(received, refused, now);
  }

  #refused(received: ReceivedPacket, reason: Parameters<ReceiveGate["refused"]>[2], now: Instant): void {
    const shut = this.#gate.refused(received.interfaceIndex, channelOfPacket(received), reason, now);
    if (shut === null) return;
    const { interface: on, packets } = shut;
    this.#effects.event({ kind: "advert-flood", interface: on, reason, packets, source: sourceOf(received) });
  }

  #watchStorm(runtime: Runtime, received: ReceivedPacket, now: Instant): void {
    const limit = mostPerSecond(runtime);
    const packets = countsAsStorm(runtime.storm, limit, now);
    if (packets === null) return;
    const instance = runtime.config.name;
    this.#effects.event({ kind: "advert-storm", instance, source: sourceOf(received), packets, limit });
  }

  /** keepalived names each packet; one of a kind in a minute says the same. */
  #unknown(received: ReceivedPacket, virtualRouterId: number, key: number, now: Instant): void {
    this.#refused(received, "unknown-vrid", now);
    const quietUntil = this.#named.get(key);
    if (quietUntil !== undefined && now < quietUntil) return;
    if (this.#named.size >= NAMES_MAX) this.#named.clear();
    this.#named.set(key, after(now, NAMED_AGAIN));
    const link = this.#effects.addresses.links.find(({ index }) => index === received.interfaceIndex);
    const detail = `Unknown VRID(${virtualRouterId}) received on interface(${link?.name ?? received.interfaceIndex}). ignoring...`;
    this.#effects.event({ kind: "drop", instance: null, reason: "unknown-vrid", source: sourceOf(received), detail });
  }
}

const UNKNOWN_SOURCE = "0.0.0.0" as IpAddress;
const AH = 51;

/** Too short for a source address: nothing better to name than nothing. */
export function sourceOf({ packet, header }: ReceivedPacket): IpAddress {
  return peekSource(packet, header) ?? UNKNOWN_SOURCE;
}

function channelOfPacket({ packet, header }: ReceivedPacket): AdvertChannel {
  if (header !== null) return 6;
  return packet[9] === AH ? "ah" : 4;
}
