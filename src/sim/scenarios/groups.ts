/** Sync groups, as directed scenarios: a fault, a lost address or a better master of one instance moves all of them. */
import type { VrrpInstanceConfig } from "../../core/vrrp/config.ts";
import { virtualAddress } from "../configs.ts";
import { expectThat, makeWorld, pass, SECOND, sameList } from "../scenario.ts";
import type { World } from "../world.ts";

type Adapt = (config: VrrpInstanceConfig, node: number) => VrrpInstanceConfig;

/** Two nodes with VI_1 and VI_2 in one group, both started 20 s ago. */
function grouped(adapt: Adapt, start: (world: World) => void = (world) => world.startAll()): World {
  const world = makeWorld({ instances: 2, groups: true }, adapt);
  start(world);
  pass(world, 20 * SECOND);
  return world;
}

const asIs: Adapt = (config) => config;
/** Only VI_2 has the check. */
const secondChecked: Adapt = (config) => (config.name === "VI_1" ? { ...config, trackScripts: [] } : config);

function expectBothWith(world: World, node: number): void {
  for (const instance of [0, 1]) {
    const held = world.hosts.filter((host) => host.answers(virtualAddress(instance))).map((host) => host.node + 1);
    expectThat(world, sameList(held, [node]), `VI_${instance + 1} is with [${held}], expected [${node}]`);
  }
}

export const GROUPS: Readonly<Record<string, () => void>> = {
  "group: a check of one instance moves both, and both come back": () => {
    const world = grouped(secondChecked);
    expectBothWith(world, 2);
    world.host(1).setCheck(false);
    pass(world, 10 * SECOND);
    expectBothWith(world, 1);
    world.host(1).setCheck(true);
    pass(world, 20 * SECOND);
    expectBothWith(world, 2);
  },
  "group: a lost address of one instance gives both up, and nobody is left with one of them": () => {
    for (const instance of [0, 1]) {
      const world = grouped(asIs);
      world.host(1).removeAddress(virtualAddress(instance));
      pass(world, 10 * SECOND);
      expectBothWith(world, 2);
    }
  },
  "group: a node that is better in one instance only gets none": () => {
    const better: Adapt = (config, node) =>
      node === 0 && config.name === "VI_1" ? { ...config, priority: 200 } : config;
    const world = grouped(better, (started) => {
      started.host(1).startDaemon();
      pass(started, 10 * SECOND);
      started.host(0).startDaemon();
    });
    expectBothWith(world, 2);
    world.host(1).stopDaemon();
    pass(world, 10 * SECOND);
    expectBothWith(world, 1);
  },
  "group: the notify script of the group hears each state once": () => {
    const world = grouped(secondChecked);
    world.host(1).setCheck(false);
    pass(world, 10 * SECOND);
    const told = world.invariants.told
      .filter((entry) => entry.node === 1)
      .map((entry) => `${entry.instance} ${entry.state}`);
    for (const name of ["VI_1", "VI_2", "G1"]) {
      const heard = told.filter((line) => line.startsWith(`${name} `)).map((line) => line.split(" ")[1] ?? "");
      expectThat(world, sameList(heard, ["BACKUP", "MASTER", "FAULT"]), `${name} heard ${heard.join(" ")}`);
    }
  },
};
