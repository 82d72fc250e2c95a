/**
 * What the keeper does for the host beside its virtual routers: static objects, the state of links that counts
 * (interface_up_down_delays), and promote_secondaries, which is set back at the stop. Decides no election.
 */
import { type DelayedLink, viewLinks } from "../core/health/link-delays.ts";
import type { Instant } from "../core/lib/units.ts";
import { type HostConfig, type LinkDelay, PLAIN_HOST } from "../core/routing/host.ts";
import type { Link } from "../ports/network.ts";
import type { EnginePorts } from "./engine-ports.ts";
import { StaticCarrier, type StaticHost } from "./static-carrier.ts";
import { addressesOf, type Runtime } from "./vrrp-runtime.ts";

const PROMOTE = "promote_secondaries";

export class HostObjects {
  readonly statics: StaticCarrier;
  readonly #ports: EnginePorts;
  readonly #host: StaticHost;
  #config: HostConfig = PLAIN_HOST;
  #delays: ReadonlyMap<string, LinkDelay> = new Map();
  #memory: ReadonlyMap<string, DelayedLink> = new Map();
  #changesAt: Instant | null = null;
  /** What promote_secondaries was before, by interface. */
  readonly #promoted = new Map<string, string>();

  constructor(ports: EnginePorts, host: StaticHost) {
    this.#ports = ports;
    this.#host = host;
    this.statics = new StaticCarrier(ports, host);
  }

  get nextDeadline(): Instant | null {
    return this.#changesAt;
  }

  /** Before the instances: keepalived too sets static objects first, and addresses may need their routes. */
  configure(config: HostConfig, runtimes: readonly Runtime[]): void {
    this.#config = config;
    this.#delays = new Map(config.linkDelays.map((delay) => [delay.interface, shortened(delay, runtimes)]));
    this.statics.configure(config.statics);
  }

  /** Interfaces that static objects live on. */
  get devices(): readonly string[] {
    const { addresses, routes, rules } = this.#config.statics;
    return [
      ...addresses.map(({ address }) => address.device),
      ...routes.flatMap((route) => [route.device, ...route.nextHops.map((hop) => hop.device)]),
      ...rules.map((rule) => rule.inputDevice),
    ].filter((device) => device !== null);
  }

  /** The links in the state that counts. */
  countedLinks(links: readonly Link[]): readonly Link[] {
    const view = viewLinks(links, this.#memory, { delays: this.#delays, now: this.#ports.clock.now() });
    this.#memory = view.memory;
    this.#changesAt = view.changesAt;
    return view.links;
  }

  /**
   * Sets promote_secondaries where the file asks for it, and where a lease may end the first address of a prefix: the kernel would take
   * the others of that prefix, the host's own among them, along.
   */
  promote(runtimes: readonly Runtime[]): void {
    for (const runtime of runtimes) {
      for (const device of devicesToPromote(runtime)) this.#promoteOn(device);
    }
  }

  stop(): void {
    this.statics.removeAll();
    for (const [device, value] of this.#promoted) this.#ports.settings.write(device, PROMOTE, value);
    this.#promoted.clear();
  }

  #promoteOn(device: string): void {
    if (this.#promoted.has(device) || this.#host.deviceIndex(device) === null) return;
    const before = this.#ports.settings.read(device, PROMOTE);
    if (before === null || before === "1") return;
    this.#promoted.set(device, before);
    const error = this.#ports.settings.write(device, PROMOTE, "1");
    if (error === null) return;
    this.#host.event({ kind: "routing-failed", instance: null, detail: `${error.what}: ${error.errno}` });
  }
}

function devicesToPromote({ config }: Runtime): readonly string[] {
  if (config.promoteSecondaries) return [config.interface];
  if (config.leaseSeconds === null) return [];
  return addressesOf(config)
    .filter(({ address, prefixLength }) => !address.includes(":") && prefixLength < 32)
    .map(({ device }) => device ?? config.interface);
}

/** A peer must not time out before we go to FAULT: the delay stays below the adverts that may be missing (keepalived.conf(5)). */
function shortened(delay: LinkDelay, runtimes: readonly Runtime[]): LinkDelay {
  const limits = runtimes
    .filter(({ config }) => config.interface === delay.interface)
    .map(({ config }) => (config.downTimerAdverts - 1) * config.advertInterval - 1);
  const limit = Math.max(0, Math.min(...limits, Number.POSITIVE_INFINITY));
  return {
    ...delay,
    down: Math.min(delay.down, limit) as LinkDelay["down"],
    up: Math.min(delay.up, limit) as LinkDelay["up"],
  };
}
