/** What a directed scenario needs: a world with every option fixed, looking at it, and saying what was expected. */
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { virtualAddress } from "./configs.ts";
import type { SimOptions } from "./options.ts";
import { drawSetup } from "./options.ts";
import { World } from "./world.ts";

export const SECOND = 1_000_000;

export class ScenarioFailure extends Error {}

/** Two nodes, one instance, version 2 at one second; node 2 has the higher priority. */
const PLAIN: SimOptions = {
  seed: 1,
  hours: 1,
  nodes: 2,
  instances: 1,
  version: 2,
  intervalMillis: 1_000,
  nopreempt: false,
  equalPriorities: false,
  gates: false,
  lease: "default",
  fence: false,
  unicast: false,
  mixedIntervals: false,
  groups: false,
};

export function makeWorld(
  changes: Partial<SimOptions> = {},
  adapt?: (config: VrrpInstanceConfig, node: number) => VrrpInstanceConfig,
): World {
  return new World(drawSetup({ ...PLAIN, ...changes }), adapt);
}

/** A world in which both daemons have run for so long that node 2 (priority 150) holds the address. */
export function settledWorld(changes: Partial<SimOptions> = {}): World {
  const world = makeWorld(changes);
  world.startAll();
  pass(world, 20 * SECOND);
  return world;
}

/** Numbers of the nodes that answer for the first virtual address, from 1. */
export function holders(world: World): number[] {
  const address = virtualAddress(0);
  return world.hosts.filter((host) => host.answers(address)).map((host) => host.node + 1);
}

export function clientTalksTo(world: World): number | null {
  const owner = world.client.owner(virtualAddress(0));
  return owner === null ? null : owner + 1;
}

/** Lets time pass; an invariant that breaks ends the scenario. */
export function pass(world: World, micros: number): void {
  world.run(micros);
  const { violation } = world;
  if (violation !== null) {
    const lines = world.trace.lines(30).join("\n");
    throw new ScenarioFailure(`${violation.rule}: ${violation.text}\n${lines}`);
  }
}

/** Looks every millisecond. */
export function passWatching(world: World, micros: number, look: () => void): void {
  const end = world.now + micros;
  while (world.now < end) {
    pass(world, Math.min(1_000, end - world.now));
    look();
  }
}

/** Time until the condition holds. */
export function timeUntil(world: World, limit: number, condition: () => boolean): number {
  const start = world.now;
  while (!condition()) {
    if (world.now - start > limit) fail(world, `waited ${limit / 1_000} ms in vain`);
    pass(world, 1_000);
  }
  return world.now - start;
}

export function expectHolders(world: World, ...nodes: number[]): void {
  expectThat(world, sameList(holders(world), nodes), `holders are [${holders(world)}], expected [${nodes}]`);
}

export function expectThat(world: World, condition: boolean, text: string): void {
  if (!condition) fail(world, text);
}

export function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, at) => item === b[at]);
}

function fail(world: World, text: string): never {
  throw new ScenarioFailure(`at ${(world.now / SECOND).toFixed(3)} s: ${text}\n${world.trace.lines(30).join("\n")}`);
}
