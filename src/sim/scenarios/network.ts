/** What the wire does to a pair that is otherwise in order. */
import { virtualAddress } from "../configs.ts";
import {
  clientTalksTo,
  expectHolders,
  expectThat,
  holders,
  makeWorld,
  pass,
  passWatching,
  SECOND,
  settledWorld,
  timeUntil,
} from "../scenario.ts";

const MINUTE = 60 * SECOND;

export const NETWORK: Readonly<Record<string, () => void>> = {
  "ten quiet minutes: one takeover, adverts on an absolute schedule": () => {
    for (const version of [2, 3] as const) {
      const world = makeWorld({ version, nodes: 3 });
      world.startAll();
      pass(world, 10 * MINUTE);
      expectThat(world, world.invariants.takeovers === 1, `${world.invariants.takeovers} takeovers`);
      expectThat(world, clientTalksTo(world) === 3, "the client talks to somebody else");
    }
  },
  "version 3: a BACKUP of a slower master learns its interval": () => {
    const world = makeWorld({ version: 3, mixedIntervals: true, nodes: 3, nopreempt: true });
    // Node 2 has the longest interval.
    world.host(1).startDaemon();
    pass(world, 10 * SECOND);
    world.startAll();
    passWatching(world, 30 * SECOND, () => expectHolders(world, 2));
    world.host(1).powerOff();
    // 3 intervals of 2.5 s and a skew of at most one, counted from the last advert.
    const took = timeUntil(world, 10 * SECOND, () => holders(world).length === 1);
    expectThat(world, took >= 5 * SECOND, `somebody claimed after ${took / 1_000} ms`);
  },
  "link flap: FAULT while it is down, the address back afterwards, never on both": () => {
    const world = settledWorld();
    for (const down of [0.01, 0.5, 3, 8]) {
      world.host(1).setLink(false);
      pass(world, 1_000);
      expectThat(world, !world.host(1).kernel.has(virtualAddress(0)), "the address is on a dead link");
      pass(world, down * SECOND);
      world.host(1).setLink(true);
      pass(world, 20 * SECOND);
      expectHolders(world, 2);
    }
  },
  "duplicate delivery changes nothing": () => {
    const world = settledWorld();
    const before = world.invariants.takeovers;
    world.network.impair({ loss: 0, delay: 5_000, duplication: 1 });
    passWatching(world, 30 * SECOND, () => expectHolders(world, 2));
    world.host(1).stopDaemon();
    pass(world, 10 * SECOND);
    expectHolders(world, 1);
    world.host(1).startDaemon();
    pass(world, 20 * SECOND);
    expectHolders(world, 2);
    expectThat(world, world.invariants.takeovers === before + 2, "more takeovers than faults");
  },
  "one-way cut: a deaf standby claims, and the end of the cut leaves one holder and a client that knows it": () => {
    const world = settledWorld();
    const mend = world.network.cut(1, 0);
    pass(world, 10 * SECOND);
    expectHolders(world, 1, 2);
    mend();
    timeUntil(world, 1_010_000, () => holders(world).length === 1);
    expectHolders(world, 2);
    pass(world, 10_000);
    expectThat(world, clientTalksTo(world) === 2, "the client still talks to the loser");
  },
  "one-way cut: a master that nobody hears yields to the one it hears, if that one is higher": () => {
    const world = makeWorld({ nopreempt: true });
    world.host(0).startDaemon();
    pass(world, 10 * SECOND);
    const mend = world.network.cut(0, 1);
    world.host(1).startDaemon();
    pass(world, 10 * SECOND);
    expectHolders(world, 2);
    mend();
    passWatching(world, 10 * SECOND, () => expectHolders(world, 2));
  },
  "foreign removal of the address: released, announced, elected again": () => {
    const world = settledWorld();
    world.host(1).removeAddress(virtualAddress(0));
    pass(world, 2_000);
    expectHolders(world);
    pass(world, 20 * SECOND);
    expectHolders(world, 2);
    expectThat(world, clientTalksTo(world) === 2, "the client talks to somebody else");
  },
  "a loser that stops before it hears the winner: the winner announces again": () => {
    const world = settledWorld();
    const mend = world.network.cut(1, 0);
    pass(world, 10 * SECOND);
    const mendReturn = world.network.cut(0, 1);
    pass(world, 20 * SECOND);
    world.client.learn(virtualAddress(0), 0);
    mendReturn();
    world.host(0).stopDaemon();
    mend();
    pass(world, 20_000);
    expectHolders(world, 2);
    expectThat(world, clientTalksTo(world) === 2, "the client talks to a host that is gone");
  },
  "three nodes: after the master's death the next in priority takes it, alone": () => {
    for (const seed of [1, 2, 3]) {
      const world = settledWorld({ nodes: 3, seed });
      world.host(2).powerOff();
      passWatching(world, 10 * SECOND, () => expectThat(world, !holders(world).includes(1), "node 1 took it"));
      expectHolders(world, 2);
    }
  },
};
