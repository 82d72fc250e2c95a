/**
 * N hosts, a client and a gateway on one segment, in virtual time. It picks whatever happens next, lets it happen, and
 * has the invariants checked after it. Scenarios and the fault scheduler act on it through hosts and network.
 */
import type { IpAddress } from "../core/lib/ip.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { Client } from "./client.ts";
import { instanceConfig, nodeAddress } from "./configs.ts";
import type { DatabaseEquipment } from "./control-model.ts";
import { Disturbances } from "./disturbance.ts";
import { EventQueue } from "./event-queue.ts";
import { Host } from "./host.ts";
import { Invariants } from "./invariants.ts";
import { Network } from "./network.ts";
import type { Setup } from "./options.ts";
import { createPrng, type Prng } from "./prng.ts";
import type { Scene } from "./scene.ts";
import { Trace } from "./trace.ts";
import type { Violation } from "./tracks.ts";

/** An ARP entry that nothing confirms lives about this long in Linux. */
const REVALIDATE = 45_000_000;

/** Every promise that can go on has done so. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class World implements Scene {
  readonly setup: Setup;
  readonly prng: Prng;
  readonly queue = new EventQueue();
  readonly trace = new Trace();
  readonly client = new Client();
  readonly disturbances: Disturbances;
  readonly network: Network;
  readonly hosts: readonly Host[];
  readonly invariants: Invariants;
  /** After every event, for rules of what this world is about. */
  onEvent: () => void = () => undefined;
  #now = 0;
  #events = 0;
  #violation: Violation | null = null;

  constructor(
    setup: Setup,
    adapt: (config: VrrpInstanceConfig, node: number) => VrrpInstanceConfig = (it) => it,
    databases: (node: number) => DatabaseEquipment | null = () => null,
  ) {
    this.setup = setup;
    this.prng = createPrng(setup.seed);
    const now = (): number => this.#now;
    // Client and gateway are endpoints without faults of their own.
    this.disturbances = new Disturbances(setup.nodes + 2, now);
    this.network = new Network({
      nodes: setup.nodes,
      endpoints: setup.nodes + 2,
      queue: this.queue,
      now,
      prng: this.prng.fork("network"),
      disturbances: this.disturbances,
    });
    const configs = Array.from({ length: setup.nodes }, (_, node) =>
      Array.from({ length: setup.instances }, (__, instance) => adapt(instanceConfig(setup, node, instance), node)),
    );
    this.invariants = new Invariants(this, configs);
    this.hosts = configs.map((own, node) => this.#makeHost(node, own, databases(node)));
    this.queue.push(REVALIDATE, () => this.#revalidate());
  }

  /** True time, microseconds. */
  get now(): number {
    return this.#now;
  }

  get events(): number {
    return this.#events;
  }

  get violation(): Violation | null {
    return this.#violation;
  }

  /** Endpoint number of the client; the gateway is the next one. */
  get clientEndpoint(): number {
    return this.setup.nodes;
  }

  get gatewayEndpoint(): number {
    return this.setup.nodes + 1;
  }

  host(node: number): Host {
    const host = this.hosts[node];
    if (host === undefined) throw new Error(`no node ${node + 1}`);
    return host;
  }

  startAll(): void {
    for (const host of this.hosts) host.startDaemon();
  }

  /** Says in the trace what was done to the world. */
  note(text: string): void {
    this.trace.add(this.#now, "world", "fault", text);
  }

  after(micros: number, action: () => void): void {
    this.queue.push(this.#now + micros, action);
  }

  /** Lets so much time pass; stops early at a violation. */
  run(micros: number): void {
    const end = this.#now + micros;
    while (this.#violation === null && this.#step(end)) {
      // Everything happens in #step.
    }
    // A process that stood still within this run may have let the world run on for longer.
    if (this.#violation === null && end > this.#now) this.#now = end;
  }

  /** The same for hosts with databases, whose engines wait for answers: promises settle after every event. */
  async runSettling(micros: number): Promise<void> {
    const end = this.#now + micros;
    await settled();
    while (this.#violation === null && this.#step(end)) await settled();
    if (this.#violation === null && end > this.#now) this.#now = end;
  }

  fail(violation: Violation): void {
    this.#violation ??= violation;
  }

  #step(end: number): boolean {
    let next = this.queue.nextAt();
    let host: Host | null = null;
    for (const candidate of this.hosts) {
      const at = candidate.nextEvent();
      if (at < next) {
        next = at;
        host = candidate;
      }
    }
    if (next > end) return false;
    // A host's clock is a float away from true time: never step back.
    if (next > this.#now) this.#now = next;
    this.#events++;
    if (host === null) this.queue.take()?.();
    else host.runNext();
    this.invariants.check();
    this.onEvent();
    return true;
  }

  #makeHost(node: number, configs: readonly VrrpInstanceConfig[], databases: DatabaseEquipment | null): Host {
    return new Host({
      node,
      configs,
      prng: this.prng.fork(`host ${node}`),
      observer: this.invariants,
      disturbances: this.disturbances,
      trueNow: () => this.#now,
      transmit: (from, packet, destination) => this.#transmit(from, packet, destination),
      broadcast: (from, addresses, repeat) => this.#broadcast(from, addresses, repeat),
      letWorldRun: (micros) => this.run(micros),
      databases,
    });
  }

  #transmit(from: number, packet: Uint8Array, destination: IpAddress): void {
    for (const host of this.hosts) {
      if (host.node === from) continue;
      const multicast = destination.startsWith("224.");
      if (!multicast && nodeAddress(host.node) !== destination) continue;
      this.network.send(from, host.node, () => {
        // Cut or not, a receiver whose link is down hears nothing.
        host.receive(packet);
      });
    }
  }

  /** Frames of a burst follow one another at once; they are lost one by one. */
  #broadcast(from: number, addresses: readonly IpAddress[], repeat: number): void {
    for (let frame = 0; frame < repeat; frame++) {
      this.network.send(from, this.clientEndpoint, () => {
        for (const address of addresses) this.client.learn(address, from);
      });
    }
  }

  #revalidate(): void {
    for (const config of this.host(0).configs) {
      for (const { address } of config.advertised) {
        const answers = (node: number): boolean =>
          this.host(node).answers(address) && this.network.connected(node, this.clientEndpoint);
        this.client.revalidate(address, answers, this.setup.nodes);
      }
    }
    this.after(REVALIDATE, () => this.#revalidate());
  }
}
