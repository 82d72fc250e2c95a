/**
 * What the receiving sockets let in, and for how long a flood shuts them: tells the kernel which virtual routers, versions, lengths and
 * sources are expected on each socket, and notices adverts that no honest segment could carry.
 *
 * Ordinarily everything for one of our virtual routers comes in, so that a mistake of a peer is counted and explained. Too
 * many bad packets in a second, and the kernel drops those it can tell until SHUT_FOR has passed; then they are looked at anew.
 */
import { ipBytes } from "../core/lib/ip.ts";
import { after, type Instant, seconds } from "../core/lib/units.ts";
import { TRAILER_BYTES } from "../core/vrrp/message.ts";
import { advertLayout } from "../core/vrrp/packet.ts";
import type { ExpectedAdvert } from "../core/vrrp/receive-filter.ts";
import type { DropReason } from "../core/vrrp/status.ts";
import type { AdvertChannel, AdvertPort, ListenPlan } from "../ports/network.ts";
import { channelOf, type Runtime, type StormWatch } from "./vrrp-runtime.ts";

/** Bad packets of a second on one socket; one misconfigured neighbour at 10 ms sends as many. */
const BAD_PER_SECOND = 100;
const SECOND = seconds(1);
const SHUT_FOR = seconds(10);
/** What the kernel can tell by itself. */
const FILTERABLE: ReadonlySet<DropReason> = new Set(["unknown-vrid", "version", "length", "truncated", "not-a-peer"]);

interface Gate {
  readonly interfaceIndex: number;
  readonly channel: AdvertChannel;
  readonly runtimes: Runtime[];
  windowSince: Instant;
  bad: number;
  shutUntil: Instant | null;
}

/** A socket that a flood has shut. */
export interface ShutSocket {
  readonly interface: string;
  readonly reason: DropReason;
  /** Bad packets in that second, until it was shut. */
  readonly packets: number;
}

export class ReceiveGate {
  readonly #port: AdvertPort;
  #gates = new Map<string, Gate>();
  /** What the plans were made from. */
  #made: readonly unknown[] = [];

  constructor(port: AdvertPort) {
    this.#port = port;
  }

  /** When the first shut socket opens again; null when none is shut. */
  get nextDeadline(): Instant | null {
    let first: Instant | null = null;
    for (const { shutUntil } of this.#gates.values()) {
      if (shutUntil !== null && (first === null || shutUntil < first)) first = shutUntil;
    }
    return first;
  }

  /** Instances, links or configurations may have changed. */
  follow(runtimes: readonly Runtime[], now: Instant): void {
    const made = runtimes.flatMap(({ hearLink, config, retired }) => [hearLink?.index, hearLink?.mtu, config, retired]);
    if (made.length === this.#made.length && made.every((part, at) => part === this.#made[at])) return;
    this.#made = made;
    const before = this.#gates;
    this.#gates = new Map();
    for (const runtime of runtimes) {
      const index = runtime.hearLink?.index;
      if (index === undefined) continue;
      const channel = channelOf(runtime.config);
      const key = `${index} ${channel}`;
      const gate = this.#gates.get(key);
      if (gate !== undefined) gate.runtimes.push(runtime);
      else {
        const { windowSince = now, bad = 0, shutUntil = null } = before.get(key) ?? {};
        this.#gates.set(key, { interfaceIndex: index, channel, runtimes: [runtime], windowSince, bad, shutUntil });
      }
    }
    this.#listen();
  }

  /** A packet was refused; the socket that it shut, if it did. */
  refused(interfaceIndex: number, channel: AdvertChannel, reason: DropReason, now: Instant): ShutSocket | null {
    if (!FILTERABLE.has(reason)) return null;
    const gate = this.#gates.get(`${interfaceIndex} ${channel}`);
    if (gate === undefined || gate.shutUntil !== null) return null;
    if (now - gate.windowSince > SECOND) {
      gate.windowSince = now;
      gate.bad = 0;
    }
    gate.bad++;
    if (gate.bad <= BAD_PER_SECOND) return null;
    gate.shutUntil = after(now, SHUT_FOR);
    this.#listen();
    return { interface: gate.runtimes[0]?.hearLink?.name ?? "", reason, packets: gate.bad };
  }

  /** Opens what has been shut for long enough. */
  tick(now: Instant): void {
    let opened = false;
    for (const gate of this.#gates.values()) {
      if (gate.shutUntil === null || gate.shutUntil > now) continue;
      gate.shutUntil = null;
      gate.windowSince = now;
      gate.bad = 0;
      opened = true;
    }
    if (opened) this.#listen();
  }

  #listen(): void {
    this.#port.listen([...this.#gates.values()].map(planOf));
  }
}

function planOf({ interfaceIndex, channel, runtimes, shutUntil }: Gate): ListenPlan {
  return {
    interfaceIndex,
    channel,
    expected: runtimes.map(expectedOf),
    unknownToo: runtimes.some(({ config }) => config.receive.logUnknownVrids),
    shut: shutUntil !== null,
    bufferBytes: bufferOf(runtimes),
  };
}

function expectedOf({ config }: Runtime): ExpectedAdvert {
  const { virtualRouterId, version, family, transport, authHmac } = config;
  const known = transport.kind === "unicast" && transport.checkSource;
  return {
    virtualRouterId,
    version,
    tail: family === 4 && version === 2 ? 8 : 0,
    trailer: authHmac === null ? null : TRAILER_BYTES,
    sources: known ? transport.peers.map(ipBytes) : null,
  };
}

/** keepalived: the instances of a socket add up. Null when none of them asks for anything. */
function bufferOf(runtimes: readonly Runtime[]): number | null {
  let sum = 0;
  for (const { config, hearLink } of runtimes) {
    const { buffer } = config.receive;
    if (buffer.kind === "bytes") sum += buffer.bytes;
    else if (buffer.kind === "mtu") sum += buffer.count * (hearLink?.mtu ?? 1500);
    else if (buffer.kind === "adverts") {
      const { end, trailer } = advertLayout(config);
      sum += buffer.count * (end + trailer);
    }
  }
  return sum === 0 ? null : Math.min(sum, 0x7fff_ffff);
}

/** Routers of a group that may speak at once while they elect; more than a handful is unheard of. */
const ROUTERS_MAX = 8;
/** Answers and last words beyond one advert an interval. */
const EXTRA = 10;
const ALARM_PAUSE = seconds(60);

/** The most adverts that this virtual router can be sent in a second by honest hosts. */
export function mostPerSecond({ config, state: { role } }: Runtime): number {
  const { advertInterval, transport, downTimerAdverts } = config;
  const routers = transport.kind === "unicast" ? transport.peers.length : ROUTERS_MAX;
  // A master of version 3 may be faster than we are.
  const interval = role.kind === "backup" ? Math.min(advertInterval, role.masterAdvertInterval) : advertInterval;
  return Math.ceil(SECOND / interval) * routers * Math.max(2, downTimerAdverts) + EXTRA;
}

/** Counts one more packet; how many it makes in this second when that is an alarm, else null. */
export function countsAsStorm(watch: StormWatch, limit: number, now: Instant): number | null {
  if (now - watch.since > SECOND) {
    watch.since = now;
    watch.packets = 0;
  }
  watch.packets++;
  if (watch.packets <= limit || now < watch.quietUntil) return null;
  watch.quietUntil = after(now, ALARM_PAUSE);
  return watch.packets;
}
